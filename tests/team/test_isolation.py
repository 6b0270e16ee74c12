"""Fifty users of one portal, in one process, at once: each sees and changes their own, and nothing else."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import stored_tokens
from bitrix24_chat_mcp.auth.grants import GrantStore
from bitrix24_chat_mcp.portal.oauth.token_store import FileTokenStore
from bitrix24_demo_portal import DemoPortal
from bitrix24_demo_portal.data.world import Message
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


async def headers(portal: DemoPortal, folder: Path, base: str, user: int) -> dict[str, str]:
    """Half of the users have signed in, half show their webhook."""
    if user % 2:
        return {"X_Bitrix24_Webhook": portal.webhook(user)}
    pair = portal.token(user)
    key = f"{ORIGIN}#{user}"
    stored_tokens.write(folder, key, portal=ORIGIN, user=str(user), access=pair.access, refresh=pair.refresh)
    tokens = await GrantStore(FileTokenStore(folder), b"k" * 32).begin(
        "client", key, ["chats"], f"{base}/mcp"
    )
    return {"Authorization": f"Bearer {tokens.access_token}"}


@dataclass
class Colleague:
    """One of the fifty, who knows another one's cursor and chats."""

    client: Client
    user: int
    chats: list[str]

    async def look(self, **arguments: Any) -> dict[str, Any]:
        return facts(await self.client.call_tool("list_recent_chats", arguments))

    async def sees_only_their_own(self) -> None:
        seen = await self.look()
        assert {row["dialog_id"] for row in seen["chats"]} == set(self.chats)
        assert all(row["title"].startswith(f"Of user {self.user}: ") for row in seen["chats"])

    async def gets_nothing_of(self, other: int, chat: str, cursor: str) -> None:
        arguments = {"limit": CHATS - 1, "cursor": cursor}
        stolen = text(await self.client.call_tool("list_recent_chats", arguments))
        assert stolen.startswith("INVALID_CURSOR: ")
        refused = text(await self.client.call_tool("pin_chat", {"dialog_id": chat}))
        assert refused.startswith("ACCESS_ERROR: ")
        assert f"user {other}" not in stolen + refused

    async def pins(self, chat: str) -> None:
        pinned = await self.client.call_tool("pin_chat", {"dialog_id": chat})
        assert f"Of user {self.user}: " in text(pinned)
        listed = (await self.look(show="pinned"))["chats"]
        assert [row["dialog_id"] for row in listed] == [chat]


async def test_fifty_users_at_once_see_and_pin_their_own_alone(
    serve: Serve, portal: DemoPortal, folder: Path
) -> None:
    chats = own_chats(portal)
    users = list(chats)
    assert len(users) == USERS
    cursors: dict[int, str] = {}
    all_are_in = anyio.Event()

    async def live(base: str, user: int, other: int) -> None:
        mode = ("auto", "legacy")[user // 2 % 2]
        async with caller(base, mode, **await headers(portal, folder, base, user)) as client:
            one = Colleague(client, user, chats[user])
            cursors[user] = (await one.look(limit=CHATS - 1))["next_cursor"]
            if len(cursors) == USERS:
                all_are_in.set()
            await all_are_in.wait()
            await one.sees_only_their_own()
            await one.gets_nothing_of(other, chats[other][0], cursors[other])
            await one.pins(chats[user][0])
            await one.sees_only_their_own()

    async with (
        serve(auth=["bitrix24", "webhook-header"], portals=["demo.bitrix24.example"]) as base,
        anyio.create_task_group() as tasks,
    ):
        for user, other in zip(users, users[1:] + users[:1], strict=True):
            tasks.start_soon(live, base, user, other)
