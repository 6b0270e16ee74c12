"""The sets in which tools are offered, and how settings name them."""

import difflib
from collections.abc import Collection, Mapping
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator

ALWAYS: Final = ("list_recent_chats", "pin_chat")
"""The tools of no set."""
TOOLSETS: Final[Mapping[str, tuple[str, ...]]] = {
    "read": ("read_chat", "search_chat"),
    "marks": ("mark_chat", "mute_chat"),
    "tidy": ("hide_chat", "mark_all_read"),
}
"""The tools of each set that one opts into."""
READING: Final = frozenset({"list_recent_chats", *TOOLSETS["read"]})
"""The tools that change nothing."""
TOOL_NAMES: Final = (*ALWAYS, *(name for names in TOOLSETS.values() for name in names))


def split(value: object) -> object:
    """Take words with commas between them, as on the command line and in a header, for a list."""
    return [word for word in map(str.strip, value.split(",")) if word] if isinstance(value, str) else value


def _known(names: frozenset[str], known: Collection[str], kind: str) -> frozenset[str]:
    for name in sorted(names):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            shown = "".join(filter(str.isprintable, name[:40]))
            raise ValueError(f"there is no {kind} {shown!r}; {hint}")
    return names


def _toolsets(names: frozenset[str]) -> frozenset[str]:
    return _known(names, TOOLSETS, "set")


def _tools(names: frozenset[str]) -> frozenset[str]:
    return _known(names, TOOL_NAMES, "tool")


Toolsets = Annotated[frozenset[str], BeforeValidator(split), AfterValidator(_toolsets)]
"""Names of sets; for an unknown one ValueError names the nearest."""
ToolNames = Annotated[frozenset[str], BeforeValidator(split), AfterValidator(_tools)]
