"""An answer is about the chats that were asked for, and says how many of which kind it leaves out."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

from bitrix24_chat_mcp.answers.records import Kind, RenderContext
from bitrix24_chat_mcp.chats import pagination
from bitrix24_chat_mcp.chats.filters import apply_filter
from bitrix24_chat_mcp.chats.query import ChatQuery, Show
from bitrix24_chat_mcp.portal.api.models import Chat, Listing
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
TITLES = ["Бухгалтерия", "Запуск сайта", "Anna Carter", "Орлов", "Northwind redesign", ""]


def number(chats: list[Chat]) -> list[Chat]:
    return [
        Chat(
            f"chat{n}",
            one.title,
            one.kind,
            unread=one.unread,
            pinned=one.pinned,
            marked_unread=one.marked_unread,
            client_waits=one.client_waits,
            author=one.author,
            active_at=NOW,
        )
        for n, one in enumerate(chats, 1)
    ]


CHATS = st.lists(
    st.builds(
        Chat,
        dialog_id=st.just("chat1"),
        title=st.sampled_from(TITLES),
        kind=st.sampled_from(get_args(Kind)),
        unread=st.sampled_from([0, 0, 1, 12]),
        pinned=st.booleans(),
        marked_unread=st.booleans(),
        client_waits=st.booleans(),
        author=st.sampled_from(["", "Anna"]),
    ),
    max_size=30,
).map(number)
QUERIES = st.builds(
    ChatQuery,
    text=st.sampled_from(["", " ", "бухгалтерия", "orlov", "nothing like it"]),
    show=st.sampled_from(get_args(Show)),
    kinds=st.lists(st.sampled_from(get_args(Kind)), max_size=4).map(tuple),
)


def page(chats: list[Chat], query: ChatQuery, limit: int = 200) -> dict[str, object]:
    render = RenderContext("", NOW, "brief", {})
    return pagination.make_page(Listing(chats, []), replace(query, limit=limit), render, b"").compact()


@given(chats=CHATS, query=QUERIES)
def test_what_matches_and_what_is_hidden_add_up_to_all(chats: list[Chat], query: ChatQuery) -> None:
    matching = apply_filter(chats, query, NOW)
    hidden = sum(count for kinds in matching.hidden.values() for count in kinds.values())
    assert len(chats) == len(matching.chats) + hidden
    assert len({chat.dialog_id for chat in matching.chats}) == len(matching.chats)
    for kind in get_args(Kind):
        of_kind = sum(kinds.get(kind, 0) for kinds in matching.hidden.values())
        assert of_kind + sum(chat.kind == kind for chat in matching.chats) == sum(
            chat.kind == kind for chat in chats
        )


@given(chats=CHATS, query=QUERIES, limit=st.integers(1, 5))
def test_the_figures_are_of_the_whole_list_and_not_of_the_page(
    chats: list[Chat], query: ChatQuery, limit: int
) -> None:
    told, whole = page(chats, query, limit), page(chats, query)
    for figure in ("total", "matching", "unread", "unread_chats", "hidden"):
        assert told.get(figure) == whole.get(figure)
    assert told["total"] == len(chats)
    assert told.get("unread", 0) == sum(chat.unread for chat in chats)
    assert told.get("unread_chats", 0) == sum(chat.unread > 0 for chat in chats)
    assert told["shown"] == min(limit, whole["shown"])  # pyright: ignore[reportArgumentType]


@given(chats=CHATS, query=QUERIES)
def test_every_matching_chat_is_what_was_asked_for(chats: list[Chat], query: ChatQuery) -> None:
    matching = apply_filter(chats, query, NOW)
    for chat in matching.chats:
        assert not query.kinds or chat.kind in query.kinds
        assert query.show != "pinned" or chat.pinned
        assert query.show != "unread" or chat.unread or chat.marked_unread
    assert set(matching.why) >= {chat.dialog_id for chat in matching.chats if query.show == "attention"}


def test_without_a_filter_the_portal_s_order_stays() -> None:
    chats = number([Chat("", title, "group") for title in TITLES])
    assert apply_filter(chats, ChatQuery(), NOW).chats == chats
    assert apply_filter(chats, ChatQuery(), NOW).hidden == {}


def test_the_best_match_of_a_query_comes_first_among_those_that_wait() -> None:
    chats = number([Chat("", "Orlova", "person", unread=1), Chat("", "Orlov", "person", unread=1)])
    waiting = [Chat(c.dialog_id, c.title, c.kind, unread=1, author="x", active_at=NOW) for c in chats]
    found = apply_filter(waiting, ChatQuery(text="orlov", show="attention"), NOW)
    assert found.chats[0].title == "Orlov"


def notes(*kinds: str, asked: tuple[str, ...] = ()) -> object:
    chats = number([Chat("", "A", kind) for kind in kinds])
    return page(chats, ChatQuery(kinds=asked)).get("notes", [])


def test_a_flood_of_tasks_and_bots_is_counted_unless_it_was_asked_for() -> None:
    assert notes("task", "bot", "task", "person") == ["task chats (2) and bots (1) outnumber the rest"]
    assert notes("task", "person") == []
    assert notes("task", "task", "person", asked=("task",)) == []
