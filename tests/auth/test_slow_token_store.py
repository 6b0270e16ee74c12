"""A token store that takes its time delays the user whose tokens it holds, and no other caller's call."""

import asyncio
import json
import threading
from collections.abc import Callable, Generator
from pathlib import Path

import keyring
import pytest
from bitrix24_chat_mcp.auth.grants import GrantStore
from bitrix24_chat_mcp.portal.oauth.local_store import KeyringTokenStore
from bitrix24_demo_portal import DemoPortal
from keyring.backend import KeyringBackend
from mcp import Client
from support.stored_tokens import replace
from support.team import ORIGIN, STATE_KEY, Serve, caller

KEY = f"{ORIGIN}#7"
BOTH = ["bitrix24", "webhook-header"]
TOO_LONG = 5  # seconds for which a step waits that is never let go: it has stopped the event loop


class SlowKeyring(KeyringBackend):
    """A keyring whose every step, once it has been told to, waits until the test lets it go."""

    priority = 5  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride, reportIncompatibleVariableOverride]

    def __init__(self) -> None:
        self.held: dict[str, str] = {}
        self.go = threading.Semaphore(0)
        self.tell: Callable[[str], object] | None = None

    def _step(self, name: str) -> None:
        if self.tell:
            self.tell(name)
            assert self.go.acquire(timeout=TOO_LONG), f"{name} was waited for in the event loop"

    def get_password(self, service: str, username: str) -> str | None:
        self._step("get")
        return self.held.get(service + username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._step("set")
        self.held[service + username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._step("delete")
        del self.held[service + username]


@pytest.fixture
def slow() -> Generator[SlowKeyring]:
    before, slow = keyring.get_keyring(), SlowKeyring()
    keyring.set_keyring(slow)
    yield slow
    keyring.set_keyring(before)


async def bearer(slow: SlowKeyring, portal: DemoPortal, folder: Path, base: str) -> str:
    """Sign user 7 in with an expired token, and return a client's access token."""
    pair = portal.token(7)
    pair.expires = 0
    store = KeyringTokenStore(slow, folder)
    kept = {"portal": ORIGIN, "user": "7", "access": pair.access, "refresh": pair.refresh}
    await replace(store, KEY, json.dumps(kept))
    grants = GrantStore(store, STATE_KEY.encode())
    return (await grants.begin("client", KEY, ["chats"], f"{base}/mcp")).access_token


async def test_a_slow_token_store_delays_no_other_caller_s_call(
    serve: Serve, portal: DemoPortal, slow: SlowKeyring, folder: Path
) -> None:
    steps: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    answered: list[str] = []

    async def ask(client: Client, name: str) -> None:
        assert not (await client.call_tool("list_recent_chats")).is_error
        answered.append(name)

    async with (
        serve(
            auth=["bitrix24", "webhook-header"], portals=["demo.bitrix24.example"], store="keyring"
        ) as base,
        caller(base, X_Bitrix24_Webhook=portal.webhook(1)) as other,
        caller(base, Authorization=f"Bearer {await bearer(slow, portal, folder, base)}") as signed_in,
    ):
        slow.tell = lambda name: loop.call_soon_threadsafe(steps.put_nowait, name)
        call = asyncio.create_task(ask(signed_in, "signed in"))
        call.add_done_callback(lambda _: steps.put_nowait(""))
        taken: list[str] = []
        while step := await steps.get():
            await ask(other, step)
            taken.append(step)
            slow.go.release()
        await call
        slow.tell = None
    assert answered == [*taken, "signed in"]
    assert set(taken) == {"get", "set"}, "the token was refreshed"
    assert sum(request.method == "oauth.token" for request in portal.requests) == 1
