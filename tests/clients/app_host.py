"""A host of MCP Apps: a real browser, the extension's own bridge, and a client of our server behind it."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from bitrix24_demo_portal.asgi.server import serving
from browser import Browser
from jsonschema import Draft202012Validator
from mcp import Client
from mcp_types import CallToolRequestParams, CallToolResult
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

PICTURES = Path(__file__).parent / "artifacts"
"""Where screenshots are left for people to look at."""
URI = "ui://bitrix24/chats"
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; media-src 'self' data:; connect-src 'none'"
)
"""What a host has to allow a page that asks for nothing (SEP-1865, "Default CSP")."""
_ROOM = (
    "<!doctype html><title>Host</title><link rel=icon href=data:,>"
    "<style>body{margin:0} iframe{border:0; width:100%; display:block}</style>"
    "<body><script src=/bundle></script>"
)
_WATCH = """<script>
    const incidents = globalThis.incidents = [];
    addEventListener("securitypolicyviolation", event => incidents.push(`forbidden: ${event.blockedURI}`));
    addEventListener("error", event => incidents.push(String(event.message)));
    addEventListener("unhandledrejection", event => incidents.push(String(event.reason)));
    console.error = console.warn = (...said) => incidents.push(said.join(" "));
</script>"""
"""Runs before the page: the console of a sandboxed frame is not within the driver's reach."""
CAPABILITIES: dict[str, Any] = {
    "serverTools": {},
    "openLinks": {},
    "message": {"text": {}},
    "updateModelContext": {"text": {}},
}
_BUTTON = """
    return [...document.querySelectorAll("button")].find(one =>
        one.checkVisibility() && (one.ariaLabel ?? one.textContent).startsWith(arguments[0]))
"""
_UNTIL = """
    const holds = () => (%s);
    return holds() || new Promise(resolve => {
        const changes = new MutationObserver(() => holds() && resolve(true));
        changes.observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
        setTimeout(resolve, 10000, false);
    });
"""


def _at_once() -> anyio.Event:
    event = anyio.Event()
    event.set()
    return event


Answer = Callable[[CallToolRequestParams], CallToolResult]


@dataclass
class AppHost:
    """A host that shows our page.

    `answer` takes the server's place, for tools that it does not have; `change` alters the page on its way;
    calls wait for `released`.
    """

    client: Client
    window: Browser
    bundle: Path
    answer: Answer | None = None
    change: Callable[[str], str] = str
    released: anyio.Event = field(default_factory=_at_once)
    calls: list[CallToolRequestParams] = field(default_factory=list[CallToolRequestParams])

    @asynccontextmanager
    async def opened(self, capabilities: dict[str, Any], context: dict[str, Any]) -> AsyncGenerator[None]:
        routes = [
            Route("/", self._room),
            Route("/page", self._page),
            Route("/call", self._call, methods=["POST"]),
            Route("/bundle", self._bundle),
        ]
        async with serving(Starlette(routes=routes)) as address:
            await self.window.open(address)
            await self.window.run("return host.open(...arguments)", capabilities, context)
            await self.window.enter(0)
            yield
            await self._check()

    async def show(self, **arguments: object) -> CallToolResult:
        """Let the model call the tool, and the page draw the answer."""
        result = await self.client.call_tool("list_recent_chats", arguments)
        await self.bridge("sendToolInput", {"arguments": arguments})
        await self.bridge("sendToolResult", dumped(result))
        return result

    async def bridge(self, method: str, params: object) -> Any:
        # As text, since the way through the browser's driver would sort the keys.
        return await self.host(f"host.bridge.{method}(JSON.parse(arguments[0]))", json.dumps(params))

    async def host(self, expression: str, *given: object) -> Any:
        """Evaluate something in the host's own window."""
        await self.window.enter(None)
        try:
            return await self.window.run(f"return {expression}", *given)
        finally:
            await self.window.enter(0)

    async def page(self, expression: str, *given: object) -> Any:
        """Evaluate something in the page."""
        return await self.window.run(f"return {expression}", *given)

    async def until(self, condition: str) -> None:
        """Wait until something is true in the page, or fail with what it shows."""
        assert await self.window.run(_UNTIL % condition), f"never: {condition}\n{await self.words()}"

    async def sees(self, words: str) -> None:
        await self.until(f"document.body.innerText.includes({json.dumps(words)})")

    async def told(self, *said: str) -> None:
        """Wait until the page says what was done, each word in its own direction."""
        await self.sees(" · ".join(f"\u2068{one}\u2069" for one in said))

    async def pressed(self, button: str) -> bool:
        """Tell whether a button, TOOL-CHAT, is shown as pressed."""
        return await self.page(f"document.getElementById('{button}').ariaPressed") == "true"

    async def press(self, label: str) -> None:
        button = await self.window.run(_BUTTON, label)
        assert button, f"no button says {label}"
        await self.window.click(button)

    async def words(self) -> str:
        return await self.page("document.body.innerText")

    async def titles(self) -> list[str]:
        return await self.page("[...document.querySelectorAll('.row b')].map(one => one.textContent)")

    async def buttons(self) -> list[str]:
        visible = "[...document.querySelectorAll('button')].filter(one => one.checkVisibility())"
        return await self.page(f"{visible}.map(one => one.ariaLabel ?? one.textContent)")

    async def findings(self, axe: str) -> list[str]:
        """Return what axe-core finds wrong with the page, or cannot tell; `axe` is its source."""
        return await findings(self.window, axe)

    async def _check(self) -> None:
        """Whatever was said kept to the protocol, and nothing left the page."""
        assert await self.page("performance.getEntriesByType('resource').map(one => one.name)") == []
        assert await self.page("incidents") == []
        assert await self.window.console() == []
        messages: list[dict[str, Any]] = await self.host("host.messages")
        assert messages
        for message in messages:
            assert_valid(message)

    async def _room(self, _: Request) -> Response:
        return HTMLResponse(_ROOM)

    async def _page(self, _: Request) -> Response:
        (content,) = (await self.client.read_resource(URI)).contents
        html = self.change(content.model_dump()["text"]).replace("<style>", f"{_WATCH}<style>", 1)
        return HTMLResponse(html, headers={"Content-Security-Policy": POLICY})

    async def _bundle(self, _: Request) -> Response:
        return PlainTextResponse(self.bundle.read_text(), media_type="text/javascript")

    async def _call(self, request: Request) -> Response:
        params = CallToolRequestParams.model_validate(await request.json())
        self.calls.append(params)
        await self.released.wait()
        if self.answer:
            return JSONResponse(dumped(self.answer(params)))
        return JSONResponse(dumped(await self.client.call_tool(params.name, params.arguments)))


Opened = Callable[..., AbstractAsyncContextManager[AppHost]]
"""A way to open the page: in a host of these capabilities, this width and context, of these settings."""


async def findings(window: Browser, axe: str) -> list[str]:
    """Return what axe-core finds wrong with the page in sight, or cannot tell."""
    script = f"{axe}; return axe.run().then(found => found.violations.concat(found.incomplete))"
    found: list[dict[str, Any]] = await window.run(script)
    return [f"{one['id']}: {node['html']} {node['failureSummary']}" for one in found for node in one["nodes"]]


def dumped(result: CallToolResult) -> dict[str, Any]:
    """Return a result as it is on the wire."""
    return result.model_dump(mode="json", by_alias=True, exclude_none=True)


_SCHEMA = Path(__file__).parent / "node_modules/@modelcontextprotocol/ext-apps/dist/src/generated/schema.json"


def assert_valid(message: dict[str, Any]) -> None:
    """Check a message against the extension's own schema, and what is plain MCP against that."""
    assert message["jsonrpc"] == "2.0"
    said = {name: message[name] for name in ("method", "params") if name in message}
    if not said:
        assert ("result" in message) != ("error" in message), message
        return
    if said["method"] == "tools/call":
        CallToolRequestParams.model_validate(said["params"])
        return
    definitions: dict[str, Any] = json.loads(_SCHEMA.read_text())["$defs"]
    methods = {one["properties"]["method"]["const"]: one for one in definitions.values() if _names(one)}
    Draft202012Validator(methods[said["method"]]).validate(said)  # pyright: ignore[reportUnknownMemberType]


def _names(definition: dict[str, Any]) -> bool:
    return "const" in definition.get("properties", {}).get("method", {})
