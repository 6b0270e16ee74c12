"""A conversation: the model, the server under test over stdio, and the task's demo portal on loopback."""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from bitrix24_demo_portal import DemoPortal
from bitrix24_demo_portal.asgi.server import serving
from inspect_ai.model import ChatMessageSystem
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import mcp_server_stdio

from .definitions import Definitions
from .tasks import pins_of, rest_of, tasks

PIN = "im.recent.pin"
OURS = f"{sys.executable} -m bitrix24_chat_mcp"
_ABOUT = (
    "You are the assistant of Анна Соколова (user 1), who uses Bitrix24. Answer in her language, briefly."
)


@dataclass(frozen=True, slots=True)
class Server:
    """A server under test; `{webhook}` in its command line, and its variable, are the webhook's address."""

    command: str = OURS
    variable: str = "BITRIX24_WEBHOOK_URL"

    def words(self, webhook: str) -> list[str]:
        """Return the command line for a portal."""
        return [word.replace("{webhook}", webhook) for word in shlex.split(self.command)]

    def environment(self, webhook: str) -> dict[str, str]:
        """Return the environment for a portal; no settings of this machine's user count."""
        return {self.variable: webhook, "XDG_CONFIG_HOME": "/nonexistent", "PYTHONUTF8": "1"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the portal looks like after a conversation, and what it was asked."""

    before: list[str]
    after: list[str]
    touched: bool
    """Whether anything but pins has changed."""
    asked: list[tuple[str, str]]
    """Each REST method, commands of batches too; with `+chat7` where it pins, `-chat7` where it unpins."""
    requests: int


@solver
def converse(server: Server, definitions: Definitions) -> Solver:
    """Let the model talk until it calls no more tools; keep the outcome for the scorers."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        portal = tasks()[str(state.sample_id)].open_portal()
        before, rest = pins_of(portal.world), rest_of(portal.world)
        state.messages.insert(0, ChatMessageSystem(content=f"{_ABOUT}\n\n{definitions.instructions}"))
        async with serving(portal) as base:
            webhook = portal.webhook(base=base)
            command, *args = server.words(webhook)
            source = mcp_server_stdio(command=command, args=args, env=server.environment(webhook))
            async with source:
                state.tools = await source.tools()
                state = await generate(state, tool_calls="loop")
        state.store.set("outcome", asdict(_outcome(portal, before, rest)))
        return state

    return solve


def _outcome(portal: DemoPortal, before: list[str], rest: list[str]) -> Outcome:
    every = [one for request in portal.requests for one in (request, *request.inner)]
    asked = [(one.method, _change(one.params) if one.method == PIN else "") for one in every]
    known = set(rest_of(portal.world))
    touched = any(line not in known for line in rest)
    return Outcome(before, pins_of(portal.world), touched, asked, len(portal.requests))


def _change(params: Mapping[str, object]) -> str:
    """Write a request to pin or unpin in a word."""
    given = {name.upper(): str(value) for name, value in params.items()}
    unpins = given.get("PIN", given.get("ACTION", "Y")).upper() in {"N", "0", "FALSE"}
    return f"{'-' if unpins else '+'}{given.get('DIALOG_ID', '')}"
