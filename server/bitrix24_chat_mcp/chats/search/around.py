"""Which words are said around the name of a chat when somebody asks for it."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from . import data_files
from .meanings import key
from .phonetics import plain

_LETTERS_OF_A_BEGINNING: Final = 5

# Endings that verbs have and hardly any noun: бюджете, приём, водители and Максим end as other verbs do.
_VERB: Final = re.compile(r".{3,}(?:ться|тся|лись|лась|лся|мся|[иоы]вали|[аяу]ют|[аяу]ем|[ие]шь)")


class _Around(NamedTuple):
    always: frozenset[str]
    nouns: frozenset[str]
    loosely: frozenset[str]
    begins: tuple[str, ...]


@lru_cache(maxsize=1)
def _around() -> _Around:
    words = {name: frozenset(plain(text).split()) for name, text in data_files.load("around").items()}
    long = {word for word in words["begins"] if len(word) >= _LETTERS_OF_A_BEGINNING}
    always = words["function"] | words["companies"] | words["verbs"] | (words["begins"] - long)
    nouns, loosely = (frozenset(map(key, words[name])) for name in ("nouns", "loosely"))
    return _Around(always, nouns, loosely, tuple(long))


@lru_cache(maxsize=20_000)
def is_around(text: str) -> bool:
    """Tell whether a word is said around a name and does not belong to it."""
    around = _around()
    return text in around.always or key(text) in around.nouns or text.startswith(around.begins)


@lru_cache(maxsize=5_000)
def is_loosely_around(text: str) -> bool:
    """Tell whether a word may be around a name: those who take part, and what they do."""
    return key(text) in _around().loosely or _VERB.fullmatch(text) is not None
