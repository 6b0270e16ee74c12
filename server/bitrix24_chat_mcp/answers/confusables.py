"""Foreign text that reads like a word of ours, whatever letters it is made of."""

import unicodedata
from collections.abc import Collection
from typing import Final

import regex

from .sanitize import quoted

# Small letters of other alphabets, signs and digits that look like Latin letters, after Unicode's table of
# confusables (UTS #39). Width, style and marks are gone before.
_LOOKALIKES: Final = {
    "a": "аɑαᴀ@4",
    "b": "ьʙ8",
    "c": "сϲᴄ",
    "d": "ԁɗᴅ",
    "e": "еєεᴇ3",
    "h": "һнʜ",
    "i": "іıɩιɪ",
    "j": "јʝ",
    "k": "кκᴋ",
    "l": "ӏ|1ʟ",
    "m": "мᴍ",
    "n": "пոηɴ",
    "o": "оοօσᴏ0",
    "p": "рρᴘ",
    "r": "гʀɾ",
    "s": "ѕꜱ5$",
    "t": "тτᴛ",
    "u": "սυцʋᴜ",
    "v": "ѵνᴠ",
    "w": "ԝѡωᴡ",
    "x": "хχ",
    "y": "уүγʏ",
}
_LATIN: Final = str.maketrans({like: letter for letter, likes in _LOOKALIKES.items() for like in likes})
_NO_LETTER: Final = regex.compile(r"[^\p{L}\p{Nd}]+")


def skeleton(text: str) -> str:
    """Return a text's letters as they look: small, Latin where they can be, without marks and spaces."""
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_LATIN)
    return _NO_LETTER.sub("", plain)


def distinct(name: str, ours: Collection[str]) -> str:
    """Return a name as it is, but in quotation marks and called a name where it reads like a word of ours.

    `ours` are skeletons.
    """
    letters = name.replace(" ", "")
    if len(letters) > max(map(len, ours)) and letters.isalpha():
        return name  # most names: nothing in them can be left out
    return f"{quoted(name)} (a name)" if skeleton(name) in ours else name
