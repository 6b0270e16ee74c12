"""How far a request has come, and the sentences that tell the caller so."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bitrix24_chat_mcp.portal.api.errors import DeadlineError, PortalError, duration
from bitrix24_chat_mcp.portal.api.rest import Request


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """How many calls are `ahead` in the queue, and for how many `seconds`, about."""

    ahead: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Queued:
    """The request waits for the rate limit; `position` tells where it is at the moment."""

    position: Callable[[], QueuePosition]


@dataclass(frozen=True, slots=True)
class Sent:
    """The request leaves for the portal, for the `attempt`-th time."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt failed."""

    error: PortalError


Event = Queued | Sent | Failed


@dataclass(frozen=True, slots=True)
class Progress:
    """What has happened to a request.

    `attempts` counts how often it was sent, `last` is the latest event. `failure` is how the last attempt
    failed; `acted` tells that the portal may have acted on an earlier one.
    """

    attempts: int = 0
    last: Event | None = None
    failure: PortalError | None = None
    acted: bool = False

    def after(self, event: Event) -> "Progress":
        """Return the progress with another event."""
        if isinstance(event, Sent):
            return replace(self, last=event, attempts=event.attempt)
        if isinstance(event, Failed):
            return replace(self, last=event, failure=event.error, acted=self.acted or event.error.acted)
        return replace(self, last=event)

    @property
    def position(self) -> QueuePosition | None:
        """The request's position in the queue, while it waits there."""
        return self.last.position() if isinstance(self.last, Queued) else None

    def history(self, request: Request[object], error: PortalError) -> str:
        """Say what came of the attempts that ended with `error`."""
        if error is not self.failure:  # the attempts succeeded: their answer could not be read
            return _effect(request, acted=error.acted) if error.acted else ""
        tried = f"It was tried {self.attempts} times." if self.attempts > 1 else ""
        effect = _effect(request, acted=self.acted) if self.acted or error.transient else ""
        return " ".join(filter(None, (tried, effect)))

    def deadline_error(self, request: Request[object], seconds: float) -> DeadlineError:
        """Return the error for a caller whose `seconds` are over."""
        position = self.position
        before = f"The attempt before failed with {self.failure.code}." if self.failure else ""
        effect = _effect(request, acted=self.acted or isinstance(self.last, Sent))
        return DeadlineError(
            "DEADLINE_PASSED",
            self._state(duration(seconds), position),
            "Try again in a minute.",
            history=" ".join(filter(None, (before, effect))),
            retry_after=position and max(1.0, position.seconds),
        )

    def _state(self, allowed: str, position: QueuePosition | None) -> str:
        if position:
            return (
                f"The call waited for the portal's rate limit until its {allowed} were over, with "
                f"{position.ahead} calls before it."
            )
        if self.attempts:
            times = "once" if self.attempts == 1 else f"{self.attempts} times"
            return f"The portal did not answer within the call's {allowed}; it was asked {times}."
        return f"The call's {allowed} were over before it could be sent."


def _effect(request: Request[object], *, acted: bool) -> str:
    if not request.writes:
        return ""
    if not acted:
        return "Nothing has been changed."
    if request.idempotent:
        return "The change may have been made all the same; asking for it again does no harm."
    return "The change may have been made all the same; look before asking for it again."
