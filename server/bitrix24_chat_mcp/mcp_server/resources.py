"""The resources: the recent chats, and one chat, for hosts that show or attach them."""

from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from bitrix24_chat_mcp.answers import text
from bitrix24_chat_mcp.answers.failure import describe
from bitrix24_chat_mcp.chats import chat_list
from bitrix24_chat_mcp.chats.query import ChatQuery
from bitrix24_chat_mcp.portal.api import rest
from bitrix24_chat_mcp.portal.api.errors import PortalError

from . import request_context

RECENT, CHAT = "bitrix24://recent", "bitrix24://chat/{dialog_id}"


async def recent() -> str:
    """Return the recent chats as `list_recent_chats` gives them."""
    try:
        return text.chat_list(await chat_list.list_chats(request_context.app_context(), ChatQuery()))
    except PortalError as error:
        raise ResourceError(describe(error)) from None


async def chat(dialog_id: str) -> str:
    """Return all that the list tells of one chat."""
    try:
        found = await chat_list.get_chat(request_context.app_context(), rest.dialog_id(dialog_id))
    except ValueError as error:
        raise ResourceNotFoundError(f"dialog_id {error}") from None
    except PortalError as error:
        raise ResourceError(describe(error)) from None
    if found is None:
        raise ResourceNotFoundError(f"{dialog_id} is neither among the recent chats nor pinned.")
    return text.chat(found)
