"""The tools of the sets, as `tools`; those without an undo plan what they do, and ask the user first."""

from typing import Annotated

from mcp.server.mcpserver import Elicit, Resolve
from mcp_types import CallToolResult
from pydantic import Field

from bitrix24_chat_mcp.answers import history_text, mark_records
from bitrix24_chat_mcp.answers.history_records import ChatHistory, FoundMessages
from bitrix24_chat_mcp.answers.mark_records import (
    HideOutcome,
    Mark,
    MarkOutcome,
    MuteOutcome,
    ReadAllOutcome,
)
from bitrix24_chat_mcp.chats import history, marks, tidy
from bitrix24_chat_mcp.chats.history import HistoryQuery, SearchQuery
from bitrix24_chat_mcp.chats.tidy import HidePlan, ReadAllPlan

from .argument_types import DialogId, MessageId, MessageText, Moment
from .confirmation import Answer, Confirmation, ask, is_yes
from .request_context import app_context
from .tools import tool_result


async def read_chat(
    dialog_id: DialogId,
    *,
    before: MessageId = 0,
    limit: Annotated[int, Field(ge=1, le=50)] = 20,
    unread_only: bool = False,
) -> Annotated[CallToolResult, ChatHistory]:
    """Read a chat's messages; the model reads prompts/tools/read_chat.md."""
    query = HistoryQuery(before=before, limit=limit, unread_only=unread_only)
    page = await history.read_chat(app_context(), dialog_id, query)
    return tool_result(page, history_text.chat_history(page))


async def search_chat(
    dialog_id: DialogId,
    query: MessageText,
    *,
    since: Moment = None,
    until: Moment = None,
    cursor: MessageId = 0,
) -> Annotated[CallToolResult, FoundMessages]:
    """Search a chat's messages; the model reads prompts/tools/search_chat.md."""
    wanted = SearchQuery(text=query, since=since, until=until, before=cursor)
    page = await history.search_chat(app_context(), dialog_id, wanted)
    return tool_result(page, history_text.found_messages(page))


async def mark_chat(
    dialog_id: DialogId,
    mark: Annotated[Mark, Field(validation_alias="as")],
    up_to: Annotated[
        MessageId, Field(description="read: the last message shown; unread: the first to be unread")
    ] = 0,
) -> Annotated[CallToolResult, MarkOutcome]:
    """Mark a chat as read or unread; the model reads prompts/tools/mark_chat.md."""
    if mark == "read":
        outcome = await marks.mark_read(app_context(), dialog_id, up_to)
    elif up_to:
        outcome = await marks.mark_unread(app_context(), dialog_id, up_to)
    else:
        outcome = await marks.set_unread_mark(app_context(), dialog_id)
    return tool_result(outcome, mark_records.mark_outcome(outcome))


async def mute_chat(
    dialog_id: DialogId, *, muted: Annotated[bool, Field(description="false unmutes")]
) -> Annotated[CallToolResult, MuteOutcome]:
    """Mute or unmute a chat; the model reads prompts/tools/mute_chat.md."""
    outcome = await marks.mute_chat(app_context(), dialog_id, muted=muted)
    return tool_result(outcome, mark_records.mute_outcome(outcome))


async def _plan_hiding(dialog_id: str) -> HidePlan:
    return await tidy.plan_hiding(app_context(), dialog_id)


async def _ask_hiding(
    plan: Annotated[HidePlan, Resolve(_plan_hiding)],
) -> Elicit[Confirmation] | Confirmation:
    return ask(plan.question)


async def hide_chat(
    dialog_id: DialogId,
    plan: Annotated[HidePlan, Resolve(_plan_hiding)],
    answer: Annotated[Answer, Resolve(_ask_hiding)],
) -> Annotated[CallToolResult, HideOutcome]:
    """Hide a chat; the model reads prompts/tools/hide_chat.md."""
    del dialog_id
    hide = tidy.hide_chat if is_yes(answer) else tidy.decline_hiding
    outcome = await hide(app_context(), plan)
    return tool_result(outcome, mark_records.hide_outcome(outcome))


async def _plan_reading_all() -> ReadAllPlan:
    return await tidy.plan_reading_all(app_context())


async def _ask_reading_all(
    plan: Annotated[ReadAllPlan, Resolve(_plan_reading_all)],
) -> Elicit[Confirmation] | Confirmation:
    return ask(plan.question) if plan.chats else Confirmation()


async def mark_all_read(
    plan: Annotated[ReadAllPlan, Resolve(_plan_reading_all)],
    answer: Annotated[Answer, Resolve(_ask_reading_all)],
) -> Annotated[CallToolResult, ReadAllOutcome]:
    """Mark everything as read; the model reads prompts/tools/mark_all_read.md."""
    mark = tidy.mark_all_read if is_yes(answer) else tidy.decline_reading_all
    outcome = await mark(app_context(), plan)
    return tool_result(outcome, mark_records.read_all_outcome(outcome))
