"""The digest of the definitions: instructions, tools and prompts as a user of the default settings gets them.

The changelog names it with each change, and `check` prints it, so that a user can compare the two.
"""

import hashlib
import json

from bitrix24_chat_mcp.settings.load import Settings

from . import prompts, texts
from .app import build_server


async def digest() -> str:
    """Return eight digits that change with any word that a model or a host is told before the first call."""
    server = build_server(Settings.model_construct())
    listed = [*await server.list_tools(), *await server.list_prompts()]
    told = [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in listed]
    written = [texts.read(prompt.name) for prompt in prompts.prompts()]
    whole = json.dumps([server.instructions, told, written], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:8]
