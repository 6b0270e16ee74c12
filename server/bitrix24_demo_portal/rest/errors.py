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
    """An answer `{"error": code, "error_description": text}`; the code goes out as it is spelled here."""

    def __init__(self, code: str, text: str | None = None, status: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self._known = _known_errors().get(code.upper(), ErrorInfo("", 400, 400))
        self.text = self._known.text if text is None else text
        self._status = status

    def status(self, statuses: Statuses) -> int:
        """Give the HTTP status, as the source or as the documentation has it."""
        if self._status is not None:
            return self._status
        return self._known.docs if statuses == "docs" else self._known.source

    def body(self) -> dict[str, object]:
        """Give the answer's body; errors carry no `time`."""
        return {"error": self.code, "error_description": self.text}


class PhpTypeError(Exception):
    """PHP broke on an argument's type: a 500 without the JSON envelope."""
