"""Whoever reads page by page sees every chat that stayed in the list, whatever happens between the pages."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from bitrix24_chat_mcp.chats import cursor
from bitrix24_chat_mcp.chats.cursor import MOST_NAMED, CursorError, PagePosition, decode, encode, start
from bitrix24_chat_mcp.portal.api.models import Chat
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokens import count

NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
KEY, ARGUMENTS = b"a user's key", "arguments"
MINUTE = timedelta(minutes=1)


@dataclass
class Office:
    """A chat list in which things happen; `clock` goes on by a minute with each of them."""

    chats: dict[str, Chat]
    clock: datetime = NOW
    born: int = 10_000
    random: Random = field(default_factory=lambda: Random(1))  # noqa: S311

    def listing(self) -> list[Chat]:
        """The portal's order: the pinned first, then the newest; without a date last."""
        long_ago = datetime.fromtimestamp(0, UTC)
        return sorted(
            self.chats.values(),
            key=lambda chat: (chat.pinned, chat.active_at or long_ago, chat.dialog_id),
            reverse=True,
        )

    def happen(self, event: str) -> None:
        self.clock += MINUTE
        chat = self.random.choice(list(self.chats.values()))
        if event == "message":
            self.chats[chat.dialog_id] = replace(chat, active_at=self.clock)
        elif event == "pin":
            self.chats[chat.dialog_id] = replace(chat, pinned=not chat.pinned)
        elif event == "hide" and len(self.chats) > 1:
            del self.chats[chat.dialog_id]
        elif event == "new":
            self.born += 1
            self.chats[f"chat{self.born}"] = Chat(f"chat{self.born}", "New", "group", active_at=self.clock)
        elif event == "deleted message":
            earlier = chat.active_at and chat.active_at - timedelta(days=1)
            self.chats[chat.dialog_id] = replace(chat, active_at=earlier)


def office(count: int, *, same_second: bool = False, dated: bool = True) -> Office:
    def at(number: int) -> datetime | None:
        return NOW - MINUTE * (1 if same_second else number) if dated else None

    ids = [f"chat{3 * n}" if n % 3 else str(n) for n in range(1, count + 1)]
    return Office(
        {one: Chat(one, one, "group", pinned=n % 17 == 0, active_at=at(n)) for n, one in enumerate(ids, 1)}
    )


def read(office: Office, events: list[str], limit: Callable[[], int], after: int = 0) -> list[list[str]]:
    """Read page by page, with events between two pages once `after` chats were shown; return the pages."""
    pages: list[list[str]] = []
    place, pending = start(office.clock), list(events)
    while True:
        ahead = place.remaining(office.listing(), office.clock)
        shown = ahead[: place.page_size(limit())]
        pages.append([chat.dialog_id for chat in shown])
        if len(shown) == len(ahead):
            return pages
        sealed = encode(place.advance(shown, office.clock), ARGUMENTS, KEY)
        busy = min(len(pending), office.random.randrange(12)) if sum(map(len, pages)) >= after else 0
        for _ in range(busy):
            office.happen(pending.pop())
        office.clock += MINUTE
        place = decode(sealed, ARGUMENTS, KEY, office.clock)


EVENTS = st.lists(st.sampled_from(["message", "pin", "hide", "new", "deleted message"]), max_size=40)


@given(count=st.integers(1, 90), events=EVENTS, seed=st.integers(0, 99), same_second=st.booleans())
def test_no_chat_that_stays_is_skipped_or_shown_twice(
    count: int, events: list[str], seed: int, *, same_second: bool
) -> None:
    """Up to `MOST_NAMED` shown chats the promise is exact."""
    place = office(count, same_second=same_second)
    place.random = Random(seed)  # noqa: S311
    before = set(place.chats)
    shown = [one for page in read(place, events, lambda: place.random.randint(1, 20)) for one in page]
    assert len(shown) == len(set(shown))
    assert before & set(place.chats) <= set(shown)


@settings(max_examples=25)
@given(
    count=st.integers(MOST_NAMED, 2 * MOST_NAMED),
    events=EVENTS,
    seed=st.integers(0, 99),
    dated=st.sampled_from(["apart", "same second", "never"]),
    after=st.sampled_from([0, MOST_NAMED]),
)
@example(count=2 * MOST_NAMED, events=["message"] * 60, seed=1, dated="apart", after=MOST_NAMED)
@example(count=2 * MOST_NAMED, events=["message"] * 60, seed=2, dated="apart", after=MOST_NAMED)
def test_beyond_the_named_no_chat_that_stays_is_skipped(
    count: int, events: list[str], seed: int, dated: str, after: int
) -> None:
    """A longer list is swept: none is skipped, and only what moved meanwhile may come again."""
    place = office(count, same_second=dated == "same second", dated=dated != "never")
    place.random = Random(seed)  # noqa: S311
    before, busy = set(place.chats), len(events)
    pages = read(place, events, lambda: place.random.choice([7, 30, 60]), after)
    shown = [one for page in pages for one in page]
    assert all(len(page) == len(set(page)) for page in pages)
    assert before & set(place.chats) <= set(shown)
    assert len(shown) - len(set(shown)) <= busy
    named = shown[:MOST_NAMED]
    assert len(set(named)) == len(named)


def test_what_moved_up_during_the_sweep_comes_last_and_once() -> None:
    place = office(MOST_NAMED + 60)
    ordered = [chat.dialog_id for chat in place.listing()]
    pages, at = list[list[str]](), start(place.clock)
    for moved in [[], [], [], ordered[-3:], ordered[-6:-3], [], []]:
        for dialog_id in moved:
            place.clock += MINUTE
            place.chats[dialog_id] = replace(place.chats[dialog_id], active_at=place.clock)
        place.clock += MINUTE
        shown = at.remaining(place.listing(), place.clock)[: at.page_size(100 if len(pages) < 3 else 30)]
        pages.append([chat.dialog_id for chat in shown])
        at = at.advance(shown, place.clock)
    assert pages[4][-6:] == [*ordered[-4:-7:-1], *ordered[-1:-4:-1]]
    assert pages[5:] == [[], []]
    assert sorted(one for page in pages for one in page) == sorted(ordered)


def test_a_long_list_in_any_order_is_shown_whole_and_once() -> None:
    """A list ranked by attention, or with its unanswered clients last, is not in the order of dates."""
    chats = list(office(1500).chats.values())
    Random(2).shuffle(chats)  # noqa: S311
    place, shown = start(NOW), list[str]()
    while ahead := place.remaining(chats, NOW):
        page = ahead[: place.page_size(200)]
        shown += [chat.dialog_id for chat in page]
        place = place.advance(page, NOW)
    assert len(shown) == len(set(shown)) == 1500


NAMES = st.builds(
    "{}{}".format, st.sampled_from(["", "chat", "sg", "crm"]), st.integers(1, 10**12 - 1)
) | st.integers(1, 10**12 - 1).map(str)


@given(
    named=st.frozensets(NAMES, max_size=40),
    at=st.integers(0, 10**5),
    since=st.integers(0, 2**40),
    reached=st.tuples(st.integers(0, 2**40), st.integers(0, 2**44)),
)
def test_what_is_sealed_is_read_as_it_was(
    named: frozenset[str], at: int, since: int, reached: tuple[int, int]
) -> None:
    place = PagePosition(int(NOW.timestamp()) - at % 86_000, named, since, reached)
    assert decode(encode(place, ARGUMENTS, KEY), ARGUMENTS, KEY, NOW) == place


SEALED = encode(start(NOW).advance(list(office(30).chats.values()), NOW), ARGUMENTS, KEY)


@given(at=st.integers(0, len(SEALED) - 1), letter=st.sampled_from("AQgw_-9="))
def test_a_cursor_with_another_letter_is_no_cursor(at: int, letter: str) -> None:
    forged = SEALED[:at] + letter + SEALED[at + 1 :]
    if forged == SEALED or at == len(SEALED) - 1:  # bits of the last letter may mean nothing
        return
    with pytest.raises(CursorError):
        decode(forged, ARGUMENTS, KEY, NOW)


@given(st.text(max_size=60) | st.integers(0, len(SEALED) - 1).map(lambda end: SEALED[:end]))
def test_what_is_cut_off_or_made_up_is_no_cursor(made_up: str) -> None:
    with pytest.raises(CursorError, match="is not a cursor"):
        decode(made_up, ARGUMENTS, KEY, NOW)


@pytest.mark.parametrize(
    ("arguments", "key", "now", "reason"),
    [
        (ARGUMENTS, b"another user's key", NOW, "not a cursor that this server gave this user"),
        ("others", KEY, NOW, "belongs to a call with other arguments"),
        (ARGUMENTS, KEY, NOW + timedelta(hours=25), "stale"),
        (ARGUMENTS, KEY, NOW - timedelta(hours=25), "stale"),
    ],
)
def test_a_cursor_that_cannot_be_followed_says_why(
    arguments: str, key: bytes, now: datetime, reason: str
) -> None:
    with pytest.raises(CursorError, match=reason):
        decode(SEALED, arguments, key, now)


@pytest.mark.parametrize(("chats", "most"), [(30, 60), (100, 130), (300, 350)])
def test_a_cursor_costs_about_a_token_a_chat(chats: int, most: int) -> None:
    sealed = encode(start(NOW).advance(list(office(chats).chats.values()), NOW), ARGUMENTS, KEY)
    assert count(sealed) <= most


def test_the_longest_cursor_is_one_that_the_tool_takes() -> None:
    far_apart = frozenset(f"chat{10**12 - 1 - n * 3 * 10**9}" for n in range(MOST_NAMED))
    assert len(encode(PagePosition(2**35, far_apart, 2**35, (2**35, 2**42)), ARGUMENTS, KEY)) < 4000
    assert timedelta(days=1) == cursor.LIFETIME


def test_names_and_sweep_do_not_mix_in_a_page() -> None:
    place = start(NOW).advance(list(office(250).chats.values()), NOW)
    assert place.page_size(200) == MOST_NAMED - 250
    assert place.advance(list(office(MOST_NAMED).chats.values()), NOW).page_size(200) == 200


def test_a_chat_of_the_very_second_in_which_a_sweep_began_is_not_twice_in_a_page() -> None:
    second = int(NOW.timestamp())
    names = frozenset(f"chat{n}" for n in range(1, MOST_NAMED + 1))
    ahead = PagePosition(second, names, reached=(second, 10**9)).remaining(
        [Chat("7", "A", "person", active_at=NOW)], NOW
    )
    assert [chat.dialog_id for chat in ahead] == ["7"]
