"""Slips of typing that are forgiven."""

from collections.abc import Iterator, Sequence
from typing import Final

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from .phonetics import is_cyrillic, loses_a_letter
from .words import Word

_SLIPPED: Final = 87  # and eleven less for each slip
_SLIP: Final = 11
_BEGINS_SLIPPED: Final = 66
_RESEMBLES: Final = 45
_RESEMBLING: Final = 0.7
_LETTERS_TO_RESEMBLE: Final = 6

_ROOM_FOR_SLIPS: Final = (6, 9)  # sounds that a word needs for one slip, and for two
_ROOM_FOR_AN_END: Final = 2
_LETTERS_WITH_ANOTHER_BEGINNING: Final = 7
_PIECE: Final = 2000  # sounds, which are compared in some milliseconds


def slips_allowed(sounds: int) -> int:
    """Return how many slips are forgiven in a word of so many sounds."""
    return sum(sounds >= room for room in _ROOM_FOR_SLIPS)


def slipped(sought: str, sounds: Sequence[str]) -> Iterator[int]:
    """Return the numbers of the sounds that differ by few slips; other threads run between the pieces."""
    allowed = slips_allowed(len(sought))
    for at in range(0, len(sounds), _PIECE):
        piece = sounds[at : at + _PIECE]
        found = extract(sought, piece, scorer=OSA.distance, score_cutoff=allowed, limit=None)
        yield from (at + number for _, _, number in found)


def slip(asked: Word, word: Word) -> int:
    """Forgive slips in the whole word; one fewer without its ending, or in the beginning of a longer one."""
    size = len(asked.sound)
    if size < _LETTERS_WITH_ANOTHER_BEGINNING and asked.sound[0] != word.sound[:1]:
        return 0
    slips = OSA.distance(asked.sound, word.sound)
    if slips > slips_allowed(size):
        slips = OSA.distance(asked.stem, word.stem)
        if slips > slips_allowed(len(asked.stem) - _ROOM_FOR_AN_END):
            return _begins_slipped(asked.sound, word.sound)
    return 0 if _lost_a_letter(asked, word) else _SLIPPED - _SLIP * slips


def _begins_slipped(asked: str, word: str) -> int:
    begun = OSA.distance(asked, word[: len(asked)])
    return _BEGINS_SLIPPED if begun <= slips_allowed(len(asked) - _ROOM_FOR_AN_END) else 0


def _lost_a_letter(asked: Word, word: Word) -> bool:
    """Tell whether a letter was lost between the alphabets: then a slip as well is too much."""
    if is_cyrillic(asked.text) == is_cyrillic(word.text):
        return False
    return loses_a_letter(asked.text) or loses_a_letter(word.text) or len(asked.sound) == _ROOM_FOR_SLIPS[0]


def resembles(asked: Word, word: Word) -> int:
    """Return a low closeness for words that have one slip more than is forgiven."""
    size = len(asked.sound)
    if size < _LETTERS_TO_RESEMBLE or asked.is_numbered or asked.sound[0] != word.sound[:1]:
        return 0
    return _RESEMBLES if OSA.normalized_similarity(asked.sound, word.sound) >= _RESEMBLING else 0
