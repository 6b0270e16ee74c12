"""Reads the body of an HTTP response, bounded before and after inflating it.

A few bytes can inflate to gigabytes, and a body that is compressed twice to a million times its size. So
at most one content coding is decoded, in slices, and never beyond the limit.
"""

import zlib
from mmap import mmap

import anyio.lowlevel

from bitrix24_chat_mcp.portal.api.errors import InvalidResponseError, OversizedResponseError
from bitrix24_chat_mcp.portal.api.lenient_json import MOST_VALUES, weight

_CODINGS = frozenset({"gzip", "x-gzip", "deflate"})
_EITHER_HEADER = zlib.MAX_WBITS + 32
"""Makes zlib detect gzip's header or its own, which HTTP calls `deflate`."""
_SMALL = 64 * 1024
_SLICE = 256 * 1024
"""Bytes that are inflated before other tasks run again: a fraction of a millisecond."""


class Body:
    """Collects a body of at most `limit` bytes, received and inflated.

    `coding` is its Content-Encoding, `accepted` what the request allowed: `gzip` or `identity`.
    """

    def __init__(self, coding: str, accepted: str, limit: int) -> None:
        self._limit = limit
        compressed = _is_compressed(coding.strip().lower(), accepted)
        self._inflater = zlib.decompressobj(_EITHER_HEADER) if compressed else None
        self._memory: bytearray | mmap = bytearray()
        self._size, self._received, self._values = 0, 0, 0

    async def add(self, chunk: bytes) -> None:
        """Add the next bytes as received; raise where they are too many or damaged."""
        self._received += len(chunk)
        if self._received > self._limit:
            raise oversized(self._limit)
        if self._inflater is None:
            self._put(chunk)
            return
        piece = self._inflate(chunk)
        while self._inflater.unconsumed_tail or len(piece) == _SLICE:
            await anyio.lowlevel.checkpoint()
            piece = self._inflate(self._inflater.unconsumed_tail)

    def view(self) -> memoryview:
        """Return the body so far."""
        return memoryview(self._memory)[: self._size]

    def _inflate(self, chunk: bytes) -> bytes:
        if self._inflater is None or self._inflater.eof:  # zlib would buffer what follows the end
            return b""
        try:
            piece = self._inflater.decompress(chunk, _SLICE)
        except zlib.error:
            raise InvalidResponseError(
                "BROKEN_ENCODING",
                "The portal's answer was damaged: it could not be decompressed.",
                "Try again in a minute.",
                transient=True,
            ) from None
        self._put(piece)
        return piece

    def _put(self, piece: bytes) -> None:
        end = self._size + len(piece)
        self._values += weight(piece)
        if self._values > MOST_VALUES:
            raise _oversized(f"has more than {MOST_VALUES:,} values")
        if end > self._limit:
            raise oversized(self._limit)
        if end > _SMALL and isinstance(self._memory, bytearray):
            self._memory = self._moved(self._memory)
        self._memory[self._size : end] = piece
        self._size = end

    def _moved(self, memory: bytearray) -> mmap:
        """Return a memory map with what there is so far.

        It takes only the pages that are written to, and returns all of them. A bytearray that grows to
        megabytes is copied repeatedly and fragments the heap.
        """
        moved = mmap(-1, self._limit)
        moved[: len(memory)] = bytes(memory)
        return moved


def _is_compressed(coding: str, accepted: str) -> bool:
    if coding in {"", "identity"}:
        return False
    if coding in _CODINGS and accepted != "identity":
        return True
    raise InvalidResponseError(
        "UNKNOWN_ENCODING",
        "The portal's answer is compressed more than once, or in a way that was not asked for.",
        "Ask the person who runs this server to check the proxies between it and the portal.",
    )


def oversized(limit: int) -> OversizedResponseError:
    """Return the error for an answer of more than `limit` bytes."""
    return _oversized(f"is larger than {limit:,} bytes")


def _oversized(how: str) -> OversizedResponseError:
    return OversizedResponseError(
        "ANSWER_TOO_LARGE",
        f"The portal's answer {how} and was not read to the end.",
        "Narrow the call, or ask the person who runs this server to raise max_answer_bytes.",
    )
