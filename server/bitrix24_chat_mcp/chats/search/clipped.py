"""Compounds of clipped words: a медпункт is a медицинский пункт, the финдеп a финансовый департамент."""

from collections.abc import Iterator
from typing import Final

from . import phonetics, stems

_FEWEST: Final = 3
"""Letters of either part; two do before a longer one."""
_LONGER: Final = 5


def parts(text: str) -> Iterator[tuple[str, str]]:
    """Return how a word may be taken apart into the beginning of one and another; a suffix is no other."""
    for end in _ends(text):
        if not stems.is_suffix(text[end:]):
            yield text[:end], text[end:]


def is_of(compound: str, one: str, other: str) -> bool:
    """Tell whether a compound is the beginning of one word and another, or the beginning of that, too."""
    return any(
        len(one) > end and one.startswith(compound[:end]) and _is_form(compound[end:], other)
        for end in _ends(compound)
    )


def _ends(text: str) -> range:
    """Return where the first part may end."""
    fewest = _FEWEST - (len(text) >= _FEWEST - 1 + _LONGER)
    return range(fewest, len(text) - _FEWEST + 1)


def _is_form(text: str, other: str) -> bool:
    return other.startswith(text) or stems.stem(text) in {stems.stem(other), phonetics.sound(other)}
