"""The requests that the portal received, for a test to look at."""

from dataclasses import asdict, dataclass, field

from .php import Obj


@dataclass(slots=True)
class LoggedCommand:
    """A command of a batch, as the portal ran it."""

    method: str
    params: Obj
    error: str | None = None


@dataclass(slots=True)
class LoggedRequest:
    """One HTTP request and its outcome."""

    method: str
    """The REST method in lower case; `oauth.token` and `oauth.authorize` for those pages, else ""."""
    verb: str
    path: str
    params: Obj
    """As parsed, without credentials."""
    time: float
    """Unix seconds of its arrival."""
    user: int | None = None
    """The user on whose behalf it was made; None if the portal refused it before it looked."""
    status: int | None = None
    """None while there is no response, and for good when the connection was dropped before one."""
    error: str | None = None
    """The REST error's code."""
    inner: list[LoggedCommand] = field(default_factory=list[LoggedCommand])
    """The commands of a batch."""

    def as_json(self) -> Obj:
        """Return all fields as plain values."""
        return asdict(self)
