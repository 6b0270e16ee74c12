"""What the HTTP server offers to strangers: one guarded endpoint, bounded requests, and no redirects."""

import json

import anyio
import httpx
import pytest
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.mcp_server.transports import http_app
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient, in_process
from bitrix24_chat_mcp.settings.load import Settings
from bitrix24_demo_portal import DemoPortal
from bitrix24_demo_portal.asgi.server import serving
from starlette.applications import Starlette
from starlette.routing import Route
from support.http_wire import ACCEPT, HELLO, headers, message
from support.team import Serve

TOKEN = "t0ken" * 8
PAGE = "https://app.example"
WAYS: dict[str, dict[str, object]] = {
    "bitrix24": {"auth": ["bitrix24"]},
    "webhook-header": {"auth": ["webhook-header"], "portals": ["demo.bitrix24.example"]},
    "bearer": {"auth": ["bearer"], "bearer_token": TOKEN},
}
PUBLIC = {
    "/healthz",
    "/readyz",
    "/authorize",
    "/token",
    "/register",
    "/revoke",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource/mcp",
}
SPELLINGS = [
    *("/mcp", "/mcp/", "/mcp%0A", "/mcp%0D%0A", "/mcp/%0A", "/mcp%00", "/mcp//", "//mcp", "/mcp/.", "/./mcp"),
    *(
        "/%6Dcp",
        "/%6dcp/",
        "/mcp%2F",
        "/mcp%252F",
        "/mcp%20",
        "/mcp;a=b",
        "/MCP",
        "/mcp?x=/healthz",
        "/mcp#x",
    ),
    *("/healthz/../mcp", "/healthz%2F..%2Fmcp", "/mcp%0A/", "/mcp%E2%80%A8", "/mcp%85", "/healthz%0A", "/"),
]


def application(portal: DemoPortal, **http: object) -> Starlette:
    settings = Settings.model_validate(
        {
            "transport": "http",
            "webhook_url": portal.webhook(),
            "oauth": {
                "portal": "https://demo.bitrix24.example",
                "client_id": "id",
                "client_secret": "s3cr3t",
            },
            "http": {"public_url": "http://127.0.0.1:8000", **http},
        }
    )
    return http_app(build_server(settings, HttpClient(transport=in_process(portal))), settings.http)


@pytest.mark.parametrize("way", WAYS)
async def test_every_route_without_credentials_is_refused_or_public(
    portal: DemoPortal, folder: object, way: str
) -> None:
    del folder
    app = application(portal, **WAYS[way])
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000") as http,
    ):
        for route in app.routes:
            assert isinstance(route, Route)
            if route.path in PUBLIC or route.path.startswith("/sign-in"):
                continue
            for asked in (HELLO, message("tools/list")):
                answer = await http.post(route.path, json=asked, headers=headers(asked["method"]))
                assert answer.status_code == 401, route.path


@pytest.mark.parametrize("way", WAYS)
async def test_no_spelling_of_the_path_is_served_without_credentials(
    serve: Serve, portal: DemoPortal, way: str
) -> None:
    async with (
        serve(webhook_url=portal.webhook(1), **WAYS[way]) as base,
        httpx.AsyncClient(base_url=base, headers=ACCEPT) as http,
    ):
        for path in SPELLINGS:
            for verb in ("GET", "POST", "DELETE", "OPTIONS"):
                answer = await http.request(verb, "/", json=HELLO, extensions={"target": path.encode()})
                assert answer.status_code in {401, 404, 405} or path == "/healthz%0A", (verb, path)
                assert "mcp-session-id" not in answer.headers, (verb, path)
                assert "jsonrpc" not in answer.text, (verb, path)
    assert not portal.requests


HOSTS = [b"127.0.0.1:1@evil", b"127.0.0.1:1evil", b"127.0.0.1:", b"127.0.0.1:1 evil", b"[::1]:1.evil"]
ORIGINS = ["http://127.0.0.1:1@evil.example", "http://localhost:1.evil.example", "http://localhost:1/x"]


@pytest.mark.parametrize("host", HOSTS)
async def test_a_host_that_only_begins_as_an_allowed_one_is_refused(serve: Serve, host: bytes) -> None:
    async with serve(auth=["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as http:
        for path in ("/mcp", "/authorize", "/healthz"):
            assert (await http.post(path, json=HELLO, headers={b"Host": host})).status_code == 421


@pytest.mark.parametrize("origin", ORIGINS)
async def test_an_origin_that_only_begins_as_an_allowed_one_is_refused(serve: Serve, origin: str) -> None:
    async with serve(auth=["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as http:
        assert (await http.post("/mcp", json=HELLO, headers={"Origin": origin})).status_code == 403


@pytest.mark.parametrize("value", ["[]", "[[]]", '{"a":1}', '"x"', "0"])
async def test_a_body_of_too_many_values_is_not_read(serve: Serve, portal: DemoPortal, value: str) -> None:
    own = headers("tools/call") | {"Mcp-Name": "list_recent_chats", "X-Bitrix24-Webhook": portal.webhook(1)}
    async with serve(**WAYS["webhook-header"]) as base, httpx.AsyncClient(base_url=base, headers=own) as http:
        call = message("tools/call", name="list_recent_chats", arguments={"kinds": "many"})
        body = json.dumps(call).replace('"many"', f"[{value}{f',{value}' * 20_000}]")
        answer = await http.post("/mcp", content=body)
        assert answer.status_code == 413
        assert "has more than 20000 values" in answer.text


async def test_a_flood_of_headers_is_refused(serve: Serve) -> None:
    async with serve(auth=["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as http:
        for path in ("/mcp", "/token", "/healthz"):
            many = {f"X-{number}": "1" for number in range(200)}
            answer = await http.post(path, headers=many)
            assert answer.status_code == 431
            assert "more than 100 headers" in answer.text


@pytest.mark.parametrize("path", ["/mcp//", "/healthz/", "/token/", "/mcp%2F%2F", "//evil.example/mcp/"])
async def test_a_forged_host_is_redirected_to_by_nothing(serve: Serve, path: str) -> None:
    async with serve(**WAYS["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as http:
        for verb in ("GET", "POST"):
            target = {"target": path.encode()}
            answer = await http.request(verb, "/", headers={"Host": "evil.example"}, extensions=target)
            assert answer.status_code in {404, 405}
            assert "evil.example" not in str(answer.headers)


@pytest.mark.parametrize("path", ["/authorize", "/token", "/register", "/revoke", "/sign-in/x", "/healthz"])
async def test_a_body_beyond_64_kilobytes_is_refused_anywhere_else(serve: Serve, path: str) -> None:
    async with serve(**WAYS["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as http:

        async def parts() -> object:
            for _ in range(70):
                yield b"x" * 1024

        for content in (b"x" * 70_000, parts()):
            answer = await http.post(path, content=content)  # pyright: ignore[reportArgumentType]
            assert answer.status_code == 413
            assert answer.json()["error_description"] == "The request's body is larger than 65536 bytes."


async def test_the_endpoint_takes_bodies_up_to_its_own_limit(serve: Serve, portal: DemoPortal) -> None:
    async with (
        serve(**WAYS["webhook-header"], max_body_bytes=100_000) as base,
        httpx.AsyncClient(base_url=base, headers={"X-Bitrix24-Webhook": portal.webhook()}) as http,
    ):
        for size, status in ((90_000, 200), (110_000, 413)):
            asked = message("tools/list", padding="x" * size)
            assert (await http.post("/mcp", json=asked, headers=headers("tools/list"))).status_code == status


async def test_an_unexpected_error_is_a_sentence_and_one_line_in_the_log(
    portal: DemoPortal, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_: object) -> None:
        raise ValueError("s3cr3t " * 10_000)

    app = application(portal, **WAYS["bearer"])
    app.router.routes.append(Route("/broken", broken))  # pyright: ignore[reportArgumentType]
    async with serving(app) as base, httpx.AsyncClient(base_url=base) as http:
        answer = await http.get("/broken")
    assert answer.status_code == 500
    assert answer.json() == {
        "error": "server_error",
        "error_description": "The server failed on this request, and has logged why; try again once.",
    }
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.getMessage() for record in errors] == ["GET /broken failed"]


async def test_a_page_of_an_allowed_origin_may_use_the_endpoint_from_a_browser_cors(
    serve: Serve, portal: DemoPortal
) -> None:
    allowed = {"allowed_origins": [PAGE, "http://dev.example:*"]}
    async with (
        serve(**WAYS["webhook-header"], **allowed) as base,
        httpx.AsyncClient(base_url=base) as http,
    ):
        wanted = (
            "authorization, content-type, mcp-session-id, mcp-protocol-version, mcp-method, mcp-name, "
            "last-event-id, x-bitrix24-webhook, x-mcp-toolsets, x-mcp-readonly"
        )
        for origin in (PAGE, "http://dev.example:5173"):
            asked = {
                "Origin": origin,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": wanted,
            }
            preflight = await http.options("/mcp", headers=asked)
            assert preflight.status_code == 200
            assert preflight.headers["access-control-allow-origin"] == origin
            offered = preflight.headers["access-control-allow-headers"].lower().split(", ")
            assert set(wanted.split(", ")) <= set(offered)
            assert {"GET", "POST", "DELETE"} <= set(
                preflight.headers["access-control-allow-methods"].split(", ")
            )
        known = {"Origin": PAGE, "X-Bitrix24-Webhook": portal.webhook(), **ACCEPT}
        for answer, status in (
            (await http.post("/mcp", json=HELLO, headers=known), 200),
            (await http.post("/mcp", json=HELLO, headers={"Origin": PAGE}), 401),
        ):
            assert answer.status_code == status
            assert answer.headers["access-control-allow-origin"] == PAGE
            exposed = answer.headers["access-control-expose-headers"].split(", ")
            assert set(exposed) == {"Mcp-Session-Id", "WWW-Authenticate"}


@pytest.mark.parametrize("origins", [[], [PAGE]])
@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", f"{PAGE}.evil.example", "http://app.example", "http://127.0.0.1:9"],
)
async def test_a_page_of_another_origin_gets_no_cors_headers(
    serve: Serve, origin: str, origins: list[str]
) -> None:
    async with (
        serve(**WAYS["webhook-header"], allowed_origins=origins) as base,
        httpx.AsyncClient(base_url=base) as http,
    ):
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        for answer in (
            await http.options("/mcp", headers=asked),
            await http.post("/mcp", json=HELLO, headers=asked),
        ):
            assert answer.status_code in {400, 401, 403}
            assert "access-control-allow-origin" not in answer.headers


async def test_an_aborted_form_leaves_nothing_in_the_log(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    head = b"POST /%s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99\r\n"
    form = b"Content-Type: application/x-www-form-urlencoded\r\n\r\na=b"
    async with serve(**WAYS["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as http:
        for path in (b"token", b"register", b"revoke", b"authorize"):
            connection = await anyio.connect_tcp("127.0.0.1", int(base.rpartition(":")[2]))
            async with connection:
                await connection.send(head % path + form)
                await http.get("/healthz")
        for _ in range(3):
            await http.get("/healthz")
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
