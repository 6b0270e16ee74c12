"""Why a call to a portal did not succeed, and what to do next.

    PortalError                     a call that did not succeed; its text is ours and may reach the model
    ├── ApiError                    the portal answered with an error code
    ├── InvalidResponseError        something answered, but not Bitrix24's REST API
    ├── UnreachableError            no connection came about: nothing listens, no TLS, no such host
    ├── NoResponseError             the request was sent, and no whole answer came back
    ├── OversizedResponseError      the answer is larger than the setting allows
    ├── RedirectedError             the portal has another address now
    ├── DeadlineError               the call's time is up
    ├── QueueFullError              too many calls wait for the portal's rate limit already
    ├── PipelineClosedError         the server is shutting down
    ├── StoreUnreachableError       what several servers share cannot be read or written now
    ├── InvalidRequestError         the call cannot succeed as it was asked
    ├── NotAuthenticatedError       nobody is signed in, or the sign-in could not be confirmed
    └── ConfigurationError          the operator has to change a setting or the machine

Every error has a `code`, stable and upper case, and a text that begins with it. The portal's own words are
kept apart in `said`: they are untrusted, and as long as the portal likes. Errors are never changed after
they were made; `with_history` and `with_retry_after` return new ones.
"""

import math
import re
from typing import Self

from .error_codes import ERROR_CODES, UNKNOWN


class PortalError(Exception):
    """A call that did not succeed.

    `code` names the cause, `meaning` explains it in a sentence, and `next_step` says what to do about it.
    `said` is the portal's own text, untrusted, or empty. `history` tells of earlier attempts and of what
    they may have changed. `retry_after` is in how many seconds to try again, if known; it then is the next
    step. Two attributes decide whether the call is repeated:

    `transient`: the same request may succeed a moment later.
    `acted`: the portal may have acted on the request although no answer says so.
    """

    transient = False
    acted = False

    def __init__(  # noqa: PLR0913
        self,
        code: str,
        meaning: str,
        next_step: str = "",
        *,
        said: str = "",
        history: str = "",
        retry_after: float | None = None,
        transient: bool | None = None,
        acted: bool | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.meaning = meaning
        self.next_step = next_step if retry_after is None else _again_in(retry_after)
        self.said = said
        self.history = history
        self.retry_after = retry_after
        self.transient = type(self).transient if transient is None else transient
        self.acted = type(self).acted if acted is None else acted

    def __str__(self) -> str:
        return " ".join(filter(None, (f"{self.code}:", self.meaning, self.history, self.next_step)))

    def with_history(self, history: str) -> Self:
        """Return the same error with what is known of the attempts before it."""
        return self._with(history=history)

    def with_retry_after(self, seconds: float) -> Self:
        """Return the same error with the time at which trying again makes sense."""
        return self._with(retry_after=seconds, next_step=_again_in(seconds))

    def _with(self, **attributes: object) -> Self:
        error = type(self).__new__(type(self), *self.args)
        error.__dict__.update(self.__dict__, **attributes)
        return error


def duration(seconds: float) -> str:
    """Write a number of seconds for a reader, rounded up: `1 second`, `40 seconds`, `7 minutes`."""
    whole = max(1, math.ceil(seconds))
    count, unit = (whole, "second") if whole < 120 else (math.ceil(whole / 60), "minute")  # noqa: PLR2004
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _again_in(seconds: float) -> str:
    return f"Try again in {duration(seconds)}."


class InvalidResponseError(PortalError):
    """Something answered, but not Bitrix24's REST API: HTML, a truncated body, a list, nothing."""

    acted = True


class UnreachableError(PortalError):
    """No connection came about, so the portal has done nothing."""

    transient = True


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
    """The call was not sent, because `ahead` calls wait for the portal's rate limit already."""

    def __init__(self, ahead: int, seconds: float) -> None:
        super().__init__(
            "QUEUE_FULL",
            f"{ahead} calls wait for the portal's rate limit already; this one was not sent, nothing has "
            "changed.",
            retry_after=seconds,
        )


class PipelineClosedError(PortalError):
    """The server was stopped while the call was under way."""

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
    """The portal redirects to `origin`; empty where the redirect is not to the same path of an origin."""

    def __init__(self, origin: str, *, transient: bool = False) -> None:
        super().__init__(
            "PORTAL_MOVED",
            "The portal has moved to another address, and this server may not follow it there.",
            "Ask the person who runs this server to put the new address into its settings.",
            transient=transient,
        )
        self.origin = origin


_CODE = re.compile(r"[A-Z0-9_]{1,64}")
_TRANSIENT = frozenset(
    {"CONNECTION_ERROR", "ERROR_UNEXPECTED_ANSWER", "INTERNAL_SERVER_ERROR", "QUERY_LIMIT_EXCEEDED"}
)
# Codes whose HTTP status tells whether the failure is transient; unknown codes are read the same way.
_BY_STATUS = frozenset({"ERROR_CORE"})
_NOTHING_DONE = frozenset({"CONNECTION_ERROR", "QUERY_LIMIT_EXCEEDED"})
_SERVER_ERROR = 500


class ApiError(PortalError):
    """The portal answered with an error code, which tells the cause.

    The HTTP status counts only where the code does not tell whether the failure is transient.
    """

    def __init__(
        self, code: str, said: str = "", status: int = 200, *, retry_after: float | None = None
    ) -> None:
        name = code.upper()
        if not _CODE.fullmatch(name):  # untrusted text in the place of a code
            name, said = "UNKNOWN_ERROR", f"{code} {said}".strip()
        info = ERROR_CODES.get(name, UNKNOWN)
        by_status = name in _BY_STATUS or name not in ERROR_CODES
        transient = name in _TRANSIENT or (by_status and status >= _SERVER_ERROR)
        super().__init__(
            name,
            info.meaning,
            info.next_step,
            said=said,
            retry_after=retry_after if name == "OPERATION_TIME_LIMIT" else None,
            transient=transient,
            acted=transient and name not in _NOTHING_DONE,
        )
