"""The resources: the recent chats, and one chat, for hosts that show or attach them."""

from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from . import asking, inbox
from .answers import text
from .answers.failure import describe
from .inbox import Wish
from .portal import rest
from .portal.errors import PortalError

RECENT, CHAT = "bitrix24://recent", "bitrix24://chat/{dialog_id}"


async def recent() -> str:
    """Return the recent chats as `list_recent_chats` gives them."""
    try:
        return text.chat_list(await inbox.look(asking.service(), Wish()))
    except PortalError as error:
        raise ResourceError(describe(error)) from None


async def chat(dialog_id: str) -> str:
    """Return all that the list tells of one chat."""
    try:
        found = await inbox.find(asking.service(), rest.dialog_id(dialog_id))
    except ValueError as error:
        raise ResourceNotFoundError(f"dialog_id {error}") from None
    except PortalError as error:
        raise ResourceError(describe(error)) from None
    if found is None:
        raise ResourceNotFoundError(f"{dialog_id} is neither among the recent chats nor pinned.")
    return text.chat(found)
