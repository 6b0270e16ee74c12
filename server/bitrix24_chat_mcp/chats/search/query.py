"""What a query asks for: its pieces, in all the ways in which they may belong together and be read."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from . import vocabulary
from .figures import figures
from .phonetics import loses_a_letter
from .similarity import FIRM
from .titles import Asked, Titles
from .words import Word, made, normal, phrases, word, words

_MOST_CHUNKS: Final = 24

_ENGLISH: Final = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`{}:\"<>~QWERTYUIOPASDFGHJKLZXCVBNM"
_RUSSIAN: Final = "йцукенгшщзхъфывапролджэячсмитьбюёХЪЖЭБЮЁЙЦУКЕНГШЩЗФЫВАПРОЛДЯЧСМИТЬ"
_TO_RUSSIAN: Final = str.maketrans(_ENGLISH, _RUSSIAN)
_TO_ENGLISH: Final = str.maketrans(_RUSSIAN, _ENGLISH)
_SHORT: Final = 4
_MOST_ABBREVIATED: Final = 6
_FEWEST_CAPITALS: Final = 2
_DOUBTFUL: Final = 70

NEVER, PERHAPS, ALWAYS = range(3)
"""How readily a word is left out, as one that is said around a name."""


class Token(NamedTuple):
    """A piece of a query as it was typed; `word` where pieces make a date, number, phrase or abbreviation."""

    typed: str
    word: Word | None = None


class Term(NamedTuple):
    """What a token asks for; `around` is how readily it is left out."""

    typed: str
    asked: tuple[Asked, ...]
    around: int


def read(query: str, titles: Titles) -> list[list[Term]]:
    """Return what a query may ask for, one way of reading it a list."""
    return [[_term(token, titles) for token in way] for way in _ways(query, titles)]


def _ways(query: str, titles: Titles) -> list[list[Token]]:
    """Return the query in pieces, in all the ways in which its pieces may belong together."""
    ways = [[Token(chunk) for chunk in query.split()[:_MOST_CHUNKS]]]
    dated = _with_figures(query)
    ways += [dated] if any(token.word for token in dated) else []
    combine: Iterable[Callable[[list[Token], Titles], list[Token]]] = (_with_phrases, _abbreviated, _joined)
    for join in combine:
        ways += [way for way in [join(way, titles) for way in ways] if way not in ways]
    return ways


def _with_figures(query: str) -> list[Token]:
    text, tokens, end = normal(query), list[Token](), 0
    for start, stop, form in sorted(figures(text)):
        tokens += [*map(Token, text[end:start].split()), Token(text[start:stop], made(form))]
        end = stop
    return [*tokens, *map(Token, text[end:].split())][:_MOST_CHUNKS]


def _with_phrases(tokens: list[Token], _: Titles) -> list[Token]:
    end, taken = 0, list[Token]()
    found = {
        start: (stop, phrase)
        for start, stop, phrase in reversed([*phrases([_single(token) for token in tokens])])
    }
    while end < len(tokens):
        stop, phrase = found.get(end, (end + 1, None))
        taken.append(_together(tokens[end:stop], phrase) if phrase else tokens[end])
        end = stop
    return taken


def _together(tokens: Sequence[Token], as_word: Word) -> Token:
    return Token(" ".join(token.typed for token in tokens), as_word)


def _abbreviated(tokens: list[Token], titles: Titles) -> list[Token]:
    """Put HR for human resources where a title has the abbreviation."""
    singles = [_single(token) for token in tokens]
    for length in range(min(len(tokens), _MOST_ABBREVIATED), 1, -1):
        for start in range(len(tokens) - length + 1):
            run = singles[start : start + length]
            if not all(one.sound for one in run) or any(
                vocabulary.is_around(one.text) for one in (run[0], run[-1])
            ):
                continue
            short = "".join(one.text[:1] for one in run if not vocabulary.is_around(one.text))
            if short in titles.acronyms:
                stop = start + length
                return [*tokens[:start], _together(tokens[start:stop], word(short)), *tokens[stop:]]
    return tokens


def _joined(tokens: list[Token], titles: Titles) -> list[Token]:
    """Put together two pieces that titles have as one word: help desk, helpdesk."""
    for start, pair in enumerate(pairwise(tokens)):
        one, other = (_single(token) for token in pair)
        if not _may_join(one) or not _may_join(other):
            continue
        together = word(one.text + other.text)
        least = FIRM if titles.has(one.text) else _DOUBTFUL
        if titles.near(together).best >= least:
            return [*tokens[:start], _together(pair, together), *tokens[start + 2 :]]
    return tokens


def _may_join(one: Word) -> bool:
    return bool(one.sound) and not one.is_numbered and not vocabulary.is_around(one.text)


def _single(token: Token) -> Word:
    """Return the only word of a token, or what is none."""
    found = words(token.typed).words
    return token.word or (found[0] if len(found) == 1 else made(""))


def _term(token: Token, titles: Titles) -> Term:
    if token.word:
        near = titles.near(token.word)
        return Term(
            token.typed, (near if len(token.word.text) > _FEWEST_CAPITALS else near.at_most(_DOUBTFUL),), 0
        )
    around = _how_around(token.typed, titles)
    if around < ALWAYS:
        return Term(token.typed, tuple(_read(token.typed, titles)), around)
    asked = titles.look_up(words(token.typed).words)
    return Term(token.typed, tuple(one.closely() for one in asked), around)


def _how_around(chunk: str, titles: Titles) -> int:
    typed, other = _texts(chunk), _texts(_in_other_layout(chunk))
    if all(map(vocabulary.is_around, typed)):
        return ALWAYS
    if len(typed) == len(other) == 1 and vocabulary.is_around(other[0]) and not titles.has(typed[0]):
        return ALWAYS
    is_loose = all(vocabulary.is_around(text) or vocabulary.is_loosely_around(text) for text in typed)
    return PERHAPS if is_loose else NEVER


def _texts(chunk: str) -> list[str]:
    return [one.text for one in words(chunk).words]


def _read(chunk: str, titles: Titles) -> list[Asked]:
    """Take what was typed as it stands if titles have it, else the way of reading it that comes closest."""
    typed = words(chunk)
    as_it_stands = titles.look_up(typed.words)
    if _worst(as_it_stands) >= FIRM:
        return as_it_stands
    readings = [as_it_stands, titles.look_up(typed.joined), _read_in_other_layout(chunk, titles)]
    return max(readings, key=_worst)


def _read_in_other_layout(chunk: str, titles: Titles) -> list[Asked]:
    """Look up what the same keys type in the other layout: words of that alphabet, short ones strictly."""
    other = words(_in_other_layout(chunk)).words
    letters = sum(len(one.text) for one in other)
    if (
        any(len(one.text) == 1 for one in other)
        or letters < sum(map(str.isalnum, chunk))
        or any(loses_a_letter(one.text) for one in other)
    ):
        return []
    found = [titles.briefly(one) for one in other] if letters <= _SHORT else titles.look_up(other)
    found = [titles.in_alphabet_of(one) for one in found]
    return found if _worst(found) >= _DOUBTFUL else []


def _worst(reading: Sequence[Asked]) -> int:
    return min((asked.best for asked in reading), default=0)


def _in_other_layout(typed: str) -> str:
    is_russian = any("а" <= letter <= "ё" for letter in typed.lower())
    return typed.translate(_TO_ENGLISH if is_russian else _TO_RUSSIAN)
