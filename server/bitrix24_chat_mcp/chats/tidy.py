"""What cannot be taken back: hiding a chat, and marking everything as read.

Each is planned first, for the question that the user is asked; then done, if it is still what was planned.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import NamedTuple

from bitrix24_chat_mcp.answers import records
from bitrix24_chat_mcp.answers.mark_records import HideOutcome, ReadAllOutcome
from bitrix24_chat_mcp.answers.text import named
from bitrix24_chat_mcp.portal.api.client import Portal
from bitrix24_chat_mcp.portal.api.dialogs import PortalDialog
from bitrix24_chat_mcp.portal.api.errors import InvalidRequestError, PortalError
from bitrix24_chat_mcp.portal.api.models import Chat
from bitrix24_chat_mcp.portal.transport.call_context import pop_notices
from bitrix24_chat_mcp.runtime.context import AppContext

_NO_UNDO = "no undo"
_UNCONFIRMED = "done, but not confirmed"


@dataclass(frozen=True, slots=True)
class HidePlan:
    """A chat that may be hidden, as it stands; `last_message` is the id of its last message."""

    dialog_id: str
    title: str
    unread: int
    marked: bool
    last_message: int

    @property
    def question(self) -> str:
        """What the user is asked, with all that is lost."""
        lost = f"its {self.unread} unread messages" if self.unread else "it"
        return (
            f"Hide {named(self.dialog_id, self.title)} from the chat list? That marks {lost} as read, up to "
            f"message {self.last_message}. There is no undo; a new message brings the chat back."
        )


class ReadAllPlan(NamedTuple):
    """What is unread in all chats; `last_message` is the id of the newest message in the list."""

    messages: int
    chats: int
    last_message: int

    @property
    def question(self) -> str:
        """What the user is asked, with all that is lost."""
        return (
            f"Mark everything as read: {self.messages} unread messages in {self.chats} chats, up to message "
            f"{self.last_message}? There is no undo."
        )


async def plan_hiding(context: AppContext, dialog_id: str) -> HidePlan:
    """Look at a chat that is to be hidden; raise PortalError where it may not be, with the reason."""
    if dialog_id.startswith("sg"):
        raise InvalidRequestError(
            "NOT_HIDDEN",
            "Bitrix24 says yes to hiding sgN, and hides nothing.",
            "Give the chatN of the workgroup's chat, as list_recent_chats has it.",
        )
    chat = await _listed(await context.portal(), dialog_id)
    if chat is None:
        raise InvalidRequestError(
            "NOT_LISTED",
            "The chat is not among the user's recent chats, so there is nothing to hide.",
            "Take a dialog_id from list_recent_chats.",
        )
    if chat.pinned:
        raise InvalidRequestError(
            "PINNED",
            "The chat is pinned, and hiding it would drop the pin.",
            "Unpin it first, if that is what the user wants: pin_chat with pin=false.",
        )
    if chat.kind == "notes":
        raise InvalidRequestError(
            "NOTES", "These are the user's own notes; they are not hidden.", "Leave them where they are."
        )
    return HidePlan(dialog_id, records.title(chat), chat.unread, chat.marked_unread, chat.message.id)


async def hide_chat(context: AppContext, agreed: HidePlan) -> HideOutcome:
    """Hide a chat if it still stands as the user has agreed to; raise PortalError."""
    if await plan_hiding(context, agreed.dialog_id) != agreed:
        raise _changed("hide_chat")
    portal = await context.portal()
    lost = await _attempt(PortalDialog(portal, agreed.dialog_id).hide())
    gone = await _is_gone(portal, agreed.dialog_id)
    if gone is False or (lost and not gone):
        raise lost or InvalidRequestError(
            "NOT_HIDDEN", "The portal said yes, and the chat is still in the list.", "Tell the user so."
        )
    return HideOutcome(
        dialog_id=agreed.dialog_id,
        title=agreed.title,
        hidden=True,
        marked_read=agreed.unread,
        notes=[_NO_UNDO, *([] if gone else [_UNCONFIRMED]), *pop_notices()],
        portal=context.label,
    )


async def decline_hiding(context: AppContext, plan: HidePlan) -> HideOutcome:
    """Return what is told when the user has said no."""
    return HideOutcome(
        dialog_id=plan.dialog_id, title=plan.title, hidden=False, declined=True, portal=context.label
    )


async def plan_reading_all(context: AppContext) -> ReadAllPlan:
    """Look at what is unread, in the list and beyond; raise PortalError."""
    portal = await context.portal()
    counters = await portal.counters()
    newest = max((chat.message.id for chat in (await portal.recent(fresh=True)).chats), default=0)
    chats = counters.unread.keys() | counters.marked
    return ReadAllPlan(sum(counters.unread.values()), len(chats), newest)


async def mark_all_read(context: AppContext, agreed: ReadAllPlan) -> ReadAllOutcome:
    """Mark everything as read if it is still what the user has agreed to; raise PortalError."""
    if not agreed.chats:
        return _read_all_outcome(context, agreed, done=False)
    if await plan_reading_all(context) != agreed:
        raise _changed("mark_all_read")
    portal = await context.portal()
    lost = await _attempt(portal.read_all())
    left = await _left_unread(portal)
    if lost and left != 0:
        raise lost
    unconfirmed = [_UNCONFIRMED] if left is None else []
    rest = [f"still unread, or again: {left} messages"] if left else []
    return _read_all_outcome(context, agreed, _NO_UNDO, *unconfirmed, *rest, done=True)


async def decline_reading_all(context: AppContext, plan: ReadAllPlan) -> ReadAllOutcome:
    """Return what is told when the user has said no."""
    return _read_all_outcome(context, plan, done=False, declined=True)


def _read_all_outcome(
    context: AppContext, plan: ReadAllPlan, *notes: str, done: bool, declined: bool = False
) -> ReadAllOutcome:
    return ReadAllOutcome(
        done=done,
        declined=declined,
        messages=plan.messages,
        chats=plan.chats,
        notes=[*notes, *pop_notices()],
        portal=context.label,
    )


async def _listed(portal: Portal, dialog_id: str) -> Chat | None:
    """Return a chat of the list as it is now; a pinned one may be idle for longer than the list goes back."""
    for ask in (portal.recent, portal.recent_and_pinned):
        found = next((chat for chat in (await ask(fresh=True)).chats if chat.dialog_id == dialog_id), None)
        if found:
            return found
    return None


async def _attempt(write: Awaitable[None]) -> PortalError | None:
    """Do what is never repeated; return the error after which it may have been done, raise any other."""
    try:
        await write
    except PortalError as error:
        if not error.acted:
            raise
        return error
    return None


async def _is_gone(portal: Portal, dialog_id: str) -> bool | None:
    """Tell whether a chat has left the list; None where the portal does not answer."""
    try:
        listing = await portal.recent(fresh=True)
    except PortalError:
        return None
    return dialog_id not in {chat.dialog_id for chat in listing.chats}


async def _left_unread(portal: Portal) -> int | None:
    """Count what is unread after all; None where the portal does not answer."""
    try:
        return sum((await portal.counters()).unread.values())
    except PortalError:
        return None


def _changed(tool: str) -> InvalidRequestError:
    return InvalidRequestError(
        "CHANGED_MEANWHILE",
        "Something has changed since the user was asked, a new message perhaps; nothing was done.",
        f"Call {tool} again: the user is then asked anew.",
    )
