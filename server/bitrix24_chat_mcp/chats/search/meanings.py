"""What words mean: translations, abbreviations and synonyms, from the tables of words.

The tables are large and a list of chats has few of their words. So they are only sorted by how their entries
begin when they are read, and what begins like a word is taken apart when that is looked up.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple, TypeVar

from . import data_files, stems
from .phonetics import is_cyrillic, plain, sound

_TABLES: Final = ("office", "trades", "abbreviations", "places", "brands")
_COMPOUNDS: Final = "compounds"

_OF_MANY: Final = ("ов", "ев")
_LONG_STEM: Final = 4
_GERUND: Final = ("ing", "ings")
_UKRAINIAN: Final = ("ій", "ії")
_FLEETING: Final = re.compile(r"[oe](?=[ksn]$)")
_ENDS_OF_MANY: Final = {"v", "k", "s", "n"}
_NONE: Final = frozenset[int]()
_Key = TypeVar("_Key", str, tuple[str, ...])
_LETTERS_OF_A_STEM: Final = 3
_LETTERS_OF_A_ROOT: Final = 5
_LONG: Final = 7  # letters of a word whose forms have one more in common
_SEPARATORS: Final = str.maketrans("/&-’'", "     ")
_PLAIN: Final = dict(zip(map(ord, "іїєґқғңөұүһәıöüäâçşğš"), "ииегкгноуухаiouaacsgs", strict=True))


class _Entries(NamedTuple):
    """The meanings of words and of their roots, as numbers; phrases by their first word, not taken apart."""

    words: Mapping[str, frozenset[int]]
    roots: Mapping[str, frozenset[int]]
    phrases: Mapping[str, Sequence[str]]


@lru_cache(maxsize=1)
def _tables() -> Mapping[str, str]:
    """Return all entries with the numbers of their meanings before them, a line each, by how they begin."""
    tables: defaultdict[str, str] = defaultdict(str)
    lines = (
        line
        for table in map(data_files.load, _TABLES)
        for name, text in table.items()
        if name != _COMPOUNDS
        for line in plain(text).translate(_SEPARATORS).strip().splitlines()
    )
    for meaning, line in enumerate(lines):
        for form in line.split(" = "):
            is_long = len(form) >= _LONG and " " not in form[:_LONG]
            tables[_folded(form[: _LETTERS_OF_A_STEM + is_long])] += f"{meaning} {form}\n"
    return tables


def _beginnings(text: str) -> tuple[str, str]:
    """Return under what short and long entries are filed that may be forms of a word."""
    return _folded(text[:_LETTERS_OF_A_STEM]), _folded(text[: _LETTERS_OF_A_STEM + 1])


@lru_cache(maxsize=10_000)
def _folded(letters: str) -> str:
    return letters.partition(" ")[0].translate(_PLAIN)


@lru_cache(maxsize=5_000)
def _entries(beginning: str) -> _Entries:
    words: dict[str, frozenset[int]] = {}
    roots: dict[str, frozenset[int]] = {}
    phrases: dict[str, list[str]] = {}
    for entry in _tables().get(beginning, "").splitlines():
        meaning, form, *more = entry.split(maxsplit=2)
        means = frozenset((int(meaning),))
        if more:
            phrases.setdefault(key(form), []).append(entry)
            continue
        _add(words, key(form), means)
        if len(stem := stems.stem(form)) >= _LETTERS_OF_A_ROOT:
            for root in _roots(form, stems.roots(stem)):
                _add(roots, root, means)
    return _Entries(words, roots, phrases)


@lru_cache(maxsize=5_000)
def _phrases(text: str) -> Mapping[tuple[str, ...], frozenset[int]]:
    """Return the meanings of the phrases that have this first word."""
    phrases: dict[tuple[str, ...], frozenset[int]] = {}
    if _is_large(text):
        return phrases
    entries = (_entries(beginning).phrases.get(key(text), ()) for beginning in {*_beginnings(text)})
    for entry in chain.from_iterable(entries):
        meaning, *parts = entry.split()
        _add(phrases, tuple(map(key, parts)), frozenset((int(meaning),)))
    return phrases


def _add(table: dict[_Key, frozenset[int]], key: _Key, means: frozenset[int]) -> None:
    known = table.get(key)
    table[key] = known | means if known else means


@lru_cache(maxsize=20_000)
def key(text: str) -> str:
    """Return under what a word is known: short ones as they are written, others by alphabet and stem.

    The genitive of many has an ending that names have, too (языков), or a vowel within (поставок). What a
    Ukrainian ending leaves three letters of has another stem (водій is no вода); a gerund is a word of its
    own: parking is no park.
    """
    if len(text) <= _LETTERS_OF_A_STEM:
        return text
    if text.endswith(_GERUND):
        return _filed(text, sound(text.removesuffix("s")))
    stem = stems.stem(text)
    if len(stem) <= _LETTERS_OF_A_STEM and text.endswith(_UKRAINIAN):
        stem = sound(text)
    if stem[-1:] in _ENDS_OF_MANY and is_cyrillic(text):
        stem = _FLEETING.sub("", stem[:-2] if text.endswith(_OF_MANY) and len(stem) > _LONG_STEM else stem)
    return _filed(text, stem)


def _filed(text: str, root: str) -> str:
    return f"{'ж' if is_cyrillic(text) else 'z'}-{root}"


def _roots(text: str, roots: Sequence[str]) -> list[str]:
    return [_filed(text, root) for root in roots if len(root) >= _LETTERS_OF_A_ROOT]


def meanings(text: str, roots: Sequence[str]) -> frozenset[int]:
    """Return what a word means, as numbers of meanings."""
    if _is_large(text):
        return _NONE
    known = [_entries(beginning) for beginning in _beginnings(text)]
    if found := _NONE.union(*(of.words.get(key(text), _NONE) for of in known)):
        return found
    found = (of.roots[root] for root in _roots(text, roots) for of in known if root in of.roots)
    return next(found, _NONE)


def _is_large(text: str) -> bool:
    """Tell whether a word is a number that is in no table."""
    return len(text) >= _LETTERS_OF_A_STEM and text.isdecimal()


def phrases(texts: Sequence[str], longest: int) -> Iterator[tuple[int, int, frozenset[int]]]:
    """Return where words mean something together, and what; the longest first."""
    known = [_phrases(text) for text in texts[:-1]]
    if not any(known):
        return
    keys = tuple(map(key, texts))
    for length in range(min(len(keys), longest), 1, -1):
        for start in range(len(keys) - length + 1):
            found = known[start].get(keys[start : start + length])
            if found:
                yield start, start + length, found


def of_compound(text: str) -> Sequence[tuple[str, frozenset[int]]]:
    """Return both parts of a compound such as автокредит, and what they mean, if both are known."""
    part = compound_begins(text)
    rest = text[len(part) :]
    if not part or len(rest) <= _LETTERS_OF_A_STEM:
        return ()
    found = [(one, meanings(one, stems.roots(stems.stem(one)))) for one in (part, rest)]
    return found if all(means for _, means in found) else ()


def compound_begins(text: str) -> str:
    """Return the first part of a compound, if a word is one to which abbreviations give two letters."""
    parts = _compounds()
    if not text.startswith(parts):
        return ""
    return next(part for part in parts if text.startswith(part))


@lru_cache(maxsize=1)
def _compounds() -> tuple[str, ...]:
    """Return the first parts of compounds, the longest first."""
    return tuple(sorted(data_files.load("abbreviations")[_COMPOUNDS].split(), key=len, reverse=True))
