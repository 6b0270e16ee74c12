"""A request on its way to the portal, and what is known of its fate."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bitrix24_chat_mcp.portal.api.errors import DeadlineError, PortalError, duration
from bitrix24_chat_mcp.portal.api.rest import Request

from .clock import now


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """A place in the queue: how many calls are before it, and for how long, in seconds, about."""

    ahead: int
    seconds: float


@dataclass(eq=False, slots=True)
class Flight:
    """A request on its way. `deadline` is that of the most patient caller who waits for it."""

    request: Request[object]
    deadline: float
    attempts: int = 0
    under_way: bool = False
    """Sent, and not answered yet."""
    acted: bool = False
    """An earlier attempt may have reached the portal and taken effect."""
    alone: bool = False
    """To be sent by itself, because a batch did it no good."""
    failure: PortalError | None = None
    """How the last attempt failed."""
    place: Callable[[], QueuePosition] | None = field(default=None, repr=False)
    """Where it waits, while it waits."""

    def left(self) -> float:
        """Return the seconds that are left."""
        return self.deadline - now()

    def failed(self, error: PortalError) -> None:
        """Note how an attempt failed."""
        self.failure = error
        self.acted = self.acted or error.acted

    def final(self, error: PortalError) -> PortalError:
        """Return the error with what the caller should know of the attempts before it."""
        tried = f"It was tried {self.attempts} times." if self.attempts > 1 else ""
        effect = self._effect(acted=self.acted) if self.acted or error.transient else ""
        error.history = " ".join(filter(None, (tried, effect)))
        return error

    def late(self, seconds: float) -> DeadlineError:
        """Return the error of a caller whose time is up."""
        error = DeadlineError("DEADLINE_PASSED", self._progress(seconds), "Try again in a minute.")
        tried = f"The attempt before failed with {self.failure.code}." if self.failure else ""
        effect = self._effect(acted=self.acted or self.under_way)
        error.history = " ".join(filter(None, (tried, effect)))
        if self.place:
            error.again_in(max(1.0, self.place().seconds))
        return error

    def _progress(self, seconds: float) -> str:
        patience = duration(seconds)
        if self.place:
            return (
                f"The call waited for the portal's rate limit until its {patience} were over, with "
                f"{self.place().ahead} calls before it."
            )
        if self.attempts:
            times = "once" if self.attempts == 1 else f"{self.attempts} times"
            return f"The portal did not answer within the call's {patience}; it was asked {times}."
        return f"The call's {patience} were over before it could be sent."

    def _effect(self, *, acted: bool) -> str:
        if not self.request.writes:
            return ""
        if not acted:
            return "Nothing has been changed."
        if self.request.idempotent:
            return "The change may have been made all the same; asking for it again does no harm."
        return "The change may have been made all the same; look before asking for it again."
