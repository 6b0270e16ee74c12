"""What a user has agreed to is sealed into the state that a client carries; it is good for that alone."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from bitrix24_demo_portal import ChatFixture, DemoPortal
from support.http_wire import headers, message
from support.team import Serve, folder, portal, serve

__all__ = ["folder", "portal", "serve"]

ELICITS: dict[str, Any] = {"elicitation": {"form": {}}}
YES = {"action": "accept", "content": {"proceed": True}}


class Caller:
    """A user with a webhook of their own, who speaks JSON-RPC of 2026-07-28."""

    def __init__(self, http: httpx.AsyncClient, webhook: str) -> None:
        self._http, self._webhook = http, webhook

    async def call(self, tool: str, arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
        said = message("tools/call", name=tool, arguments=arguments, **more)
        said["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = ELICITS
        sent = {**headers("tools/call"), "Mcp-Name": tool, "X-Bitrix24-Webhook": self._webhook}
        response = await self._http.post("/mcp", json=said, headers=sent)
        answer: dict[str, Any] = response.json()
        return answer

    async def asked(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call a tool that asks; return what a client sends back with a yes."""
        result = (await self.call(tool, arguments))["result"]
        assert result["resultType"] == "input_required", result
        answers = dict.fromkeys(result["inputRequests"], YES)
        return {"requestState": result["requestState"], "inputResponses": answers}


@asynccontextmanager
async def callers(serve: Serve, portal: DemoPortal) -> AsyncGenerator[tuple[Caller, Caller]]:
    """Connect users 1 and 7."""
    async with (
        serve(auth=["webhook-header"], portals=["demo.bitrix24.example"], toolsets=("tidy",)) as base,
        httpx.AsyncClient(base_url=base, timeout=20) as http,
    ):
        yield Caller(http, portal.webhook(1)), Caller(http, portal.webhook(7))


def writes(portal: DemoPortal) -> list[str]:
    methods = (request.method for request in portal.requests)
    return [method for method in methods if method in {"im.recent.hide", "im.dialog.read.all"}]


@pytest.fixture
def dialog(portal: DemoPortal) -> str:
    """A group that users 1 and 7 see in the same state."""
    return str(portal.add_chat(ChatFixture("chat", "kuznetsova", "Общий", "привет")))


async def test_a_yes_hides_the_chat_that_was_asked_about(
    serve: Serve, portal: DemoPortal, dialog: str
) -> None:
    async with callers(serve, portal) as (one, _):
        agreed = await one.asked("hide_chat", {"dialog_id": dialog})
        done = await one.call("hide_chat", {"dialog_id": dialog}, **agreed)
    assert done["result"]["structuredContent"]["hidden"] is True
    assert writes(portal) == ["im.recent.hide"]


async def test_a_yes_to_one_chat_hides_no_other_and_is_good_for_no_other_tool(
    serve: Serve, portal: DemoPortal, dialog: str
) -> None:
    other = str(portal.add_chat(ChatFixture("chat", "kuznetsova", "Другой", "привет")))
    async with callers(serve, portal) as (one, _):
        agreed = await one.asked("hide_chat", {"dialog_id": dialog})
        for tool, arguments in (("hide_chat", {"dialog_id": other}), ("mark_all_read", {})):
            refused = await one.call(tool, arguments, **agreed)
            assert refused["error"]["data"] == {"reason": "invalid_request_state"}
    assert writes(portal) == []


async def test_a_yes_of_one_user_is_not_another_s(serve: Serve, portal: DemoPortal, dialog: str) -> None:
    async with callers(serve, portal) as (one, seven):
        await seven.asked("hide_chat", {"dialog_id": dialog})
        agreed = await one.asked("hide_chat", {"dialog_id": dialog})
        refused = await seven.call("hide_chat", {"dialog_id": dialog}, **agreed)
    assert refused["error"]["data"] == {"reason": "invalid_request_state"}
    assert writes(portal) == []


async def test_a_yes_without_its_seal_or_with_a_broken_one_does_nothing(
    serve: Serve, portal: DemoPortal, dialog: str
) -> None:
    async with callers(serve, portal) as (one, _):
        agreed = await one.asked("hide_chat", {"dialog_id": dialog})
        state = agreed["requestState"]
        for forged in (state[:-4] + "AAAA", "e30", state[::-1]):
            refused = await one.call("hide_chat", {"dialog_id": dialog}, **{**agreed, "requestState": forged})
            assert refused["error"]["data"] == {"reason": "invalid_request_state"}
        bare = await one.call("hide_chat", {"dialog_id": dialog}, inputResponses=agreed["inputResponses"])
        assert bare["result"]["resultType"] == "input_required", "the user is asked anew"
    assert writes(portal) == []


async def test_a_yes_that_is_used_twice_does_nothing_more(
    serve: Serve, portal: DemoPortal, dialog: str
) -> None:
    async with callers(serve, portal) as (one, _):
        agreed = await one.asked("hide_chat", {"dialog_id": dialog})
        await one.call("hide_chat", {"dialog_id": dialog}, **agreed)
        again = await one.call("hide_chat", {"dialog_id": dialog}, **agreed)
        assert again["result"]["content"][0]["text"].startswith("NOT_LISTED: ")
        portal.say(dialog, 7, "и ещё")
        anew = await one.call("hide_chat", {"dialog_id": dialog}, **agreed)
        assert anew["result"]["resultType"] == "input_required", "it stands otherwise now"
    assert writes(portal) == ["im.recent.hide"]
