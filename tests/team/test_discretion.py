"""A day of traffic with known secrets, at the noisiest; and what is written down on purpose."""

import json
import math
import re
import signal
import sys
from asyncio import StreamReader, create_subprocess_exec
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import stored_tokens
from bitrix24_demo_portal import DemoPortal, Fault
from bitrix24_demo_portal.asgi.server import serving
from mcp import Client, MCPError

from .conftest import Person, caller, free_port
from .test_tokens import Program

TRACED = Path(__file__).with_name("traced.py")
BEARER, STATE_KEY = "qwerty-ASDF-zxcv-bearer-s3cr3t-uiop", "qwerty-ASDF-zxcv-sealing-s3cr3t-uio"


FAULTS = (
    Fault(error="expired_token", status=401),
    Fault(html=True, status=502),
    Fault(error="INTERNAL_SERVER_ERROR", text="oops", status=500),
    Fault(error="expired_token", status=401),
    Fault(close="before"),
)


class Server:
    """The server as a command: its address, and all that it has written."""

    def __init__(self) -> None:
        self.base = f"http://127.0.0.1:{free_port()}"
        self.written = ""

    @asynccontextmanager
    async def run(self, environment: dict[str, str]) -> AsyncGenerator[None]:
        process = await create_subprocess_exec(
            sys.executable, TRACED, "--log-level", "debug", env=environment, stdout=PIPE, stderr=STDOUT
        )
        assert process.stdout
        try:
            while "Serving on" not in self.written:
                line = (await process.stdout.readline()).decode()
                assert line, self.written
                self.written += line
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._listen, process.stdout)
                yield
                process.send_signal(signal.SIGTERM)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()

    async def _listen(self, stream: StreamReader) -> None:
        while line := (await stream.readline()).decode():
            self.written += line

    def audit(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.written.splitlines() if line.startswith('{"time": ')]


@pytest.fixture
def portal() -> DemoPortal:
    return DemoPortal(chats=5, rate=math.inf, burst=math.inf)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def base(portal: DemoPortal) -> AsyncGenerator[str]:
    async with serving(portal) as base:
        yield base


@pytest.fixture
def settings(portal: DemoPortal, server: Server, base: str, tmp_path: Path) -> dict[str, str]:
    values = {
        "transport": "http",
        "webhook_url": portal.webhook(9, base),
        "oauth": {
            "portal": base,
            "server": base,
            "client_id": portal.client_id,
            "client_secret": portal.client_secret,
            "store": "file",
        },
        "limits": {"rate": 1000, "burst": 1_000_000},
        "http": {
            "port": int(server.base.rpartition(":")[2]),
            "public_url": server.base,
            "auth": ["bitrix24", "webhook-header", "bearer"],
            "bearer_token": BEARER,
            "state_key": STATE_KEY,
            "portals": [base.partition("//")[2]],
        },
    }
    file = tmp_path / "config.toml"
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items() if isinstance(value, str)]
    for table, rows in values.items():
        if isinstance(rows, dict):
            lines += [f"[{table}]", *(f"{name} = {json.dumps(value)}" for name, value in rows.items())]
    file.write_text("\n".join(lines))
    return {
        "BITRIX24_CONFIG": str(file),
        "XDG_DATA_HOME": str(tmp_path),
        "PATH": "",
        "PYTHONWARNINGS": "default",
    }


async def work(client: Client) -> str:
    """Do all that a user's assistant does, some of it wrongly."""
    said: list[str] = []
    tools: tuple[tuple[str, dict[str, Any]], ...] = (
        ("list_recent_chats", {}),
        ("list_recent_chats", {"limit": 2, "show": "attention"}),
        ("list_recent_chats", {"cursor": "x"}),
        ("pin_chat", {"dialog_id": "5"}),
        ("pin_chat", {"dialog_id": "5", "pin": False}),
        ("pin_chat", {"dialog_id": "chat999999"}),
        ("pin_chat", {"dialog_id": "no chat"}),
        ("no_tool", {}),
    )
    for tool, arguments in tools:
        said.append((await client.call_tool(tool, arguments)).model_dump_json())
    try:
        said.append((await client.read_resource("bitrix24://recent")).model_dump_json())
    except MCPError as error:  # a fault may come to this one
        said.append(str(error))
    triage, tidy = await client.get_prompt("triage_inbox"), await client.get_prompt("tidy_pins")
    return "".join(said) + triage.model_dump_json() + tidy.model_dump_json()


async def troubles(base: str, http: httpx.AsyncClient, secret: str) -> str:
    """Knock with what is wrong, or half right; return what is said to that."""
    said = ""
    for headers in (
        {},
        {"Authorization": f"Bearer {secret}"},
        {"Authorization": f"Basic {BEARER}"},
        {"X-Bitrix24-Webhook": f"https://evil.example/rest/1/{secret}/"},
        {"X-Bitrix24-Webhook": f"{base}/rest/1/{secret}/", "Origin": "https://evil.example"},
    ):
        answer = await http.post(f"/mcp?token={secret}", json={"secret": secret}, headers=headers)
        said += answer.text + str(dict(answer.headers))
    for path in ("/authorize", "/token", "/sign-in/back", f"/sign-in/{secret}"):
        answer = await http.request("POST" if path == "/token" else "GET", path, params={"code": secret})
        said += answer.text + str(dict(answer.headers))
    return said


async def test_a_day_of_traffic_shows_no_secret_anywhere(
    settings: dict[str, str], server: Server, base: str, portal: DemoPortal, tmp_path: Path
) -> None:
    person = Person(portal, 7, base)
    guess = "gu3ssedC0deThatNobodyMayRepeat"
    async with server.run(settings), httpx.AsyncClient(base_url=server.base) as http:
        program = Program(server.base, person)
        tokens = await program.sign_in()
        said = await troubles(base, http, guess)
        faults = cycle(FAULTS)
        for mode in ("auto", "legacy"):
            for headers in (
                {"Authorization": f"Bearer {tokens.access_token}"},
                {"Authorization": f"Bearer {BEARER}"},
                {"X_Bitrix24_Webhook": portal.webhook(1, base)},
            ):
                async with caller(server.base, mode, **headers) as client:
                    portal.fail("im.recent.get", next(faults), "1")
                    said += await work(client)
        kept = stored_tokens.read(tmp_path / "bitrix24-chat-mcp" / "sign-ins", f"{base}#7")
        renewed = await program.refresh(str(tokens.refresh_token))
        said += (await http.post("/token", data={"grant_type": "refresh_token", "refresh_token": guess})).text

    secrets = {
        "webhook of a caller": portal.webhook(1).split("/")[-2],
        "webhook of the owner": portal.webhook(9).split("/")[-2],
        "client secret": portal.client_secret,
        "bearer": BEARER,
        "state key": STATE_KEY,
        "guess": guess,
        "our access token": tokens.access_token,
        "our refresh token": str(tokens.refresh_token),
        "our next access token": renewed.json()["access_token"],
        "our next refresh token": renewed.json()["refresh_token"],
        "our code": httpx.URL(person.last).params["code"],
        "portal's access token": kept["access"],
        "portal's refresh token": kept["refresh"],
        "verifier": "v" * 64,
    }
    secrets |= {
        f"portal's {kind} {number}": secret
        for number, each in enumerate(portal.tokens._pairs)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        for kind, secret in (("access token", each.access), ("refresh token", each.refresh))
    }
    addresses = repr([(one.path, one.params) for one in portal.requests if one.method != "oauth.token"])
    for name, secret in secrets.items():
        assert secret not in server.written, name
        assert secret not in said, name
        if "webhook" not in name and name != "guess":
            assert secret not in addresses, name
    assert "DEBUG" in server.written, "the logs are at their noisiest"
    assert '"trace_id"' in server.written, "and what is traced is looked at"
    assert "Traceback" not in server.written


async def test_each_write_leaves_a_line_and_nothing_else_does(
    settings: dict[str, str], server: Server, base: str, portal: DemoPortal
) -> None:
    async with (
        server.run(settings),
        caller(server.base, X_Bitrix24_Webhook=portal.webhook(1, base)) as client,
    ):
        await client.call_tool("list_recent_chats", {})
        await client.call_tool("pin_chat", {"dialog_id": "5"})
        await client.call_tool("pin_chat", {"dialog_id": "chat999999"})
        await client.call_tool("pin_chat", {"dialog_id": 'a "chat"\n{of} mine'})
    lines = server.audit()
    assert [(line["dialog_id"], line["outcome"]) for line in lines] == [
        (["5"], "ok"),
        (["chat999999"], "ACCESS_ERROR"),
        (["achatofmine"], "INVALID_ARGUMENT"),
    ]
    for line in lines:
        assert list(line) == ["time", "portal", "user", "tool", "dialog_id", "outcome"]
        assert (line["portal"], line["user"], line["tool"]) == (base, "1", "pin_chat")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", str(line["time"]))
