"""Abbreviations of titles (ЦОД), and abbreviations in titles (HR)."""

import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

from anyascii import anyascii

from . import vocabulary

WHOLE: Final = 96
"""How close the initials of all words of a title are to it; those of a part of them are less so."""
_BEGINNING, _INNER, _TWO_LETTERS = 90, 80, 60
_WITH_FUNCTION_WORDS: Final = 8
_FEWEST, _MOST = 2, 6

_SEGMENT: Final = re.compile(r"[^:/|()«»\"“”,;—–]+")
_PIECE: Final = re.compile(r"[^\W\d_]+")
_PAIR: Final = re.compile(r"([^\W\d_])[^\W\d_]+ ?& ?([^\W\d_])[^\W\d_]+")
_CAPITALS: Final = re.compile(rf"[^\W\d_]{{{_FEWEST},{_MOST}}}")


def in_latin(text: str) -> str:
    """Return an abbreviation in Latin letters, so that CRM is ЦРМ."""
    return anyascii(text).lower()


def capitals(title: str) -> list[str]:
    """Return the abbreviations in a title, small; legal forms of companies are none."""
    found = (one for one in _CAPITALS.findall(title.replace("&", "")) if one.isupper())
    return [one for one in map(vocabulary.plain, found) if not vocabulary.is_around(one)]


def initials(title: str) -> dict[str, int]:
    """Return what a title, or a part of it, may be abbreviated to, and how close that is."""
    found: dict[str, int] = {}
    for segment in _SEGMENT.findall(title):
        pieces = [vocabulary.plain(piece) for piece in _PIECE.findall(segment)]
        telling = [piece for piece in pieces if not vocabulary.is_around(piece)]
        for short, worth in _runs(telling):
            found[short] = max(worth, found.get(short, 0))
        for short, worth in _runs(pieces) if len(telling) < len(pieces) else ():
            found[short] = max(worth - _WITH_FUNCTION_WORDS, found.get(short, 0))
    for one, other in _PAIR.findall(title):
        found[vocabulary.plain(one + other)] = WHOLE
    return found


def _runs(pieces: Sequence[str]) -> Iterator[tuple[str, int]]:
    letters = [_letters(piece) for piece in pieces]
    for start in range(len(letters)):
        for end in range(start + _FEWEST, min(len(letters), start + _MOST) + 1):
            worth = _worth(end - start, start, len(letters))
            yield from (("".join(spelt), worth) for spelt in product(*letters[start:end]))


def _worth(length: int, start: int, whole: int) -> int:
    if length == whole:
        return WHOLE
    if length == _FEWEST:
        return _TWO_LETTERS
    return _INNER if start else _BEGINNING


def _letters(text: str) -> tuple[str, ...]:
    """Return the initial of a word, or also the initials of both parts of a compound."""
    for part in vocabulary.compounds():
        if text.startswith(part) and len(text) > len(part) + 2:
            return text[0], text[0] + text[len(part)]
    return (text[0],)
