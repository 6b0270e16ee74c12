"""The words of all titles, and in which of them they are."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from . import abbreviations, filed, phonetics
from .around import is_around, is_loosely_around
from .asked import Asked
from .figures import PHONE, same_number
from .names import Names, Read, read, words_of
from .similarity import EXACT, FIRM, GUESS, SAME_MEANING, TRANSLATED, begins_with, closeness
from .slips import resembles, slipped
from .words import Word

_OTHER_ALPHABET: Final = 8
_BRIEF: Final = 3  # letters that are likelier a word of their own: zip


class Titles:
    """The words of all chats, by everything that they may be looked up by.

    `chats` has for each the numbers of its words, and what is taken off their closeness.
    """

    def __init__(self, chats: Sequence[Names]) -> None:
        known = [read(names) for names in chats]
        numbers: dict[tuple[str, bool], int] = {}
        self.words: list[Word] = []
        self.chats = [dict[int, int]() for _ in chats]
        for chat, names, of in zip(self.chats, chats, known, strict=True):
            for one, is_name, off in words_of(of, is_name=names.is_person):
                number = numbers.setdefault((one.text, is_name), len(numbers))
                if number == len(self.words):
                    self.words.append(one)
                chat.setdefault(number, off)
        self._is_name = [is_name for _, is_name in numbers]
        self._add_abbreviations(known)
        self._places = _places(self.chats)
        self._sounds = [one.sound for one in self.words]
        self._stems = [one.stem for one in self.words]
        self._tells = [not is_around(one.text) and not is_loosely_around(one.text) for one in self.words]
        self._by = filed.tables(self.words)
        self._heard: dict[bool, dict[str, list[int]]] = {}
        self._known: dict[Word, Asked] = {}

    def _add_abbreviations(self, known: Sequence[Read]) -> None:
        self.acronyms = {short for of in known for short in of.capitals}
        self._initials: dict[str, int] = {}
        for chat, of in zip(self.chats, known, strict=True):
            for short, worth in of.initials.items():
                number = self._initials.setdefault(short, len(self.words) + len(self._initials))
                chat[number] = abbreviations.WHOLE - worth
        self._initials_in_latin = {
            phonetics.in_latin(short): number for short, number in self._initials.items()
        }

    def look_up(self, asked: Iterable[Word]) -> list[Asked]:
        """Return for each word, once, how close words of the titles are."""
        return [self.near(one) for one in dict.fromkeys(asked)]

    def near(self, asked: Word) -> Asked:
        """Return how close words of the titles are to one that is asked for."""
        known = self._known.get(asked)
        if known is None:
            known = self._known[asked] = Asked(asked.text, dict(self._closenesses(asked)))
        return known

    def briefly(self, asked: Word) -> Asked:
        """Look up a short word that was read in another way than typed."""
        found = ((number, begins_with(asked, one)) for number, one in enumerate(self.words))
        return Asked(asked.text, {number: close for number, close in found if close})

    def as_abbreviation(self, asked: Word) -> Asked:
        """Return of what is close to a word only abbreviations and what has a digit, as of a derived word."""
        found = {
            n: min(close, SAME_MEANING)
            for n, close in self.near(asked).closeness.items()
            if n >= len(self.words) or self._is_abbreviation_of(self.words[n], asked)
        }
        return Asked(asked.text, found)

    def _is_abbreviation_of(self, one: Word, asked: Word) -> bool:
        is_short = one.text in self.acronyms or one.is_numbered
        return is_short and (one.sound == asked.sound or bool(one.meanings & asked.meanings))

    def in_alphabet_of(self, asked: Asked) -> Asked:
        """Return it without words of the other alphabet."""
        is_cyrillic, count = phonetics.is_cyrillic(asked.text), len(self.words)
        close = asked.closeness.items()
        same = (
            (n, c) for n, c in close if n < count and phonetics.is_cyrillic(self.words[n].text) is is_cyrillic
        )
        return Asked(asked.text, dict(same))

    def resembling(self, asked: Word) -> Asked:
        """Return words that have one slip more than is forgiven: not to be asserted, but to be offered."""
        found = ((number, resembles(asked, one)) for number, one in enumerate(self.words))
        return Asked(asked.text, {number: close for number, close in found if close})

    def has(self, text: str) -> bool:
        """Tell whether a title has this very word."""
        return filed.text(text) in self._by

    def beginning_like(self, text: str) -> list[Word]:
        """Return the words of titles, but not of persons, that have the first letters of this one."""
        return [self.words[number] for number in self._by.get(filed.beginning(text), ())]

    def have_in_order(self, beginning: str, asked: Word) -> bool:
        """Tell whether a title has a word that begins so and is longer, and the other behind it."""
        return any(
            self._is_before(number, asked, place)
            for number in self._by.get(filed.beginning(beginning), ())
            if self.words[number].text.startswith(beginning) and self.words[number].text != beginning
            for place in self._places[number]
        )

    def _is_before(self, number: int, asked: Word, place: int) -> bool:
        numbers = [n for n in self.chats[place] if n < len(self.words)]
        behind = (self.words[n] for n in numbers[numbers.index(number) + 1 :])
        return any(one.stem == asked.stem or one.text.startswith(asked.text) for one in behind if one.sound)

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

    def share(self, chat: dict[int, int], found: set[int]) -> float:
        """Return how much of a title was found, without the words that may be around any."""
        count = len(self.words)
        if any(n >= count and chat[n] == 0 for n in found):
            return 1  # by its initials
        of_title = {n for n, off in chat.items() if not off and n < count and self._sounds[n]}
        telling = {n for n in of_title if self._tells[n]} or of_title
        return len(telling & found) / max(len(telling), 1)

    def head(self, chat: dict[int, int]) -> int | None:
        """Return the first word that tells what a chat is about, behind what kind of thing that is."""
        return next((n for n in chat if n < len(self.words) and self._tells[n]), None)

    def _closenesses(self, asked: Word) -> Iterator[tuple[int, int]]:
        if not asked.sound:
            yield from self._made_closenesses(asked)
            if "&" in asked.text:
                yield from self._as_initials(asked)
            return
        close = self._compared(asked, self._candidates(asked))
        script = phonetics.is_cyrillic(asked.text)
        if not any(
            c >= FIRM and phonetics.is_cyrillic(self.words[n].text) is script for n, c in close.items()
        ):
            close |= self._compared(asked, self._heard_like(asked.text))
        yield from close.items()
        yield from self._as_initials(asked)

    def _as_initials(self, asked: Word) -> Iterator[tuple[int, int]]:
        if asked.text in self._initials:
            yield self._initials[asked.text], abbreviations.WHOLE
        other = self._initials_in_latin.get(phonetics.in_latin(asked.text), -1)
        if other not in {-1, self._initials.get(asked.text)}:
            is_brief = len(asked.text) <= _BRIEF and asked.text.isascii()
            yield other, GUESS if is_brief else abbreviations.WHOLE - _OTHER_ALPHABET

    def _compared(self, asked: Word, numbers: Iterable[int]) -> dict[int, int]:
        close = {n: closeness(asked, self.words[n], is_name=self._is_name[n]) for n in numbers}
        return {number: closer for number, closer in close.items() if closer}

    def _made_closenesses(self, asked: Word) -> Iterator[tuple[int, int]]:
        for number in {number for key in filed.meanings(asked) for number in self._by.get(key, ())}:
            if not self._is_name[number]:
                yield number, TRANSLATED if self.words[number].sound else SAME_MEANING
        yield from ((number, EXACT) for number in self._by.get(filed.text(asked.text), ()))
        if asked.text.startswith(PHONE):
            phones = self._by.get(PHONE, ())
            yield from ((n, EXACT) for n in phones if same_number(asked.text, self.words[n].text))

    def _candidates(self, asked: Word) -> set[int]:
        """Sieve out most words quickly: whatever is close has something in common, or few slips."""
        begin, text, size = asked.sound[:3], asked.text, len(asked.sound)
        near = {n for n, sound in enumerate(self._sounds) if begin in sound}
        near.update(n for n, one in enumerate(self.words) if one.text.startswith(text))
        near.update(n for key in filed.kin(asked) for n in self._by.get(key, ()))
        begun = [sound[:size] for sound in self._sounds]
        for sought, sounds in ((asked.sound, self._sounds), (asked.stem, self._stems), (asked.sound, begun)):
            near.update(slipped(sought, sounds))
        return near

    def _heard_like(self, text: str) -> Iterator[int]:
        """Return the words of the other alphabet that have the same consonants."""
        if not self.has(text):
            others = self._others_by_consonants(is_cyrillic=phonetics.is_cyrillic(text))
            for consonants, _ in phonetics.heard(text, is_asked=True):
                yield from others.get(consonants, ())

    def _others_by_consonants(self, *, is_cyrillic: bool) -> dict[str, list[int]]:
        if is_cyrillic not in self._heard:
            table = defaultdict[str, list[int]](list)
            for number, one in enumerate(self.words):
                if one.text.isalpha() and one.sound and phonetics.is_cyrillic(one.text) != is_cyrillic:
                    for consonants, _ in phonetics.heard(one.text):
                        table[consonants].append(number)
            self._heard[is_cyrillic] = dict(table)
        return self._heard[is_cyrillic]


def _places(chats: Sequence[dict[int, int]]) -> defaultdict[int, list[int]]:
    places: defaultdict[int, list[int]] = defaultdict(list)
    for place, chat in enumerate(chats):
        for number in chat:
            places[number].append(place)
    return places
