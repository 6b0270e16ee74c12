"""What each of the portal's error codes means, and what to do next: one table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """What one of the portal's error codes means, and what to do next."""

    meaning: str
    next_step: str


_NEW_WEBHOOK = (
    "Ask the person who runs this server to create a new incoming webhook and put it into webhook_url."
)
_ADMINISTRATOR = "Ask an administrator of the portal."
_LATER = "Try again in a minute."
_REPORT = "Trying again will not help; report the code to the people who maintain this server."

# Keys are upper case: the portal is not consistent about the case of its codes.
ERROR_CODES: dict[str, ErrorInfo] = {
    "ACCESS_DENIED": ErrorInfo(
        "The portal denies this REST call: its plan has no REST access, or the method is closed to these "
        "credentials.",
        _ADMINISTRATOR,
    ),
    "ACCESS_ERROR": ErrorInfo(
        "The user may not do this with this chat: it does not exist, the user is not in it, or its kind "
        "does not allow it.",
        "Take a dialog_id from list_recent_chats.",
    ),
    "APPLICATION_NOT_FOUND": ErrorInfo("The portal does not know the application.", _ADMINISTRATOR),
    "AUTHORIZATION_ERROR": ErrorInfo(
        "The portal cannot authorise the user: dismissed or removed, perhaps.", _ADMINISTRATOR
    ),
    "CHAT_ID_EMPTY": ErrorInfo(
        "The portal could not make out which chat is meant.", "Take a dialog_id from list_recent_chats."
    ),
    "CONNECTION_ERROR": ErrorInfo("The portal cannot reach its authorisation server.", _LATER),
    "DIALOG_ID_EMPTY": ErrorInfo(
        "The portal could not make out which dialog is meant.", "Take a dialog_id from list_recent_chats."
    ),
    "ERROR_ARGUMENT": ErrorInfo("The portal rejects an argument.", "Correct the argument it names."),
    "ERROR_BATCH_LENGTH_EXCEEDED": ErrorInfo("More calls than the portal takes in one batch.", _REPORT),
    "ERROR_BATCH_METHOD_NOT_ALLOWED": ErrorInfo("The portal does not take this method in a batch.", _REPORT),
    "ERROR_CORE": ErrorInfo("The portal failed inside.", _LATER),
    "ERROR_METHOD_NOT_FOUND": ErrorInfo(
        "The portal does not know this REST method: its version is too old, or its messenger is not "
        "installed.",
        _ADMINISTRATOR,
    ),
    "ERROR_OAUTH": ErrorInfo("The application is not installed on the portal.", _ADMINISTRATOR),
    "ERROR_UNEXPECTED_ANSWER": ErrorInfo("The portal failed inside.", _LATER),
    "EXPIRED_TOKEN": ErrorInfo("The access token has expired.", "Sign in again."),
    "FIND_SHORT": ErrorInfo("The search phrase is too short.", "Give at least three letters."),
    "FIRST_ID_STRING": ErrorInfo("The portal wants a message number.", "Give a number."),
    "INSUFFICIENT_SCOPE": ErrorInfo(
        "The credentials lack a permission: the scope `im` (chat and notifications).",
        "Ask the person who runs this server to add the scope im to the webhook or application.",
    ),
    "INTERNAL_SERVER_ERROR": ErrorInfo("The portal failed inside.", _LATER),
    "INVALID_CLIENT": ErrorInfo("The portal does not accept the application's secret.", _ADMINISTRATOR),
    "INVALID_CREDENTIALS": ErrorInfo(
        "The portal does not accept the webhook: deleted, re-issued, expired or mistyped.", _NEW_WEBHOOK
    ),
    "INVALID_GRANT": ErrorInfo("The sign-in is used up or has expired.", "Sign in again."),
    "INVALID_REQUEST": ErrorInfo(
        "The portal takes REST calls over https only, or a part of the request is missing.",
        "Ask the person who runs this server to check that webhook_url begins with https://.",
    ),
    "INVALID_SCOPE": ErrorInfo("The application asks for a permission it may not have.", _ADMINISTRATOR),
    "INVALID_TOKEN": ErrorInfo("The portal does not accept the access token.", "Sign in again."),
    "LAST_ID_STRING": ErrorInfo("The portal wants a message number.", "Give a number."),
    "METHOD_CONFIRM_DENIED": ErrorInfo("An administrator has denied this call.", _ADMINISTRATOR),
    "METHOD_CONFIRM_WAITING": ErrorInfo(
        "The call waits for an administrator to confirm it.",
        "Ask an administrator of the portal to confirm it, then try again.",
    ),
    "NOT_INSTALLED": ErrorInfo("The application is not installed on the portal.", _ADMINISTRATOR),
    "NO_AUTH_FOUND": ErrorInfo("The portal found no credentials in the request.", _NEW_WEBHOOK),
    "OPERATION_TIME_LIMIT": ErrorInfo(
        "The portal has blocked this method for a while: it has used up its running time of ten minutes.",
        "Try again in ten minutes, or when the portal's administrator has looked.",
    ),
    "OVERLOAD_LIMIT": ErrorInfo(
        "Bitrix24 has blocked the portal's REST API because of overload.",
        "Do not repeat the call; ask an administrator of the portal to have it unblocked.",
    ),
    "PAYMENT_REQUIRED": ErrorInfo("The application or the portal's plan is not paid for.", _ADMINISTRATOR),
    "PORTAL_DELETED": ErrorInfo(
        "The portal is closed or deleted.", "Ask the person who runs this server for the right address."
    ),
    "QUERY_LIMIT_EXCEEDED": ErrorInfo(
        "The portal gets more requests from this address than it allows.", "Try again in half a minute."
    ),
    "SESSION_FAILED": ErrorInfo("The portal does not accept the session.", "Sign in again."),
    "USER_ACCESS_ERROR": ErrorInfo("The user may not use the application.", _ADMINISTRATOR),
    "WRONG_AUTH_TYPE": ErrorInfo(
        "The portal does not allow this method with this kind of credentials.", _ADMINISTRATOR
    ),
    "WRONG_CLIENT": ErrorInfo("The portal does not know the application's client_id.", _ADMINISTRATOR),
    "WRONG_ENCODING": ErrorInfo("The portal could not write its answer down.", _REPORT),
    "WRONG_LICENSE": ErrorInfo("The portal's plan does not include this feature.", _ADMINISTRATOR),
}

UNKNOWN = ErrorInfo(
    "The portal refused the call with a code that this server does not know.",
    "Tell the user the code.",
)
