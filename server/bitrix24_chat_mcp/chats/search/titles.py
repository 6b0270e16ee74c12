"""The words of all titles, and in which of them they are."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from anyascii import anyascii
from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from . import phonetics, vocabulary
from .figures import PHONE, figures, same_number
from .similarity import EXACT, SAME_MEANING, begins_with, closeness, resembles, slips_allowed
from .words import Word, normal, word, words

_SEGMENT: Final = re.compile(r"[^:/|()«»\"“”,;—–]+")
_PIECE: Final = re.compile(r"[^\W\d_]+")
_CAPITALS: Final = re.compile(r"[^\W\d_]{2,6}")
_INITIALS: Final = "≡"  # begins the words that are made of the initials of others
_FEWEST_INITIALS, _MOST_INITIALS = 2, 6
_ALL_INITIALS, _FIRST_INITIALS, _SOME_INITIALS, _TWO_INITIALS = 96, 90, 80, 60
_MOST_WORDS_OF_A_PHRASE: Final = 5
_OTHER_ALPHABET: Final = 8
_WITH_FUNCTION_WORDS: Final = 8
_JOB: Final = 10
"""What a job title counts less than a name."""


class Names(NamedTuple):
    """What a chat is known by: its title and, for a person, the job title."""

    title: str
    position: str = ""
    is_person: bool = False


class Asked(NamedTuple):
    """A word that is asked for, and how close words of the titles come to it, by their numbers."""

    text: str
    closeness: Mapping[int, int]

    @property
    def best(self) -> int:
        """Return the closeness of the closest word."""
        return max(self.closeness.values(), default=0)

    def at_most(self, close: int) -> "Asked":
        """Return it with nothing closer than that."""
        return Asked(self.text, {n: min(closer, close) for n, closer in self.closeness.items()})

    def closely(self) -> "Asked":
        """Return it without all that is not the very word, or initials."""
        return Asked(self.text, {n: close for n, close in self.closeness.items() if close >= _ALL_INITIALS})


class Titles:
    """The words of all chats, by everything that they may be looked up by."""

    def __init__(self, chats: Sequence[Names]) -> None:
        self._numbers: dict[tuple[Word, bool], int] = {}
        self._initials: dict[str, int] = {}
        self.acronyms: set[str] = set()
        self.chats = [self._read(names) for names in chats]
        self.words = [key[0] for key in self._numbers]
        self._is_name = [key[1] for key in self._numbers]
        self.sounds = [one.sound for one in self.words]
        self._stems = [one.stem for one in self.words]
        self.texts = frozenset(one.text for one in self.words)
        self._tells = [not vocabulary.is_around(one.text) for one in self.words]
        self._places: list[list[int]] = [[] for _ in self.words]
        for place, chat in enumerate(self.chats):
            for number in chat:
                self._places[number].append(place)
        self._by = self._tables()
        self._known: dict[str, Asked] = {}

    def _read(self, names: Names) -> dict[int, int]:
        """Return the words of a chat, and what is taken off their closeness."""
        read = {self._number(one, is_name=names.is_person): 0 for one in _all_words(names.title)}
        if not names.is_person:
            self.acronyms.update(anyascii(one).lower() for one in _capitals(names.title))
            for initials, close in _initials(names.title):
                number = self._initials[initials] = self._number(made(_INITIALS + initials), is_name=False)
                read[number] = min(_ALL_INITIALS - close, read.get(number, _ALL_INITIALS))
        for one in _all_words(names.position):
            read.setdefault(self._number(one, is_name=False), _JOB)
        return read

    def _number(self, one: Word, *, is_name: bool) -> int:
        return self._numbers.setdefault((one, is_name), len(self._numbers))

    def _tables(self) -> dict[object, list[int]]:
        by: defaultdict[object, list[int]] = defaultdict(list)
        for number, one in enumerate(self.words):
            for key in (
                ("text", one.text),
                ("root", one.root),
                *(("person", n) for n in one.people),
                *_meant(one),
            ):
                by[key].append(number)
            for consonants, _ in phonetics.heard(one.text) if one.sound else ():
                by["heard", consonants].append(number)
            if one.text.startswith(PHONE):
                by[PHONE].append(number)
        return by

    def look_up(self, asked: Iterable[Word]) -> list[Asked]:
        """Return for each word, once, how close words of the titles are."""
        return [self.near(one) for one in dict.fromkeys(asked)]

    def near(self, asked: Word) -> Asked:
        """Return how close words of the titles are to one that is asked for."""
        known = self._known.get(asked.text)
        if known is None:
            known = self._known[asked.text] = Asked(asked.text, dict(self._closenesses(asked)))
        return known

    def _closenesses(self, asked: Word) -> Iterator[tuple[int, int]]:
        if not asked.sound:
            yield from self._made_closenesses(asked)
            return
        for number in self._candidates(asked):
            close = closeness(asked, self.words[number], is_name=self._is_name[number])
            if close:
                yield number, close
        for initials in (asked.text, anyascii(asked.text).lower()):
            if initials in self._initials:
                yield (
                    self._initials[initials],
                    _ALL_INITIALS - (0 if initials == asked.text else _OTHER_ALPHABET),
                )

    def _made_closenesses(self, asked: Word) -> Iterator[tuple[int, int]]:
        yield from ((number, SAME_MEANING) for key in _meant(asked) for number in self._by.get(key, ()))
        yield from ((number, EXACT) for number in self._by.get(("text", asked.text), ()))
        if asked.text.startswith(PHONE):
            phones = self._by.get(PHONE, ())
            yield from ((n, EXACT) for n in phones if same_number(asked.text, self.words[n].text))

    def with_all(self, asked: Iterable[Asked]) -> list[int]:
        """Return the places of the chats that have a word near every one that is asked for, in order."""
        each = [{place for number in one.closeness for place in self._places[number]} for one in asked]
        return sorted(each[0].intersection(*each))

    def nearness(self, asked: Asked) -> dict[int, int]:
        """Return the chats that have a word near the one that is asked for, and how near the nearest is."""
        near: dict[int, int] = {}
        for number, close in asked.closeness.items():
            for place in self._places[number]:
                near[place] = max(close - self.chats[place][number], near.get(place, 0))
        return near

    def title_words(self, chat: dict[int, int]) -> set[int]:
        """Return the words of a title without those that may be around any, unless it has no others."""
        of_title = {n for n, off in chat.items() if not off and self.words[n].sound}
        return {n for n in of_title if self._tells[n]} or of_title

    def briefly(self, asked: Word) -> Asked:
        """Look up a short word that was read in another way than typed."""
        found = ((number, begins_with(asked, one)) for number, one in enumerate(self.words))
        return Asked(asked.text, {number: close for number, close in found if close})

    def resembling(self, asked: Word) -> Asked:
        """Return words that have one slip more than is forgiven: not to be asserted, but to be offered."""
        found = ((number, resembles(asked, one)) for number, one in enumerate(self.words))
        return Asked(asked.text, {number: close for number, close in found if close})

    def _candidates(self, asked: Word) -> set[int]:
        """Sieve out most words quickly: whatever is close has something in common, or few slips."""
        begin, text, size = asked.sound[:3], asked.text, len(asked.sound)
        near = {n for n, one in enumerate(self.words) if begin in one.sound or one.text.startswith(text)}
        keys = ("root", asked.root), *(("person", n) for n in vocabulary.called(text)), *_meant(asked)
        near.update(n for key in keys for n in self._by.get(key, ()))
        near.update(n for one, _ in phonetics.heard(text) for n in self._by.get(("heard", one), ()))
        begun = [sound[:size] for sound in self.sounds]
        for sought, sounds in ((asked.sound, self.sounds), (asked.stem, self._stems), (asked.sound, begun)):
            allowed = slips_allowed(len(sought))
            slipped = extract(sought, sounds, scorer=OSA.distance, score_cutoff=allowed, limit=None)
            near.update(number for _, _, number in slipped)
        return near


def made(text: str, meanings: frozenset[int] = frozenset()) -> Word:
    """Return what is no word but is looked up as one: a date, a telephone number, initials, a phrase."""
    return Word(text, "", "", text, frozenset(), meanings)


def _meant(one: Word) -> Iterator[object]:
    return (("meaning", meaning) for meaning in one.meanings)


def _phrase(parts: Sequence[Word]) -> Word | None:
    together = vocabulary.phrase(tuple(vocabulary.key(one.text) for one in parts))
    return made(" ".join(one.text for one in parts), together) if together else None


def phrases(of: Sequence[Word]) -> Iterator[tuple[int, int, Word]]:
    """Return where words mean something together, the longest first."""
    for length in range(min(len(of), _MOST_WORDS_OF_A_PHRASE), 1, -1):
        for start in range(len(of) - length + 1):
            found = _phrase(of[start : start + length])
            if found:
                yield start, start + length, found


def _all_words(text: str) -> Iterator[Word]:
    spelt = words(text)
    yield from spelt.words
    yield from spelt.joined
    yield from (found for _, _, found in phrases(spelt.words))
    yield from (made(form) for _, _, form in figures(normal(text)))


def _capitals(title: str) -> Iterator[str]:
    """Return the abbreviations in a title, those of company names apart: HR, ЮД, R&D."""
    joined = title.replace("&", "")
    found = (one for one in _CAPITALS.findall(joined) if one.isupper())
    return (one for one in found if not vocabulary.is_around(vocabulary.plain(one)))


def _initials(title: str) -> Iterator[tuple[str, int]]:
    """Return what a title, or a part of it, may be abbreviated to, and how close that is."""
    for segment in _SEGMENT.findall(title):
        pieces = [vocabulary.plain(piece) for piece in _PIECE.findall(segment)]
        telling = [piece for piece in pieces if not vocabulary.is_around(piece)]
        yield from _runs(telling, 0)
        if len(telling) < len(pieces):
            yield from _runs(pieces, _WITH_FUNCTION_WORDS)


def _runs(pieces: Sequence[str], off: int) -> Iterator[tuple[str, int]]:
    letters = [_letters(piece) for piece in pieces]
    for start in range(len(letters)):
        for end in range(start + _FEWEST_INITIALS, min(len(letters), start + _MOST_INITIALS) + 1):
            for initials in _spelled(letters[start:end]):
                worth = _worth(end - start, start, len(letters)) - off
                yield from ((initials, worth), (anyascii(initials).lower(), worth))


def _worth(length: int, start: int, whole: int) -> int:
    if length == whole:
        return _ALL_INITIALS
    if length == _FEWEST_INITIALS:
        return _TWO_INITIALS
    return _SOME_INITIALS if start else _FIRST_INITIALS


def _letters(text: str) -> tuple[str, ...]:
    """Return the initial of a word, and the initials of both parts of a compound."""
    first = text[:1]
    part = next(
        (part for part in vocabulary.compounds() if text.startswith(part) and len(text) > len(part) + 3), ""
    )
    return (first, first + text[len(part)]) if part else (first,)


def _spelled(letters: Sequence[tuple[str, ...]]) -> Iterator[str]:
    spelled = [""]
    for choice in letters:
        spelled = [begun + letter for begun in spelled for letter in choice]
    return iter(spelled)
