"""A process that forks children who ask for the chats once, and kills them at a chosen step of a renewal.

Each line on stdin is a step; -1 is for a child that lives, 0 for one that lives and counts. A child's answer,
or nothing, comes back on stdout as one line of JSON. A step is a line of ours that runs while a sign-in is
renewed, or that is about to.
"""

import asyncio
import gc
import json
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.portal.oauth import application, local_store, refresh, stored_pair
from bitrix24_chat_mcp.portal.shared import engine
from bitrix24_chat_mcp.portal.shared import token_store as shared_token_store
from bitrix24_chat_mcp.portal.transport import http_client, http_session
from bitrix24_chat_mcp.settings.load import load
from mcp import Client

from support.conversation import text

SIGNING_IN = (
    http_client,
    http_session,
    application,
    refresh,
    stored_pair,
    local_store,
    shared_token_store,
    engine,
)
WATCHED = {module.__file__ for module in SIGNING_IN}


class Steps:
    """Counts the steps of this process, and ends it at the chosen one."""

    def __init__(self, last: int) -> None:
        self._last = last
        self.taken = 0

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename not in WATCHED:
            return None
        if event == "line":
            self.taken += 1
            if self.taken == self._last:
                os.kill(os.getpid(), signal.SIGKILL)
        return self.trace


async def ask() -> str:
    async with Client(build_server(load())) as client:
        return text(await client.call_tool("list_recent_chats", {"limit": 1}))


def live(last: int, answer: int) -> None:
    steps = Steps(last)
    if last >= 0:
        threading.settrace(steps.trace)
        sys.settrace(steps.trace)
    said = asyncio.run(ask())
    sys.settrace(None)
    os.write(answer, json.dumps({"said": said, "steps": steps.taken}).encode())
    os._exit(0)


def say(line: str) -> None:
    sys.stdout.write(line.partition("\n")[0] + "\n")
    sys.stdout.flush()


def main() -> None:
    say(asyncio.run(ask()))  # everything imported, once for all children
    gc.disable()
    gc.freeze()
    for line in sys.stdin:
        reading, writing = os.pipe()
        if os.fork() == 0:
            live(int(line), writing)
        os.close(writing)
        with os.fdopen(reading) as answer:
            say(answer.read())
        os.wait()


if __name__ == "__main__":
    main()
