"""Room in a model's context: what a row costs at most, and how a page is made to fit."""

import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

from .records import ChatRow, shorter

R = TypeVar("R")
BUDGET = 7400
"""Tokens for the rows of an answer and its cursor: with the heading it stays below 8,000."""
LONGEST_PREVIEW, USUAL_PREVIEW = 80, 40
SHORTER_PREVIEWS = (32, 16, 0)

_A_ROW, _A_TEXT, _A_FACT = 16, 6, 6
"""Tokens for dialog_id and kind with what is around them; for the name of a text; for a flag or a number."""

# Nobody knows the reader's tokenizer, so these bounds are on the safe side of o200k_base. Words cost a
# third of them; but a row of gibberish may not make an answer longer than it is promised to be.
_OURS = ("dialog_id", "kind")
_A_TOKEN = re.compile("[0-9]{1,3}| ?[A-Za-zА-ЩЫЭ-щыэ-яЁё]|[ЪЬъь]")  # no token begins with a space and ъ or ь


def preview_length(lengths: Sequence[int]) -> int:
    """Return how long a preview may be: they share room, so that one long message costs no other its own."""
    room = USUAL_PREVIEW * len(lengths)
    lower = range(LONGEST_PREVIEW, USUAL_PREVIEW, -8)
    return next((n for n in lower if sum(min(n, length) for length in lengths) <= room), USUAL_PREVIEW)


def fit(rows: list[ChatRow], taken: int) -> tuple[list[ChatRow], bool]:
    """Return as many rows as fit, and whether they were cut for it: previews go first, then the last rows.

    `taken` is how many of `BUDGET` something else needs. One row always fits.
    """
    return fit_any(rows, taken, SHORTER_PREVIEWS, shorter, cost)


def fit_any(
    rows: list[R],
    taken: int,
    lengths: Sequence[int],
    shorter: Callable[[R, int], R],
    cost: Callable[[R], int],
) -> tuple[list[R], bool]:
    """Do what `fit` does for rows of any kind; `lengths` are what their texts are cut to, longest first."""
    room, shortened = BUDGET - taken, False
    for length in lengths:
        if sum(map(cost, rows)) <= room:
            return rows, shortened
        rows, shortened = [shorter(row, length) for row in rows], True
    kept = 0
    while kept < len(rows) and (room := room - cost(rows[kept])) >= 0:
        kept += 1
    return rows[: max(kept, 1)], True


@lru_cache(maxsize=1000)
def cost(row: ChatRow) -> int:
    """Return how many tokens a row costs at most, in either form."""
    told = row.compact()
    texts = [value for name, value in told.items() if isinstance(value, str) and name not in _OURS]
    facts = len(told) - len(texts) - len(_OURS)
    written = tokens("".join(texts)) + sum(map(_escaped, texts))
    return _A_ROW + _A_TEXT * len(texts) + _A_FACT * facts + written


def tokens(text: str) -> int:
    """Return how many tokens a text costs at most: one a letter, one a byte of what is no letter we know."""
    rest, known = _A_TOKEN.subn("", text)
    return known + len(rest.encode())


def estimate(text: str) -> int:
    """Return about how many tokens a text of ours costs: English and JSON have four characters each."""
    return math.ceil(len(text) / 4)


def _escaped(text: str) -> int:
    """Count the characters before which JSON puts another."""
    return text.count('"') + text.count("\\")
