"""What can be set about a demo portal, at construction and while it runs."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta, timezone
from typing import Literal

Statuses = Literal["source", "docs"]
"""Bitrix24's source code, or its documentation."""


def _moscow() -> timezone:
    return timezone(timedelta(hours=3))


def _all_scopes() -> tuple[str, ...]:
    return ("im", "user", "imopenlines", "task", "crm")


@dataclass(kw_only=True)
class Options:
    """Settings of a demo portal; every one may be changed while it runs."""

    chats: int = 57
    """How many items the default user's im.recent.get lists (0 to 5000); some odd ones come on top."""
    seed: int = 1
    rate: float = 2.0
    """Requests that drain from the bucket a second; math.inf for no limit."""
    burst: float = 50
    """Requests that the bucket holds."""
    latency: float = 0.0
    """Seconds before each answer."""
    clock: Callable[[], float] = time.time
    """Unix seconds; all waiting is asyncio's, so a virtual loop's clock fits."""

    statuses: Statuses = "source"
    """Where Bitrix24's source and its documentation disagree on a status, whom to follow."""
    operating: Literal["cloud", "limiter", "none"] = "cloud"
    """Which limiter keys `time` has: both (cloud), `operating` only, or neither (on-premise)."""
    build: Literal["current", "old"] = "current"
    """`old` is 2024: `\\uXXXX` in JSON, fractions in `time`, 25 pins, no ACCESS_ERROR from a pin."""
    zone: timezone = field(default_factory=_moscow)
    """The server's own time zone, in which it reads and writes dates."""
    domain: str = "demo.bitrix24.example"
    """The portal's name in avatars and addresses; requests may come by any other."""
    language: Literal["ru", "en"] = "ru"
    """Of the markers in stripped texts, such as ` [Файл]`."""
    find_minimum: int = 3
    """Characters that a search needs: 3 without a full-text index, 2 by the documentation."""
    pins_by_position: bool = False
    """The user's setting to keep pins where they were put, which im.recent.list honours."""
    https_only: bool = False
    """Refuse webhooks over plain HTTP, as a real portal does."""

    scopes: tuple[str, ...] = field(default_factory=_all_scopes)
    """What webhooks and the application may do."""
    webhook_expired: bool = False
    restricted: set[int] = field(default_factory=set[int])
    """Users who may not use the application."""
    revoked: set[int] = field(default_factory=set[int])
    """Users who were fired: neither webhook nor token acts for them."""
    client_id: str = "local.demo.bitrix24-chat-mcp"
    client_secret: str = "demo-client-secret"  # noqa: S105 - a documented default, and it guards nothing
    uninstalled: bool = False
    """The application was removed from the portal."""
    unpaid: bool = False
    """REST needs a subscription that ran out."""
    rotate: bool = True
    """A refresh kills the pair that it was made with."""

    deleted: bool = False
    """The portal is closed."""
    overload: bool = False
    """REST is blocked by hand."""
    operating_limit: float = 480.0
    """Seconds of execution that a method may take in ten minutes."""
    costs: dict[str, float] = field(default_factory=dict[str, float])
    """Seconds that a call of a method is charged with; runs of 0.1 s and less are free."""

    @property
    def pin_limit(self) -> int:
        """How many chats may be pinned."""
        return 25 if self.build == "old" else 45
