"""The server as users start it: a command, arguments and an environment; over stdio and over HTTP."""

import httpx
import pytest
from bitrix24_chat_mcp import __version__
from bitrix24_demo_portal import DemoPortal
from bitrix24_demo_portal.asgi.server import serving
from mcp import Client, StdioServerParameters
from support.commands import COMMAND, environment, run, started
from support.conversation import Era, facts, text


async def converse(client: Client) -> None:
    """List the chats, pin one, and be refused another."""
    listed = facts(await client.call_tool("list_recent_chats", {"limit": 5}))
    chosen = next(chat for chat in listed["chats"] if not chat.get("pinned"))
    pinned = await client.call_tool("pin_chat", {"dialog_id": chosen["dialog_id"]})
    assert facts(pinned)["pinned"]
    refused = await client.call_tool("pin_chat", {"dialog_id": "chat999999"})
    assert refused.is_error
    assert text(refused).startswith("ACCESS_ERROR: ")


async def test_a_host_starts_it_over_stdio_with_the_demo(era: Era) -> None:
    command = StdioServerParameters(command=COMMAND[0], args=[*COMMAND[1:], "--demo"], env=environment())
    async with Client(command, mode=era) as client:
        await converse(client)
        assert text(await client.call_tool("list_recent_chats")).startswith("[demo portal] ")
        assert text(await client.call_tool("pin_chat", {"dialog_id": "chat999999"})).endswith("[demo portal]")


async def test_a_host_starts_it_over_stdio_with_a_webhook(era: Era) -> None:
    portal = DemoPortal()
    async with serving(portal) as base:
        env = environment(BITRIX24_WEBHOOK_URL=portal.webhook(base=base))
        async with Client(
            StdioServerParameters(command=COMMAND[0], args=COMMAND[1:], env=env), mode=era
        ) as client:
            await client.list_tools()
            assert not portal.requests, "nothing touches the network before the first call"
            await converse(client)


@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
async def test_it_serves_over_http_with_and_without_a_slash(era: Era, path: str) -> None:
    with started("--transport", "http", "--port", "0", "--demo", announcing=r"on (http\S+)/mcp") as found:
        async with Client(found[1] + path, mode=era) as client:
            await converse(client)


def test_over_http_host_and_origin_are_checked_and_health_is_told() -> None:
    with started("--transport", "http", "--port", "0", "--demo", announcing=r"on (http\S+)/mcp") as found:
        health = httpx.get(f"{found[1]}/healthz")
        assert (health.status_code, health.json()) == (200, {"status": "ok"})
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        for path in ("/mcp", "/mcp/"):
            address = found[1] + path
            foreign_host = httpx.post(address, headers={"Host": "evil.example"}, json=ping)
            foreign_origin = httpx.post(address, headers={"Origin": "https://evil.example"}, json=ping)
            assert foreign_host.status_code == 421
            assert foreign_origin.status_code == 403


def test_an_address_beyond_loopback_is_refused_with_the_reason() -> None:
    refused = run("--transport", "http", "--host", "0.0.0.0", "--demo")  # noqa: S104 - that is what is refused
    assert refused.returncode == 2
    assert refused.stderr.startswith("bitrix24-chat-mcp: http.host: only loopback addresses")
    assert refused.stderr.count("\n") == 1


def test_a_taken_port_is_one_line() -> None:
    with started("--transport", "http", "--port", "0", "--demo", announcing=r":(\d+)/mcp") as found:
        refused = run("--transport", "http", "--port", found[1], "--demo")
    assert refused.returncode == 2
    assert "cannot listen" in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "address", ["https://acme.bitrix24.example/rest/1/", "http://acme.example/rest/1/s3cr3tc0de/"]
)
def test_a_wrong_setting_is_one_line_without_the_secret_and_status_2(address: str) -> None:
    refused = run(BITRIX24_WEBHOOK_URL=address)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert refused.stderr.startswith("bitrix24-chat-mcp: webhook_url (BITRIX24_WEBHOOK_URL): ")
    assert refused.stderr.count("\n") == 1
    assert "s3cr3t" not in refused.stderr


def test_version_and_help_are_told() -> None:
    assert run("--version").stdout == f"bitrix24-chat-mcp {__version__}\n"
    assert "--transport" in run("--help").stdout


def test_the_demo_shows_the_main_job_and_ends() -> None:
    shown = run("demo")
    assert shown.returncode == 0, shown.stderr
    for step in ("list_recent_chats", "pin_chat", "Pinned “", "Unpinned “", "ACCESS_ERROR: "):
        assert step in shown.stdout


async def test_check_says_step_by_step_that_all_is_right() -> None:
    with started("portal", "--port", "0", announcing=r"webhook_url = (\S+)") as found:
        checked = run("check", BITRIX24_WEBHOOK_URL=found[1])
    assert checked.returncode == 0, checked.stdout
    assert [line.split(":")[0].split(maxsplit=1) for line in checked.stdout.splitlines()[:-1]] == [
        ["--", "definitions"],
        ["--", "hosts"],
        ["ok", "settings"],
        ["ok", "tools"],
        ["ok", "address"],
        ["ok", "portal"],
        ["ok", "credentials"],
        ["ok", "scope im"],
        ["ok", "list"],
    ]


@pytest.mark.parametrize(
    ("address", "failed"),
    [
        (None, "FAIL  address: NOT_CONFIGURED: "),
        ("http://127.0.0.1:9/rest/1/code1234/", "FAIL  portal: CONNECTION_REFUSED: "),
        ("nonsense", "FAIL  settings: webhook_url (BITRIX24_WEBHOOK_URL): "),
    ],
)
def test_check_names_what_is_wrong_with_its_remedy(address: str | None, failed: str) -> None:
    checked = run("check", **({"BITRIX24_WEBHOOK_URL": address} if address else {}))
    assert checked.returncode == 1
    assert checked.stdout.splitlines()[-1].startswith(failed)


def test_check_tells_refused_credentials_from_a_portal_that_is_not_there() -> None:
    with started("portal", "--port", "0", announcing=r"(http://\S+)/rest/") as found:
        checked = run("check", BITRIX24_WEBHOOK_URL=f"{found[1]}/rest/1/wrongcode/")
    assert checked.returncode == 1
    assert "ok    portal" in checked.stdout
    assert checked.stdout.splitlines()[-1].startswith("FAIL  credentials: INVALID_CREDENTIALS: ")
