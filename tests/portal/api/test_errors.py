"""The tree of errors as it is drawn, the classes, and the advice for the portal's codes agree."""

import re

import pytest
from bitrix24_chat_mcp.portal.api import errors
from bitrix24_chat_mcp.portal.api.error_codes import ERROR_CODES, UNKNOWN
from bitrix24_chat_mcp.portal.api.errors import ApiError, PortalError


def test_errors_drawn_in_the_tree_are_the_classes_there_are() -> None:
    drawn = re.findall(r"^ +(?:[├└]── )?(\w+Error) +\w", errors.__doc__ or "", re.MULTILINE)
    defined = [name for name, value in vars(errors).items() if isinstance(value, type) and name[0] != "_"]
    assert sorted(drawn) == sorted(name for name in defined if name.endswith("Error"))
    assert drawn[0] == "PortalError"
    assert all(getattr(errors, name).__base__ is PortalError for name in drawn[1:])


@pytest.mark.parametrize("code", [*ERROR_CODES, "SOMETHING_NEW"])
def test_errors_of_the_portal_say_what_the_table_of_codes_says(code: str) -> None:
    error, info = ApiError(code.lower()), ERROR_CODES.get(code, UNKNOWN)
    assert str(error) == f"{code}: {info.meaning} {info.next_step}"
    assert error.acted <= error.transient


def test_errors_with_a_history_or_a_time_to_retry_are_new_and_the_first_stays_as_it_was() -> None:
    error = ApiError("ERROR_CORE", "the portal's words", 500)
    told = error.with_history("It was tried 4 times.").with_retry_after(90)
    assert str(told) == "ERROR_CORE: The portal failed inside. It was tried 4 times. Try again in 90 seconds."
    assert (type(told), told.said, told.transient, told.retry_after) == (ApiError, error.said, True, 90)
    assert (error.history, error.retry_after) == ("", None)
    assert str(error) == "ERROR_CORE: The portal failed inside. Try again in a minute."
