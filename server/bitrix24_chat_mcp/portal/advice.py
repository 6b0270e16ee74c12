"""What each of the portal's error codes means, and what to do next: one table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Advice:
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
ADVICE: dict[str, Advice] = {
    "ACCESS_DENIED": Advice(
        "The portal denies this REST call: its plan has no REST access, or the method is closed to these "
        "credentials.",
        _ADMINISTRATOR,
    ),
    "ACCESS_ERROR": Advice(
        "The user may not do this with this chat: it does not exist, the user is not in it, or its kind "
        "does not allow it.",
        "Take a dialog_id from list_recent_chats.",
    ),
    "APPLICATION_NOT_FOUND": Advice("The portal does not know the application.", _ADMINISTRATOR),
    "AUTHORIZATION_ERROR": Advice(
        "The portal cannot authorise the user: dismissed or removed, perhaps.", _ADMINISTRATOR
    ),
    "CHAT_ID_EMPTY": Advice(
        "The portal could not make out which chat is meant.", "Take a dialog_id from list_recent_chats."
    ),
    "CONNECTION_ERROR": Advice("The portal cannot reach its authorisation server.", _LATER),
    "DIALOG_ID_EMPTY": Advice(
        "The portal could not make out which dialog is meant.", "Take a dialog_id from list_recent_chats."
    ),
    "ERROR_ARGUMENT": Advice("The portal rejects an argument.", "Correct the argument it names."),
    "ERROR_BATCH_LENGTH_EXCEEDED": Advice("More calls than the portal takes in one batch.", _REPORT),
    "ERROR_BATCH_METHOD_NOT_ALLOWED": Advice("The portal does not take this method in a batch.", _REPORT),
    "ERROR_CORE": Advice("The portal failed inside.", _LATER),
    "ERROR_METHOD_NOT_FOUND": Advice(
        "The portal does not know this REST method: its version is too old, or its messenger is not "
        "installed.",
        _ADMINISTRATOR,
    ),
    "ERROR_OAUTH": Advice("The application is not installed on the portal.", _ADMINISTRATOR),
    "ERROR_UNEXPECTED_ANSWER": Advice("The portal failed inside.", _LATER),
    "EXPIRED_TOKEN": Advice("The access token has expired.", "Sign in again."),
    "FIND_SHORT": Advice("The search phrase is too short.", "Give at least three letters."),
    "FIRST_ID_STRING": Advice("The portal wants a message number.", "Give a number."),
    "INSUFFICIENT_SCOPE": Advice(
        "The credentials lack a permission: the scope `im` (chat and notifications).",
        "Ask the person who runs this server to add the scope im to the webhook or application.",
    ),
    "INTERNAL_SERVER_ERROR": Advice("The portal failed inside.", _LATER),
    "INVALID_CLIENT": Advice("The portal does not accept the application's secret.", _ADMINISTRATOR),
    "INVALID_CREDENTIALS": Advice(
        "The portal does not accept the webhook: deleted, re-issued, expired or mistyped.", _NEW_WEBHOOK
    ),
    "INVALID_GRANT": Advice("The sign-in is used up or has expired.", "Sign in again."),
    "INVALID_REQUEST": Advice(
        "The portal takes REST calls over https only, or a part of the request is missing.",
        "Ask the person who runs this server to check that webhook_url begins with https://.",
    ),
    "INVALID_SCOPE": Advice("The application asks for a permission it may not have.", _ADMINISTRATOR),
    "INVALID_TOKEN": Advice("The portal does not accept the access token.", "Sign in again."),
    "LAST_ID_STRING": Advice("The portal wants a message number.", "Give a number."),
    "METHOD_CONFIRM_DENIED": Advice("An administrator has denied this call.", _ADMINISTRATOR),
    "METHOD_CONFIRM_WAITING": Advice(
        "The call waits for an administrator to confirm it.",
        "Ask an administrator of the portal to confirm it, then try again.",
    ),
    "NOT_INSTALLED": Advice("The application is not installed on the portal.", _ADMINISTRATOR),
    "NO_AUTH_FOUND": Advice("The portal found no credentials in the request.", _NEW_WEBHOOK),
    "OPERATION_TIME_LIMIT": Advice(
        "The portal has blocked this method for a while: it has used up its running time of ten minutes.",
        "Try again in ten minutes, or when the portal's administrator has looked.",
    ),
    "OVERLOAD_LIMIT": Advice(
        "Bitrix24 has blocked the portal's REST API because of overload.",
        "Do not repeat the call; ask an administrator of the portal to have it unblocked.",
    ),
    "PAYMENT_REQUIRED": Advice("The application or the portal's plan is not paid for.", _ADMINISTRATOR),
    "PORTAL_DELETED": Advice(
        "The portal is closed or deleted.", "Ask the person who runs this server for the right address."
    ),
    "QUERY_LIMIT_EXCEEDED": Advice(
        "The portal gets more requests from this address than it allows.", "Try again in half a minute."
    ),
    "SESSION_FAILED": Advice("The portal does not accept the session.", "Sign in again."),
    "USER_ACCESS_ERROR": Advice("The user may not use the application.", _ADMINISTRATOR),
    "WRONG_AUTH_TYPE": Advice(
        "The portal does not allow this method with this kind of credentials.", _ADMINISTRATOR
    ),
    "WRONG_CLIENT": Advice("The portal does not know the application's client_id.", _ADMINISTRATOR),
    "WRONG_ENCODING": Advice("The portal could not write its answer down.", _REPORT),
    "WRONG_LICENSE": Advice("The portal's plan does not include this feature.", _ADMINISTRATOR),
}

UNKNOWN = Advice(
    "The portal refused the call with a code that this server does not know.",
    "Tell the user the code.",
)
