"""The connection to the engine: no caller waits long for it, nor at all once it is known to be down."""

import asyncio
import logging
import ssl
from collections.abc import Coroutine
from contextlib import suppress
from functools import cache
from hashlib import sha1, sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import unquote, urlsplit

from bitrix24_chat_mcp.portal.api.errors import StoreUnreachableError
from bitrix24_chat_mcp.portal.api.known_secrets import known
from bitrix24_chat_mcp.portal.transport.engine_use import Command, current_use

from .read_ahead import ReadAhead

if TYPE_CHECKING:
    from valkey.asyncio.connection import AbstractConnection

LIMIT = 0.24
"""Seconds that a round trip may take; once one has taken longer, nobody waits for the engine any more."""
_LOOK = 0.04
"""Seconds between two looks for an answer. A stall of this process counts as one look, however long."""
_PROBE_EVERY = 0.5
_CONNECTIONS = 32
_START_LIMIT = 5.0
T = TypeVar("T")
_logger = logging.getLogger(__name__)


class EngineSetupError(Exception):
    """The engine cannot be used as it is set up: one sentence about why."""


class Engine:
    """Runs commands and scripts; after a failure they fail at once, until a background probe succeeds.

    The library has no limits of its own: what is late here may have been answered while this process stood
    still. A command goes on without a caller who does not wait any more.
    """

    def __init__(self, url: str) -> None:
        try:
            from valkey.asyncio import ConnectionPool, Valkey  # noqa: PLC0415 - an extra, and 0.1 s
            from valkey.exceptions import NoScriptError, ValkeyError  # noqa: PLC0415
        except ImportError:
            raise EngineSetupError("the extra is missing; install bitrix24-chat-mcp[replicas]") from None
        known.register(self, unquote(urlsplit(url).password or ""))
        self._failures = (ValkeyError, OSError, asyncio.TimeoutError)
        self._no_script = NoScriptError
        try:
            self._pool = ConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType]
                _scheme(url), **_options(url)
            )
        except ValueError:
            raise EngineSetupError("it is not an address such as valkey://HOST:6379/0") from None
        self._client = Valkey(connection_pool=self._pool)
        self._places = asyncio.Semaphore(_CONNECTIONS)
        self._running: set[asyncio.Task[list[Any]]] = set()
        self._probe: asyncio.Task[None] | None = None
        self.read = ReadAhead(self._ask)
        """Runs a command that changes nothing, with those that such a request reads next."""
        self.trouble = ""
        """Why the engine cannot be used now; empty while it can."""

    async def check(self) -> str:
        """Return the engine's version; raise EngineSetupError with the reason where it cannot be used."""
        try:
            async with asyncio.timeout(_START_LIMIT):
                facts = cast("dict[str, Any]", await self._client.info("server"))  # pyright: ignore[reportUnknownMemberType]
        except self._failures as error:
            raise EngineSetupError(_reason(error)) from None
        return str(facts.get("valkey_version") or facts.get("redis_version", "?"))

    async def run(self, *command: str | float | bytes) -> Any:  # noqa: ANN401 - whatever the command answers
        """Run one command; raise StoreUnreachableError where no answer comes in time."""
        return (await self.run_all(command))[0]

    async def run_all(self, *commands: Command) -> list[Any]:
        """Run some commands in one round trip, each as a step of its own."""
        if use := current_use():
            use.read_ahead.clear()
        return await self._ask(*commands)

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
        for task in (*self._running, *([self._probe] if self._probe else [])):
            task.cancel()
        await self._client.aclose()
        await self._pool.disconnect()

    async def _ask(self, *commands: Command) -> list[Any]:
        """Run commands in one round trip; the caller waits no longer than its request may."""
        await self._places.acquire()  # a crowd of callers is no failure of the engine's
        if self.trouble:
            self._places.release()
            raise StoreUnreachableError
        task = asyncio.create_task(self._judged(commands))
        self._running.add(task)
        task.add_done_callback(self._end)
        return await patiently(task)

    async def _judged(self, commands: tuple[Command, ...]) -> list[Any]:
        """Run commands; an engine that does not answer in time has failed for all."""
        try:
            return await self._execute(*commands)
        except self._no_script:
            raise _UnknownScriptError from None
        except self._failures as error:
            self._fail(_reason(error))
        raise StoreUnreachableError

    def _end(self, task: "asyncio.Task[list[Any]]") -> None:
        self._places.release()
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # so that one whose caller has gone is not reported as lost

    async def _execute(self, *commands: Command) -> list[Any]:
        connection = await _in_time(self._pool.get_connection(""))  # pyright: ignore[reportUnknownMemberType]
        try:
            return await _in_time(_converse(connection, commands))
        finally:
            await self._pool.release(connection)

    def _fail(self, why: str) -> None:
        if self.trouble:
            return
        self.trouble = why
        _logger.warning("the shared store cannot be used: %s", why)
        self._probe = asyncio.create_task(self._until_it_answers())

    async def _until_it_answers(self) -> None:
        while self.trouble:
            await self._pool.disconnect(inuse_connections=False)  # those may lead nowhere
            try:
                await self._execute(("PING",))
                self.trouble = ""
            except self._failures:
                await asyncio.sleep(_PROBE_EVERY)
        _logger.warning("the shared store can be used again")


class _UnknownScriptError(Exception):
    """The engine does not hold the script (any more)."""


async def patiently(task: asyncio.Task[T]) -> T:
    """Return what a task does, which goes on without a caller whose request may not wait any longer."""
    if use := current_use():
        use.seconds_left = await _watch(task, use.seconds_left)
        if not task.done():
            raise StoreUnreachableError
    return await asyncio.shield(task)


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


def _options(url: str) -> dict[str, Any]:
    """Return the library's options: no limits, no greeting that costs a round trip, and checked names."""
    options: dict[str, Any] = {"socket_timeout": None, "lib_name": None, "lib_version": None}
    return options | ({"ssl_check_hostname": True} if url.startswith("rediss://") else {})


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
    if isinstance(error.__context__, ssl.SSLCertVerificationError):
        return f"its TLS certificate is not trusted ({error.__context__.verify_message})"
    if isinstance(error, OSError) or name == "ConnectionError":
        return "it cannot be reached"
    return f"it refuses ({name})"


async def _converse(connection: "AbstractConnection", commands: tuple[Command, ...]) -> list[Any]:
    """Send commands at once, and read their answers."""
    try:
        await connection.send_packed_command(connection.pack_commands(commands))  # pyright: ignore[reportUnknownMemberType]
        return [await connection.read_response() for _ in commands]  # pyright: ignore[reportUnknownMemberType]
    except Exception:
        if len(commands) > 1:  # further answers may lie there
            await connection.disconnect()
        raise


async def _in_time(step: Coroutine[Any, Any, T]) -> T:
    """Return what a step with one round trip brings; raise TimeoutError where that takes too long."""
    task = asyncio.create_task(step)
    try:
        await _watch(task, LIMIT)
        if not task.done():
            raise TimeoutError
        return task.result()
    finally:
        task.cancel()


async def _watch(task: "asyncio.Task[Any]", seconds: float) -> float:
    """Wait for a task in short looks; return how much of the time is left."""
    clock = asyncio.get_running_loop().time
    while seconds > 0 and not task.done():
        look, began = min(_LOOK, seconds), clock()
        await asyncio.wait({task}, timeout=look)
        seconds -= min(look, clock() - began)
    return seconds
