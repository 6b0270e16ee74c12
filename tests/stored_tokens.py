"""Reads and writes a token store in passing, for tests that prepare what a server finds or look at it."""

import asyncio
import json
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from bitrix24_chat_mcp.portal.oauth.token_store import FileTokenStore, TokenStore

T = TypeVar("T")


def settle(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, in an event loop and a thread of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def replace(store: TokenStore, key: str, text: str) -> None:
    """Save a text, whatever was there."""
    found = await store.load(key)
    await store.save(key, text, generation=found.generation if found else None)


async def text_of(store: TokenStore, key: str) -> str | None:
    """Return the stored text."""
    found = await store.load(key)
    return found.text if found else None


def write(folder: Path, key: str, **pair: str) -> None:
    """Store a pair of tokens."""
    settle(replace(FileTokenStore(folder), key, json.dumps(pair)))


def read(folder: Path, key: str) -> dict[str, str]:
    """Return the stored pair, or nothing."""
    return json.loads(settle(text_of(FileTokenStore(folder), key)) or "{}")
