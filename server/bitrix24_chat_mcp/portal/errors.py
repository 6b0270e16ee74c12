"""What can go wrong between us and a portal, what it means, and what to do next.

    PortalError                 a call that did not succeed; its text is ours and may reach a model
    ├── RefusedError            the portal answered with an error code of its own
    ├── UnclearAnswerError      something answered, but not Bitrix24's REST API
    ├── UnreachableError        nothing answered: no connection, no TLS, no such host
    ├── NoAnswerError           the request went out, and no whole answer came back
    ├── OversizedAnswerError    the answer is larger than the setting allows
    ├── MovedError              the portal has another address now
    ├── DeadlineError           the call's time is up
    ├── QueueFullError          too many calls wait for the portal's rate limit already
    ├── ClosedError             the server is shutting down
    └── UnusableRequestError    the call could not succeed as it was asked

Every error has a `code`, stable and upper case, and a text that begins with it. What the portal
said goes into `said`, apart from our words: it is data from outside, and unbounded.

Two questions decide whether a call is repeated: is the failure `transient`, and may the portal have
`acted` on the request all the same?
"""

import math
import re
from dataclasses import dataclass
from typing import Self


class PortalError(Exception):
    """A call that did not succeed.

    `code` names the cause, `meaning` says it in a sentence, `next_step` what to do about it;
    `said` is the portal's own text, verbatim and untrusted, or empty. `history` tells what was tried
    before and what may have come of it; `retry_after` is when to try again, in seconds, if known.
    """

    transient = False
    """The same request may succeed a moment later."""
    acted = False
    """The portal may have acted on the request although no answer says so."""

    def __init__(self, code: str, meaning: str, next_step: str, said: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.meaning = meaning
        self.next_step = next_step
        self.said = said
        self.history = ""
        self.retry_after: float | None = None

    def __str__(self) -> str:
        return " ".join(filter(None, (f"{self.code}:", self.meaning, self.history, self.next_step)))

    def twin(self) -> Self:
        """Return a copy: callers who share a failure do not share what is said of it."""
        twin = type(self).__new__(type(self), *self.args)
        twin.__dict__.update(self.__dict__)
        return twin

    def again_in(self, seconds: float) -> None:
        """Name the moment from which trying again makes sense."""
        self.retry_after = seconds
        self.next_step = f"Try again in {duration(seconds)}."


def duration(seconds: float) -> str:
    """Write a stretch of time as people say it, rounded up: `1 second`, `40 seconds`, `7 minutes`."""
    whole = max(1, math.ceil(seconds))
    count, unit = (whole, "second") if whole < 120 else (math.ceil(whole / 60), "minute")  # noqa: PLR2004
    return f"{count} {unit}{'' if count == 1 else 's'}"


class UnclearAnswerError(PortalError):
    """Something answered, but not Bitrix24's REST API: HTML, a truncated body, a list, nothing."""

    acted = True

    def __init__(self, code: str, meaning: str, next_step: str, *, transient: bool = False) -> None:
        super().__init__(code, meaning, next_step)
        self.transient = transient


class UnreachableError(PortalError):
    """No connection came about, so the portal has done nothing."""

    def __init__(self, code: str, meaning: str, next_step: str, *, transient: bool = True) -> None:
        super().__init__(code, meaning, next_step)
        self.transient = transient


class NoAnswerError(PortalError):
    """The request was sent, and no whole answer came: the portal may have acted on it."""

    transient = True
    acted = True


class OversizedAnswerError(PortalError):
    """The answer passed the size limit and was not read to the end."""

    acted = True


class DeadlineError(PortalError):
    """The call's time is up; `history` tells how far it came."""


class QueueFullError(PortalError):
    """The call was not sent, because too many wait for the portal's rate limit already."""

    def __init__(self, ahead: int, seconds: float) -> None:
        super().__init__(
            "QUEUE_FULL",
            f"{ahead} calls wait for the portal's rate limit already; this one was not sent, nothing has "
            "changed.",
            "",
        )
        self.ahead = ahead
        self.again_in(seconds)


class ClosedError(PortalError):
    """The line to the portal was closed while the call was under way."""

    acted = True

    def __init__(self) -> None:
        super().__init__(
            "SHUTTING_DOWN", "The server is shutting down.", "Try again when it has been started again."
        )


class UnusableRequestError(PortalError):
    """The call could not succeed as it was asked; asking differently can."""


class MovedError(PortalError):
    """The portal answers from another address now, `location`."""

    def __init__(self, location: str) -> None:
        super().__init__(
            "PORTAL_MOVED",
            "The portal has moved to another address, and this server may not follow it there.",
            "Ask the person who runs this server to put the new address into its settings.",
        )
        self.location = location

    def followed(self) -> None:
        """Note that the next request will go to the new address."""
        self.transient = True


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

_CODE = re.compile(r"[A-Z0-9_]{1,64}")
_UNKNOWN = Advice(
    "The portal refused the call with a code that this server does not know.",
    "Tell the user the code.",
)


# Of the codes that an error by status 5xx can bear, those that will not change by themselves.
_LASTING = frozenset({"OVERLOAD_LIMIT", "PORTAL_DELETED"})
_TRANSIENT = frozenset(
    {"CONNECTION_ERROR", "ERROR_UNEXPECTED_ANSWER", "INTERNAL_SERVER_ERROR", "QUERY_LIMIT_EXCEEDED"}
)
_NOTHING_DONE = frozenset({"CONNECTION_ERROR", "QUERY_LIMIT_EXCEEDED"})
_SERVER_ERROR = 500


class RefusedError(PortalError):
    """The portal answered with an error code of its own.

    It is deciphered by that code. The status counts only for codes that do not say whether they last.
    """

    def __init__(self, code: str, said: str = "", status: int = 200) -> None:
        name = code.upper()
        if not _CODE.fullmatch(name):  # not a code but text from outside, in the place of one
            name, said = "UNKNOWN_ERROR", f"{code} {said}".strip()
        advice = ADVICE.get(name, _UNKNOWN)
        super().__init__(name, advice.meaning, advice.next_step, said)
        self.transient = name in _TRANSIENT or (status >= _SERVER_ERROR and name not in _LASTING)
        self.acted = self.transient and name not in _NOTHING_DONE
