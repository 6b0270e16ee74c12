"""Arguments as models give them: what is wrong with them, in a short sentence."""

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError

from bitrix24_chat_mcp.answers.sanitize import sanitize

MOST_NAMED = 3
_SUBJECT = re.compile(r"^(?:Input|String|List|Value) should")


def given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments without nulls: many clients send them for "not given"."""
    return {name: value for name, value in arguments.items() if value is not None}


def unknown(tool: str, arguments: Collection[str], known: Collection[str]) -> str:
    """Name the arguments that a tool does not have, or return nothing."""
    strangers = [name for name in arguments if name not in known]
    if not strangers:
        return ""
    named = ", ".join(_bounded(name) for name in strangers[:MOST_NAMED])
    nearest = difflib.get_close_matches(strangers[0][:40], known, n=1)
    meant = f" Did you mean {nearest[0]}?" if nearest else ""
    return f"UNKNOWN_ARGUMENT: {tool} has no argument {named}.{meant} It takes {', '.join(known)}."


def wrong(error: ValidationError) -> str:
    """Say what is wrong with which argument."""
    said = [f"{problem['loc'][0]} {_sentence(problem['type'], problem['msg'])}" for problem in error.errors()]
    return f"INVALID_ARGUMENT: {'; '.join(said[:MOST_NAMED])}."


def _sentence(kind: str, message: str) -> str:
    if kind == "missing":
        return "is required"
    message = _SUBJECT.sub("must", message.removeprefix("Value error, "))
    return message.split(", unable to", 1)[0]


def _bounded(name: str) -> str:
    return repr(sanitize(name, 40))
