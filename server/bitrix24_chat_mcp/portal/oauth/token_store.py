"""Where sign-ins are kept between starts: the system's keyring, or files that only their owner reads.

A value is on disk when `save` returns, whole, even if the next instruction is never reached. `turn` lets
one process at a time work on a key; it ends with the process, however that ends. What cannot be kept or
read raises OSError.
"""

import os
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import anyio

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "bitrix24-chat-mcp"
_POLL = 0.05
_DEAD = 200 * 86400  # seconds; Bitrix24's refresh tokens live 180 days
Kind = Literal["auto", "keyring", "file"]


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A stored text and its generation."""

    text: str = field(repr=False)
    generation: int


class ConflictError(Exception):
    """The entry has another generation than expected: it has been saved or deleted meanwhile."""


class TokenStore(Protocol):
    """Keeps texts by key. Another kind of store (Redis, say) has these four methods."""

    def load(self, key: str) -> str | None:
        """Return what is kept, or None."""
        ...

    def save(self, key: str, text: str) -> None:
        """Keep a text, durably, in the place of the one before."""
        ...

    def delete(self, key: str) -> None:
        """Keep nothing any more."""
        ...

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Wait for the sole right to change what is kept, across processes."""
        ...


class FileTokenStore:
    """A folder of mode 0700 with a file of mode 0600 for each key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._swept = False

    def load(self, key: str) -> str | None:
        """Return what is kept, or None."""
        try:
            return self._path(key).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def save(self, key: str, text: str) -> None:
        """Write beside, then rename: at every moment there is the old text or the new one, whole."""
        path, draft = self._path(key), self._path(key, ".new")
        self._make_folder()
        self._sweep()
        with suppress(FileNotFoundError):  # what a crash left there
            draft.unlink()
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        self._sync_folder()

    def delete(self, key: str) -> None:
        """Delete the file."""
        with suppress(FileNotFoundError):
            self._path(key).unlink()
            self._sync_folder()

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncGenerator[None]:
        """Hold a lock file; the system lets go of it when the process ends."""
        from filelock import FileLock, Timeout  # noqa: PLC0415 - not before somebody signs in

        self._make_folder()
        lock = FileLock(self._path(key, ".lock"), mode=0o600, thread_local=False)
        while True:
            try:
                lock.acquire(blocking=False)
                break
            except Timeout:
                await anyio.sleep(_POLL)
        try:
            yield
        finally:
            lock.release()

    def _sweep(self) -> None:
        """Delete what nobody has renewed for longer than any token lives; once in a process."""
        if self._swept:
            return
        self._swept = True
        for file in self._folder.glob("*.json"):
            if file.stat().st_mtime < time.time() - _DEAD:
                file.unlink()

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _path(self, key: str, suffix: str = ".json") -> Path:
        return self._folder / (sha256(key.encode()).hexdigest()[:32] + suffix)

    def _sync_folder(self) -> None:
        if not hasattr(os, "O_DIRECTORY"):  # Windows does without
            return
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class KeyringTokenStore:
    """The system's keyring; turns are taken at `files`, since keyrings know none."""

    def __init__(self, keyring: "KeyringBackend", files: FileTokenStore) -> None:
        self._keyring = keyring
        self._files = files

    def load(self, key: str) -> str | None:
        """Return what is kept, or None."""
        with _keyring_open():
            return self._keyring.get_password(SERVICE, key)

    def save(self, key: str, text: str) -> None:
        """Keep a text as durably as the system's keyring does."""
        with _keyring_open():
            self._keyring.set_password(SERVICE, key, text)  # pyright: ignore[reportUnknownMemberType]

    def delete(self, key: str) -> None:
        """Delete the entry."""
        with _keyring_open():
            if self._keyring.get_password(SERVICE, key) is not None:
                self._keyring.delete_password(SERVICE, key)

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Hold a lock file."""
        return self._files.lock(key)


@contextmanager
def _keyring_open() -> Generator[None]:
    from keyring.errors import KeyringError  # noqa: PLC0415 - see open_store

    try:
        yield
    except KeyringError as error:
        raise OSError(f"the system's keyring refuses ({type(error).__name__})") from None


def open_token_store(kind: Kind, folder: Path) -> TokenStore:
    """Return the store: with `auto` the keyring where the system has one, else files in `folder`.

    Raises OSError for `keyring` where there is none.
    """
    files = FileTokenStore(folder)
    if kind == "file":
        return files
    import keyring  # noqa: PLC0415 - a third of a second that only a sign-in needs

    backend = keyring.get_keyring()
    if backend.priority >= 1:  # those below refuse to keep anything, or keep it in plain sight
        return KeyringTokenStore(backend, files)
    if kind == "keyring":
        raise OSError("this system offers no keyring")
    return files
