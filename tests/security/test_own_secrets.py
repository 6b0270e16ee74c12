"""What the server itself holds as a secret leaves it nowhere, however it is written."""

import html
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import stored_tokens
from bitrix24_chat_mcp.logs import configure
from bitrix24_demo_portal import DemoPortal, Fault
from conftest import NOW
from conversation import Conversation, facts, text
from mcp import Client, MCPError
from team.conftest import ORIGIN, Memory, Person, Serve, assistant, caller, folder, serve

__all__ = ["folder", "serve"]  # fixtures

BEARER, STATE_KEY = "correct-HORSE-battery-staple-and-more", "a phrase that seals what clients carry"
CLIENT_SECRET = "qzwxecrvtbynumpl"
APPLICATION = {"portal": ORIGIN, "server": ORIGIN, "client_id": "local.1", "client_secret": CLIENT_SECRET}
SETTINGS: dict[str, Any] = {"http": {"bearer_token": BEARER, "state_key": STATE_KEY}, "oauth": APPLICATION}

DISGUISES: dict[str, Callable[[str], str]] = {
    "bare": lambda secret: secret,
    "glued": lambda secret: f"x{secret}y",
    "in a query": lambda secret: f"?code={secret}",
    "upper case": str.upper,
    "full width": lambda secret: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in secret),
    "percent": lambda secret: "".join(f"%{ord(c):02x}" for c in secret),
    "twice percent": lambda secret: secret[:3] + quote(quote(f"{secret[3:]}", safe=""), safe=""),
    "entities": lambda secret: "".join(f"&#{ord(c)};" for c in secret),
    "hexadecimal entities in a percent sign": lambda secret: quote(f"&#x{ord(secret[0]):x};") + secret[1:],
    "behind an entity": lambda secret: f"/rest&#47;1&#47;{secret}",
    "behind doubled slashes": lambda secret: f"rest//1//{secret}//",
    "behind wide slashes": lambda secret: f"／rest／1／{secret}／",
    "JSON escapes": lambda secret: "".join(f"\\u{ord(c):04x}" for c in secret),
    "zero width": "\u200b".join,
    "fillers": "\u3164".join,
    "a line break": lambda secret: f"\x00{secret[:5]}\x00{secret[5:]}",
}


@pytest.fixture
def portal() -> DemoPortal:
    """A portal with every kind of chat, whose clock stands still."""
    return DemoPortal(clock=NOW.timestamp)


def plain(said: str) -> str:
    """Undo what a reader may undo."""
    for _ in range(3):
        said = httpx.QueryParams("x=" + html.unescape(said).replace("&", " ").replace("+", " "))["x"]
    return "".join(said.split()).casefold()


def assert_masked(said: str, secret: str) -> None:
    assert "[secret]" in said
    wanted = "".join(secret.split()).casefold()
    for one in (said, plain(said)):
        folded = "".join(one.split()).casefold()
        assert wanted not in folded
        assert wanted[2:-2] not in folded


def poison(portal: DemoPortal, said: str) -> None:
    """Let every text of the portal hold it."""
    item = {"id": "chat7", "title": said, "chat": {"type": "chat"}, "user": {"id": 9, "name": said}}
    item["message"] = {"id": 1, "text": said, "author_id": 9, "date": "2026-11-21T18:00:00+03:00"}
    portal.override([item])
    portal.world.chats[1215].title = said


def webhook_code(portal: DemoPortal) -> str:
    return portal.webhook().split("/")[-2]


async def _lists(client: Client, portal: DemoPortal) -> list[str]:
    del portal
    listed = await client.call_tool("list_recent_chats", {"detail": "normal"})
    pinned = await client.call_tool("pin_chat", {"dialog_id": "chat1215"})
    return [one for result in (listed, pinned) for one in (text(result), json.dumps(facts(result)))]


async def _resources(client: Client, portal: DemoPortal) -> list[str]:
    del portal
    read = [await client.read_resource(f"bitrix24://{name}") for name in ("recent", "chat/chat7")]
    return [content.model_dump()["text"] for result in read for content in result.contents]


async def _prompts(client: Client, portal: DemoPortal) -> list[str]:
    del portal
    return [str((await client.get_prompt(name)).messages[0].content) for name in ("tidy_pins",)]


async def _errors(client: Client, portal: DemoPortal) -> list[str]:
    said = portal.world.chats[1215].title or ""
    portal.fail("*", Fault(body={"error": "ACCESS_ERROR", "error_description": said}, status=400))
    result = text(await client.call_tool("list_recent_chats"))
    with pytest.raises(MCPError) as error:
        await client.read_resource("bitrix24://recent")
    return [result, error.value.message]


@pytest.mark.parametrize("read", [_lists, _resources, _prompts, _errors])
@pytest.mark.parametrize("disguise", DISGUISES)
async def test_a_webhook_code_is_masked_in_every_disguise(
    converse: Conversation, portal: DemoPortal, disguise: str, read: Callable[..., Any]
) -> None:
    code = webhook_code(portal)
    poison(portal, DISGUISES[disguise](code))
    async with converse() as client:
        for said in await read(client, portal):
            assert_masked(said, code)


@pytest.mark.parametrize(
    "disguise", ["bare", "upper case", "entities", "percent", "zero width", "full width"]
)
@pytest.mark.parametrize("secret", [BEARER, STATE_KEY, CLIENT_SECRET])
async def test_bearer_token_state_key_and_client_secret_are_masked(
    converse: Conversation, portal: DemoPortal, secret: str, disguise: str
) -> None:
    poison(portal, DISGUISES[disguise](secret))
    async with converse(**SETTINGS) as client:
        said = await _lists(client, portal)
        (content,) = (await client.read_resource("bitrix24://chat/chat7")).contents
    for one in (*said[2:], content.model_dump()["text"]):
        assert_masked(one, secret)
    assert secret.casefold()[:12] not in said[0].casefold()


async def test_a_cut_shows_no_part_of_a_secret(converse: Conversation, portal: DemoPortal) -> None:
    code = webhook_code(portal)
    poison(portal, "я" * 30 + code + "я" * 60)
    async with converse() as client:
        for said in await _lists(client, portal):
            assert code[:5] not in said


Ask = Callable[[Client, str], Any]
WRONG: dict[str, Ask] = {
    "tool": lambda client, code: client.call_tool(code, {}),
    "argument": lambda client, code: client.call_tool("pin_chat", {"dialog_id": "5", code: 1}),
    "value": lambda client, code: client.call_tool("list_recent_chats", {"kinds": [code]}),
    "prompt": lambda client, code: client.get_prompt(code),
    "resource": lambda client, code: client.read_resource(f"bitrix24://{code}"),
    "dialog": lambda client, code: client.read_resource(f"bitrix24://chat/{code}"),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_the_caller_sent_wrongly_is_repeated_without_secrets(
    converse: Conversation, portal: DemoPortal, wrong: str
) -> None:
    code = webhook_code(portal)
    async with converse() as client:
        try:
            said = str(await WRONG[wrong](client, code))
        except MCPError as error:
            said = f"{error.error!r}"
    assert code not in said


async def test_one_caller_s_webhook_is_masked_in_another_s_list(serve: Serve, portal: DemoPortal) -> None:
    code = portal.webhook(5).split("/")[-2]
    poison(portal, f"code={code}")
    guarded = serve(auth=["webhook-header"], portals=[ORIGIN.partition("//")[2]])
    async with (
        guarded as base,
        caller(base, X_Bitrix24_Webhook=portal.webhook(5)) as other,
        caller(base, X_Bitrix24_Webhook=portal.webhook(1)) as client,
    ):
        await other.call_tool("list_recent_chats")
        for said in await _lists(client, portal):
            assert_masked(said, code)


async def test_the_portal_s_tokens_are_masked_while_they_are_held(
    serve: Serve, portal: DemoPortal, folder: Path
) -> None:
    memory = Memory()
    async with (
        serve(auth=["bitrix24"]) as base,
        assistant(base, Person(portal, 1), memory) as client,
    ):
        kept = stored_tokens.read(folder, f"{ORIGIN}#1")
        poison(portal, "\u200b".join(f"{kept['access']} {kept['refresh']}"))
        (content,) = (await client.read_resource("bitrix24://chat/chat7")).contents
    for name in ("access", "refresh"):
        assert_masked(content.model_dump()["text"], kept[name])


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("disguise", DISGUISES)
async def test_logs_hold_no_secret_in_any_disguise(
    converse: Conversation,
    portal: DemoPortal,
    disguise: str,
    form: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = webhook_code(portal)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    async with converse():
        configure("info", form)
        logging.getLogger("bitrix24_chat_mcp").warning("said: %s", DISGUISES[disguise](code))
        root.handlers[:] = before
        root.setLevel(level)
    assert_masked(capsys.readouterr().err, code)
