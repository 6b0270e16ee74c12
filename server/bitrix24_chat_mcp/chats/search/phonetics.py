"""Words in one form for all their spellings: Ivanov and Иванов, Shchukin and Schukin, Саша and Alexander."""

import re
import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple

from anyascii import anyascii

_WORD: Final = re.compile(r"[^\W_]+(?:[-‐’'][^\W_]+)*")
_PART: Final = re.compile(r"[^\W_]+")

# How the same sound is spelt in Latin letters, by `anyascii` and by people. One letter stands for one sound,
# so that a slip counts the same in both alphabets: S for ш and щ, C for ч, Z for ж, J for дж.
_SOUNDS: Final = {
    r"shch|sch|sh": "S",
    r"dzh|dj|dg(?=[eiy])": "J",
    r"zh": "Z",
    r"tch|ch": "C",
    r"ts|tz|c(?=[eiy])|\bc(?=[^aeiouy]*$)|(?<=\d)c\b": "s",  # CRM is ЦРМ, and 1C is 1С
    r"ck|c|q": "k",
    r"(?<=[aeiouy])k?h(?=[^aeiouy])": "",  # Johnson is Джонсон, and Ahmed Ахмед
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
_SPELT: Final = re.compile("|".join(f"({spelling})" for spelling in _SOUNDS))
_HEARD: Final = ("", *_SOUNDS.values())
_DOUBLED: Final = re.compile(r"([^\d])\1+")

# Endings as they sound, Russian and English; what is left keeps three letters.
_FORM: Final = re.compile(
    r"(.{3,}?)(?:i?ami|ogo|ego|omu|emu|imi|i[hm]|[oe]i|aia|oe|i?am|i?ah|[oe]m|ia|[aeiou]|e?s|ed|ing)?"
)

# One person a line: given names that are written in ways which do not sound alike.
_NAMES: Final = """
александр александра саша саня санёк шура сашка alexander alexandra alex aleks sandra
алексей лёша лёха алёша alexey alexis
алёна елена лена helen elena
анастасия настя ася anastasia
андрей andrew andrey
анна аня анюта ann anna
антонина тоня
артём артемий тёма
богдан бодя
борис боря
вадим вадик
валентин валентина валя
валерий валерия валера лера
василий вася basil
вера верочка
виктор витя victor
виктория вика victoria
виталий виталик
владимир вова володя vladimir
владислав ярослав слава владик
вячеслав станислав святослав слава стас
галина галя
геннадий гена
георгий гоша жора george
григорий гриша gregory
дарья даша daria
даниил данила данил даня daniel danny
денис дэн dennis
дмитрий дима митя димон dmitry
евгений евгения женя eugene
екатерина катя катюша catherine kate
елизавета лиза elizabeth lisa
иван ваня ivan
илья илюша
ирина ира irene
кирилл кир
константин костя
ксения оксана ксюша
лев лёва льва leo
лариса лара
любовь люба
людмила люда люся мила
маргарита рита margaret
мария маша маруся mary maria
максим макс max maxim
михаил миша michael mike майкл майк
надежда надя
наталья наталия наташа natalie natasha
никита никитос
николай коля nicholas nick
ольга оля olga
павел павла паша paul
пётр петя peter
полина поля pauline
роман рома
светлана света lana
семён сеня simon
сергей серёжа серёга serge
софья софия соня sophia sophie
станислав стас
степан стёпа stephen
тамара тома
татьяна таня tanya
тимофей тимур тима
фёдор федя theodore
эдуард эдик edward
юлия юля julia
юрий юра yury
яна яночка
ярослав ярик
john джон
jane джейн
james джеймс jim
william bill уильям вильям билл
robert bob роберт боб
thomas tom томас том
charles charlie чарльз
joseph joe джозеф
"""


_NOBODY: Final = frozenset[int]()


class Word(NamedTuple):
    """A word as it is written (small, without ё), as it sounds, less its ending, and whose name it is."""

    text: str
    sound: str
    stem: str
    people: frozenset[int]

    @property
    def is_numbered(self) -> bool:
        """Whether it has a digit; of such words another is never meant."""
        return not self.text.isalpha() and any(letter.isdigit() for letter in self.text)


class Spelling(NamedTuple):
    """The words of a text, hyphenated ones in parts; those written as one ("frontend"); the sound of all."""

    words: tuple[Word, ...]
    joined: tuple[Word, ...]
    sound: str


@lru_cache(maxsize=10_000)
def spell(text: str) -> Spelling:
    """Return the words of a title or a query."""
    found = [_PART.findall(word) for word in _WORD.findall(_plain(text))]
    parts = tuple(_spell(part) for word in found for part in word)
    joined = tuple(_spell("".join(word)) for word in found if len(word) > 1)
    return Spelling(parts, joined, "".join(part.sound for part in parts))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text.replace("№", " ")).casefold().replace("ё", "е")


@lru_cache(maxsize=20_000)
def _spell(text: str) -> Word:
    sound = _sound(text)
    return Word(text, sound, _stem(sound), _people(sound))


def _sound(text: str) -> str:
    heard = _SPELT.sub(lambda spelt: _HEARD[spelt.lastindex or 0], anyascii(text).lower())
    return _DOUBLED.sub(r"\1", heard)


def _stem(sound: str) -> str:
    form = _FORM.fullmatch(sound)
    return form[1] if form else sound


def _people(sound: str) -> frozenset[int]:
    known = _known()
    return known.get(_root(sound)) or known.get(_root(sound.removesuffix("om").removesuffix("em")), _NOBODY)


def _root(sound: str) -> str:
    """Names have many endings, all of them vowels: Оля, Оле and Олей are one."""
    return sound.rstrip("aeiou") or sound


@lru_cache(maxsize=1)
def _known() -> dict[str, frozenset[int]]:
    people: dict[str, frozenset[int]] = {}
    for person, names in enumerate(_NAMES.strip().splitlines()):
        for name in names.split():
            root = _root(_sound(_plain(name)))
            people[root] = people.get(root, _NOBODY) | {person}
    return people
