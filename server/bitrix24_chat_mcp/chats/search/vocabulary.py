"""What is known of words beforehand: given names, office words, words around a name. Read on first use."""

import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import Any, Final, NamedTuple, TypeVar

from . import phonetics

_NONE: Final = frozenset[int]()
_Key = TypeVar("_Key", str, tuple[str, ...])
_LETTERS_OF_A_BEGINNING: Final = 5
_PET_ENDING: Final = re.compile(r"(.{4,}?)(?:(?:eCk|oCk|enk|onk|uSk|ul|uS|k)[aeiou]+|Cik|ik)")
_ENDINGS: Final = ("a", "ia", "i", "e", "u", "oi", "ei", "om", "em", "ou", "eu")
_NOMINATIVES: Final = ("", "a", "ia", "i", "ei", "ii")
_LETTERS_OF_A_FORM: Final = 4
_LETTERS_OF_A_STEM: Final = 3
_LETTERS_OF_A_ROOT: Final = 5
_BY_SOUND: Final = "≈"


def plain(text: str) -> str:
    """Return a word as it is compared: small, without ё."""
    return text.casefold().replace("ё", "е").replace("\u0307", "")


def _data(name: str) -> dict[str, Any]:
    return tomllib.loads(
        resources.files("bitrix24_chat_mcp.chats.search").joinpath("data", name).read_text(encoding="utf-8")
    )


@lru_cache(maxsize=1)
def _people() -> dict[str, frozenset[int]]:
    """Return whose name is how, as it is written and as it sounds."""
    people: defaultdict[str, set[int]] = defaultdict(set)
    for person, line in enumerate(_data("names.toml")["people"].splitlines()):
        for name in map(plain, line.split()):
            people[name].add(person)
            people[_BY_SOUND + phonetics.sound(name)].add(person)
    return {name: frozenset(known) for name, known in people.items()}


@lru_cache(maxsize=1)
def _english_people() -> dict[str, frozenset[int]]:
    """Return whose English name is how, as it is written; numbers below zero tell them from the others."""
    from nicknames import NickNamer  # noqa: PLC0415 - loaded with the first question for a name

    people: defaultdict[str, set[int]] = defaultdict(set)
    for person, (name, short) in enumerate(NickNamer().nickname_lookup.items(), 1):
        for one in (name, *short):
            people[one].add(-person)
    return {name: frozenset(known) for name, known in people.items()}


def people(text: str) -> frozenset[int]:
    """Return whose given name this is, as numbers of persons."""
    known = _people().get(text) or _people().get(_BY_SOUND + phonetics.sound(text), _NONE)
    return known | _english_people().get(text, _NONE) if text.isascii() else known


@lru_cache(maxsize=5_000)
def called(text: str) -> frozenset[int]:
    """Return who is called so: as `people`, also with an ending (Олей) or by a pet form of one (Лариска)."""
    found = people(text)
    if found or text.isascii() or len(text) < _LETTERS_OF_A_FORM:
        return found
    sound = phonetics.sound(text)
    pet = _PET_ENDING.fullmatch(sound)
    known = _people()
    begins = [sound.removesuffix(ending) for ending in _ENDINGS if sound.endswith(ending)] + (
        [pet[1]] if pet else []
    )
    return _NONE.union(
        *(known.get(_BY_SOUND + begin + ending, _NONE) for begin in begins for ending in _NOMINATIVES)
    )


class _Meanings(NamedTuple):
    words: dict[str, frozenset[int]]
    roots: dict[str, frozenset[int]]
    phrases: dict[tuple[str, ...], frozenset[int]]


@lru_cache(maxsize=1)
def _meanings() -> _Meanings:
    words: defaultdict[str, set[int]] = defaultdict(set)
    roots: defaultdict[str, set[int]] = defaultdict(set)
    phrases: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
    for meaning, line in enumerate(_data("office.toml")["meanings"].strip().splitlines()):
        for form in line.split("="):
            parts = re.findall(r"[^\W_]+", plain(form))
            stems = [key(part) for part in parts]
            words["".join(stems)].add(meaning)
            if len(parts) > 1:
                phrases[tuple(stems)].add(meaning)
            else:
                for root in _roots(parts[0], phonetics.roots(phonetics.stem(parts[0]))):
                    roots[root].add(meaning)
    return _Meanings(_frozen(words), _frozen(roots), _frozen(phrases))


def _frozen(table: Mapping[_Key, set[int]]) -> dict[_Key, frozenset[int]]:
    return {key: frozenset(known) for key, known in table.items()}


@lru_cache(maxsize=20_000)
def key(text: str) -> str:
    """Return under what a word is known: short ones as they are written, others by alphabet and stem."""
    return text if len(text) <= _LETTERS_OF_A_STEM else _filed(text, phonetics.stem(text))


def _filed(text: str, root: str) -> str:
    return f"{'ж' if phonetics.is_cyrillic(text) else 'z'}-{root}"


def _roots(text: str, roots: Sequence[str]) -> list[str]:
    return [_filed(text, root) for root in roots if len(root) >= _LETTERS_OF_A_ROOT]


def meanings(text: str, roots: Sequence[str]) -> frozenset[int]:
    """Return what a word means, as numbers of meanings."""
    known = _meanings()
    if found := known.words.get(key(text)):
        return found
    return next((known.roots[root] for root in _roots(text, roots) if root in known.roots), _NONE)


def phrase(stems: tuple[str, ...]) -> frozenset[int]:
    """Return what words mean together."""
    return _meanings().phrases.get(stems, _NONE)


class _Around(NamedTuple):
    always: frozenset[str]
    nouns: frozenset[str]
    loosely: frozenset[str]
    begins: tuple[str, ...]


@lru_cache(maxsize=1)
def _around() -> _Around:
    data = _data("around.toml")
    words = {name: frozenset(plain(text).split()) for name, text in data.items()}
    long = {word for word in words["begins"] if len(word) >= _LETTERS_OF_A_BEGINNING}
    always = words["function"] | words["companies"] | (words["begins"] - long)
    nouns, loosely = (frozenset(map(key, words[name])) for name in ("nouns", "loosely"))
    return _Around(always, nouns, loosely, tuple(long))


@lru_cache(maxsize=1)
def compounds() -> tuple[str, ...]:
    """Return the first parts of compounds to which abbreviations give a letter."""
    return tuple(_data("office.toml")["compounds"].split())


# Endings that verbs have and hardly any noun: бюджете, приём, водители and Максим end as other verbs do.
_VERB: Final = re.compile(r".{3,}(?:ться|тся|лись|лась|лся|мся|[иоы]вали|[аяу]ют|[аяу]ем|[ие]шь)")


@lru_cache(maxsize=20_000)
def is_around(text: str) -> bool:
    """Tell whether a word is said around a name and does not belong to it."""
    around = _around()
    return text in around.always or key(text) in around.nouns or text.startswith(around.begins)


@lru_cache(maxsize=5_000)
def is_loosely_around(text: str) -> bool:
    """Tell whether a word may be around a name: those who take part, and what they do."""
    return key(text) in _around().loosely or _VERB.fullmatch(text) is not None
