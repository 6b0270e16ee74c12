"""What an operator reads who has set `shared.url` wrongly, and what nobody pays who has not set it."""

import subprocess
import sys
from pathlib import Path

import pytest
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.portal.shared.engine import Engine
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient, in_process
from bitrix24_chat_mcp.settings.load import Settings
from bitrix24_demo_portal import DemoPortal
from mcp import Client
from support.conversation import text

from bench.valkey import PASSWORD, ValkeyServer

STATE_KEY = "k" * 32
WEBHOOK = "https://acme.bitrix24.example/rest/1/code1/"
SERVE = "import sys; from bitrix24_chat_mcp.__main__ import main; sys.exit(main(sys.argv[1:]))"


def run(
    *arguments: str, program: str = SERVE, trusted: Path | None = None, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run a program; `trusted` is the file of a certificate authority."""
    environment = {f"BITRIX24_{name}": value for name, value in {"WEBHOOK_URL": WEBHOOK, **settings}.items()}
    environment |= {"SSL_CERT_FILE": str(trusted)} if trusted else {}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=60, input=""
    )


def refused(done: subprocess.CompletedProcess[str], said: str) -> None:
    """Check that a start ended with one line and status 2, and without the password."""
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"bitrix24-chat-mcp: {said}\n"
    assert PASSWORD not in done.stderr


@pytest.mark.parametrize("transport", ["stdio", "http"])
def test_a_wrong_address_is_one_line_and_exit_2(transport: str) -> None:
    url = f"valkey://:{PASSWORD}@127.0.0.1:1/0"
    done = run(TRANSPORT=transport, SHARED__URL=url, HTTP__STATE_KEY=STATE_KEY, HTTP__PORT="0")
    refused(done, "shared.url: it cannot be reached")


def test_a_wrong_password_is_one_line_and_exit_2(valkey: ValkeyServer) -> None:
    url = valkey.url.replace(PASSWORD, "wrong-password")
    refused(run(SHARED__URL=url), "shared.url: it does not accept the user or password")
    refused(
        run(SHARED__URL=url.replace(":wrong-password@", "")),
        "shared.url: it does not accept the user or password",
    )


def test_a_missing_extra_is_one_line_and_exit_2(valkey: ValkeyServer) -> None:
    without = f"import sys; sys.modules['valkey'] = None; sys.modules['valkey.asyncio'] = None; {SERVE}"
    said = "shared.url: the extra is missing; install bitrix24-chat-mcp[replicas]"
    refused(run(program=without, SHARED__URL=valkey.url), said)


def test_what_is_no_address_is_one_line_and_exit_2() -> None:
    form = "it is no address of a host that begins with valkey://, redis:// or rediss://"
    for url in (f"http://:{PASSWORD}@host/", f"valkey://:{PASSWORD}@/0", PASSWORD):
        refused(run(SHARED__URL=url), f"shared.url (BITRIX24_SHARED__URL): {form}")


def test_over_http_state_key_is_required(valkey: ValkeyServer) -> None:
    done = run(TRANSPORT="http", SHARED__URL=valkey.url)
    refused(done, "http.state_key: it is missing; with shared.url it seals what the servers share")


def test_check_has_a_line_for_the_engine(valkey: ValkeyServer) -> None:
    assert "ok    shared state: the engine answers, version " in run("check", SHARED__URL=valkey.url).stdout
    wrong = run("check", SHARED__URL="redis://127.0.0.1:1")
    assert "FAIL  shared state: shared.url: it cannot be reached" in wrong.stdout
    assert wrong.returncode == 1


def test_start_up_without_shared_url_does_not_import_the_library() -> None:
    program = (
        "import sys; from bitrix24_chat_mcp.mcp_server import app, transports; "
        "from bitrix24_chat_mcp.settings.load import load; app.build_server(load()); "
        "print([name for name in sys.modules if 'valkey' in name or 'portal.shared' in name])"
    )
    assert run(program=program).stdout == "[]\n"


async def test_over_stdio_the_rate_limit_is_shared_and_no_token_goes_into_the_engine(
    valkey: ValkeyServer, engine: Engine
) -> None:
    portal = DemoPortal(chats=5)
    settings = Settings.model_validate({"webhook_url": portal.webhook(), "shared": {"url": valkey.url}})
    for _ in range(2):
        server = build_server(settings, HttpClient(transport=in_process(portal)))
        async with Client(server) as client:
            assert " of " in text(await client.call_tool("list_recent_chats"))
    names = {name.decode().rpartition(":")[2] for name in await engine.run("KEYS", "*")}
    assert "level" in names
    assert names <= {"level", "leases", "queue", "waiting", "due", "turns", "servers", "counts", "epoch"}
