"""Room in a model's context: what a row costs at most, and how a page is made to fit."""

import re
from collections.abc import Callable, Sequence

from .records import ChatRow

ROOM = 7000
"""Tokens for the rows of an answer: with its heading and cursor it stays below 8,000."""
LONGEST_PREVIEW, USUAL_PREVIEW = 80, 40

_A_FIELD = 6  # tokens for a field's name, or for a short value
# The dearest gibberish costs 0.72 tokens a byte (o200k_base), and in Cyrillic as much a letter.
_A_BYTE = 0.72
_CYRILLIC = re.compile("[\u0400-\u04ff]")


def preview_length(lengths: Sequence[int]) -> int:
    """Return how long a preview may be: they share room, so that one long message costs no other its own."""
    room = USUAL_PREVIEW * len(lengths)
    lower = range(LONGEST_PREVIEW, USUAL_PREVIEW, -8)
    return next((n for n in lower if sum(min(n, length) for length in lengths) <= room), USUAL_PREVIEW)


def fit(rows: Callable[[int], list[ChatRow]], preview: int) -> tuple[list[ChatRow], bool]:
    """Return as many rows as fit, and whether previews were cut for it: previews go first, then rows."""
    for shorter in (preview, 32, 16, 0):
        made = rows(min(shorter, preview))
        if sum(map(cost, made)) <= ROOM:
            return made, shorter < preview
    spent, kept = 0.0, 0
    while kept < len(made) and (spent := spent + cost(made[kept])) <= ROOM:
        kept += 1
    return made[: max(kept, 1)], True


def cost(row: ChatRow) -> float:
    """Return how many tokens a row costs at most."""
    said = row.compact()
    texts = "".join(value for value in said.values() if isinstance(value, str))
    return _A_FIELD * len(said) + _A_BYTE * (len(texts.encode()) - len(_CYRILLIC.findall(texts)))
