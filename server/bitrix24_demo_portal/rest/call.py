"""A method call with everything that a method may look at, and what a method may answer."""

from dataclasses import dataclass
from typing import NamedTuple

from bitrix24_demo_portal.data.world import World, is_dialog_id
from bitrix24_demo_portal.options import Options
from bitrix24_demo_portal.php import Obj, integer, string

from . import dates
from .errors import PhpTypeError, RestError
from .users import Viewer


class MethodResult(NamedTuple):
    """An answer whose `total` and `next` are lifted to the top level."""

    result: object
    total: int | None = None
    next: int | None = None


class Caller(NamedTuple):
    """Who calls: the user, and the webhook or the application through which they do."""

    user: int
    scopes: tuple[str, ...]
    by_webhook: bool
    key: str
    """Names the credentials where operating time is added up."""


@dataclass(frozen=True, slots=True)
class MethodCall:
    """One call of one method."""

    world: World
    options: Options
    caller: Caller
    params: Obj
    """As the caller typed their names."""
    start: int
    now: float

    @property
    def user(self) -> int:
        """The user on whose behalf it is."""
        return self.caller.user

    @property
    def viewer(self) -> Viewer:
        """What that user sees."""
        return Viewer(self.world, self.options, self.user, self.now)

    def param(self, *names: str) -> object:
        """Look up the first of these that is set, whatever the case of its name; None when none is."""
        upper = {name.upper(): value for name, value in self.params.items()}
        return next((upper[name] for name in names if upper.get(name) is not None), None)

    def has(self, name: str) -> bool:
        """Whether a parameter was sent at all, even empty."""
        return any(sent.upper() == name for sent in self.params)

    def flag(self, name: str) -> bool:
        """Say whether a flag is set: only exactly the string `Y` counts."""
        return self.param(name) == "Y"

    def date(self, name: str) -> float | None:
        """Read a date, or None when it is empty or cannot be read; an array breaks PHP."""
        value = self.param(name)
        if isinstance(value, dict | list):
            raise PhpTypeError(name)
        text = string(value)
        return None if text in {"", "0"} else dates.parse(text, self.options.zone)

    def limit(self, default: int, most: int) -> int:
        """LIMIT within its bounds; the default when absent."""
        return default if self.param("LIMIT") is None else min(integer(self.param("LIMIT")), most)

    def offset(self) -> int:
        """`start` if it is positive, else OFFSET."""
        return self.start if self.start > 0 else max(0, integer(self.param("OFFSET")))

    def dialog_id(self, *, notify: bool = True) -> str:
        """DIALOG_ID as a string, or DIALOG_ID_EMPTY; some methods let `notify` through."""
        value = self.param("DIALOG_ID")
        if not (is_dialog_id(value) or (notify and value == "notify")):
            raise RestError("DIALOG_ID_EMPTY")
        return str(value)
