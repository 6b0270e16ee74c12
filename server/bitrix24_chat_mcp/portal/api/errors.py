"""What can go wrong between us and a portal, what it means, and what to do next.

    PortalError                 a call that did not succeed; its text is ours and may reach a model
    ├── ApiError                the portal answered with an error code of its own
    ├── InvalidResponseError    something answered, but not Bitrix24's REST API
    ├── UnreachableError        nothing answered: no connection, no TLS, no such host
    ├── NoResponseError         the request went out, and no whole answer came back
    ├── OversizedResponseError  the answer is larger than the setting allows
    ├── RedirectedError         the portal has another address now
    ├── DeadlineError           the call's time is up
    ├── QueueFullError          too many calls wait for the portal's rate limit already
    ├── PipelineClosedError     the server is shutting down
    ├── StoreUnreachableError   what several servers share cannot be read or written now
    ├── InvalidRequestError     the call cannot succeed as it was asked
    ├── NotAuthenticatedError   nobody is signed in, or the sign-in could not be confirmed
    └── ConfigurationError      the operator has to change a setting or the machine

Every error has a `code`, stable and upper case, and a text that begins with it. What the portal
said goes into `said`, apart from our words: it is data from outside, and unbounded.

Two questions decide whether a call is repeated: is the failure `transient`, and may the portal have
`acted` on the request all the same?
"""

import math
import re
from typing import Self

from .error_codes import ERROR_CODES, UNKNOWN


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


class InvalidResponseError(PortalError):
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


class NoResponseError(PortalError):
    """The request was sent, and no whole answer came: the portal may have acted on it."""

    transient = True
    acted = True


class OversizedResponseError(PortalError):
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


class PipelineClosedError(PortalError):
    """The line to the portal was closed while the call was under way."""

    acted = True

    def __init__(self) -> None:
        super().__init__(
            "SHUTTING_DOWN", "The server is shutting down.", "Try again when it has been started again."
        )


class StoreUnreachableError(PortalError):
    """What several servers share cannot be read or written now."""

    def __init__(self) -> None:
        super().__init__(
            "STORE_UNREACHABLE",
            "This server cannot reach the store that it shares with others, so it can neither renew a "
            "sign-in nor begin one; nothing has changed.",
            "Try again in a minute; if it persists, ask the person who runs this server to look at "
            "shared.url.",
        )
        self.retry_after = 60.0


class InvalidRequestError(PortalError):
    """The call cannot succeed as it was asked; asking differently can."""


class NotAuthenticatedError(PortalError):
    """The server does not know, or cannot confirm, whose chats the call is about."""


class ConfigurationError(PortalError):
    """The operator has to change the server's settings or its machine before the call can succeed."""


class RedirectedError(PortalError):
    """The portal answers from another place now: `origin`, or empty where the redirect leads elsewhere."""

    def __init__(self, origin: str) -> None:
        super().__init__(
            "PORTAL_MOVED",
            "The portal has moved to another address, and this server may not follow it there.",
            "Ask the person who runs this server to put the new address into its settings.",
        )
        self.origin = origin

    def followed(self) -> None:
        """Note that the next request will go to the new address."""
        self.transient = True


_CODE = re.compile(r"[A-Z0-9_]{1,64}")
_TRANSIENT = frozenset(
    {"CONNECTION_ERROR", "ERROR_UNEXPECTED_ANSWER", "INTERNAL_SERVER_ERROR", "QUERY_LIMIT_EXCEEDED"}
)
# Codes that leave it to the status whether they last, beside those that nobody knows.
_BY_STATUS = frozenset({"ERROR_CORE"})
_NOTHING_DONE = frozenset({"CONNECTION_ERROR", "QUERY_LIMIT_EXCEEDED"})
_SERVER_ERROR = 500


class ApiError(PortalError):
    """The portal answered with an error code of its own.

    It is deciphered by that code. The status counts only for codes that do not say whether they last.
    """

    def __init__(self, code: str, said: str = "", status: int = 200) -> None:
        name = code.upper()
        if not _CODE.fullmatch(name):  # not a code but text from outside, in the place of one
            name, said = "UNKNOWN_ERROR", f"{code} {said}".strip()
        advice = ERROR_CODES.get(name, UNKNOWN)
        super().__init__(name, advice.meaning, advice.next_step, said)
        by_status = name in _BY_STATUS or name not in ERROR_CODES
        self.transient = name in _TRANSIENT or (by_status and status >= _SERVER_ERROR)
        self.acted = self.transient and name not in _NOTHING_DONE
