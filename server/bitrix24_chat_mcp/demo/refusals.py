"""Every error code the portal knows: its text, and its status by the source and by the documentation."""

from typing import Literal, NamedTuple

Statuses = Literal["source", "docs"]


class Refusal(NamedTuple):
    """What stands behind a code; the two statuses differ where Bitrix24's source and its documentation do."""

    text: str
    source: int
    docs: int


REFUSALS = {
    "ERROR_METHOD_NOT_FOUND": Refusal("Method not found!", 404, 404),
    "NO_AUTH_FOUND": Refusal("Wrong authorization data", 401, 401),
    "INVALID_CREDENTIALS": Refusal("Invalid request credentials", 401, 403),
    "invalid_token": Refusal("Unable to get application by token", 401, 401),
    "expired_token": Refusal("The access token provided has expired", 401, 401),
    "insufficient_scope": Refusal(
        "The request requires higher privileges than provided by the access token", 401, 403
    ),
    "INVALID_REQUEST": Refusal("Https required.", 401, 400),
    "ACCESS_DENIED": Refusal("Access denied!", 403, 403),
    "user_access_error": Refusal("The user does not have access to the application.", 401, 403),
    "authorization_error": Refusal("Unable to authorize user", 401, 401),
    "APPLICATION_NOT_FOUND": Refusal("Application not found", 401, 401),
    "ERROR_OAUTH": Refusal("Application not installed", 401, 401),
    "CONNECTION_ERROR": Refusal("Error connecting to authorization server", 401, 401),
    "WRONG_AUTH_TYPE": Refusal("Current authorization type is denied for this method", 403, 403),
    "WRONG_LICENSE": Refusal("This feature is not enabled for the current license: REST", 403, 403),
    "METHOD_CONFIRM_WAITING": Refusal("Waiting for confirmation", 401, 401),
    "METHOD_CONFIRM_DENIED": Refusal("Method call denied", 403, 403),
    "OVERLOAD_LIMIT": Refusal("REST API is blocked due to overload.", 401, 503),
    "OPERATION_TIME_LIMIT": Refusal("Method is blocked due to operation time limit.", 429, 429),
    "QUERY_LIMIT_EXCEEDED": Refusal("Too many requests", 503, 503),
    "PORTAL_DELETED": Refusal("Portal was deleted", 403, 500),
    "ERROR_CORE": Refusal("SQL query error!", 500, 500),
    "ERROR_ARGUMENT": Refusal("The value of an argument is incorrect", 400, 400),
    "WRONG_ENCODING": Refusal("Wrong request encoding", 200, 200),
    "INTERNAL_SERVER_ERROR": Refusal("Internal server error", 500, 500),
    "ERROR_UNEXPECTED_ANSWER": Refusal("Server returned an unexpected response", 500, 500),
    "ERROR_BATCH_LENGTH_EXCEEDED": Refusal("Max batch length exceeded", 405, 405),
    "ERROR_BATCH_METHOD_NOT_ALLOWED": Refusal("Method is not allowed for batch usage", 400, 405),
    "DIALOG_ID_EMPTY": Refusal("Dialog ID can't be empty", 400, 400),
    "CHAT_ID_EMPTY": Refusal("Chat ID can't be empty", 400, 400),
    "ACCESS_ERROR": Refusal("You don't have access to this chat", 400, 400),
    "FIND_SHORT": Refusal("Too short a search phrase.", 400, 400),
    "FIRST_ID_STRING": Refusal("FIRST_ID can't be a string", 400, 400),
    "LAST_ID_STRING": Refusal("LAST_ID can't be a string", 400, 400),
}


_BY_UPPER = {code.upper(): refusal for code, refusal in REFUSALS.items()}


class RestError(Exception):
    """An answer `{"error": code, "error_description": text}`; the code goes out as it is spelled here."""

    def __init__(self, code: str, text: str | None = None, status: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self._known = _BY_UPPER.get(code.upper(), Refusal("", 400, 400))
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
