"""What came in, for inspection."""

from dataclasses import asdict, dataclass, field
from typing import cast

from bitrix24_demo_portal.asgi.response import Response
from bitrix24_demo_portal.rest.batch import Inner
from bitrix24_demo_portal.rest.errors import RestError

from .php import Obj


@dataclass(slots=True)
class LoggedRequest:
    """One HTTP request, and what became of it."""

    method: str
    """The REST method in lower case; `oauth.token` and `oauth.authorize` for those pages, else ""."""
    verb: str
    path: str
    params: Obj
    """As parsed, without credentials."""
    time: float
    """Unix seconds of its arrival."""
    user: int | None = None
    """On whose behalf; None when the credentials were not (or not successfully) looked at."""
    status: int | None = None
    """None as long as there is no answer, and for good when the connection was dropped before one."""
    error: str | None = None
    """The REST error's code."""
    inner: list[Inner] = field(default_factory=list[Inner])
    """The commands of a batch."""

    def refused(self, error: RestError) -> None:
        """Note why."""
        self.error = error.code

    def answered(self, reply: Response) -> None:
        """Note the status."""
        self.status = reply.status

    def as_json(self) -> Obj:
        """For the control address."""
        return cast("Obj", asdict(self))
