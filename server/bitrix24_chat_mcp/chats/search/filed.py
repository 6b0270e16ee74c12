"""Under what the words of titles are filed. Keys are texts: of these the interpreter keeps no account."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from .figures import PHONE
from .given_names import called
from .words import Word

_LETTERS_OF_A_BEGINNING: Final = 2


def tables(of: Sequence[Word]) -> dict[str, list[int]]:
    """Return the numbers of words by all keys that they have."""
    by: defaultdict[str, list[int]] = defaultdict(list)
    for number, one in enumerate(of):
        for key in _keys(one):
            by[key].append(number)
    return dict(by)


def text(text: str) -> str:
    """Return the key of a very word."""
    return f"text {text}"


def beginning(text: str) -> str:
    """Return the key of the first letters."""
    return f"begins {text[:_LETTERS_OF_A_BEGINNING]}"


def meanings(one: Word) -> list[str]:
    """Return the keys of what a word means."""
    return [f"meaning {meaning}" for meaning in one.meanings]


def kin(asked: Word) -> Iterator[str]:
    """Return the keys of words that may be forms of one that is asked for, of its kind, or other names."""
    yield f"but the last {asked.text[:-1]}"
    yield from meanings(asked)
    yield from (f"root {root}" for root in asked.roots)
    yield from (f"person {person}" for person in called(asked.text))


def _keys(one: Word) -> Iterator[str]:
    yield text(one.text)
    yield from meanings(one)
    if one.text.isdecimal():
        return
    yield f"but the last {one.text[:-1]}"
    yield beginning(one.text)
    yield from (f"root {root}" for root in dict.fromkeys((*one.roots, one.sound)))
    yield from (f"person {person}" for person in one.people)
    if one.text.startswith(PHONE):
        yield PHONE
