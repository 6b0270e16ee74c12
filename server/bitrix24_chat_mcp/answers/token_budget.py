"""The token budget of an answer: what a row costs at most, and how a page is cut to fit."""

import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

from .records import ChatRow, shorter

R = TypeVar("R")
BUDGET = 7400
"""Tokens for an answer's rows and cursor; with the heading an answer stays below 8,000."""
LONGEST_PREVIEW, USUAL_PREVIEW = 80, 40
SHORTER_PREVIEWS = (32, 16, 0)
"""Lengths of previews, in characters as a reader counts them."""

_ROW_COST, _TEXT_COST, _FACT_COST = 16, 6, 6
"""Tokens for dialog_id and kind with the syntax around them; for a text's name; for a flag or a number."""

# The model's tokenizer is unknown, so these are upper bounds for o200k_base. Usual words cost a third of
# them; but random letters in a row must not make an answer longer than the promised limit.
_OURS = ("dialog_id", "kind")
_A_TOKEN = re.compile("[0-9]{1,3}| ?[A-Za-zА-ЩЫЭ-щыэ-яЁё]|[ЪЬъь]")  # no token begins with a space and ъ or ь


def preview_length(lengths: Sequence[int]) -> int:
    """Return the length of a page's previews, from the lengths of its messages.

    A page has `USUAL_PREVIEW` characters for each of its messages: where many are short, the long ones may
    show up to `LONGEST_PREVIEW`.
    """
    available = USUAL_PREVIEW * len(lengths)
    longer = range(LONGEST_PREVIEW, USUAL_PREVIEW, -8)
    return next((n for n in longer if sum(min(n, length) for length in lengths) <= available), USUAL_PREVIEW)


def fit(rows: list[ChatRow], taken: int) -> tuple[list[ChatRow], bool]:
    """Return the rows that fit, and whether anything was cut: first the previews, then the last rows.

    `taken` is how many tokens of `BUDGET` other parts of the answer need. One row is always returned.
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
    left, shortened = BUDGET - taken, False
    for length in lengths:
        if sum(map(cost, rows)) <= left:
            return rows, shortened
        rows, shortened = [shorter(row, length) for row in rows], True
    kept = 0
    while kept < len(rows) and (left := left - cost(rows[kept])) >= 0:
        kept += 1
    return rows[: max(kept, 1)], True


@lru_cache(maxsize=1000)
def cost(row: ChatRow) -> int:
    """Return how many tokens a row costs at most, as text or as structured content."""
    fields = row.compact()
    texts = [value for name, value in fields.items() if isinstance(value, str) and name not in _OURS]
    facts = len(fields) - len(texts) - len(_OURS)
    written = tokens("".join(texts)) + sum(map(_escaped, texts))
    return _ROW_COST + _TEXT_COST * len(texts) + _FACT_COST * facts + written


def tokens(text: str) -> int:
    """Return how many tokens a text costs at most: one a known letter, one a byte of any other character."""
    rest, known = _A_TOKEN.subn("", text)
    return known + len(rest.encode())


def estimate(text: str) -> int:
    """Return about how many tokens a text of ours costs: English and JSON have four characters each."""
    return math.ceil(len(text) / 4)


def _escaped(text: str) -> int:
    """Return how many characters JSON escapes with another one."""
    return text.count('"') + text.count("\\")
