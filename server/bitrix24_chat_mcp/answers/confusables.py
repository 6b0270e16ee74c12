"""Names that look like one of the server's own words although other letters are in them.

The table holds only what looks like a Latin letter, since the server's words are Latin. The kept libraries
carry Unicode's whole table, half a megabyte that would be read for some twenty letters.
"""

import unicodedata
from collections.abc import Collection
from typing import Final

import regex

from .sanitize import quoted

# Small letters of other alphabets, signs and digits that look like Latin letters, after Unicode's table of
# confusables (UTS #39). Width, style and marks are removed before (NFKD).
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
    """Return a text's letters as they look: lower case, Latin where they look Latin, no marks or spaces."""
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_LATIN)
    return _NO_LETTER.sub("", plain)


def distinct(name: str, ours: Collection[str]) -> str:
    """Return a name, quoted and followed by "(a name)" if it looks like one of the server's own words.

    `ours` are the skeletons of those words.
    """
    letters = name.replace(" ", "")
    if len(letters) > max(map(len, ours)) and letters.isalpha():
        return name  # a shortcut for most names: a skeleton leaves no letter out, so this one is too long
    return f"{quoted(name)} (a name)" if skeleton(name) in ours else name
