"""Whose given name a word is: full names, short and pet forms, and the same names in other languages."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from . import data_files, phonetics
from .phonetics import plain

_NONE: Final = frozenset[int]()
_PET_ENDING: Final = re.compile(r"(.{4,}?)(?:(?:eCk|oCk|enk|onk|uSk|ul|uS|k)[aeiou]+|Cik|ik)")
_ENDINGS: Final = ("a", "ia", "i", "e", "u", "oi", "ei", "om", "em", "ou", "eu")
_NOMINATIVES: Final = ("", "a", "ia", "i", "ei", "ii")
_LETTERS_OF_A_FORM: Final = 4
_BY_SOUND: Final = "≈"


@lru_cache(maxsize=1)
def _people() -> dict[str, frozenset[int]]:
    """Return whose name is how, as it is written and as it sounds."""
    people: dict[str, frozenset[int]] = {}
    for person, line in enumerate(data_files.load("names")["people"].splitlines()):
        _add(people, frozenset((person,)), map(plain, line.split()))
    for name, known in list(people.items()):
        _add(people, known, [_BY_SOUND + phonetics.sound(name)])
    return people


@lru_cache(maxsize=1)
def _english_people() -> dict[str, frozenset[int]]:
    """Return whose English name is how, as it is written; numbers below zero tell them from the others."""
    from nicknames import NickNamer  # noqa: PLC0415 - loaded with the first question for a name

    people: dict[str, frozenset[int]] = {}
    for person, (name, short) in enumerate(NickNamer().nickname_lookup.items(), 1):
        _add(people, frozenset((-person,)), (name, *short))
    return people


def _add(people: dict[str, frozenset[int]], persons: frozenset[int], names: Iterable[str]) -> None:
    """Note whose names these are; names of the same persons share one set."""
    for name in names:
        known = people.get(name)
        people[name] = known | persons if known else persons


def people(text: str) -> frozenset[int]:
    """Return whose given name this is, as numbers of persons."""
    known = _people().get(text) or _people().get(_BY_SOUND + phonetics.sound(text), _NONE)
    return known | _english_people().get(text, _NONE) if text.isascii() else known


def are_others(one: str, other: str) -> bool:
    """Tell whether both are known as they are written, and as names of different persons: Уля, Юлия."""
    known = _people()
    return one in known and other in known and not known[one] & known[other]


@lru_cache(maxsize=5_000)
def called(text: str) -> frozenset[int]:
    """Return who is called so: as `people`, also with an ending (Олей) or by a pet form of one (Лариска)."""
    found = people(text)
    if found or text.isascii() or len(text) < _LETTERS_OF_A_FORM:
        return found
    sound = phonetics.sound(text)
    pet = _PET_ENDING.fullmatch(sound)
    known = _people()
    begins = [sound.removesuffix(ending) for ending in _ENDINGS if sound.endswith(ending)] + (
        [pet[1]] if pet else []
    )
    return _NONE.union(
        *(known.get(_BY_SOUND + begin + ending, _NONE) for begin in begins for ending in _NOMINATIVES)
    )
