"""Forms and derivations of words, as they sound: what is left of a word without its ending and suffixes."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from .phonetics import is_cyrillic, sound

# Endings as they sound, Russian and English; what is left keeps three letters.
_FORM: Final = re.compile(
    r"(.{3,}?)(?:i?ami|ogo|ego|omu|emu|imi|i[hm]|[oe]i|i?aia|oe|i?am|i?ah|[oe]m|ia|[aeiou])"
)
_ENGLISH_FORM: Final = re.compile(r"(.{3,}?)(?:(?<=..)ings?|e?s|ed)")

# Suffixes that make one word of another, as they sound: программист and программирование, Übersetzer and
# Übersetzung. Those of surnames (-ов, -ин) are not among them: Воронов is no form of Воронин.
_ALL_SUFFIXES: Final = """
irovan irovSik irovk irov izasi isasi ovan evan ovSik ovk evk ens enk enik enCesk
ov ev ist istik istk izm Cik Sik nik nis ik ek ok k alk ol olk olog olist
an en on n ovn iv tel itel atel ator itor or er ior ar ant ent ur urn
Cesk esk sk Cestv estv stv ost nost as ias is sion tion ati
un ovik iCk niCk SiCk eCk ovSin orSik erSik ak aS uS ir irS
ing ment ation ition ion ian ers ee ship ness ung erin lik lar ler Silik Si
"""
_SUFFIXES: Final = frozenset(_ALL_SUFFIXES.split())
_LONGEST_SUFFIX: Final = max(map(len, _SUFFIXES))
_LETTERS_OF_A_ROOT: Final = 4
_VOWELS: Final = "aeiou"
_AGENT: Final = "Cik"
_SHORT_I: Final = "i"
_SOFT_ENDS: Final = {"C": "k", "Z": "g", "S": "h"}

_CHANGING: Final = {*_SOFT_ENDS, _AGENT[-1], _SHORT_I}

# Case endings of Kazakh that take a word too far from its stem to be its beginning or a slip.
_KAZAKH_CASE: Final = re.compile(
    r"(.{4,}?)(?:[мбп]ен|[нт]ың|[нт]ің|дың|дің|[қғ]а|[кг]е|[дт]ан|[дт]ен|нан|нен|[дт]ағы|[дт]егі|ына|іне|ында|інде)"
)


def stem(text: str) -> str:
    """Return the sound of a word without the ending of its form."""
    heard = sound(text)
    form = _FORM.fullmatch(heard) or (None if is_cyrillic(text) else _ENGLISH_FORM.fullmatch(heard))
    return form[1] if form else heard


@lru_cache(maxsize=20_000)
def roots(stem: str) -> tuple[str, ...]:
    """Return a stem, and what is left without ever more suffixes, as long as that has four letters.

    What changes before a suffix is written in one way: ипотека and ипотечник, бакалея and бакалейщик,
    разработка and разработчик (тч sounds as ч does).
    """
    found = [stem]
    for one in found:  # it grows
        first = max(_LETTERS_OF_A_ROOT, len(one) - _LONGEST_SUFFIX)
        ends = (end for end in range(first, len(one)) if one[end:] in _SUFFIXES)
        found += [one[:end] for end in ends if one[:end] not in found]
    found += [other for one in found if one[-1:] in _CHANGING for other in _changed(one)]
    return tuple(sorted(dict.fromkeys(found), key=len, reverse=True))


def _changed(root: str) -> Iterator[str]:
    if root[-1:] in _SOFT_ENDS:
        yield root[:-1] + _SOFT_ENDS[root[-1]]
    if root.endswith(_AGENT) and root[-len(_AGENT) - 1 : -len(_AGENT)] in _VOWELS:
        yield root.removesuffix(_AGENT) + "t"
    if root[-1:] == _SHORT_I and root[-2:-1] in _VOWELS:
        yield root[:-1]


def is_suffix(text: str) -> bool:
    """Tell whether a word ends so because it derives from another, or is another form of it."""
    heard = sound(text)
    return heard in _SUFFIXES or stem("aaa" + text)[3:] in {"", *_SUFFIXES}


def without_kazakh_case(text: str) -> str:
    """Return a word without the ending of a Kazakh case, if it has one: Ержанмен is «with Ержан»."""
    form = _KAZAKH_CASE.fullmatch(text)
    return form[1] if form else text
