"""What a query asks for: its pieces, in all the ways in which they may be read."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from . import spoken, stems
from .around import is_around, is_loosely_around
from .asked import Asked
from .phonetics import loses_a_letter
from .similarity import FIRM, SAME_MEANING
from .titles import Titles
from .ways import DOUBTFUL, Token, ways
from .words import Words, word, words

_ENGLISH: Final = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`{}:\"<>~QWERTYUIOPASDFGHJKLZXCVBNM"
_RUSSIAN: Final = "йцукенгшщзхъфывапролджэячсмитьбюёХЪЖЭБЮЁЙЦУКЕНГШЩЗФЫВАПРОЛДЯЧСМИТЬ"
_TO_RUSSIAN: Final = str.maketrans(_ENGLISH, _RUSSIAN)
_TO_ENGLISH: Final = str.maketrans(_RUSSIAN, _ENGLISH)
_TO_LETTERS: Final = str.maketrans({"4": "ch", "6": "sh", "3": "z", "0": "o", "1": "i"})
_DIGITS: Final = re.compile(r"[a-zA-Z][346]|[346][a-zA-Z]{2}")
_SHORT: Final = 4

NEVER, PERHAPS, ALWAYS = range(3)
"""How readily a word is left out, as one that is said around a name."""


class Term(NamedTuple):
    """What a token asks for; `around` is how readily it is left out."""

    typed: str
    asked: tuple[Asked, ...]
    around: int


def read(query: str, titles: Titles) -> list[list[Term]]:
    """Return what a query may ask for, one way of reading it a list."""
    return [_terms(way, titles) for way in ways(query, titles)]


def _terms(tokens: Sequence[Token], titles: Titles) -> list[Term]:
    """Return what tokens ask for; where all are around a name, none is: Ben is «I» in Turkish."""
    terms = [_term(token, titles) for token in tokens]
    if any(term.around < ALWAYS for term in terms):
        return terms
    return [Term(token.typed, tuple(_read(token.typed, titles)), NEVER) for token in tokens]


def _term(token: Token, titles: Titles) -> Term:
    if token.word:
        return Term(token.typed, (titles.near(token.word).at_most(token.at_most),), NEVER)
    around = _how_around(token.typed, titles)
    if around < ALWAYS:
        return Term(token.typed, tuple(_read(token.typed, titles)), around)
    asked = titles.look_up(words(token.typed).words)
    return Term(token.typed, tuple(one.closely() for one in asked), around)


def _how_around(chunk: str, titles: Titles) -> int:
    typed, other = _texts(chunk), _texts(_in_other_layout(chunk))
    if all(map(is_around, typed)):
        return ALWAYS
    is_letter = len(chunk) == 1 and chunk.isupper()
    if len(typed) == len(other) == 1 and is_around(other[0]) and not titles.has(typed[0]) and not is_letter:
        return ALWAYS
    is_loose = all(is_around(text) or is_loosely_around(text) for text in typed)
    return PERHAPS if is_loose else NEVER


def _texts(chunk: str) -> list[str]:
    return [one.text for one in words(chunk).words]


def _read(chunk: str, titles: Titles) -> list[Asked]:
    """Take what was typed as it stands if titles have it, else the way of reading it that comes closest."""
    typed = words(chunk)
    pairs = [one for one in typed.joined if "&" in one.text]
    if pairs:
        return titles.look_up(pairs)
    as_it_stands = titles.look_up(typed.words)
    if _worst(as_it_stands) >= FIRM:
        return as_it_stands
    readings = [
        *(as_it_stands, _read_joined(typed, titles)),
        *(_read_in_other_layout(chunk, titles), _read_digits_as_letters(chunk, titles)),
        *(_read_in_kazakh_case(chunk, titles), _read_as_spoken(typed, titles)),
    ]
    return max(readings, key=_worst)


def _read_joined(typed: Words, titles: Titles) -> list[Asked]:
    """Look up the parts of a word as one; single letters are initials, not the beginning of a word."""
    found = titles.look_up(typed.joined)
    return found if any(len(one.text) > 1 for one in typed.words) else [one.closely() for one in found]


def _read_digits_as_letters(chunk: str, titles: Titles) -> list[Asked]:
    """Look up a word in which digits stand for the letters that Latin has not: 4as for час."""
    if sum(map(str.isalpha, chunk)) < _SHORT or not chunk.isascii() or not _DIGITS.search(chunk):
        return []
    return titles.look_up(words(chunk.translate(_TO_LETTERS)).words)


def _read_as_spoken(typed: Words, titles: Titles) -> list[Asked]:
    """Look up an abbreviation that was written as it is said, or that somebody is called by: сммщики."""
    if len(typed.words) != 1:
        return []
    text = typed.words[0].text
    agent = spoken.without_agent(text)
    shorts = [*spoken.abbreviations(text), *([agent, *spoken.abbreviations(agent)] if agent else ())]
    readings = [[titles.as_abbreviation(word(short))] for short in shorts]
    if agent and spoken.abbreviations(agent):
        readings.append([titles.near(word(agent)).at_most(SAME_MEANING)])
    return max(readings, key=_worst) if readings else []


def _read_in_kazakh_case(chunk: str, titles: Titles) -> list[Asked]:
    """Look up a word without the ending of its case, if a title has it so."""
    texts = [stems.without_kazakh_case(text) for text in _texts(chunk)]
    return [titles.near(word(text)) for text in texts] if all(map(titles.has, texts)) else []


def _read_in_other_layout(chunk: str, titles: Titles) -> list[Asked]:
    """Look up what the same keys type in the other layout: words of that alphabet, short ones strictly."""
    other = words(_in_other_layout(chunk)).words
    letters = sum(len(one.text) for one in other)
    if (
        any(len(one.text) == 1 for one in other)
        or letters < sum(map(str.isalnum, chunk))
        or any(loses_a_letter(one.text) and not titles.has(one.text) for one in other)
    ):
        return []
    found = [titles.briefly(one) for one in other] if letters <= _SHORT else titles.look_up(other)
    found = [titles.in_alphabet_of(one) for one in found]
    return found if _worst(found) >= DOUBTFUL else []


def _worst(reading: Sequence[Asked]) -> int:
    return min((asked.best for asked in reading), default=0)


def _in_other_layout(typed: str) -> str:
    is_russian = any("а" <= letter <= "ё" for letter in typed.lower())
    return typed.translate(_TO_ENGLISH if is_russian else _TO_RUSSIAN)
