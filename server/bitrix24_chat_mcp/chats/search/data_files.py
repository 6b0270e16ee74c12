"""The tables beside this module, read on first use."""

import tomllib
from importlib import resources
from typing import Any


def load(name: str) -> dict[str, Any]:
    """Return what the file of that name holds."""
    path = resources.files("bitrix24_chat_mcp.chats.search").joinpath("data", f"{name}.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))
