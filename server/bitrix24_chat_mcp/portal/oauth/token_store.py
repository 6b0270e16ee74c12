"""Where tokens are stored between starts: the system's keyring, or files that only their owner can read.

Every entry has a generation, which changes with each save. `save` compares it, so a process that was
frozen for a while cannot overwrite what another one has saved meanwhile. A stored text is on disk, whole,
when `save` returns. Every access to disk or keyring runs in a thread. A store that fails raises OSError.
"""

import asyncio
import os
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

import anyio

if TYPE_CHECKING:
    from filelock import BaseFileLock
    from keyring.backend import KeyringBackend

T = TypeVar("T")
SERVICE = "bitrix24-chat-mcp"
Kind = Literal["auto", "keyring", "file"]
_POLL = 0.05  # seconds between two attempts to get a lock
_WRITE_TIMEOUT = 10.0  # seconds to wait for another process that is writing
_RETENTION = 200 * 86400  # seconds; Bitrix24's refresh tokens live 180 days
_MOST_THREADS = 16
_FIRST_GENERATION_BITS = 32


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A stored text and its generation."""

    text: str = field(repr=False)
    generation: int


class ConflictError(Exception):
    """The entry has another generation than expected: it has been saved or deleted meanwhile."""


class TokenStore(Protocol):
    """Stores texts by key. No method blocks the event loop."""

    async def load(self, key: str) -> StoredToken | None:
        """Return the entry, or None if there is none."""
        ...

    async def save(self, key: str, text: str, *, generation: int | None) -> StoredToken:
        """Store a text durably and return it with its new generation.

        `generation` is that of the entry to replace, None if there must be none yet. Raises ConflictError
        if the entry has another one.
        """
        ...

    async def delete(self, key: str, *, generation: int | None = None) -> None:
        """Delete the entry, if there is one.

        With `generation` raises ConflictError if the entry has another one.
        """
        ...

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Wait for the exclusive right to refresh what is stored under a key, across processes.

        A lock may be lost when its holder is frozen for long; `save` compares generations for that case.
        """
        ...


class LocalTokenStore(ABC):
    """A store on this machine, of which subclasses read and write single entries, in a thread.

    `folder` is the place of the lock files. A store may be shared by processes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._threads = ThreadPoolExecutor(_MOST_THREADS, "token-store")

    async def load(self, key: str) -> StoredToken | None:
        """Return the entry, or None if there is none."""
        return await self._in_thread(lambda: self._load(key))

    async def save(self, key: str, text: str, *, generation: int | None) -> StoredToken:
        """Store a text, durably; raise ConflictError if the entry has another generation."""

        def save() -> StoredToken:
            with self._unchanged(key, generation):
                first = secrets.randbits(_FIRST_GENERATION_BITS)  # never that of an entry deleted before
                new = StoredToken(text, first if generation is None else generation + 1)
                self._write(key, f"{new.generation}\n{text}")
                return new

        return await self._in_thread(save)

    async def delete(self, key: str, *, generation: int | None = None) -> None:
        """Delete the entry; raise ConflictError if it has another generation than a given one."""

        def delete() -> None:
            if generation is None:
                return self._remove(key)
            with self._unchanged(key, generation):
                return self._remove(key)

        await self._in_thread(delete)

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncGenerator[None]:
        """Hold a lock file; the system releases it when the process ends."""
        lock = await self._in_thread(lambda: _file_lock(self._path(key, ".lock")))
        while not await self._uninterrupted(lambda: _try_acquire(lock)):  # noqa: ASYNC110 - of another process
            await anyio.sleep(_POLL)
        try:
            yield
        finally:
            await self._uninterrupted(lock.release)

    @abstractmethod
    def _read(self, key: str) -> str | None: ...

    @abstractmethod
    def _write(self, key: str, text: str) -> None: ...

    @abstractmethod
    def _remove(self, key: str) -> None: ...

    def _load(self, key: str) -> StoredToken | None:
        stored = self._read(key)
        if stored is None:
            return None
        head, _, text = stored.partition("\n")
        if head.isascii() and head.isdigit():
            return StoredToken(text, int(head))
        return StoredToken(stored, 0)  # as versions before generations wrote it

    @contextmanager
    def _unchanged(self, key: str, generation: int | None) -> Generator[None]:
        """Let no other process write while the generation is compared and the entry changed."""
        with _file_lock(self.folder.with_name(f"{self.folder.name}.lock")).acquire(timeout=_WRITE_TIMEOUT):
            stored = self._load(key)
            if (stored.generation if stored else None) != generation:
                raise ConflictError
            yield

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _uninterrupted(self, work: Callable[[], T]) -> T:
        """Wait for the thread even when cancelled: a lock that it gets has to be released."""
        done = asyncio.get_running_loop().run_in_executor(self._threads, work)
        with anyio.CancelScope(shield=True):
            await asyncio.wait([done])
        return done.result()

    def _path(self, key: str, suffix: str) -> Path:
        return self.folder / (sha256(key.encode()).hexdigest()[:32] + suffix)


class FileTokenStore(LocalTokenStore):
    """A folder of mode 0700 with a file of mode 0600 for each key."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._swept = False

    def _read(self, key: str) -> str | None:
        try:
            return self._path(key, ".json").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def _write(self, key: str, text: str) -> None:
        """Write a draft, then rename it: at every moment the old text or the new one is there, whole."""
        path, draft = self._path(key, ".json"), self._path(key, ".new")
        _make_folder(self.folder)
        self._sweep()
        with suppress(FileNotFoundError):  # left there by a crash
            draft.unlink()
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        self._sync_folder()

    def _remove(self, key: str) -> None:
        with suppress(FileNotFoundError):
            self._path(key, ".json").unlink()
            self._sync_folder()

    def _sweep(self) -> None:
        """Delete entries that have not been saved for longer than any token lives; once in a process."""
        if self._swept:
            return
        self._swept = True
        for file in self.folder.glob("*.json"):
            if file.stat().st_mtime < time.time() - _RETENTION:
                file.unlink(missing_ok=True)

    def _sync_folder(self) -> None:
        if not hasattr(os, "O_DIRECTORY"):  # Windows cannot sync folders
            return
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class KeyringTokenStore(LocalTokenStore):
    """The system's keyring. Keyrings have no locks, so those are files in `folder`."""

    def __init__(self, keyring: "KeyringBackend", folder: Path) -> None:
        super().__init__(folder)
        self._keyring = keyring

    def _read(self, key: str) -> str | None:
        with _keyring_errors():
            return self._keyring.get_password(SERVICE, key)

    def _write(self, key: str, text: str) -> None:
        with _keyring_errors():
            self._keyring.set_password(SERVICE, key, text)  # pyright: ignore[reportUnknownMemberType]

    def _remove(self, key: str) -> None:
        with _keyring_errors():
            if self._keyring.get_password(SERVICE, key) is not None:
                self._keyring.delete_password(SERVICE, key)


def open_token_store(kind: Kind, folder: Path) -> TokenStore:
    """Return the store: with `auto` the keyring where the system has one, else files in `folder`.

    Blocks while the keyring's library is imported. Raises OSError for `keyring` where there is none.
    """
    if kind == "file":
        return FileTokenStore(folder)
    import keyring  # noqa: PLC0415 - a third of a second that only a sign-in needs

    backend = keyring.get_keyring()
    if backend.priority >= 1:  # those below refuse to store anything, or store it in plain text
        return KeyringTokenStore(backend, folder)
    if kind == "keyring":
        raise OSError("this system offers no keyring")
    return FileTokenStore(folder)


def _file_lock(path: Path) -> "BaseFileLock":
    from filelock import FileLock  # noqa: PLC0415 - not before a user signs in

    _make_folder(path.parent)
    return FileLock(path, mode=0o600, thread_local=False)


def _try_acquire(lock: "BaseFileLock") -> bool:
    from filelock import Timeout  # noqa: PLC0415 - see _file_lock

    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    return True


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


@contextmanager
def _keyring_errors() -> Generator[None]:
    from keyring.errors import KeyringError  # noqa: PLC0415 - see open_token_store

    try:
        yield
    except KeyringError as error:
        raise OSError(f"the system's keyring refuses ({type(error).__name__})") from None
