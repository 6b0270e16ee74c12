"""Abbreviations of titles (ЦОД), and abbreviations in titles (HR)."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from typing import Final

from .around import is_around
from .meanings import compound_begins
from .phonetics import plain

WHOLE: Final = 96
"""How close the initials of all words of a title are to it; those of a part of them are less so."""
_BEGINNING, _INNER, _TWO_LETTERS = 90, 80, 60
_WITH_FUNCTION_WORDS: Final = 8
FEWEST, _MOST = 2, 6

_SEGMENT: Final = re.compile(r"[^:/|()«»\"“”,;—–]+")
_PIECE: Final = re.compile(r"[^\W\d_]+")
_PAIR: Final = re.compile(r"\b([^\W\d_])[^\W\d_]+ ?(&|\band\b|\bи\b|\bund\b) ?([^\W\d_])[^\W\d_]+")
_CAPITALS: Final = re.compile(rf"[^\W\d_]{{{FEWEST},{_MOST}}}")


def capitals(title: str) -> list[str]:
    """Return the abbreviations in a title, small; legal forms of companies are none."""
    found = (one for one in _CAPITALS.findall(title.replace("&", "")) if one.isupper())
    return [one for one in map(plain, found) if not is_around(one)]


def initials(title: str) -> dict[str, int]:
    """Return what a title, or a part of it, may be abbreviated to, and how close that is."""
    found: dict[str, int] = {}
    for segment in _SEGMENT.findall(title):
        pieces = _PIECE.findall(segment)
        telling = _telling(pieces)
        for short, worth in _runs(telling):
            found[short] = max(worth, found.get(short, 0))
        for short, worth in _runs(pieces) if len(telling) < len(pieces) else ():
            found[short] = max(worth - _WITH_FUNCTION_WORDS, found.get(short, 0))
    for found_pair in _PAIR.finditer(title):
        one, sign, other = found_pair.groups()
        is_whole = found_pair[0] == title
        found[plain(f"{one}&{other}")] = WHOLE if is_whole else _BEGINNING
        if sign == "&":
            found[plain(one + other)] = WHOLE
    return found


def spellings(words: str) -> list[str]:
    """Return what words may be abbreviated to, all of them, with and without those that say little."""
    pieces = _PIECE.findall(words)
    return [short for of in (_telling(pieces), pieces) if len(of) >= FEWEST for short in _spelt(of)]


def _telling(pieces: Sequence[str]) -> list[str]:
    return [piece for piece in pieces if not is_around(plain(piece))]


def _spelt(pieces: Sequence[str]) -> Iterator[str]:
    return map("".join, product(*map(_letters, pieces)))


def _runs(pieces: Sequence[str]) -> Iterator[tuple[str, int]]:
    for start in range(len(pieces)):
        for end in range(start + FEWEST, min(len(pieces), start + _MOST) + 1):
            worth = _worth(end - start, start, len(pieces))
            yield from ((short, worth) for short in _spelt(pieces[start:end]))


def _worth(length: int, start: int, whole: int) -> int:
    if length == whole:
        return WHOLE
    if length == FEWEST:
        return _TWO_LETTERS
    return _INNER if start else _BEGINNING


@lru_cache(maxsize=10_000)
def _letters(piece: str) -> tuple[str, ...]:
    """Return the initial of a word, or those of its parts or its capitals as well; all of an abbreviation."""
    text = plain(piece)
    if _CAPITALS.fullmatch(piece) and piece.isupper():
        return (text,)
    capital = "".join(filter(str.isupper, piece))
    if 1 < len(capital) < len(piece) and piece[:1].isupper():
        return text[0], plain(capital)
    part = compound_begins(text)
    if part and len(text) > len(part) + 2:
        return text[0], text[0] + text[len(part)]
    return (text[0],)
