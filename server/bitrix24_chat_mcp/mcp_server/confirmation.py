"""Asking the user before what cannot be undone, by elicitation in either of the protocol's eras.

The question holds all that the answer is bound to. In the later era the SDK seals it into the state that
the client carries, and asks anew where it has changed; in either the use case compares once more.
"""

from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import Elicit
from pydantic import BaseModel, Field

from bitrix24_chat_mcp.portal.transport.call_context import restart_deadline

from .request_context import RequestContext, app_context


class Confirmation(BaseModel):
    """What the user fills in."""

    proceed: bool = Field(default=True, title="Yes, do it")


Answer = ElicitationResult[Confirmation]


def ask(question: str) -> Elicit[Confirmation] | Confirmation:
    """Return the question for the user; where the operator leaves asking to the host, return a yes."""
    return Confirmation() if app_context().confirm == "host" else Elicit(question, Confirmation)


def is_yes(answer: Answer) -> bool:
    """Tell whether the user has agreed, and give the call its time anew: the user took some of it."""
    restart_deadline()
    return isinstance(answer, AcceptedElicitation) and answer.data.proceed


def can_be_asked(request: RequestContext) -> bool:
    """Tell whether the client shows its user forms; an empty capability is the earlier era's word for it."""
    capabilities = request.session.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)
