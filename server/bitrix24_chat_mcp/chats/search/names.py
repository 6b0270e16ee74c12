"""What a chat is known by, and the words of that."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from . import abbreviations, meanings
from .figures import figures
from .words import Word, made, normal, phrases, words

_JOB: Final = 13
"""What a job title counts less than a name."""
_PART: Final = 16
"""And a part of a compound less than a word: alone it is a guess."""


class Names(NamedTuple):
    """What a chat is known by: its title and, for a person, the job title."""

    title: str
    position: str = ""
    is_person: bool = False


class Read(NamedTuple):
    """The words of a title, of its compounds and of a job title; abbreviations of and in the title."""

    title: tuple[Word, ...]
    parts: tuple[Word, ...]
    position: tuple[Word, ...]
    initials: dict[str, int]
    capitals: list[str]


@lru_cache(maxsize=10_000)
def read(names: Names) -> Read:
    """Take apart what a chat is known by."""
    title, position = tuple(_all_words(names.title)), tuple(_all_words(names.position))
    if names.is_person:
        return Read(title, (), position, {}, [])
    parts = tuple(made(f"-{part}", means) for one in title for part, means in meanings.of_compound(one.text))
    shorts = abbreviations.initials(names.title)
    return Read(title, parts, position, shorts, abbreviations.capitals(names.title))


def _all_words(text: str) -> Iterator[Word]:
    spelt = words(text)
    yield from spelt.words
    yield from spelt.joined
    yield from (found for _, _, found in phrases(spelt.words))
    yield from (made(form) for _, _, form in figures(normal(text)))


def words_of(read: Read, *, is_name: bool) -> Iterator[tuple[Word, bool, int]]:
    """Return the words, whether they are of a person's name, and what is taken off their closeness."""
    yield from ((one, is_name, 0) for one in read.title)
    yield from ((one, False, _PART) for one in read.parts)
    yield from ((one._replace(people=frozenset()), False, _JOB) for one in read.position)
