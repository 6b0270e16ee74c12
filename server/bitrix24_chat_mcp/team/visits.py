"""Sign-ins under way: between a client's first step and the code that it gets in the end."""

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio
from mcp.server.auth.provider import AuthorizationParams

from .clients import Client

T = TypeVar("T")


def _secret() -> str:
    return secrets.token_hex(32)


@dataclass(eq=False, slots=True)
class Visit:
    """A person on the way to the portal and back, with one browser and for one client.

    `browser` is what the browser's cookie must say. `state` travels to the portal and back.
    """

    client: Client
    params: AuthorizationParams
    id: str = field(default_factory=_secret)
    state: str = field(default_factory=_secret, repr=False)
    browser: str = field(default="", repr=False)

    def greet(self) -> str:
        """Bind the visit to the browser that comes first; return its cookie."""
        self.browser = _secret()
        return self.browser

    def is_by(self, cookie: str | None) -> bool:
        """Tell whether a cookie is that of the visit's browser."""
        return bool(self.browser) and hmac.compare_digest((cookie or "").encode(), self.browser.encode())


class Waiting(Generic[T]):
    """Things by their secret, each for a while, and not too many."""

    def __init__(self, seconds: float, most: int = 1000) -> None:
        self._seconds = seconds
        self._most = most
        self._things: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def put(self, secret: str, thing: T) -> None:
        """Take something in; the oldest makes room."""
        self._things[secret] = (anyio.current_time(), thing)
        while len(self._things) > self._most:
            self._things.popitem(last=False)

    def get(self, secret: str) -> T | None:
        """Return what a secret stands for."""
        at, thing = self._things.get(secret, (0.0, None))
        return thing if anyio.current_time() - at < self._seconds else None

    def take(self, secret: str) -> T | None:
        """Return it, and let it go: a second time there is nothing."""
        thing = self.get(secret)
        self._things.pop(secret, None)
        return thing
