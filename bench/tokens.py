"""What answers and definitions cost a model, in tokens of o200k_base, beside what Bitrix24 itself answers."""

import asyncio
import json
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from typing import Any, cast

import bpe_openai
import httpx
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient, in_process
from bitrix24_chat_mcp.settings.load import Settings
from bitrix24_chat_mcp.settings.toolsets import ALWAYS
from bitrix24_demo_portal import DemoPortal
from bitrix24_demo_portal.data.world import Message
from mcp import Client
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent

from bench.table import Row

SIZES, PAGE = (50, 500), 50
GROUP, MESSAGES = 1219, 20
PIECE = 100_000  # characters; the encoder takes no more than so many at once
LIMITS = {"brief": (25, 25), "normal": (45, 60), "full": (90, 110)}
"""By detail: the most tokens a chat, as text and as structure."""
DEAREST = (55, 80)
# As dear as an ordinary list gets: groups only, so that each row has an author, and no short message.
DEAR = (
    "Коллеги, посмотрите, пожалуйста, обновлённые макеты главной страницы до обеда и напишите замечания",
    "По договору с «Ромашкой» остались вопросы: срок оплаты, штрафы и порядок приёмки, обсудим в пятницу",
    "Сборка на тестовом стенде, проверьте импорт заказов и отчёты за октябрь, ошибки пишите в задачу 8293",
)
TITLES = ("Запуск сайта «Северный ветер»", "Внедрение: ООО «Меридиан», второй этап", "Бухгалтерия и закупки")
AUTHORS = ("Александра Новикова", "Сергей Волков", "Екатерина Кузнецова-Морозова")
_encoding = bpe_openai.get_encoding("o200k_base")


def rows() -> Generator[Row]:
    """Count answers in both forms, and the definitions."""
    for size in SIZES:
        yield from asyncio.run(_lists(size))
    yield from asyncio.run(_dear())
    yield from asyncio.run(_changes())
    yield from asyncio.run(_history())
    yield from asyncio.run(_saved())
    yield from asyncio.run(_definitions())


async def _lists(size: int) -> list[Row]:
    async with _client(DemoPortal(chats=size)) as (client, raw):
        found = await _by_default(client, raw, size)
        each = _count(raw) / len(json.loads(raw)["result"])
        for detail, limits in LIMITS.items():
            result = await client.call_tool("list_recent_chats", {"limit": PAGE, "detail": detail})
            for (form, cost), most in zip(_costs(result).items(), limits, strict=True):
                measured = f"raw {each:.0f}, {each * PAGE / cost:.1f} times as many"
                found.append(
                    Row(f"{size} chats, {detail}, {form}, tokens a chat", cost / PAGE, most, measured)
                )
    return found


async def _by_default(client: Client, raw: str, size: int) -> list[Row]:
    whole, result = _count(raw), await client.call_tool("list_recent_chats", {})
    return [
        Row(
            f"{size} chats, im.recent.get / list_recent_chats without arguments, {form}",
            whole / cost,
            13,
            f"{whole:,} tokens beside {cost:,} ({_shown(result)})",
            at_least=True,
        )
        for form, cost in _costs(result).items()
    ]


async def _dear() -> list[Row]:
    portal = DemoPortal(chats=PAGE)
    async with _client(portal) as (client, raw):
        group = next(item for item in json.loads(raw)["result"] if item["chat"].get("type") == "chat")
        portal.override([_dearer(group, number) for number in range(PAGE)])
        result = await client.call_tool("list_recent_chats", {"limit": PAGE})
    return [
        Row(
            f"groups with authors and long messages, {form}, tokens a chat", cost / PAGE, most, _shown(result)
        )
        for (form, cost), most in zip(_costs(result).items(), DEAREST, strict=True)
    ]


def _dearer(group: dict[str, Any], number: int) -> dict[str, Any]:
    said = {**group["message"], "text": DEAR[number % 3], "author_id": 9}
    author = {"id": 9, "name": AUTHORS[number % 3]}
    place: dict[str, object] = {"id": f"chat{1201 + 2 * number}", "title": TITLES[number % 3]}
    return {**group, **place, "message": said, "user": author}


async def _changes() -> list[Row]:
    portal = DemoPortal(chats=PAGE)
    async with _client(portal) as (client, _):
        heading: Any = (await client.call_tool("list_recent_chats", {"limit": 1})).structured_content
        portal.advance(60)
        for dialog_id in ("chat1201", 7):
            portal.say(dialog_id, 7, "Готово, проверяйте")
        result = await client.call_tool("list_recent_chats", {"last_sync_date": heading["as_of"]})
    return [
        Row(f"what changed since as_of, {form}, tokens", cost, 200, _shown(result))
        for form, cost in _costs(result).items()
    ]


async def _history() -> list[Row]:
    """Read 20 messages of a group of 14 with four files, beside the same call of the portal."""
    portal = DemoPortal()
    chat = portal.world.chats[GROUP]
    for number, author in enumerate(sorted(chat.members - {1})[:4], 30):
        attached: dict[str, object] = {"id": number, "type": "file", "name": f"смета-{number}.xlsx"}
        portal.world.say(chat, Message(author, "Готово, посмотрите", portal.now(), file=attached))
    dialog = {"DIALOG_ID": f"chat{GROUP}", "LIMIT": MESSAGES, "LAST_ID": 0}
    async with (
        _client(portal, "read") as (client, _),
        httpx.AsyncClient(transport=in_process(portal)()) as bare,
    ):
        raw = (await bare.post(f"{portal.webhook()}im.dialog.messages.get", json=dialog)).text
        result = await client.call_tool("read_chat", {"dialog_id": f"chat{GROUP}", "limit": MESSAGES})
    page: Any = result.structured_content
    messages = page["messages"]
    words = _count("\n".join(one.get("text", "") for one in messages))
    whole = _count(raw)
    return [
        row
        for form, cost in _costs(result).items()
        for row in (
            Row(
                f"{MESSAGES} messages of a group, im.dialog.messages.get / read_chat, {form}",
                whole / cost,
                8,
                f"{whole:,} tokens beside {cost:,}, of which {words} are the words",
                at_least=True,
            ),
            Row(f"the same, {form}, tokens a message beside its words", (cost - words) / MESSAGES, 45),
        )
    ]


async def _saved() -> list[Row]:
    """Compare what a host shows that prefers the structured form, with the setting and without it."""
    async with _client(DemoPortal(chats=PAGE)) as (client, _):
        costs = _costs(await client.call_tool("list_recent_chats", {"limit": PAGE}))
    share = costs["text"] / costs["structure"]
    told = f"{costs['text']:,} tokens in place of {costs['structure']:,}"
    return [Row(f"{PAGE} chats with structured = false, share of the tokens", share, 0.75, told)]


async def _definitions() -> list[Row]:
    async with _client(DemoPortal(chats=PAGE)) as (client, _):
        listed = (await client.list_tools()).tools
    tools = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed]
    without = [{key: value for key, value in tool.items() if key != "outputSchema"} for tool in tools]
    seen = [{key: tool[key] for key in ("name", "description", "inputSchema")} for tool in tools]
    return [
        Row("both tools as a model sees them, tokens", sum(map(_count, map(_compact, seen))), 1300),
        Row("tools/list, tokens", _count(_compact(tools)), 2600),
        Row("the dearest tool of the sets as a model sees it, tokens", await _dearest_of_the_sets(), 250),
        Row("tools/list with structured = false, tokens", _count(_compact(without)), 1500),
    ]


async def _dearest_of_the_sets() -> int:
    async def never(
        context: object, params: ElicitRequestParams
    ) -> ElicitResult:  # so that the tools that ask are offered, too
        del context, params
        return ElicitResult(action="decline")

    settings = Settings.model_validate({"demo": True, "toolsets": ["read", "marks", "tidy"]})
    async with Client(build_server(settings), elicitation_callback=never) as client:
        tools = [tool.model_dump(mode="json", by_alias=True) for tool in (await client.list_tools()).tools]
    seen = [{key: tool[key] for key in ("name", "description", "inputSchema")} for tool in tools]
    return max(_count(_compact(one)) for one in seen if one["name"] not in ALWAYS)


@asynccontextmanager
async def _client(portal: DemoPortal, toolsets: str = "") -> AsyncGenerator[tuple[Client, str]]:
    """Connect, and fetch the raw list beside it."""
    settings = Settings.model_validate({"webhook_url": portal.webhook(), "toolsets": toolsets})
    async with httpx.AsyncClient(transport=in_process(portal)()) as bare:
        raw = (await bare.post(portal.webhook() + "im.recent.get")).text
    async with Client(build_server(settings, HttpClient(transport=in_process(portal)))) as client:
        yield client, raw


def _costs(result: CallToolResult) -> dict[str, int]:
    """Return the tokens of both forms of an answer."""
    structure = cast("object", result.structured_content)
    return {"text": _count(_said(result)), "structure": _count(_compact(structure))}


def _shown(result: CallToolResult) -> str:
    return _said(result).partition(";")[0]


def _said(result: CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _count(text: str) -> int:
    pieces = (text[at : at + PIECE] for at in range(0, len(text), PIECE))
    return sum(len(_encoding.encode(piece)) for piece in pieces)
