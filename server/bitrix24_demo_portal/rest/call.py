"""What a method gets, and what it returns."""

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
    """The user who calls, and the webhook or application through which the call comes."""

    user: int
    scopes: tuple[str, ...]
    by_webhook: bool
    key: str
    """Identifies the credentials, for which operating time is added up."""


@dataclass(frozen=True, slots=True)
class MethodCall:
    """A call of a method, with the portal's data as the caller may see it."""

    world: World
    options: Options
    caller: Caller
    params: Obj
    """With their names as the caller wrote them."""
    start: int
    now: float

    @property
    def user(self) -> int:
        """Return the id of the user on whose behalf the method is called."""
        return self.caller.user

    @property
    def viewer(self) -> Viewer:
        """Return that user at this moment, for the serializers."""
        return Viewer(self.world, self.options, self.user, self.now)

    def param(self, *names: str) -> object:
        """Return the first of these parameters that is set, in any case of letters; None when none is."""
        upper = {name.upper(): value for name, value in self.params.items()}
        return next((upper[name] for name in names if upper.get(name) is not None), None)

    def has(self, name: str) -> bool:
        """Tell whether a parameter was sent at all, even empty."""
        return any(sent.upper() == name for sent in self.params)

    def flag(self, name: str) -> bool:
        """Tell whether a flag is set: only exactly the string `Y` counts."""
        return self.param(name) == "Y"

    def date(self, name: str) -> float | None:
        """Return a date; None when it is empty or unreadable. An array raises PhpTypeError."""
        value = self.param(name)
        if isinstance(value, dict | list):
            raise PhpTypeError(name)
        text = string(value)
        return None if text in {"", "0"} else dates.parse(text, self.options.zone)

    def limit(self, default: int, most: int) -> int:
        """Return LIMIT, at most `most`; the default when absent."""
        return default if self.param("LIMIT") is None else min(integer(self.param("LIMIT")), most)

    def offset(self) -> int:
        """Return `start` if it is positive, else OFFSET."""
        return self.start if self.start > 0 else max(0, integer(self.param("OFFSET")))

    def dialog_id(self, *, notify: bool = True) -> str:
        """Return DIALOG_ID as a string or raise DIALOG_ID_EMPTY; some methods accept `notify`."""
        value = self.param("DIALOG_ID")
        if not (is_dialog_id(value) or (notify and value == "notify")):
            raise RestError("DIALOG_ID_EMPTY")
        return str(value)
