"""Finding the chat that somebody means by a part of its title, however it was typed.

Forgiven are case, ё, word endings, transliteration, a wrong keyboard layout, slips, the order of words,
short names, abbreviations, the other language of the office, and words around the title such as "chat with".
Every word that is asked for must be found; where no chat has them all, the nearest few are a guess.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from math import log
from typing import Final, NamedTuple

from . import abbreviations, vocabulary
from .figures import figures
from .similarity import CERTAIN, EXACT, FIRM, INITIAL
from .titles import Asked, Names, Titles
from .words import Word, made, normal, phrases, word, words

__all__ = ["Found", "Names", "rank", "search"]

# A chat is found from `_FLOOR` on, and not when another is closer by `_LEAD`: beside the very word, a word
# that only resembles it was not meant.
_FLOOR: Final = 62
_LEAD: Final = 18
_LONG_ENOUGH_WITHOUT_SPACES: Final = 5
_MOST_CHUNKS: Final = 24

_ENGLISH: Final = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`{}:\"<>~QWERTYUIOPASDFGHJKLZXCVBNM"
_RUSSIAN: Final = "йцукенгшщзхъфывапролджэячсмитьбюёХЪЖЭБЮЁЙЦУКЕНГШЩЗФЫВАПРОЛДЯЧСМИТЬ"
_TO_RUSSIAN: Final = str.maketrans(_ENGLISH, _RUSSIAN)
_TO_ENGLISH: Final = str.maketrans(_RUSSIAN, _ENGLISH)
_SHORT: Final = 3
_ALWAYS: Final = 2
_MOST_ABBREVIATED: Final = 6
_FEWEST_CAPITALS: Final = 2
_DOUBTFUL: Final = 70

# Of a guess: how many chats are offered at most, and how many may be equally near before none is.
_MOST_OFFERED: Final = 5
_MOST_EQUAL: Final = 12
_NEARLY: Final = 0.85


class Found(NamedTuple):
    """The indexes of the chats found, the closest first; `nearest_by` are the words by which it is a guess."""

    places: list[int]
    nearest_by: str = ""


class _Token(NamedTuple):
    """A piece of a query as it was typed; `word` where pieces make a date, number, phrase or abbreviation."""

    typed: str
    word: Word | None = None


class _Term(NamedTuple):
    """What a token asks for; `around` is how readily it is left out: 0 never, 2 always."""

    typed: str
    asked: tuple[Asked, ...]
    around: int


def rank(query: str, chats: Sequence[Names]) -> list[int]:
    """Return the indexes of the chats that `query` means, the closest first, equals in the given order.

    The list is empty when nothing really matches; a blank query leaves out nothing.
    """
    found = search(query, chats)
    return [] if found.nearest_by else found.places


def search(query: str, chats: Sequence[Names]) -> Found:
    """Return the chats that `query` means; where there are none, the few that are nearest, and by what."""
    if not query.strip():
        return Found(list(range(len(chats))))
    titles = _index(tuple(chats))
    readings = [[_term(token, titles) for token in tokens] for tokens in _tokens(query, titles)]
    scores = _certain(readings, titles) or _run_together(query.strip(), titles, chats)
    if not scores:
        return _nearest(readings, titles)
    bar = max(scores.values()) - _LEAD
    return Found(
        sorted((place for place in scores if scores[place] >= bar), key=lambda place: -scores[place])
    )


@lru_cache(maxsize=4)
def _index(chats: tuple[Names, ...]) -> Titles:
    return Titles(chats)


def _tokens(query: str, titles: Titles) -> list[list[_Token]]:
    """Return the query in pieces, in all the ways in which its pieces may belong together."""
    ways = [[_Token(chunk) for chunk in query.split()[:_MOST_CHUNKS]]]
    dated = _with_figures(query)
    ways += [dated] if any(token.word for token in dated) else []
    combine: Iterable[Callable[[list[_Token], Titles], list[_Token]]] = (_with_phrases, _abbreviated, _joined)
    for join in combine:
        ways += [way for way in [join(way, titles) for way in ways] if way not in ways]
    return ways


def _with_figures(query: str) -> list[_Token]:
    text, tokens, end = normal(query), list[_Token](), 0
    for start, stop, form in sorted(figures(text)):
        tokens += [*map(_Token, text[end:start].split()), _Token(text[start:stop], made(form))]
        end = stop
    return [*tokens, *map(_Token, text[end:].split())][:_MOST_CHUNKS]


def _with_phrases(tokens: list[_Token], _: Titles) -> list[_Token]:
    end, taken = 0, list[_Token]()
    found = {
        start: (stop, phrase)
        for start, stop, phrase in reversed([*phrases([_single(token) for token in tokens])])
    }
    while end < len(tokens):
        stop, phrase = found.get(end, (end + 1, None))
        taken.append(_together(tokens[end:stop], phrase) if phrase else tokens[end])
        end = stop
    return taken


def _together(tokens: Sequence[_Token], as_word: Word) -> _Token:
    return _Token(" ".join(token.typed for token in tokens), as_word)


def _abbreviated(tokens: list[_Token], titles: Titles) -> list[_Token]:
    """Put HR for human resources where a title has the abbreviation."""
    singles = [_single(token) for token in tokens]
    for length in range(min(len(tokens), _MOST_ABBREVIATED), 1, -1):
        for start in range(len(tokens) - length + 1):
            run = singles[start : start + length]
            initials = [one.text[:1] for one in run if not vocabulary.is_around(one.text)]
            short = abbreviations.in_latin("".join(initials))
            if len(initials) > 1 and all(one.sound for one in run) and short in titles.acronyms:
                stop = start + length
                return [*tokens[:start], _together(tokens[start:stop], word(short)), *tokens[stop:]]
    return tokens


def _joined(tokens: list[_Token], titles: Titles) -> list[_Token]:
    """Put together two pieces that titles have as one word: help desk, helpdesk."""
    for start, pair in enumerate(zip(tokens, tokens[1:], strict=False)):
        singles = [_single(token) for token in pair]
        if all(one.sound and not one.is_numbered and not vocabulary.is_around(one.text) for one in singles):
            together = word("".join(one.text for one in singles))
            if titles.near(together).best >= FIRM:
                return [*tokens[:start], _together(pair, together), *tokens[start + 2 :]]
    return tokens


def _single(token: _Token) -> Word:
    """Return the only word of a token, or what is none."""
    found = words(token.typed).words
    return token.word or (found[0] if len(found) == 1 else made(""))


def _term(token: _Token, titles: Titles) -> _Term:
    if token.word:
        near = titles.near(token.word)
        return _Term(
            token.typed, (near if len(token.word.text) > _FEWEST_CAPITALS else near.at_most(_DOUBTFUL),), 0
        )
    around = _how_around(token.typed, titles)
    if around < _ALWAYS:
        return _Term(token.typed, tuple(_read(token.typed, titles)), around)
    asked = titles.look_up(words(token.typed).words)
    return _Term(token.typed, tuple(one.closely() for one in asked), around)


def _how_around(chunk: str, titles: Titles) -> int:
    typed, other = _texts(chunk), _texts(_in_other_layout(chunk))
    if all(map(vocabulary.is_around, typed)):
        return _ALWAYS
    if other and not any(map(titles.has, typed)) and all(map(vocabulary.is_around, other)):
        return _ALWAYS
    return int(all(vocabulary.is_around(text) or vocabulary.is_loosely_around(text) for text in typed))


def _texts(chunk: str) -> set[str]:
    return {one.text for one in words(chunk).words}


def _read(chunk: str, titles: Titles) -> list[Asked]:
    """Take what was typed as it stands if titles have it, else the way of reading it that comes closest."""
    typed = words(chunk)
    as_it_stands = titles.look_up(typed.words)
    if _worst(as_it_stands) >= FIRM:
        return as_it_stands
    other = words(_in_other_layout(chunk)).words
    is_short = sum(len(one.text) for one in other) <= _SHORT
    other_layout = [titles.briefly(one) for one in other] if is_short else titles.look_up(other)
    return max(as_it_stands, other_layout, titles.look_up(typed.joined), key=_worst)


def _worst(reading: Sequence[Asked]) -> int:
    return min((asked.best for asked in reading), default=0)


def _in_other_layout(typed: str) -> str:
    is_russian = any("а" <= letter <= "ё" for letter in typed.lower())
    return typed.translate(_TO_ENGLISH if is_russian else _TO_RUSSIAN)


def _certain(readings: Sequence[Sequence[_Term]], titles: Titles) -> dict[int, int]:
    """Return the scores of the chats that have every word, with ever fewer of the words around the name."""
    for around in (_ALWAYS, 1, 0):
        scores: dict[int, int] = {}
        for terms in readings:
            asked = dict.fromkeys(one.text for term in terms for one in term.asked if term.around <= around)
            known = {one.text: one for term in terms for one in term.asked}
            for place, score in _scores([known[text] for text in asked], titles):
                scores[place] = max(score, scores.get(place, 0))
        if scores:
            return scores
    return {}


def _scores(asked: Sequence[Asked], titles: Titles) -> Iterator[tuple[int, int]]:
    if not asked or not all(one.closeness for one in asked):
        return
    for place in titles.with_all(asked):
        score = _score(asked, titles.chats[place], titles)
        if score >= _FLOOR:
            yield place, score


def _score(asked: Sequence[Asked], chat: dict[int, int], titles: Titles) -> int:
    """Return the mean closeness of the words, each to another, plus up to five for the share of the title."""
    free, total = set(chat), 0
    for one in asked:
        close, number = max(((one.closeness.get(n, 0) - chat[n], n) for n in free), default=(0, 0))
        if close < CERTAIN and close != INITIAL:
            return 0
        total += close
        free.discard(number)
    title = titles.title_words(chat)
    return round(total / len(asked) + 5 * len(title - free) / max(len(title), 1))


def _run_together(query: str, titles: Titles, chats: Sequence[Names]) -> dict[int, int]:
    """Find a query whose spaces are not where the title has them, or one without words, such as an emoji."""
    sound = words(query).sound
    if not sound:
        return {place: EXACT for place, names in enumerate(chats) if query in names.title}
    if len(sound) < _LONG_ENOUGH_WITHOUT_SPACES:
        return {}
    return {place: FIRM for place, names in enumerate(chats) if sound in words(names.title).sound}


def _nearest(readings: Sequence[Sequence[_Term]], titles: Titles) -> Found:
    """Return the few chats that have the rarest of the words, unless too many are equally near."""
    shares: dict[int, dict[str, float]] = {}
    for term in min(readings, key=_unknown):
        near = dict[int, float]()
        for one in term.asked if not term.around else ():
            known = one if one.best else titles.resembling(word(one.text))
            places = titles.nearness(known) if len(one.text) >= _SHORT else {}
            weight = log(1 + len(titles.chats) / max(len(places), 1))
            for place, close in places.items():
                near[place] = max(near.get(place, 0), weight * close)
        for place, share in near.items():
            shares.setdefault(place, {})[term.typed] = share
    return _offer(shares)


def _unknown(terms: Sequence[_Term]) -> int:
    return sum(not any(one.closeness for one in term.asked) for term in terms if not term.around)


def _offer(shares: dict[int, dict[str, float]]) -> Found:
    sums = {place: sum(share.values()) for place, share in shares.items()}
    best = max(sums.values(), default=0)
    equal = sorted((place for place in sums if sums[place] >= best * _NEARLY), key=lambda place: -sums[place])
    if not equal or len(equal) > _MOST_EQUAL:
        return Found([])
    by = shares[equal[0]]
    offered = [place for place in equal if shares[place].keys() == by.keys()]
    return Found(offered[:_MOST_OFFERED], " ".join(by))
