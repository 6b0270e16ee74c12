"""Sanitizes every text that others wrote: titles, names, messages, the portal's error texts.

What `sanitize` returns is one line without tabs, line breaks, other control characters and anything that a
reader cannot see. So a row whose fields are separated by tabs cannot be forged by a title.
"""

import re
from typing import Final

import regex

from .redaction import mask_secrets, may_hold_secrets

_ELLIPSIS: Final = "…"

# Scripts in use put up to five marks on one letter (Tibetan stacks, Hebrew with accents). More ("Zalgo" text)
# cover the neighbouring rows.
_MARKS_ON_A_LETTER: Final = 6

# Nearly all emoji have at most seven code points, as a family of four has. A "character" of hundreds (chained
# Hangul, skin tones, joiners) counts as several, so that it cannot pass a length limit.
_CODE_POINTS_IN_A_CHARACTER: Final = 8

# Most texts: Latin and Cyrillic letters, digits, punctuation, single spaces; no `[` and no `<`. They hold no
# hidden characters and no markup, and every code point is a character.
_PLAIN: Final = re.compile(r"(?:[!-;=-Z\\-~А-яЁё№«»—–…]++| (?! ))*+")

_SPACE: Final = regex.compile(r"[\s\p{Z}\x1C-\x1F\u2800]+")  # the last is an empty Braille cell

# Terminal escapes are removed whole: strings with their payload (titles, links), CSI with parameters, others.
_ESCAPE: Final = regex.compile(
    r"(?:\x1B[\]PX^_]|[\x90\x98\x9D\x9E\x9F])[^\x07\x1B\x80-\x9F]*(?:\x07|\x1B\\|\x9C)"
    r"|(?:\x1B\[|\x9B)[0-?]*[ -/]*[@-~]?"
    r"|\x1B[ -/]*[0-~]?"
)

# Invisible characters: controls, directional marks, surrogates, private and unassigned code points, fillers.
# Excluded are joiners, variation selectors and tags (see `_MISPLACED`), and the Arabic signs that Unicode
# counts as "format" characters although they are visible.
_UNSEEN: Final = regex.compile(
    r"[[\p{C}\p{Default_Ignorable_Code_Point}\uFFFC]--[\u200C\u200D\uFE0E\uFE0F\U000E0020-\U000E007F]"
    r"--\p{Prepended_Concatenation_Mark}]+",
    regex.V1,
)

# Only three flags are written with tags (England, Scotland, Wales); any other run of tags is hidden text.
_FLAG: Final = "\U0001f3f4(?:{})\U000e007f".format(
    "|".join(
        "".join(chr(0xE0000 + ord(letter)) for letter in region) for region in ("gbeng", "gbsct", "gbwls")
    )
)
_JOINED: Final = "[[{}]&&[\\p{{L}}\\p{{M}}]]".format(
    "".join(
        rf"\p{{scx={script}}}"
        for script in (
            *("Arab", "Syrc", "Mong", "Nkoo", "Deva", "Beng", "Guru", "Gujr", "Orya"),
            *("Taml", "Telu", "Knda", "Mlym", "Sinh", "Khmr", "Mymr", "Tibt"),
        )
    )
)
_MISPLACED: Final = regex.compile(
    rf"""
    (?P<flag>{_FLAG}) | [\U000E0020-\U000E007F]
    | (?=[\u200C\u200D])(?!  # a joiner belongs in an emoji, between letters that join, behind a virama
        (?<=\p{{Extended_Pictographic}}[\uFE0F\p{{Emoji_Modifier}}]?)\u200D(?=\p{{Extended_Pictographic}})
        | (?<={_JOINED})[\u200C\u200D](?={_JOINED})
        | (?<=\p{{ccc=9}})[\u200C\u200D]
      )[\u200C\u200D]
    | (?=[\uFE0E\uFE0F])(?!  # a variation selector belongs behind an emoji or in a keycap
        (?<=\p{{Extended_Pictographic}})[\uFE0E\uFE0F] | (?<=[0-9\#*])\uFE0F(?=\u20E3)
      )[\uFE0E\uFE0F]
    """,
    regex.V1 | regex.VERBOSE,
)

_DOUBTFUL: Final = re.compile(r"[\u200C\u200D\uFE0E\uFE0F\U000E0020-\U000E007F]")

_SCRAWL: Final = regex.compile(rf"^[\s\p{{M}}]+|(?<=\p{{M}}{{{_MARKS_ON_A_LETTER}}})\p{{M}}+")
_CHARACTER: Final = regex.compile(r"\X")
_SIMPLE: Final = re.compile(r"[ -~¡-¬®-˿Ͱ-҂Ҋ-ԯ‐-‧₠-₿№]*")  # each code point is a character

# BB codes up to their closing bracket. Words that a title may well have in brackets ("[Video]", "[User]", and
# "[Quote]", which the portal itself writes) are codes only when closing, with a value, or all in one case.
_BB_WORDS: Final = (
    "url|img|code|quote|list|table|spoiler|video|left|center|right|justify|user|chat|call|size|color|font"
    "|context|put|send|pch|disk|icon|timestamp|attach|rating"
)
_BB_CODE: Final = re.compile(
    rf"\[(?:/?(?i:b|i|u|s|p|td|th|tr|br|\*)|/?(?:{_BB_WORDS}|{_BB_WORDS.upper()})"
    rf"|/(?i:{_BB_WORDS})|(?i:{_BB_WORDS})[= ][^\[\]]*)"
)
_BB_BREAK: Final = re.compile(r"\[/?(?:br|\*|p|tr|td|th|list|quote|table)(?!\w)", re.IGNORECASE)

# Unicode's quotation marks and what looks like one: primes, accents, ornaments, ditto marks. Two single ones
# look like a double one, so a run is replaced by one. An apostrophe inside a word stays.
_QUOTATION_MARKS: Final = regex.compile(
    r"(?!(?<=\p{L})’\p{L})"
    r"[\p{Quotation_Mark}\p{Pi}\p{Pf}\u02B9-\u02BF\u02DD\u02EE\u02F4-\u02F6\u0559-\u055B\u05F3\u05F4"
    r"\u1FEF\u1FFD\u1FFE`´\u2032-\u2037\u2057\u2358\u235E\u275B-\u2760\u276E\u276F\u3003"
    r"\U0001F676-\U0001F678]+"
)

# The beginning of a Markdown image (`![`), and of an HTML element that has attributes or loads without any. A
# space after the first character leaves the text readable, and makes it no image and no element.
_LOADING: Final = re.compile(r"!(?=\[)|<(?=[a-z][^\s/>]*(?:[\s/]|$)|style\b|script\b)", re.IGNORECASE)


# Titles and messages may be of any length, and sanitizing takes time in proportion. Only so many characters
# are sanitized before the text is cut to its limit: enough to allow for markup and invisible characters.
_LONGEST: Final = 4000
_LONGEST_WORD: Final = 512


def sanitize(text: str | None, limit: int | None = None) -> str:
    """Return foreign text as one visible line, at most `limit` characters (as a reader counts them) long.

    - Controls, terminal escapes, bidirectional marks, tags, fillers and other invisible characters are gone;
      joiners and selectors stay where an emoji or a script needs them, marks stay up to six on a letter.
    - Every run of spaces, tabs, line breaks and separators is one space; the ends have none. So tabs and
      line breaks between fields and rows cannot be forged.
    - Leftover BB codes are reduced to their text. Images and other elements that a program would load when it
      shows the text lose their meaning; links stay, since they are followed only when clicked.
    - Secrets are replaced by `[secret]`; only then the text is cut, at the edge of a character, with `…`
      counted inside the limit.

    Sanitizing twice changes nothing more. Any string is accepted, also with lone surrogates; `None` is empty.
    """
    text = text or ""
    if limit is not None and len(text) > _LONGEST:
        text = _beginning(text)
    if _PLAIN.fullmatch(text) and not may_hold_secrets(text):
        return _cut(text.strip(), limit)
    while (cleaner := _cut(mask_secrets(_visible(text)), limit)) != text:
        text = cleaner
    return text


def _beginning(text: str) -> str:
    """Return the first characters without the word cut in two at their end: it could be half a secret."""
    whole, torn = text[: _LONGEST - _LONGEST_WORD], text[_LONGEST - _LONGEST_WORD : _LONGEST]
    return whole + torn.rstrip(_IN_A_WORD) + _ELLIPSIS


_IN_A_WORD: Final = "".join(map(chr, range(0x21, 0x7F)))


def quoted(text: str | None, limit: int | None = None, marks: str = '""') -> str:
    """Return foreign text, sanitized and cut, between quotation marks that no character inside can close."""
    inner = _QUOTATION_MARKS.sub("'", sanitize(text, limit)).rstrip("\\ ")
    return f"{marks[0]}{inner}{marks[1]}"


def _visible(text: str) -> str:
    """Leave one line of visible text."""
    text = _UNSEEN.sub("", _SPACE.sub(" ", _ESCAPE.sub("", text)))
    text = _without_bb_codes(text) if "[" in text else text
    text = _MISPLACED.sub(r"\g<flag>", text) if _DOUBTFUL.search(text) else text
    text = _LOADING.sub(r"\g<0> ", text)
    return _SPACE.sub(" ", _SCRAWL.sub("", text)).strip()


def _without_bb_codes(text: str) -> str:
    """Remove BB codes in one pass, also those that appear when a code inside another is removed."""
    head, *pieces = text.split("]")
    for piece in pieces:
        start = head.rfind("[")
        code = _BB_CODE.fullmatch(head, start) if start >= 0 else None
        if code:
            head = head[:start] + (" " if _BB_BREAK.match(code[0]) else "") + piece
        else:
            head += "]" + piece
    return head


def _cut(text: str, limit: int | None) -> str:
    if limit is None or len(text) <= limit:
        return text
    if limit < 1:
        return ""
    end = limit - 1 if _SIMPLE.fullmatch(text) else _edge(text, limit)
    return text if end == len(text) else text[:end].rstrip() + _ELLIPSIS


def _edge(text: str, limit: int) -> int:
    """Return where to cut so that the ellipsis fits, at the end of a character; the length if all fits."""
    left, edge = limit, 0
    for character in _CHARACTER.finditer(text):
        left -= 1 + (len(character[0]) - 1) // _CODE_POINTS_IN_A_CHARACTER
        if left < 0:
            return edge
        edge = character.end() if left else edge
    return len(text)
