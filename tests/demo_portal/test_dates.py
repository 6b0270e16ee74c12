"""Dates as PHP reads them: silent about what it cannot read, and about what it drops."""

import pytest
from bitrix24_demo_portal import ChatFixture, DemoPortal

from .conftest import Call


@pytest.mark.parametrize(
    ("sent", "instant"),
    [
        ("2026-11-21T14:50:00+03:00", 0),
        ("2026-11-21T12:50:00+0100", 0),
        ("2026-11-21T14:50:00+03:00 ", 0),
        ("2026-11-21T14:50:00Z", 0),
        ("2026-11-21T14:50:00.123+01:00", 0),
        ("2026-11-21T14:50:00.123Z", 0),
        ("2026-11-21T14:50:00", 0),
        ("2026-11-21T14:50", 0),
        ("2026-11-21T14:50:00CET", 0),
        ("2026-11-21T14:50:00Europe/Berlin", 0),
        ("2026-11-20T38:49:60", 0),
        ("2026-10-52T14:50:00", 0),
        ("2026-11-21", -53400),
        ("2026-11-21 14:50:00", None),
        ("2026-11-21T14:50:00 03:00", None),
        ("1795261800", None),
        ("yesterday", None),
        ("", None),
        ("0", None),
        (None, None),
        (1795261800, None),
    ],
    ids=repr,
)
async def test_dates_are_read_as_php_reads_them(
    portal: DemoPortal, call: Call, sent: object, instant: float | None
) -> None:
    """`instant` is in seconds from 14:50 Moscow time, the server's zone; None for no date at all."""
    portal.chats = 0
    start = 600 - (instant or 0)
    on_time = portal.add_chat(ChatFixture("chat", "volkov", "Вовремя", "да", age=start))
    too_old = portal.add_chat(ChatFixture("chat", "volkov", "Секундой раньше", "да", age=start + 1))
    listed = [item["id"] for item in (await call("im.recent.get", LAST_SYNC_DATE=sent))["result"]]
    assert listed == ([on_time, too_old] if instant is None else [on_time])
