"""Every error code the portal knows: its text, and its status by the source and by the documentation."""

from typing import NamedTuple

from bitrix24_demo_portal.options import Statuses


class ErrorInfo(NamedTuple):
    """What stands behind a code; the two statuses differ where Bitrix24's source and its documentation do."""

    text: str
    source: int
    docs: int


ERRORS = {
    "ERROR_METHOD_NOT_FOUND": ErrorInfo("Method not found!", 404, 404),
    "NO_AUTH_FOUND": ErrorInfo("Wrong authorization data", 401, 401),
    "INVALID_CREDENTIALS": ErrorInfo("Invalid request credentials", 401, 403),
    "invalid_token": ErrorInfo("Unable to get application by token", 401, 401),
    "expired_token": ErrorInfo("The access token provided has expired", 401, 401),
    "insufficient_scope": ErrorInfo(
        "The request requires higher privileges than provided by the access token", 401, 403
    ),
    "INVALID_REQUEST": ErrorInfo("Https required.", 401, 400),
    "ACCESS_DENIED": ErrorInfo("Access denied!", 403, 403),
    "user_access_error": ErrorInfo("The user does not have access to the application.", 401, 403),
    "authorization_error": ErrorInfo("Unable to authorize user", 401, 401),
    "APPLICATION_NOT_FOUND": ErrorInfo("Application not found", 401, 401),
    "ERROR_OAUTH": ErrorInfo("Application not installed", 401, 401),
    "CONNECTION_ERROR": ErrorInfo("Error connecting to authorization server", 401, 401),
    "WRONG_AUTH_TYPE": ErrorInfo("Current authorization type is denied for this method", 403, 403),
    "WRONG_LICENSE": ErrorInfo("This feature is not enabled for the current license: REST", 403, 403),
    "METHOD_CONFIRM_WAITING": ErrorInfo("Waiting for confirmation", 401, 401),
    "METHOD_CONFIRM_DENIED": ErrorInfo("Method call denied", 403, 403),
    "OVERLOAD_LIMIT": ErrorInfo("REST API is blocked due to overload.", 401, 503),
    "OPERATION_TIME_LIMIT": ErrorInfo("Method is blocked due to operation time limit.", 429, 429),
    "QUERY_LIMIT_EXCEEDED": ErrorInfo("Too many requests", 503, 503),
    "PORTAL_DELETED": ErrorInfo("Portal was deleted", 403, 500),
    "ERROR_CORE": ErrorInfo("SQL query error!", 500, 500),
    "ERROR_ARGUMENT": ErrorInfo("The value of an argument is incorrect", 400, 400),
    "WRONG_ENCODING": ErrorInfo("Wrong request encoding", 200, 200),
    "INTERNAL_SERVER_ERROR": ErrorInfo("Internal server error", 500, 500),
    "ERROR_UNEXPECTED_ANSWER": ErrorInfo("Server returned an unexpected response", 500, 500),
    "ERROR_BATCH_LENGTH_EXCEEDED": ErrorInfo("Max batch length exceeded", 405, 405),
    "ERROR_BATCH_METHOD_NOT_ALLOWED": ErrorInfo("Method is not allowed for batch usage", 400, 405),
    "DIALOG_ID_EMPTY": ErrorInfo("Dialog ID can't be empty", 400, 400),
    "CHAT_ID_EMPTY": ErrorInfo("Chat ID can't be empty", 400, 400),
    "ACCESS_ERROR": ErrorInfo("You don't have access to this chat", 400, 400),
    "MESSAGE_ID_ERROR": ErrorInfo("Message ID can't be empty", 400, 400),
    "FIND_SHORT": ErrorInfo("Too short a search phrase.", 400, 400),
    "FIRST_ID_STRING": ErrorInfo("FIRST_ID can't be a string", 400, 400),
    "LAST_ID_STRING": ErrorInfo("LAST_ID can't be a string", 400, 400),
}


_BY_UPPER = {code.upper(): refusal for code, refusal in ERRORS.items()}


class RestError(Exception):
    """An answer `{"error": code, "error_description": text}`; the code goes out as it is spelled here."""

    def __init__(self, code: str, text: str | None = None, status: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self._known = _BY_UPPER.get(code.upper(), ErrorInfo("", 400, 400))
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
