"""The secrets that this process holds, so that they can be masked exactly, however they are written.

Credentials register themselves when they are made, and are forgotten with the object that holds them. The
registry is one for the process, as logging is: a secret of one server in a process is masked by all.
"""

import html
import re
import threading
import unicodedata
import weakref
from collections import Counter
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

import regex

SHORTEST: Final = 8
"""Characters that a secret must have: shorter ones occur in ordinary words."""

# Up to _FEW secrets are searched one by one. Of more, only those that share a piece with the text can be in
# it, in a time that does not grow with their number: SHORTEST characters hold a whole piece that begins at a
# multiple of _STRIDE.
_FEW: Final = 16
_GRAM: Final = 5
_STRIDE: Final = SHORTEST - _GRAM + 1
_MOST_DECODINGS: Final = 4  # a percent sign may itself be percent-encoded, inside an entity

_ORDINARY: Final = re.compile(r"[ -~А-яЁё«»–—№…]*+")  # only its case is to be folded
_UNSEEN: Final = regex.compile(r"[\p{C}\p{Default_Ignorable_Code_Point}]+")
_ESCAPE: Final = regex.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(/))")
# A character as it may be encoded in URLs, HTML and JSON, or itself, with its combining marks.
_WRITTEN: Final = regex.compile(
    r"(?:%[0-9a-fA-F]{2})+|&(?:\#[0-9]{1,7}|\#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?"
    r"|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\/|\X"
)
_CHARACTER: Final = regex.compile(r"\X")


class KnownSecrets:
    """A multiset of secrets, with a quick test that a text holds none of them."""

    def __init__(self) -> None:
        # Finalizers run wherever the last reference is dropped: in another thread, or inside a method here.
        self._lock = threading.RLock()
        self._held: Counter[str] = Counter()
        self._grams: Counter[str] = Counter()

    def register(self, owner: object, *secrets: str) -> None:
        """Mask these secrets as long as `owner` lives; texts below SHORTEST are ignored."""
        folded = [secret for secret in map(_fold, secrets) if len(secret) >= SHORTEST]
        for secret in folded:
            self._add(secret)
            weakref.finalize(owner, self._drop, secret).atexit = False

    def mask(self, text: str, mark: str) -> str:
        """Replace every secret by `mark`, in any case, encoding or disguise."""
        found = self.within(text)
        return _replace(text, found, mark) if found else text

    def within(self, text: str) -> list[str]:
        """Return the secrets in a text; nearly always there is none, so that answer is quick."""
        if len(text) < SHORTEST or not self._held:
            return []
        encoded = "%" in text or "&" in text or "\\" in text
        folded = _fold(_decode(text) if encoded else text)
        if len(self._held) > _FEW and self._grams.keys().isdisjoint(_pieces(folded)):
            return []
        return [secret for secret in list(self._held) if secret in folded]

    def _add(self, secret: str) -> None:
        with self._lock:
            self._held[secret] += 1
            if self._held[secret] == 1:
                self._grams.update(_grams(secret))

    def _drop(self, secret: str) -> None:
        with self._lock:
            self._held[secret] -= 1
            if not self._held[secret]:
                del self._held[secret]
                self._grams.subtract(grams := _grams(secret))
                for gram in grams:
                    if not self._grams[gram]:
                        del self._grams[gram]


def _grams(secret: str) -> set[str]:
    return {secret[at : at + _GRAM] for at in range(len(secret) - _GRAM + 1)}


def _pieces(text: str) -> list[str]:
    return [text[at : at + _GRAM] for at in range(0, len(text) - _GRAM + 1, _STRIDE)]


def _fold(text: str) -> str:
    """Return the form in which secrets are compared: without case, width and invisible characters."""
    if not _ORDINARY.fullmatch(text):
        text = unicodedata.normalize("NFKC", _UNSEEN.sub("", text))
    return text.casefold()


def _decode(text: str) -> str:
    """Undo percent signs, HTML entities and JSON escapes, also one inside another."""
    for _ in range(_MOST_DECODINGS):
        before, text = text, _decode_once(text)
        if text == before:
            break
    return text


def _unescaped(escape: "regex.Match[str]") -> str:
    return escape[3] or chr(int(escape[1] or escape[2], 16))


def _replace(text: str, secrets: list[str], mark: str) -> str:
    """Replace secrets that are in the text, each where its folded form stands."""
    spans = _spans(text)
    folded = "".join(character for character, _, _ in spans)
    covered = sorted(
        (spans[at][1], spans[at + len(secret) - 1][2]) for secret in secrets for at in _places(folded, secret)
    )
    kept, end = "", 0
    for start, stop in covered:
        if start >= end:
            kept += text[end:start] + mark
        end = max(end, stop)
    return kept + text[end:]


def _places(folded: str, secret: str) -> Iterator[int]:
    at = folded.find(secret)
    while at >= 0:
        yield at
        at = folded.find(secret, at + 1)


def _spans(text: str) -> list[tuple[str, int, int]]:
    """Return the folded, decoded characters, each with start and end of its encoded form in the text."""
    spans = [(character, at, at + 1) for at, character in enumerate(text)]
    for _ in range(_MOST_DECODINGS):
        written = "".join(character for character, _, _ in spans)
        decoded = [
            (character, spans[found.start()][1], spans[found.end() - 1][2])
            for found in _WRITTEN.finditer(written)
            for character in _decode_once(found[0])
        ]
        if len(decoded) == len(spans):
            break
        spans = decoded
    written = "".join(character for character, _, _ in spans)
    return [
        (character, spans[found.start()][1], spans[found.end() - 1][2])
        for found in _CHARACTER.finditer(written)
        for character in _fold(found[0])
    ]


def _decode_once(written: str) -> str:
    return html.unescape(unquote(_ESCAPE.sub(_unescaped, written)))


known = KnownSecrets()
"""The secrets of this process."""
