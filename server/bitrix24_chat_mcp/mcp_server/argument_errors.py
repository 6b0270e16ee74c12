"""What is wrong with a tool's arguments, in a short sentence for the model."""

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError

from bitrix24_chat_mcp.answers.sanitize import sanitize

MOST_NAMED = 3
_LONGEST_NAME = 40
_SUBJECT = re.compile(r"^(?:Input|String|List|Value) should")


def given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments without nulls: many clients send them for "not given"."""
    return {name: value for name, value in arguments.items() if value is not None}


def unknown(tool: str, arguments: Collection[str], known: Collection[str]) -> str:
    """Name the arguments that a tool does not have, or return an empty text."""
    names = [name for name in arguments if name not in known]
    if not names:
        return ""
    listed = ", ".join(repr(sanitize(name, _LONGEST_NAME)) for name in names[:MOST_NAMED])
    nearest = difflib.get_close_matches(names[0][:_LONGEST_NAME], known, n=1)
    hint = f" Did you mean {nearest[0]}?" if nearest else ""
    return f"UNKNOWN_ARGUMENT: {tool} has no argument {listed}.{hint} It takes {', '.join(known)}."


def wrong(error: ValidationError) -> str:
    """Say what is wrong with which argument."""
    sentences = [f"{one['loc'][0]} {_sentence(one['type'], one['msg'])}" for one in error.errors()]
    return f"INVALID_ARGUMENT: {'; '.join(sentences[:MOST_NAMED])}."


def _sentence(kind: str, message: str) -> str:
    if kind == "missing":
        return "is required"
    message = _SUBJECT.sub("must", message.removeprefix("Value error, "))
    return message.split(", unable to", 1)[0]
