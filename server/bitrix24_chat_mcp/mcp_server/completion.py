"""Completion for users who type: chats by their titles, and the prompts' arguments."""

from mcp_types import Completion, CompletionArgument, PromptReference, ResourceTemplateReference

from bitrix24_chat_mcp.chats import chat_list
from bitrix24_chat_mcp.chats.query import LONGEST_QUERY
from bitrix24_chat_mcp.portal.api.errors import PortalError

from . import prompts, request_context, resources

MOST = 20


async def complete(
    ref: PromptReference | ResourceTemplateReference, argument: CompletionArgument, _: object
) -> Completion:
    """Return values for a half-typed argument; none where the portal fails or the text is too long."""
    values = await _values(ref, argument)
    return Completion(values=values[:MOST], total=len(values), has_more=len(values) > MOST)


async def _values(
    ref: PromptReference | ResourceTemplateReference, argument: CompletionArgument
) -> list[str]:
    if len(argument.value) > LONGEST_QUERY:
        return []
    if isinstance(ref, PromptReference):
        known = prompts.COMPLETIONS.get((ref.name, argument.name), ())
        return [value for value in known if value.startswith(argument.value.lower())]
    if (ref.uri, argument.name) != (resources.CHAT, "dialog_id"):
        return []
    try:
        return await chat_list.suggest(request_context.app_context(), argument.value)
    except PortalError:
        return []
