"""The errors of REST, by code."""

from functools import cache
from typing import NamedTuple

from bitrix24_demo_portal.data.files import read_json
from bitrix24_demo_portal.options import Statuses


class ErrorInfo(NamedTuple):
    """A code's text, and its HTTP status by Bitrix24's source and by its documentation."""

    text: str
    source: int
    docs: int


@cache
def _known_errors() -> dict[str, ErrorInfo]:
    return {code.upper(): ErrorInfo(*row) for code, row in read_json("errors").items()}


class RestError(Exception):
    """An answer `{"error": code, "error_description": text}`, with the code as it is spelled here."""

    def __init__(self, code: str, text: str | None = None, status: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self._known = _known_errors().get(code.upper(), ErrorInfo("", 400, 400))
        self.text = self._known.text if text is None else text
        self._status = status

    def status(self, statuses: Statuses) -> int:
        """Return the HTTP status, by the source or by the documentation."""
        if self._status is not None:
            return self._status
        return self._known.docs if statuses == "docs" else self._known.source

    def body(self) -> dict[str, object]:
        """Return the body; errors carry no `time`."""
        return {"error": self.code, "error_description": self.text}


class PhpTypeError(Exception):
    """An argument of a type on which PHP breaks: a 500 without the JSON envelope."""
