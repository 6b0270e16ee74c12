"""A text -> its words, in all that they are compared by."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from . import given_names, meanings, phonetics, stems
from .figures import arabic

_WORD: Final = re.compile(r"[^\W_]+(?:[-‐’'&][^\W_]+)*")
_PART: Final = re.compile(r"[^\W_]+")
_INITIALS: Final = re.compile(r"(?<=\b[^\W\d_])[./](?=[^\W\d_]\b)")
_SINGLE_LETTERS: Final = re.compile(r"\b([^\W\d_])\s*(?:&|\band\b|\bи\b|\bn\b)\s*([^\W\d_])\b", re.IGNORECASE)
_SERIES: Final = re.compile(r"\b([^\W\d_]{1,3}) (\d+)\b")
_ZEROS_BEFORE: Final = re.compile(r"(?<!\d)0+(?=\d)")
_PAIR: Final = re.compile(r"\b[^\W\d_]&[^\W\d_]\b")
_LETTER_N_LETTER: Final = re.compile(r"\b([A-Z])n([A-Z])\b")


_NONE: Final = frozenset[int]()


class Word(NamedTuple):
    """A word as it is written (small, without ё), as it sounds, and what it may stand for.

    `stem` is the sound without the ending, `roots` are what is left
    of that without ever more suffixes; `people` are those whose given name
    it is, `meanings` the office words that it translates.
    """

    text: str
    sound: str
    stem: str
    roots: tuple[str, ...]
    people: frozenset[int]
    meanings: frozenset[int]

    @property
    def is_numbered(self) -> bool:
        """Whether it has a digit; of such words another is never meant."""
        return not self.text.isalpha() and any(letter.isdigit() for letter in self.text)


class Words(NamedTuple):
    """The words of a text, hyphenated ones in parts; those written as one ("frontend"); the sound of all."""

    words: tuple[Word, ...]
    joined: tuple[Word, ...]
    sound: str


@lru_cache(maxsize=10_000)
def words(text: str) -> Words:
    """Return the words of a title or a query."""
    spelt = normal(text)
    found = [_PART.findall(word) for word in _WORD.findall(spelt)]
    parts = tuple(word(part) for parts in found for part in parts)
    joined = [word("".join(parts)) for parts in found if len(parts) > 1]
    joined += [made(letters + number.lstrip("0")) for letters, number in _SERIES.findall(spelt)]
    joined += map(made, _PAIR.findall(spelt))
    return Words(parts, tuple(joined), "".join(part.sound for part in parts))


@lru_cache(maxsize=10_000)
def normal(text: str) -> str:
    """Return a text small, in plain letters, with R and D as R&D, and III as 3."""
    text = arabic(unicodedata.normalize("NFKC", text.replace("№", " ")))
    text = _SINGLE_LETTERS.sub(r"\1&\2", _LETTER_N_LETTER.sub(r"\1&\2", _INITIALS.sub("'", text)))
    return phonetics.plain(text)


@lru_cache(maxsize=20_000)
def word(text: str) -> Word:
    """Return what a word is compared by; numbers without the zeros before them, JS-07 as JS7."""
    if not text.isalpha():
        text = _ZEROS_BEFORE.sub("", text)
    if text.isdecimal():
        return Word(text, text, text, (), _NONE, meanings.meanings(text, ()))
    sound = phonetics.sound(text)
    stem = stems.stem(text)
    roots = stems.roots(stem)
    return Word(text, sound, stem, roots, given_names.people(text), meanings.meanings(text, roots))


def made(text: str, means: frozenset[int] = _NONE) -> Word:
    """Return what is no word but is looked up as one: a date, a telephone number, a phrase."""
    return Word(text, "", "", (), _NONE, means)


_MOST_WORDS_OF_A_PHRASE: Final = 6


def phrases(of: Sequence[Word]) -> Iterator[tuple[int, int, Word]]:
    """Return where words mean something together, the longest first."""
    texts = tuple(one.text for one in of)
    for start, stop, together in meanings.phrases(texts, _MOST_WORDS_OF_A_PHRASE):
        yield start, stop, made(" ".join(texts[start:stop]), together)
