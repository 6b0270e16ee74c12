"""Completion, for people who type: chats by their titles, and the prompts' arguments."""

from mcp_types import Completion, CompletionArgument, PromptReference, ResourceTemplateReference

from . import asking, inbox, prompting, resources
from .answers.choice import LONGEST_QUERY
from .portal.errors import PortalError

MOST = 20


async def complete(
    ref: PromptReference | ResourceTemplateReference, argument: CompletionArgument, _: object
) -> Completion:
    """Return what may stand for a half-typed argument; nothing where the portal cannot tell.

    Nothing, too, where more was typed than a list is searched for.
    """
    values = await _values(ref, argument)
    return Completion(values=values[:MOST], total=len(values), has_more=len(values) > MOST)


async def _values(
    ref: PromptReference | ResourceTemplateReference, argument: CompletionArgument
) -> list[str]:
    if len(argument.value) > LONGEST_QUERY:
        return []
    if isinstance(ref, PromptReference):
        known = prompting.COMPLETIONS.get((ref.name, argument.name), ())
        return [value for value in known if value.startswith(argument.value.lower())]
    if ref.uri != resources.CHAT:
        return []
    try:
        return await inbox.named(asking.service(), argument.value)
    except PortalError:
        return []
