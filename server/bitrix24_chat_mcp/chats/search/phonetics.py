"""How words sound, so that Ivanov and Иванов, Shchukin and Schukin, Wright and Райт are one."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice, product
from typing import Final

from anyascii import anyascii

_LAST_CYRILLIC: Final = 0x52F
_SILENT: Final = r"(?<=[aeiouy])k?h(?=[^aeiouy])"

# How the same sound is spelt in Latin letters, by `anyascii` and by people. One letter stands for one sound,
# so that a slip counts the same in both alphabets: S for ш and щ, C for ч, Z for ж, J for дж.
_SOUNDS: Final = {
    r"shch|sch|sh": "S",
    r"dzh|dj|dg(?=[eiy])": "J",
    r"zh": "Z",
    r"tch|ch": "C",
    r"ts|tz|c(?=[eiy])|\bc(?=[^aeiouy]*$)|(?<=\d)c\b": "s",  # CRM is ЦРМ, and 1C is 1С
    r"ck|c|q": "k",
    _SILENT: "",  # Johnson is Джонсон, and Ahmed Ахмед
    r"kh": "h",
    r"x": "ks",
    r"ph": "f",
    r"th": "t",
    r"wh|w": "v",
    r"[yij]+e|yo": "e",
    r"[yij]+u|oo": "u",
    r"[yij]+": "i",
    r"[^a-z0-9]": "",
}
_SPELLINGS: Final = re.compile("|".join(f"({spelling})" for spelling in _SOUNDS))
_HEARD: Final = ("", *_SOUNDS.values())
_DOUBLED: Final = re.compile(r"([^\d])\1+")
_UMLAUT_IN_TWO_LETTERS: Final = re.compile(r"(?<=[^q])([aou])e(?=[^aeiouy])|^([aou])e(?=[^aeiouy])")


def plain(text: str) -> str:
    """Return a word as it is compared: small, without ё."""
    return text.casefold().replace("ё", "е").replace("\u0307", "")


@lru_cache(maxsize=1)
def _latin_letters() -> dict[int, str]:
    """Return the letters of Latin and Cyrillic alphabets in plain Latin, small."""
    return {code: anyascii(chr(code)).lower() for code in range(_LAST_CYRILLIC + 1)}


def in_latin(text: str) -> str:
    """Return a text in plain Latin letters, small."""
    latin = text.translate(_latin_letters())
    return latin if latin.isascii() else anyascii(latin).lower()


@lru_cache(maxsize=20_000)
def sound(text: str) -> str:
    """Return how a word sounds, whichever alphabet it is written in."""
    latin = in_latin(text)
    if latin == text:
        latin = _UMLAUT_IN_TWO_LETTERS.sub(lambda umlaut: umlaut[1] or umlaut[2], latin)
    heard = _SPELLINGS.sub(lambda spelt: _HEARD[spelt.lastindex or 0], latin)
    return _DOUBLED.sub(r"\1", heard)


@lru_cache(maxsize=20_000)
def loses_a_letter(text: str) -> bool:
    """Tell whether a word sounds as if a letter of it were not there."""
    return re.search(_SILENT, in_latin(text)) is not None


# What a foreign name sounds like depends on its language. Beside each spelling stand the sounds that it may
# have in English, French, German, Italian, Spanish, Polish or Turkish; s stands for з and ц, too.
_READINGS: Final[dict[str, tuple[str, ...]]] = {
    r"tsch|tch|cz": ("C",),
    r"sch": ("S", "sk"),
    r"sh": ("S",),
    r"sz": ("S", "s"),
    r"zh": ("Z", "CZ"),
    r"rz": ("Z",),
    r"cqu|ck": ("k",),
    r"ch": ("C", "k", "S", "h"),
    r"cc(?=[eiy])": ("C", "ks"),
    r"c(?=[eiy])": ("s", "C", "J"),
    r"c": ("k", "J"),
    r"qu": ("kv", "k"),
    r"q": ("k",),
    r"gh": ("", "g"),
    r"dge|dj|dzh|dz": ("J",),
    r"gu(?=[eiy])": ("g",),
    r"g(?=[eiy])": ("J", "g", "Z", "h"),
    r"j": ("J", "i", "Z", "h"),
    r"kh": ("h", "kh"),
    r"ph": ("f",),
    r"th|dt": ("t",),
    r"^h": ("h", "", "g"),
    r"rh": ("r",),
    r"h$|h(?=[lnr])": ("", "h"),
    r"h": ("h", "g"),
    r"^wr": ("r",),
    r"^kn": ("n", "kn"),
    r"wh": ("u", "v", "h"),
    r"w": ("v", "u"),
    r"v": ("v", "f"),
    r"x$": ("ks", ""),
    r"x": ("ks", "s"),
    r"tion$": ("Sn",),
    r"stle": ("sl", "stle"),
    r"^s(?=[tpk])": ("s", "S"),
    r"tz|ts": ("s",),
    r"z(?=u)": ("s", "Z"),
    r"z": ("s",),
    r"ss?ion$": ("Sn",),
    r"lt$": ("lt", "", "t"),
    r"(?<=[aeiou])[sz]$|(?<=[aeiounr])[td]$": ("=", ""),
    r"l(?=[km])": ("l", ""),
    r"mb$": ("mb", "m"),
    r".": ("=",),
}
_READ: Final = re.compile("|".join(f"({spelling})" for spelling in _READINGS))
_HEARD_AS: Final = ((), *_READINGS.values())
_READINGS_AT_MOST: Final = 24

_ACCENTED: Final = str.maketrans(
    {
        **dict.fromkeys("şšśș", "sh"),
        **dict.fromkeys("çčć", "ch"),
        **dict.fromkeys("žżź", "zh"),
        "ğ": "gh",
        "ı": "i",
        "ö": "oe",
        "ø": "oe",
        "ü": "ue",
        "ä": "ae",
        "æ": "ae",
        "ß": "ss",
    }
)
_CEDILLA: Final = str.maketrans("ç", "s")
_CYRILLIC: Final = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщыэюяіїєґқғңөұүһә",
        "abvgdeeZsiiklmnoprstufhsCSSieuaiiegkgnouuha",
        strict=True,
    )
)
_CYRILLIC_ENDING: Final = re.compile(
    r"(.{3,}?)(?:ами|ями|ого|ему|ому|его|ыми|ими|[оеая]м|[ыи]м|[ая]х|ой|ей)$"
)
_SAME_SOUNDS: Final = {"dZ": "J", "tC": "C", "z": "s"}

Heard = tuple[str, tuple[str, ...]]
"""The consonants of a word, and the vowels before each of them and behind the last."""


def is_cyrillic(text: str) -> bool:
    """Tell in which alphabet a word is written; what is neither counts as Latin."""
    return "Ѐ" <= text[:1] <= "ӿ"


@lru_cache(maxsize=20_000)
def heard(text: str, *, is_asked: bool = False) -> tuple[Heard, ...]:
    """Return what a word may sound like to one who does not know its language.

    A word of a title may have an ending in Cyrillic or be silent at its end in Latin letters only where that
    helps: what is asked for in Latin letters is read as it is spelt.
    """
    if is_cyrillic(text):
        form = _CYRILLIC_ENDING.fullmatch(text)
        forms = dict.fromkeys((text, form[1] if form else text))
        return tuple(_take_apart(_in_sounds(word)) for word in forms)
    spelt = dict.fromkeys((text.translate(_ACCENTED), text.translate(_CEDILLA).translate(_ACCENTED)))
    readings = (reading for word in spelt for reading in _readings(anyascii(word), is_asked=is_asked))
    return tuple(dict.fromkeys(_take_apart(reading) for reading in readings))


def _in_sounds(text: str) -> str:
    return "".join(_CYRILLIC.get(letter, "") for letter in text)


def _readings(text: str, *, is_asked: bool) -> Iterator[str]:
    parts = [
        tuple(part[0] if sound == "=" else sound for sound in _HEARD_AS[part.lastindex or 0])
        for part in _READ.finditer(text)
    ]
    if is_asked and len(text) > len(parts[-1][0]) == 1:
        parts[-1] = parts[-1][:1]
    return islice(map("".join, product(*parts)), _READINGS_AT_MOST)


def _take_apart(reading: str) -> Heard:
    for spelt, same in _SAME_SOUNDS.items():
        reading = reading.replace(spelt, same)
    reading = _DOUBLED.sub(r"\1", reading)
    consonants = re.sub(r"[aeiouy]", "", reading)
    return consonants, tuple(re.split(r"[^aeiouy]", reading))


# Which vowels a Latin letter may stand for; й may come to any other.
_MAY_SOUND: Final = {"a": "aeo", "e": "eia", "i": "iae", "o": "oau", "u": "uai", "y": "iaue"}
_PLAIN_VOWELS: Final = {
    **dict.fromkeys(("au", "oa", "oe"), "o"),
    **dict.fromkeys(("ou", "oo"), "u"),
    **dict.fromkeys(("ai", "ay"), "e"),
    "ee": "i",
    "ea": "iea",
}
_ODD_VOWELS: Final = {1: 0.0, 2: 0.0, 3: 0.5}  # as many are forgiven by the number of consonants
_MOST_ODD_VOWELS: Final = 1.0
_VOWELS_OF_ONE_CONSONANT: Final = 3
_SHORT: Final = 3
_MOST_VOWELS_OF_ONE: Final = 2


def sounds_alike(cyrillic: Heard, latin: Heard) -> bool:
    """Tell whether vowels fit between the same consonants: fewer consonants forgive less."""
    count = len(cyrillic[0])
    if not count or (count == 1 and len(cyrillic[1][0] + cyrillic[1][1]) < _VOWELS_OF_ONE_CONSONANT):
        return False
    pairs = list(zip(cyrillic[1], latin[1], strict=True))
    spelt = _spelt_plainly if count + sum(map(len, cyrillic[1])) <= _SHORT else _spelt
    odd = sum(_odd(*vowels, spelt(vowels[1]), last=place == count) for place, vowels in enumerate(pairs))
    return bool(pairs[0][0]) == bool(pairs[0][1]) and odd <= _ODD_VOWELS.get(count, _MOST_ODD_VOWELS)


def _odd(cyrillic: str, latin: str, spelt: set[str], *, last: bool) -> float:
    if not cyrillic:
        return 0 if not latin or (last and latin == "e") else 0.5 if latin == "e" else 1.5
    possible = spelt.union("i" if len(cyrillic) > 1 else "")
    return 0 if latin and possible.issuperset(cyrillic) else 1


def _spelt(latin: str) -> set[str]:
    """Return the vowels that Latin letters may stand for."""
    return set("o" if "eu" in latin else "").union(*(_MAY_SOUND[letter] for letter in latin))


def _spelt_plainly(latin: str) -> set[str]:
    """Return the vowels that they stand for most: in a short word no other is meant."""
    if len(latin) > _MOST_VOWELS_OF_ONE:
        return set()
    return set(_PLAIN_VOWELS.get(latin, latin.replace("y", "i")))
