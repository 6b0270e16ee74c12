"""Finding the chat that somebody means by a part of its title, however it was typed.

Forgiven are case, ё, word endings, transliteration, a wrong keyboard layout, slips, the order of words,
short names, abbreviations, the other language of the office, and words around the title such as "chat with".
Every word that is asked for must be found; where no chat has them all, the nearest few are a guess.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import log
from typing import Final, NamedTuple

from .asked import Asked
from .names import Names
from .query import ALWAYS, NEVER, PERHAPS, Term, read
from .similarity import CERTAIN, EXACT, FIRM, INITIAL
from .titles import Titles
from .words import Words, word, words

__all__ = ["Found", "Names", "rank", "search"]

# A chat is found from `_FLOOR` on, and not when another is closer by `_LEAD`: beside the very word, a word
# that only resembles it was not meant.
_FLOOR: Final = 62
_LEAD: Final = 18
_SHARE: Final = 5  # what a whole title adds to a score
_HEAD: Final = 1  # and its first word
_LONGEST_QUERY: Final = 200
_LONG_ENOUGH_WITHOUT_SPACES: Final = 5
_SHORT: Final = 3

# Of a guess: how many chats are offered at most, and how many may be equally near before none is.
_MOST_OFFERED: Final = 5
_MOST_EQUAL: Final = 12
_NEARLY: Final = 0.75


class Found(NamedTuple):
    """The indexes of the chats found, the closest first; `nearest_by` tells by which words it is a guess."""

    places: list[int]
    nearest_by: tuple[str, ...] = ()


def rank(query: str, chats: Sequence[Names]) -> list[int]:
    """Return the indexes of the chats that `query` means, the closest first, equals in the given order.

    The list is empty when nothing really matches; a blank query leaves out nothing.
    """
    found = search(query, chats)
    return [] if found.nearest_by else found.places


def search(query: str, chats: Sequence[Names]) -> Found:
    """Return the chats that `query` means; where there are none, the few that are nearest, and by what."""
    query = query.strip()[:_LONGEST_QUERY]
    if not query:
        return Found(list(range(len(chats))))
    titles = _index(tuple(chats))
    readings = read(query, titles)
    scores = _certain(readings, titles) or _run_together(query, chats)
    if not scores:
        return _nearest(readings, titles)
    bar = max(scores.values()) - _LEAD
    return Found(
        sorted((place for place in scores if scores[place] >= bar), key=lambda place: -scores[place])
    )


@lru_cache(maxsize=4)
def _index(chats: tuple[Names, ...]) -> Titles:
    return Titles(chats)


def _certain(readings: Sequence[Sequence[Term]], titles: Titles) -> dict[int, float]:
    """Return the scores of the chats that have every word, with ever fewer of the words around the name."""
    for around in (ALWAYS, PERHAPS, NEVER):
        scores: dict[int, float] = {}
        for terms in readings:
            asked = dict.fromkeys(one.text for term in terms for one in term.asked if term.around <= around)
            known = {one.text: one for term in terms for one in term.asked}
            for place, score in _scores([known[text] for text in asked], titles):
                scores[place] = max(score, scores.get(place, 0))
        if scores:
            return scores
    return {}


def _scores(asked: Sequence[Asked], titles: Titles) -> Iterator[tuple[int, float]]:
    if not asked or not all(one.closeness for one in asked):
        return
    for place in titles.with_all(asked):
        score = _score(asked, titles.chats[place], titles)
        if score >= _FLOOR:
            yield place, score


def _score(asked: Sequence[Asked], chat: dict[int, int], titles: Titles) -> float:
    """Return the mean closeness of the words, each to another, plus what the share of the title adds."""
    free, total = set(chat), 0
    for one in asked:
        close, number = max(((one.closeness.get(n, 0) - chat[n], n) for n in free), default=(0, 0))
        if close < CERTAIN and close != INITIAL:
            return 0
        total += close
        free.discard(number)
    found = set(chat) - free
    return total / len(asked) + _SHARE * titles.share(chat, found) + _HEAD * (titles.head(chat) in found)


def _run_together(query: str, chats: Sequence[Names]) -> dict[int, float]:
    """Find a query whose spaces are not where the title has them, or one without words, such as an emoji."""
    asked = words(query)
    if not asked.sound:
        return {place: EXACT for place, names in enumerate(chats) if query in names.title}
    if len(asked.sound) < _LONG_ENOUGH_WITHOUT_SPACES:
        return {}
    return {place: FIRM for place, names in enumerate(chats) if _runs_on(asked, words(names.title))}


def _runs_on(asked: Words, title: Words) -> bool:
    """Tell whether a title reads so from the beginning of a word on, if spaces do not count."""
    if asked.sound in title.sound:
        sounds, several = [one.sound for one in title.words], len(asked.words) > 1
        return any(
            "".join(sounds[start:]).startswith(asked.sound) and (several or len(first) < len(asked.sound))
            for start, first in enumerate(sounds)
        )
    texts = [one.text for one in title.words]
    typed = "".join(one.text for one in asked.words)
    return typed in (whole := "".join(texts)) and whole.startswith(typed)


def _nearest(readings: Sequence[Sequence[Term]], titles: Titles) -> Found:
    """Return the few chats that have the rarest of the words, unless too many are equally near."""
    shares: dict[int, dict[str, float]] = {}
    for term in min(readings, key=_unknown):
        near = dict[int, float]()
        for one in term.asked if not term.around else ():
            known = one if one.best else titles.resembling(word(one.text))
            places = titles.nearness(known if len(one.text) >= _SHORT else known.closely())
            weight = log(1 + len(titles.chats) / max(len(places), 1))
            for place, close in places.items():
                near[place] = near.get(place, 0) + weight * close
        for place, share in near.items():
            shares.setdefault(place, {})[term.typed] = share
    return _offer(shares)


def _unknown(terms: Sequence[Term]) -> float:
    """Return how many pieces no title knows, of those that are not around a name."""
    of = [[not one.closeness for one in term.asked] for term in terms if not term.around]
    return sum(sum(unknown) / max(len(unknown), 1) for unknown in of)


def _offer(shares: dict[int, dict[str, float]]) -> Found:
    sums = {place: sum(share.values()) for place, share in shares.items()}
    least = max(sums.values(), default=0) * _NEARLY
    near = sorted((place for place in sums if sums[place] >= least), key=lambda place: -sums[place])
    if len(near) > _MOST_EQUAL:
        return Found([])
    offered = near[:_MOST_OFFERED]
    return Found(offered, tuple(dict.fromkeys(" ".join(shares[place]) for place in offered)))
