"""A chat that a use case looks into: which one a dialog id means, how it stands, what it is called."""

from contextlib import suppress
from typing import NamedTuple

from bitrix24_chat_mcp.answers import records
from bitrix24_chat_mcp.portal.api.dialogs import PortalDialog
from bitrix24_chat_mcp.portal.api.errors import InvalidRequestError, PortalError
from bitrix24_chat_mcp.portal.api.history import DialogState
from bitrix24_chat_mcp.runtime.context import AppContext


class OpenedDialog(NamedTuple):
    """A chat with its state of now; `title` is sanitised, and empty where it cannot be had."""

    dialog: PortalDialog
    state: DialogState
    title: str


async def open_dialog(context: AppContext, dialog_id: str) -> OpenedDialog:
    """Ask the portal how a chat stands; raise PortalError where the user has no access to it.

    `sgN` becomes the `chatN` behind it: to some methods the portal says true to `sgN`, and does nothing.
    """
    portal = await context.portal()
    state = await PortalDialog(portal, dialog_id).state()
    dialog = PortalDialog(portal, f"chat{state.chat_id}" if dialog_id.startswith("sg") else dialog_id)
    if state.title and not dialog.id.isdigit():
        context.chats(portal.credentials).remember_title(dialog.id, state.title)
    return OpenedDialog(dialog, state, await title(context, dialog))


async def title(context: AppContext, dialog: PortalDialog) -> str:
    """Return what a chat is called, sanitised; empty where that cannot be had: it is a courtesy."""
    cache = context.chats(dialog.portal.credentials)
    if cache.title(dialog.id) is None:
        with suppress(PortalError):
            if dialog.id.isdigit():  # im.dialog.get has no name for a person
                cache.remember_list(await dialog.portal.recent(), all_pins=False)
            else:
                cache.remember_title(dialog.id, (await dialog.state()).title)
    known = cache.title(dialog.id)
    return "" if known is None else records.heading(dialog.id, known)


async def history_refusal(dialog: PortalDialog, error: PortalError) -> PortalError:
    """Find out why the portal gives no messages: it has none to give of an open line (b24restdocs#21)."""
    if error.code == "ACCESS_ERROR":
        with suppress(PortalError):
            if (await dialog.state()).open_line:
                return InvalidRequestError(
                    "OPEN_LINE",
                    "Bitrix24's REST API gives nobody the messages of an open-line (client) chat.",
                    "list_recent_chats shows its last message; the rest is to be read in Bitrix24 itself.",
                )
    return error
