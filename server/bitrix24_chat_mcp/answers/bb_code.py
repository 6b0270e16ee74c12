"""Messages as Bitrix24 writes them, with BB codes -> plain text, the words quoted in them set apart.

What comes out is foreign text as before: `sanitize` still has to see it.
"""

import re
from typing import Final, NamedTuple

LONGEST: Final = 20_000
"""Characters; Bitrix24 takes no longer message."""

# A quotation as the messenger writes it: a line of dashes, who and when, the words, a line of dashes.
_BLOCK: Final = re.compile(r"^-{40,}[ \t]*\n(?P<words>.*?)\n?^-{40,}[ \t]*$\n?", re.MULTILINE | re.DOTALL)
_HEAD: Final = re.compile(r"(?P<name>[^\n]{1,100}?) ?\[[^\]\n]{1,40}\](?: #\S{1,40})?\n")
_CODED: Final = re.compile(r"\[QUOTE\](?P<words>(?:(?!\[/?QUOTE\]).)*+)\[/QUOTE\]", re.IGNORECASE | re.DOTALL)
_LINES: Final = re.compile(r"(?:^>>[^\n]*(?:\n|\Z))+", re.MULTILINE)
_ARROWS: Final = re.compile(r"^>> ?", re.MULTILINE)

# A code's value and its text end at the next bracket, so that no text takes long, whatever it is full of.
_VALUED: Final = r"\[{0}=([^\[\]\n]{{1,2000}})\]([^\[]*+)\[/{0}\]"
_USER: Final = re.compile(r"\[USER=(\d{1,12})[^\[\]\n]{0,20}\]([^\[]*+)\[/USER\]", re.IGNORECASE)
_LINK: Final = re.compile(_VALUED.format("URL"), re.IGNORECASE)
_FILE: Final = re.compile(_VALUED.format("DISK"), re.IGNORECASE)
_STRUCK: Final = re.compile(r"\[S\]([^\[]*+)\[/S\]", re.IGNORECASE)
_LIST: Final = re.compile(r"\[/?LIST(?:=\w)?\]\n?", re.IGNORECASE)
_ITEM: Final = re.compile(r"\[\*\]\s*")
_LINE: Final = re.compile(r"\s*\n\s*")


class PlainMessage(NamedTuple):
    """The words of a message and those it quotes; `mentions_user` tells that it addresses the user."""

    text: str
    quote: str = ""
    mentions_user: bool = False


def plain(text: str, me: str) -> PlainMessage:
    """Take a message apart; `me` is the user's number, or empty."""
    quotes: list[str] = []

    def set_apart(found: re.Match[str]) -> str:
        words = _HEAD.sub(r"\g<name>: ", found["words"], count=1)
        quotes.append(_words(words, me))
        return ""

    def set_lines_apart(found: re.Match[str]) -> str:
        quotes.append(_words(_ARROWS.sub("", found[0]), me))
        return ""

    text = _bounded(text).replace("\r\n", "\n")
    own = _LINES.sub(set_lines_apart, _CODED.sub(set_apart, _BLOCK.sub(set_apart, text)))
    mentioned = any(found[1] == me for found in _USER.finditer(own))
    return PlainMessage(_words(own, me), " … ".join(quotes), mentioned)


def _bounded(text: str) -> str:
    """Cut a text without leaving half a word, which may be half a secret."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rsplit(maxsplit=1)[0]} …"


def _words(text: str, me: str) -> str:
    """Write mentions, links, files, lists and what was struck out in plain signs; other codes are left."""

    def mention(found: re.Match[str]) -> str:
        return "@you" if found[1] == me else f"@{found[2]}"

    def link(found: re.Match[str]) -> str:
        return found[1] if found[2].strip() in {"", found[1]} else f"{found[2]} ({found[1]})"

    text = _LINK.sub(link, _USER.sub(mention, text))
    text = _LIST.sub("", _STRUCK.sub(r"~~\1~~", _FILE.sub(r"\2", text)))
    return _LINE.sub(" / ", _ITEM.sub("- ", text).strip())
