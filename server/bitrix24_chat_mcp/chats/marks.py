"""Marking a chat as read or unread, and muting it; both for the user alone, and both can be taken back."""

from collections.abc import Awaitable
from typing import TypeVar

from bitrix24_chat_mcp.answers.mark_records import MarkOutcome, MarkUndo, MuteOutcome, MuteUndo
from bitrix24_chat_mcp.portal.api.errors import InvalidRequestError, PortalError
from bitrix24_chat_mcp.portal.transport.call_context import pop_notices
from bitrix24_chat_mcp.runtime.context import AppContext

from .opened_dialog import OpenedDialog, open_dialog

T = TypeVar("T")


async def mark_read(context: AppContext, dialog_id: str, up_to: int) -> MarkOutcome:
    """Mark messages as read up to one, and with the last of them the mark set by hand; raise PortalError.

    What is newer than `up_to` stays unread: the user has not seen it.
    """
    if not up_to:
        raise InvalidRequestError(
            "INVALID_ARGUMENT",
            "Marking read takes up_to, the id of the last message shown: what came since stays unread.",
            "Take up_to from read_chat.",
        )
    chat = await _open(context, dialog_id, up_to)
    unread = await chat.dialog.mark_read(up_to)
    marked, notes = await _is_marked(chat)
    cleared, more = await _clear_mark(chat) if marked and not unread else (False, [])
    before = chat.state
    return MarkOutcome(
        dialog_id=chat.dialog.id,
        title=chat.title,
        mark="read",
        up_to=up_to,
        changed=cleared or unread != before.unread,
        unread_before=before.unread,
        unread=unread,
        marked_unread=marked and not cleared,
        undo=_unread_again(chat, up_to, cleared=cleared),
        notes=[*notes, *more, *pop_notices()],
        portal=context.label,
    )


async def mark_unread(context: AppContext, dialog_id: str, since: int) -> MarkOutcome:
    """Mark a message and all later ones as unread; raise PortalError."""
    chat = await _open(context, dialog_id, since)
    await chat.dialog.mark_unread(since)
    after, notes = await _checked(chat.dialog.state())
    if after and after.last_read >= since:  # the portal says true to anything
        raise _ignored("unread")
    before = chat.state
    changed = after is None or after.last_read != before.last_read
    undo = MarkUndo(dialog_id=chat.dialog.id, mark="read", up_to=before.last_read)
    return MarkOutcome(
        dialog_id=chat.dialog.id,
        title=chat.title,
        mark="unread",
        up_to=since,
        changed=changed,
        unread_before=before.unread,
        unread=after.unread if after else None,
        undo=undo if changed and before.last_read >= since else None,
        notes=[*notes, *pop_notices()],
        portal=context.label,
    )


async def set_unread_mark(context: AppContext, dialog_id: str) -> MarkOutcome:
    """Set the mark that people set by hand, which counts no message; raise PortalError."""
    chat = await open_dialog(context, dialog_id)
    marked = (await chat.dialog.portal.counters()).is_marked(chat.dialog.id)
    if not await chat.dialog.set_mark(unread=True):
        raise InvalidRequestError(
            "NOT_LISTED",
            "The portal did nothing: the chat is not in the user's list.",
            "Take a dialog_id from list_recent_chats.",
        )
    unread, newest = chat.state.unread, chat.state.last_message
    undo = MarkUndo(dialog_id=chat.dialog.id, mark="read", up_to=newest)
    return MarkOutcome(
        dialog_id=chat.dialog.id,
        title=chat.title,
        mark="unread",
        changed=not marked,
        unread_before=unread,
        unread=unread,
        marked_unread=True,
        undo=undo if newest and not unread and not marked else None,
        notes=pop_notices(),
        portal=context.label,
    )


async def mute_chat(context: AppContext, dialog_id: str, *, muted: bool) -> MuteOutcome:
    """Mute or unmute a chat; raise PortalError."""
    chat = await open_dialog(context, dialog_id)
    before = chat.state.muted
    await chat.dialog.mute(muted=muted)
    after, notes = await _checked(chat.dialog.state())
    if after and after.muted is (not muted):
        raise _ignored("muted" if muted else "unmuted")
    changed = None if before is None else before is not muted
    return MuteOutcome(
        dialog_id=chat.dialog.id,
        title=chat.title,
        muted=muted,
        muted_before=before,
        changed=changed,
        undo=None if changed is False else MuteUndo(dialog_id=chat.dialog.id, muted=not muted),
        notes=[*notes, *pop_notices()],
        portal=context.label,
    )


async def _open(context: AppContext, dialog_id: str, message_id: int) -> OpenedDialog:
    """Open a chat in which a message was named: one that is newer than its last cannot have been shown."""
    chat = await open_dialog(context, dialog_id)
    if message_id > chat.state.last_message:
        raise InvalidRequestError(
            "NO_SUCH_MESSAGE", f"This chat has no message {message_id} yet.", "Take up_to from read_chat."
        )
    return chat


async def _is_marked(chat: OpenedDialog) -> tuple[bool, list[str]]:
    """Tell whether a mark was set by hand, which reading leaves; return notes, too."""
    counters, notes = await _checked(chat.dialog.portal.counters())
    return counters is not None and counters.is_marked(chat.dialog.id), notes


async def _clear_mark(chat: OpenedDialog) -> tuple[bool, list[str]]:
    """Clear the mark that was set by hand; return whether that was done, and notes."""
    done, notes = await _checked(chat.dialog.set_mark(unread=False))
    return bool(done), notes


async def _checked(answer: Awaitable[T]) -> tuple[T | None, list[str]]:
    """Await what only completes or confirms a write that is done; a failure of it is a note."""
    try:
        return await answer, []
    except PortalError as error:
        return None, [f"done, but not confirmed ({error.code})"]


def _unread_again(chat: OpenedDialog, up_to: int, *, cleared: bool) -> MarkUndo | None:
    first = chat.state.first_unread
    if 0 < first <= up_to:
        return MarkUndo(dialog_id=chat.dialog.id, mark="unread", up_to=first)
    return MarkUndo(dialog_id=chat.dialog.id, mark="unread") if cleared else None


def _ignored(wanted: str) -> InvalidRequestError:
    return InvalidRequestError(
        "NOT_MARKED",
        f"The portal said yes and did nothing: the chat is not {wanted}.",
        "Take dialog_id from list_recent_chats and up_to from read_chat.",
    )
