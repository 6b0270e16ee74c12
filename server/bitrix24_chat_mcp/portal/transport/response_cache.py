"""Answers of the last few seconds, for reads that are repeated."""

from dataclasses import replace
from typing import Any

import anyio
from cachetools import TTLCache

from bitrix24_chat_mcp.portal.api.credentials import Credentials
from bitrix24_chat_mcp.portal.api.rest import ApiResult, Reader

CacheKey = tuple[Credentials, object, str, bytes, Reader[object]]
"""Whose answer it is, in which epoch, to which method with which parameters, and how it was read."""


class ResponseCache:
    """Keeps answers, as they were read, for so many `seconds` (0: not at all) in so many bytes (`size`)."""

    def __init__(self, seconds: float, size: int) -> None:
        self._size = size if seconds > 0 else 0
        self._answers: TTLCache[CacheKey, tuple[float, ApiResult[Any]]] = TTLCache(
            max(1, size), seconds, timer=anyio.current_time, getsizeof=lambda kept: kept[1].weight
        )

    def get(self, key: CacheKey) -> ApiResult[Any] | None:
        """Return an answer that is fresh enough, with its age."""
        at, answer = self._answers.get(key, (0.0, None))
        return answer and replace(answer, age=anyio.current_time() - at)

    def put(self, key: CacheKey, answer: ApiResult[Any]) -> None:
        """Keep an answer, unless it is larger than the whole cache may be."""
        if answer.weight <= self._size:
            self._answers[key] = (anyio.current_time(), answer)

    def drop(self, credentials: Credentials) -> None:
        """Drop all answers for one user."""
        for key in [key for key in self._answers if key[0] == credentials]:
            self._answers.pop(key, None)
