"""Fifty users of one portal, in one process, at once: each sees and changes their own, and nothing else."""

import json
import random
from pathlib import Path
from typing import Any

import anyio
from bitrix24_chat_mcp.demo import DemoPortal
from bitrix24_chat_mcp.demo.state import Message
from bitrix24_chat_mcp.portal.store import FileStore
from bitrix24_chat_mcp.team.grants import Grants
from conversation import facts, text
from mcp import Client

from .conftest import ORIGIN, Serve, caller

USERS = 50
CHATS = 4


def own_chats(portal: DemoPortal) -> dict[int, list[str]]:
    """Give fifty users some chats that only they are in, and return their ids."""
    world = portal.world
    people = [who.id for who in world.people.values() if who.active and who.kind == "user"][:USERS]
    chats: dict[int, list[str]] = {}
    for user in people:
        world.rows.pop(user, None)
        for number in range(CHATS):
            chat = world.add_chat(f"Of user {user}: {number}", "chat", "C", {user})
            world.say(chat, Message(user, f"Said by user {user}", portal.now() + number))
            chats.setdefault(user, []).append(f"chat{chat.id}")
    return chats


def headers(portal: DemoPortal, folder: Path, base: str, user: int) -> dict[str, str]:
    """Half of the users have signed in, half show their webhook."""
    if user % 2:
        return {"X_Bitrix24_Webhook": portal.webhook(user)}
    pair = portal.token(user)
    store, key = FileStore(folder), f"{ORIGIN}#{user}"
    kept = {"portal": ORIGIN, "user": str(user), "access": pair.access, "refresh": pair.refresh}
    store.save(key, json.dumps(kept))
    tokens = Grants(store, b"k" * 32).begin("client", key, ["chats"], f"{base}/mcp")
    return {"Authorization": f"Bearer {tokens.access_token}"}


async def rows(client: Client, **arguments: Any) -> dict[str, Any]:
    return facts(await client.call_tool("list_recent_chats", arguments))


async def test_fifty_users_at_once_see_and_pin_their_own_alone(
    serve: Serve, portal: DemoPortal, folder: Path
) -> None:
    chats = own_chats(portal)
    assert len(chats) == USERS
    cursors: dict[int, str] = {}
    cursors_are_there = anyio.Event()

    async def live(base: str, user: int, other: int) -> None:
        mode = random.Random(user).choice(["auto", "legacy"])  # noqa: S311 - no secret
        async with caller(base, mode, **headers(portal, folder, base, user)) as client:
            cursors[user] = (await rows(client, limit=CHATS - 1))["next_cursor"]
            await own(client, user)
            if len(cursors) == USERS:
                cursors_are_there.set()
            await cursors_are_there.wait()
            await strangers(client, other)
            pinned = await client.call_tool("pin_chat", {"dialog_id": chats[user][0]})
            assert f"Of user {user}: 0" in text(pinned)
            listed = (await rows(client, show="pinned"))["chats"]
            assert [row["dialog_id"] for row in listed] == [chats[user][0]]
            await own(client, user)

    async def strangers(client: Client, other: int) -> None:
        arguments = {"limit": CHATS - 1, "cursor": cursors[other]}
        stolen = await client.call_tool("list_recent_chats", arguments)
        assert text(stolen).startswith("INVALID_CURSOR: ")
        refused = await client.call_tool("pin_chat", {"dialog_id": chats[other][0]})
        assert text(refused).startswith("ACCESS_ERROR: ")
        assert f"user {other}" not in text(refused)

    async def own(client: Client, user: int) -> None:
        seen = await rows(client)
        assert {row["dialog_id"] for row in seen["chats"]} == set(chats[user])
        assert all(row["title"].startswith(f"Of user {user}: ") for row in seen["chats"])

    users = list(chats)
    async with (
        serve(auth=["bitrix24", "webhook-header"], portals=["demo.bitrix24.example"]) as base,
        anyio.create_task_group() as tasks,
    ):
        for user, other in zip(users, users[1:] + users[:1], strict=True):
            tasks.start_soon(live, base, user, other)
