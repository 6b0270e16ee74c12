"""The one sanitiser for every text that others wrote: titles, names, messages, the portal's error texts.

What `clean` returns is one line: it never holds a tab, a line break or another control character, nor
anything that a reader cannot see. Rows whose fields are separated by tabs and that end with a line break
are therefore safe by construction: no title can forge a field or a row.
"""

import re
from typing import Final

import regex

from .redaction import mask_secrets, may_hold_secrets

_ELLIPSIS: Final = "…"

# Living scripts put up to five marks on one letter (Tibetan stacks, Hebrew with accents); more is a scrawl
# that runs over the neighbouring rows.
_MARKS_ON_A_LETTER: Final = 6

# Hardly an emoji has more code points than a family of four, seven. A "character" of hundreds (chained
# Hangul, skin tones, joiners) counts as many, so that it cannot slip through a limit.
_CODE_POINTS_IN_A_CHARACTER: Final = 8

# Most texts are this: Latin and Cyrillic letters, digits, punctuation, single spaces; no `[` and no `<`.
# Nothing can be hidden or marked up in them, and every code point is a character.
_PLAIN: Final = re.compile(r"(?:[!-;=-Z\\-~А-яЁё№«»—–…]++| (?! ))*+")

_SPACE: Final = regex.compile(r"[\s\p{Z}\x1C-\x1F\u2800]+")  # the last is an empty Braille cell

# Terminal escapes go whole: strings with their payload (titles, links), CSI with its parameters, the rest.
_ESCAPE: Final = regex.compile(
    r"(?:\x1B[\]PX^_]|[\x90\x98\x9D\x9E\x9F])[^\x07\x1B\x80-\x9F]*(?:\x07|\x1B\\|\x9C)"
    r"|(?:\x1B\[|\x9B)[0-?]*[ -/]*[@-~]?"
    r"|\x1B[ -/]*[0-~]?"
)

# Whatever has no looks of its own: controls, directions, surrogates, private and unassigned code points,
# fillers. Left for `_MISPLACED` to judge: joiners, variation selectors, tags. Left alone: Arabic signs that
# Unicode files under "format" although they are seen.
_UNSEEN: Final = regex.compile(
    r"[[\p{C}\p{Default_Ignorable_Code_Point}\uFFFC]--[\u200C\u200D\uFE0E\uFE0F\U000E0020-\U000E007F]"
    r"--\p{Prepended_Concatenation_Mark}]+",
    regex.V1,
)

# Only three flags are spelt with tags (England, Scotland, Wales); any other run of tags is hidden writing.
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

# BB codes as they stand before the closing bracket. Words that a title may well put in brackets ("[Video]",
# "[User]", and "[Quote]", the portal's own mark) are codes only when closing, with a value, or in one case.
_BB_WORDS: Final = (
    "url|img|code|quote|list|table|spoiler|video|left|center|right|justify|user|chat|call|size|color|font"
    "|context|put|send|pch|disk|icon|timestamp|attach|rating"
)
_BB_CODE: Final = re.compile(
    rf"\[(?:/?(?i:b|i|u|s|p|td|th|tr|br|\*)|/?(?:{_BB_WORDS}|{_BB_WORDS.upper()})"
    rf"|/(?i:{_BB_WORDS})|(?i:{_BB_WORDS})[= ][^\[\]]*)"
)
_BB_BREAK: Final = re.compile(r"\[/?(?:br|\*|p|tr|td|th|list|quote|table)(?!\w)", re.IGNORECASE)

# What Unicode files as a quotation mark, and what looks like one: primes, accents, ornaments, dittos. Two
# single ones in a row look like a double one, so a run becomes one. An apostrophe inside a word stays.
_QUOTATION_MARKS: Final = regex.compile(
    r"(?!(?<=\p{L})’\p{L})"
    r"[\p{Quotation_Mark}\p{Pi}\p{Pf}\u02B9-\u02BF\u02DD\u02EE\u02F4-\u02F6\u0559-\u055B\u05F3\u05F4"
    r"\u1FEF\u1FFD\u1FFE`´\u2032-\u2037\u2057\u2358\u235E\u275B-\u2760\u276E\u276F\u3003"
    r"\U0001F676-\U0001F678]+"
)

# Where Markdown's images begin (`![`), and HTML's elements with attributes, or that load without any. A space
# behind the first character leaves the text readable and takes the meaning away.
_LOADING: Final = re.compile(r"!(?=\[)|<(?=[a-z][^\s/>]*(?:[\s/]|$)|style\b|script\b)", re.IGNORECASE)


# Titles and messages may be of any length, and cleaning takes time in proportion. What is shown is cut out of
# the first so many characters, which leaves room for mark-up and for what cannot be seen.
_LONGEST: Final = 4000
_LONGEST_WORD: Final = 512


def sanitize(text: str | None, limit: int | None = None) -> str:
    """Return foreign text as one visible line, at most `limit` characters (as a reader counts them) long.

    - Controls, terminal escapes, bidirectional marks, tags, fillers and other invisible characters are gone;
      joiners and selectors stay where an emoji or a script needs them, marks stay up to six on a letter.
    - Every run of spaces, tabs, line breaks and separators is one space; the ends have none. So tabs and
      line breaks between fields and rows cannot be forged.
    - Leftover BB codes are reduced to their text. No image or other element that a program would load when it
      shows the text is left; a link is, since it waits for a click.
    - Secrets give way to `[secret]`, and only then is the text cut, at the edge of a character, with `…`
      counted inside the limit.

    Cleaning what is clean changes nothing. Any string is accepted, lone surrogates too; `None` is empty.
    """
    text = text or ""
    if limit is not None and len(text) > _LONGEST:
        text = _beginning(text)
    if _PLAIN.fullmatch(text) and not may_hold_secrets(text):
        return _cut(text.strip(), limit)
    while (cleaner := _cut(mask_secrets(_tidy(text)), limit)) != text:
        text = cleaner
    return text


def _beginning(text: str) -> str:
    """Return the first characters without the torn word at their end: half a secret has no telling shape."""
    whole, torn = text[: _LONGEST - _LONGEST_WORD], text[_LONGEST - _LONGEST_WORD : _LONGEST]
    return whole + torn.rstrip(_IN_A_WORD) + _ELLIPSIS


_IN_A_WORD: Final = "".join(map(chr, range(0x21, 0x7F)))


def quoted(text: str | None, limit: int | None = None, marks: str = '""') -> str:
    """Return foreign text, cleaned and cut, between quotation marks that nothing inside can close."""
    inner = _QUOTATION_MARKS.sub("'", sanitize(text, limit)).rstrip("\\ ")
    return f"{marks[0]}{inner}{marks[1]}"


def _tidy(text: str) -> str:
    """Leave one line of visible text."""
    text = _UNSEEN.sub("", _SPACE.sub(" ", _ESCAPE.sub("", text)))
    text = _without_bb_codes(text) if "[" in text else text
    text = _MISPLACED.sub(r"\g<flag>", text) if _DOUBTFUL.search(text) else text
    text = _LOADING.sub(r"\g<0> ", text)
    return _SPACE.sub(" ", _SCRAWL.sub("", text)).strip()


def _without_bb_codes(text: str) -> str:
    """Drop BB codes, also those that appear when a code inside another is dropped, in one walk."""
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
    """Return where the last character ends that leaves room for the ellipsis; the whole length if all fit."""
    room, edge = limit, 0
    for character in _CHARACTER.finditer(text):
        room -= 1 + (len(character[0]) - 1) // _CODE_POINTS_IN_A_CHARACTER
        if room < 0:
            return edge
        edge = character.end() if room else edge
    return len(text)
