"""A failure -> what a model reads: our words first, and the portal's, quoted, behind them."""

from bitrix24_chat_mcp.portal.api.errors import PortalError

from .redaction import mask_secrets
from .sanitize import quoted

SAID_LENGTH = 200


def describe(error: PortalError) -> str:
    """Say what happened and what to do next, beginning with the code."""
    said = f" The portal said: {quoted(error.said, SAID_LENGTH)}" if error.said else ""
    return mask_secrets(f"{error}{said}")
