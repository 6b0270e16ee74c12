"""The connection to the engine: no caller waits long for it, nor at all once it is known to be down."""

import asyncio
import logging
from contextlib import suppress
from functools import cache
from hashlib import sha1, sha256
from importlib.resources import files
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from bitrix24_chat_mcp.portal.api.errors import StoreUnreachableError
from bitrix24_chat_mcp.portal.api.known_secrets import known

LIMIT = 0.2
"""Seconds that one command may take; once one has taken longer, nobody waits for the engine any more."""
_SECOND_LOOK = 0.04  # seconds; what was slow may have been this process, and the answer is there already
_PROBE_EVERY = 0.5
_CONNECTIONS = 32
_START_LIMIT = 5.0
_logger = logging.getLogger(__name__)


class EngineSetupError(Exception):
    """The engine cannot be used as it is set up: one sentence about why."""


class Engine:
    """Runs commands and scripts; after a failure they fail at once, until a background probe succeeds."""

    def __init__(self, url: str) -> None:
        try:
            from valkey.asyncio import BlockingConnectionPool, Valkey  # noqa: PLC0415 - an extra, and 0.1 s
            from valkey.exceptions import NoScriptError, ValkeyError  # noqa: PLC0415
        except ImportError:
            raise EngineSetupError("the extra is missing; install bitrix24-chat-mcp[replicas]") from None
        known.register(self, unquote(urlsplit(url).password or ""))
        self._failures = (ValkeyError, OSError, asyncio.TimeoutError)
        self._no_script = NoScriptError
        try:
            self._pool = BlockingConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType]
                _scheme(url),
                max_connections=_CONNECTIONS,
                timeout=LIMIT,
                socket_timeout=LIMIT + _SECOND_LOOK,
                socket_connect_timeout=LIMIT + _SECOND_LOOK,
            )
        except ValueError:
            raise EngineSetupError("it is not an address such as valkey://HOST:6379/0") from None
        self._client = Valkey(connection_pool=self._pool)
        self._places = asyncio.Semaphore(_CONNECTIONS)
        self._probe: asyncio.Task[None] | None = None
        self.trouble = ""
        """Why the engine cannot be used now; empty while it can."""

    async def check(self) -> str:
        """Return the engine's version; raise EngineSetupError with the reason where it cannot be used."""
        try:
            async with asyncio.timeout(_START_LIMIT):
                facts = cast("dict[str, Any]", await self._execute(("INFO", "server")))
        except self._failures as error:
            raise EngineSetupError(_reason(error)) from None
        return str(facts.get("valkey_version") or facts.get("redis_version", "?"))

    async def run(self, *command: str | float | bytes) -> Any:  # noqa: ANN401 - whatever the command answers
        """Run one command; raise StoreUnreachableError where no answer comes in time."""
        async with self._places:  # a crowd of callers is no failure of the engine's
            if self.trouble:
                raise StoreUnreachableError
            task = asyncio.create_task(self._execute(command))
            task.add_done_callback(_retrieve)
            for limit in (LIMIT, _SECOND_LOOK):
                await asyncio.wait({task}, timeout=limit)
                if task.done():
                    break
        try:
            return task.result()
        except asyncio.InvalidStateError:
            task.cancel()
            self._fail("it does not answer in time")
        except self._failures as error:
            self._fail(_reason(error))
        raise StoreUnreachableError

    async def trouble_now(self) -> str:
        """Ask the engine, and return why it cannot be used; empty if it can."""
        with suppress(StoreUnreachableError):
            await self.run("PING")
        return self.trouble

    async def script(self, name: str, keys: list[str], *arguments: str | float | bytes) -> Any:  # noqa: ANN401
        """Run one of the scripts beside this module, as one step that no other server interrupts."""
        text, digest = _script(name)
        try:
            return await self.run("EVALSHA", digest, len(keys), *keys, *arguments)
        except _UnknownScriptError:
            return await self.run("EVAL", text, len(keys), *keys, *arguments)

    async def aclose(self) -> None:
        """Close all connections; what is asked afterwards fails."""
        self.trouble = "it is closed"
        if self._probe:
            self._probe.cancel()
        await self._client.aclose()
        await self._pool.disconnect()

    async def _execute(self, command: tuple[str | int | float | bytes, ...]) -> Any:  # noqa: ANN401
        try:
            answer: object = await self._client.execute_command(*command)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            return cast("Any", answer)
        except self._no_script:
            raise _UnknownScriptError from None

    def _fail(self, why: str) -> None:
        if self.trouble:
            return
        self.trouble = why
        _logger.warning("the shared store cannot be used: %s", why)
        self._probe = asyncio.create_task(self._until_it_answers())

    async def _until_it_answers(self) -> None:
        await self._pool.disconnect(inuse_connections=False)  # those may lead nowhere
        while self.trouble:
            await asyncio.sleep(_PROBE_EVERY)
            with suppress(*self._failures):
                async with asyncio.timeout(LIMIT):
                    await self._execute(("PING",))
                self.trouble = ""
        _logger.warning("the shared store can be used again")


class _UnknownScriptError(Exception):
    """The engine does not hold the script (any more)."""


def digest(*parts: str) -> str:
    """Return what stands for a portal, a user or an id in a key's name."""
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


@cache
def _script(name: str) -> tuple[str, str]:
    text = (
        files("bitrix24_chat_mcp.portal.shared")
        .joinpath("scripts", f"{name}.lua")
        .read_text(encoding="utf-8")
    )
    return text, sha1(text.encode()).hexdigest()  # noqa: S324 - the engine's own name for it


def _scheme(url: str) -> str:
    """Return the address with the library's own names of the two schemes."""
    return url.replace("redis://", "valkey://", 1).replace("rediss://", "valkeys://", 1)


def _reason(error: BaseException) -> str:
    """Say why in our own words: the library's may repeat the address."""
    name = type(error).__name__
    if name in {"AuthenticationError", "NoPermissionError", "AuthenticationWrongNumberOfArgsError"}:
        return "it does not accept the user or password"
    if isinstance(error, TimeoutError) or name == "TimeoutError":
        return "it does not answer in time"
    if isinstance(error, OSError) or name == "ConnectionError":
        return "it cannot be reached"
    return f"it refuses ({name})"


def _retrieve(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()  # so that one whose caller has gone is not reported as lost
