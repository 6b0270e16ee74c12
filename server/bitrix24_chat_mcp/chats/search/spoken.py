"""Abbreviations as people say them: эсэмэм is СММ, айти is IT; and those who do a thing: сммщики."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

_RUSSIAN: Final = """
а а б бэ в вэ г гэ д дэ ж жэ з зэ и и к ка л эл л эль м эм н эн о о п пэ р эр с эс т тэ у у ф эф
х ха ц цэ ч че ш ша щ ща э э ю ю я я
"""
_ENGLISH: Final = """
a эй b би c си d ди e и f эф g джи h эйч i ай j джей k кей l эл l эль m эм n эн o о p пи q кью
r ар r эр s эс t ти u ю v ви w даблю x икс x экс y уай z зед z зет
"""
_FEWEST, _MOST = 2, 6
_TELLING: Final = 2  # letters of a name that is no vowel
_AGENT: Final = re.compile(r"(.{2,}?)(?:[шч]?ник|щик|овик|овец|овц)(?:[иуа]|ом|ами|ам|ах|ов)?")


def _names(table: str) -> dict[str, str]:
    words = table.split()
    return dict(zip(words[1::2], words[::2], strict=True))


_ALPHABETS: Final = [_names(_RUSSIAN), _names(_ENGLISH)]


@lru_cache(maxsize=5_000)
def abbreviations(text: str) -> list[str]:
    """Return what a word may be that is made of the names of letters."""
    return [short for names in _ALPHABETS for short in _spelt(text, names, told=0) if len(short) >= _FEWEST]


def _spelt(text: str, names: dict[str, str], *, told: int, length: int = 0) -> Iterator[str]:
    """Take the names of letters off, one by one; at least two of them are longer than a vowel."""
    if not text and told >= _TELLING:
        yield ""
    for end in range(1, min(len(text), _LONGEST) + 1) if length < _MOST else ():
        letter = names.get(text[:end])
        if letter:
            for rest in _spelt(text[end:], names, told=told + (end >= _TELLING), length=length + 1):
                yield letter + rest


_LONGEST: Final = max(len(name) for names in _ALPHABETS for name in names)


def without_agent(text: str) -> str:
    """Return what somebody does whom a word calls so, if it is such a word: смм of сммщик."""
    found = _AGENT.fullmatch(text)
    return found[1] if found else ""
