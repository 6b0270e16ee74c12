"""An answer has room for what matters, and never more than 8,000 tokens."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from bitrix24_chat_mcp.answers import text, token_budget
from bitrix24_chat_mcp.answers.records import ChatList, Detail, RenderContext, row
from bitrix24_chat_mcp.chats import pagination
from bitrix24_chat_mcp.chats.query import ChatQuery, Show
from bitrix24_chat_mcp.portal.api.models import Chat, Listing, Message
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tokens import count, count_json

NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
BASE = "https://acme.bitrix24.example"
MOST = 8000

NASTY = {
    "Russian": "Коллеги, посмотрите макеты до обеда: бюджет согласован, вопросы в папке. ",
    "English": "Colleagues, please look at the mock-ups before lunch; the budget is agreed. ",
    "gibberish": "xq1Zj7^~Kv0|w9{Q}8Yj%3\\",
    "quotation marks": '"\\"\\"',
    "Cyrillic gibberish": "ЪыЭщЖфъьЩюѪ ѬЫъ Ьй",
    "two scripts": "aбBг1дC",
    "Chinese": "繁體中文測試龘靐齉爩鱻麤",
    "rare Chinese": "𠀀𪜀𫝀𱍊𮯠",
    "emoji": "👨‍👩‍👧‍👦👩🏽‍🚀🏳️‍🌈🇷🇺🧿",
    "accents": "Z̵̢̛͙͇͎͓̀a̷̧͔͇̐̏l̸̡͙̠͑̕g̷̨͔͗o̶̢͋ ",
    "Hindi": "क्षत्रिय ज्ञानकोश ",
    "Ethiopic": "ጰጱጲጳጴጵጶጷጸጹ",
    "Arabic": "﷽ﷺﷻﷲ",
}
FOREIGN = st.sampled_from(sorted(NASTY)).map(lambda name: NASTY[name] * 6) | st.text(max_size=300)
DATE = st.sampled_from([NOW - timedelta(minutes=5), NOW - timedelta(days=9), NOW - timedelta(days=400)])


@st.composite
def chat(draw: st.DrawFn) -> Chat:
    said = draw(FOREIGN)
    return Chat(
        dialog_id="chat1",
        title=draw(st.sampled_from([said, draw(FOREIGN)])),
        kind=draw(st.sampled_from(["openline", "person", "task"])),
        message=Message(
            5, draw(st.sampled_from([said, draw(FOREIGN)])), 7, NOW, has_file=draw(st.booleans())
        ),
        author=draw(st.sampled_from([said, draw(FOREIGN)])),
        unread=draw(st.sampled_from([0, 3, 10**12 - 1])),
        pinned=draw(st.booleans()),
        muted=draw(st.booleans()),
        marked_unread=draw(st.booleans()),
        client_waits=draw(st.booleans()),
        link="/company/personal/user/1/tasks/task/view/8293/" + draw(st.sampled_from(["", "x7Q-" * 38])),
        active_at=draw(DATE),
        members=draw(st.sampled_from([0, 60, 10**11])),
        role=draw(FOREIGN),
        owner=draw(st.sampled_from([0, 5, 10**11])),
        created=draw(DATE),
        position=draw(FOREIGN),
    )


def many(some: list[Chat], number: int, first: int) -> list[Chat]:
    ids = [f"chat{first + 7919 * n}" for n in range(number)]
    return [replace(some[n % len(some)], dialog_id=dialog_id) for n, dialog_id in enumerate(ids)]


def answer(chats: list[Chat], query: ChatQuery) -> ChatList:
    odd = ["Z7q" * 13] * 9
    notes = ["skip_openlines, skip_chat, skip_dialog applied by the portal, uncounted", "changes only"]
    render = RenderContext(BASE, NOW, query.detail, {})
    return pagination.make_page(Listing(chats, odd), query, render, b"", notes=notes, portal="demo portal")


@settings(max_examples=25)
@given(
    some=st.lists(chat(), min_size=1, max_size=4),
    number=st.sampled_from([1, 40, 330]),
    first=st.sampled_from([1, 10**6, 10**11]),
    detail=st.sampled_from(["brief", "normal", "full"]),
    show=st.sampled_from(["all", "attention"]),
)
def test_no_answer_passes_8000_tokens_and_the_next_page_goes_on_exactly_there(
    some: list[Chat], number: int, first: int, detail: Detail, show: Show
) -> None:
    chats = many(some, number, first)
    query, shown = ChatQuery(show=show, detail=detail, limit=200), list[str]()
    page = answer(chats, query)
    for _ in range(2):
        assert count(text.chat_list(page)) <= MOST
        assert count_json(page.compact()) <= MOST
        shown += [one.dialog_id for one in page.chats]
        if not page.next_cursor:
            assert len(shown) == (page.total if page.matching is None else page.matching)
            break
        assert page.chats, "a page without rows leads nowhere"
        page = answer(chats, replace(query, cursor=page.next_cursor))
    assert len(shown) == len(set(shown))


@given(chat(), st.sampled_from(["brief", "normal", "full"]), st.sampled_from([0, 16, 40, 80]))
def test_no_row_costs_more_than_it_was_thought_to(one: Chat, detail: Detail, preview: int) -> None:
    made = row(one, RenderContext(BASE, NOW, detail, {"chat1": "you owe the answer, waiting 3 d"}), preview)
    written = text._row(made)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    assert count(written + "\n") <= token_budget.cost(made)
    assert count_json([made.compact(), made.compact()]) - count_json([made.compact()]) <= token_budget.cost(
        made
    )


@given(st.text() | FOREIGN)
def test_no_text_costs_more_than_it_was_thought_to(said: str) -> None:
    assert count(said) <= token_budget.tokens(said)


def ordinary(number: int, words: str) -> list[Chat]:
    message = Message(5, words, 7, NOW)
    one = Chat("chat1", "Внедрение: ООО «Ромашка»", "group", message, "Мария Кузнецова", active_at=NOW)
    return many([one], number, 1201)


def test_fifty_ordinary_chats_keep_their_previews() -> None:
    page = answer(ordinary(50, NASTY["Russian"]), ChatQuery(limit=50))
    assert page.shown == 50
    assert all(len(one.last_text) == token_budget.USUAL_PREVIEW for one in page.chats)
    assert not [note for note in page.notes if "room" in note]


def test_short_messages_leave_their_room_to_long_ones() -> None:
    chats = [*ordinary(10, "Да"), *many(ordinary(1, NASTY["Russian"]), 1, 5)]
    page = answer(chats, ChatQuery(limit=20))
    assert len(page.chats[-1].last_text) > token_budget.USUAL_PREVIEW


@pytest.mark.parametrize(
    ("number", "previews", "dropped"),
    [(60, "shortened", False), (70, "left out", False), (200, "left out", True)],
)
def test_previews_go_first_and_then_the_last_rows_and_the_heading_says_so(
    number: int, previews: str, *, dropped: bool
) -> None:
    chats = ordinary(number, NASTY["Russian"])
    page = answer(chats, ChatQuery(limit=200))
    (said,) = [note for note in page.notes if "room" in note]
    assert said.startswith(f"previews {previews} for room")
    assert any(one.last_text for one in page.chats) is (previews == "shortened")
    assert said in text.chat_list(page).splitlines()[0]
    assert all(len(one.last_text) < token_budget.USUAL_PREVIEW for one in page.chats)
    assert [one.dialog_id for one in page.chats] == [one.dialog_id for one in chats[: page.shown]]
    assert bool(page.next_cursor) is dropped is (page.shown < number)
    if dropped:
        assert re.search(rf"\b{number - page.shown} rows", said)


def test_a_list_without_previews_tells_of_rows_only() -> None:
    page = answer(ordinary(200, NASTY["Russian"]), ChatQuery(limit=200, detail="brief"))
    assert f"the last {200 - page.shown} rows of this page left to the next" in page.notes
    assert not [note for note in page.notes if "previews" in note]
