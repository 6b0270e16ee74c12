"""The pieces of a query, in all the ways in which they may belong together."""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from . import abbreviations, clipped
from .around import is_around
from .figures import arabic, as_written, figures, is_whole_number
from .similarity import EXACT, FIRM, GUESS, SAME_MEANING
from .titles import Titles
from .words import Word, made, normal, phrases, word, words

_AROUND_AND: Final = re.compile(r"(?<=\b[^\W\d_])\s+&\s+(?=[^\W\d_]\b)")
_MOST_CHUNKS: Final = 24
_MOST_ABBREVIATED: Final = 6
DOUBTFUL: Final = 70


class Token(NamedTuple):
    """A piece of a query as it was typed; `word` where pieces make a date, number, phrase or abbreviation.

    `at_most` is how close that can come.
    """

    typed: str
    word: Word | None = None
    at_most: int = EXACT


def ways(query: str, titles: Titles) -> list[list[Token]]:
    """Return the query in pieces, in all the ways in which its pieces may belong together."""
    query = arabic(_AROUND_AND.sub("&", query))
    found = [[Token(chunk) for chunk in query.split()[:_MOST_CHUNKS]]]
    written = as_written(query)
    found += [[Token(chunk) for chunk in written.split()[:_MOST_CHUNKS]]] if written != query else []
    dated = _with_figures(query)
    if any(token.word and is_whole_number(token.word.text) for token in dated):
        found = [dated]
    elif any(token.word for token in dated):
        found += [dated]
    combine: Iterable[Callable[[list[Token], Titles], list[Token]]] = (
        *(_with_phrases, _abbreviated, _joined, _clipped, _unclipped),
    )
    for join in combine:
        found += [way for way in [join(way, titles) for way in found] if way not in found]
    return found


def _with_figures(query: str) -> list[Token]:
    text, tokens, end = normal(query), list[Token](), 0
    for start, stop, form in sorted(figures(text)):
        tokens += [*map(Token, text[end:start].split()), Token(text[start:stop], made(form))]
        end = stop
    return [*tokens, *map(Token, text[end:].split())][:_MOST_CHUNKS]


def _with_phrases(tokens: list[Token], _: Titles) -> list[Token]:
    """Put phrases that mean something together; words with hyphens are taken apart for that."""
    apart = [one for token in tokens for one in _apart(token)]
    end, taken = 0, list[Token]()
    found = {
        start: (stop, phrase)
        for start, stop, phrase in reversed([*phrases([_single(token) for token in apart])])
    }
    while end < len(apart):
        stop, phrase = found.get(end, (end + 1, None))
        taken.append(_together(apart[end:stop], phrase) if phrase else apart[end])
        end = stop
    return taken if found else tokens


def _apart(token: Token) -> list[Token]:
    found = () if token.word else words(token.typed).words
    return [Token(one.text) for one in found] if len(found) > 1 else [token]


def _together(tokens: Sequence[Token], as_word: Word, at_most: int = EXACT) -> Token:
    return Token(" ".join(token.typed for token in tokens), as_word, at_most)


def _abbreviated(tokens: list[Token], titles: Titles) -> list[Token]:
    """Put HR for human resources where a title has the abbreviation."""
    singles = [_apart(token) for token in tokens]
    for length in range(min(len(tokens), _MOST_ABBREVIATED), 0, -1):
        for start in range(len(tokens) - length + 1):
            stop = start + length
            run = [_single(one) for apart in singles[start:stop] for one in apart]
            if not _may_abbreviate(run):
                continue
            text = " ".join(one.text for one in run)
            short = next((one for one in abbreviations.spellings(text) if one in titles.acronyms), "")
            if short:
                at_most = EXACT if len(short) > abbreviations.FEWEST else GUESS
                return [*tokens[:start], _together(tokens[start:stop], made(short), at_most), *tokens[stop:]]
    return tokens


def _may_abbreviate(run: Sequence[Word]) -> bool:
    if len(run) < abbreviations.FEWEST or not all(one.sound for one in run):
        return False
    return not is_around(run[0].text) and not is_around(run[-1].text)


def _joined(tokens: list[Token], titles: Titles) -> list[Token]:
    """Put together two pieces that titles have as one word: help desk, helpdesk."""
    for start, pair in enumerate(pairwise(tokens)):
        one, other = map(_single, pair)
        together = word(one.text + other.text)
        is_known = one.text and other.text and titles.has(together.text)
        if not is_known and not (_may_join(one) and _may_join(other)):
            continue
        least = FIRM if titles.has(one.text) else DOUBTFUL
        if titles.near(together).best >= least:
            return [*tokens[:start], _together(pair, together), *tokens[start + 2 :]]
    return tokens


def _clipped(tokens: list[Token], titles: Titles) -> list[Token]:
    """Put together two words that titles have as one with the first clipped: медицинский пункт, медпункт."""
    for start, pair in enumerate(pairwise(tokens)):
        one, other = map(_single, pair)
        if not _may_join(one) or not _may_join(other):
            continue
        for found in titles.beginning_like(one.text):
            if clipped.is_of(found.text, one.text, other.text):
                return [*tokens[:start], _together(pair, found, SAME_MEANING), *tokens[start + 2 :]]
    return tokens


def _unclipped(tokens: list[Token], titles: Titles) -> list[Token]:
    """Take apart a word that titles have as two, the first of them longer: медпункт, медицинский пункт."""
    for start, token in enumerate(tokens):
        one = _single(token)
        if token.word or not _may_join(one) or titles.has(one.text):
            continue
        for head, rest in clipped.parts(one.text):
            if titles.have_in_order(head, word(rest)):
                return [*tokens[:start], Token(head), Token(rest), *tokens[start + 1 :]]
    return tokens


def _may_join(one: Word) -> bool:
    return bool(one.sound) and not one.is_numbered and not is_around(one.text)


def _single(token: Token) -> Word:
    """Return the only word of a token, or what is none."""
    found = words(token.typed).words
    return token.word or (found[0] if len(found) == 1 else made(""))
