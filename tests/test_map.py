"""The map of the package tells the path that a tool call takes."""

import re
import sys
from importlib import import_module
from types import FrameType

import bitrix24_chat_mcp
from support.conversation import Conversation

MOST_MODULES = 12
PATH = [
    "".join(names) for names in re.findall(r"  ▶ ([\w.]+)|──▶ (__main__)", bitrix24_chat_mcp.__doc__ or "")
]
STARTED_BEFORE = PATH[:2]
"""What the process runs before a call comes; the tests of the command line hold it."""


async def test_a_pin_passes_the_modules_of_the_map_in_their_order(converse: Conversation) -> None:
    entered: dict[str, None] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            entered[frame.f_globals.get("__name__", "").removeprefix("bitrix24_chat_mcp.")] = None

    async with converse() as client:
        await client.call_tool("list_recent_chats")
        sys.setprofile(note)
        try:
            await client.call_tool("pin_chat", {"dialog_id": "chat1201"})
        finally:
            sys.setprofile(None)
    assert [module for module in entered if module in PATH] == PATH[2:]


def test_the_map_is_short_and_names_modules_that_there_are() -> None:
    assert STARTED_BEFORE == ["__main__", "mcp_server.transports"]
    assert len(PATH) == len(set(PATH)) <= MOST_MODULES
    for module in PATH:
        import_module(f"bitrix24_chat_mcp.{module}")
