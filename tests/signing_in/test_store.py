"""What is kept between starts is whole, and its owner's alone."""

import os
import stat
import sys
import time
from pathlib import Path

import anyio
import keyring
import keyring.backends.fail
import pytest
from bitrix24_chat_mcp.portal.oauth.application import OAuthCredentials, TokenPair
from bitrix24_chat_mcp.portal.oauth.token_store import FileTokenStore, KeyringTokenStore, open_token_store
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError
from stored_tokens import replace, text_of

KEY = "https://acme.bitrix24.example"


class Safe(KeyringBackend):
    """A keyring in memory."""

    priority = 5  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride, reportIncompatibleVariableOverride]

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.held.pop((service, username), None) is None:
            raise PasswordDeleteError


async def test_files_keep_one_text_a_key_until_it_is_forgotten(tmp_path: Path) -> None:
    store = FileTokenStore(tmp_path / "deep" / "down")
    assert await text_of(store, KEY) is None
    await replace(store, KEY, "one")
    await replace(store, "another", "two")
    await replace(store, KEY, "three")
    assert (await text_of(store, KEY), await text_of(store, "another")) == ("three", "two")
    await store.delete(KEY)
    await store.delete(KEY)
    assert (await text_of(store, KEY), await text_of(store, "another")) == (None, "two")


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no modes; the user's profile is closed there"
)
async def test_only_the_owner_can_read_the_files_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        await replace(FileTokenStore(tmp_path / "here"), KEY, "secret")
    finally:
        os.umask(before)
    (file,) = (tmp_path / "here").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert KEY not in file.name


async def test_what_a_crash_left_beside_does_no_harm(tmp_path: Path) -> None:
    store = FileTokenStore(tmp_path)
    await replace(store, KEY, "whole")
    (file,) = tmp_path.iterdir()
    file.with_suffix(".new").write_text("hal")
    assert await text_of(store, KEY) == "whole"
    await replace(store, KEY, "next")
    assert await text_of(store, KEY) == "next"
    assert [kept.name for kept in tmp_path.iterdir()] == [file.name]


async def test_what_nobody_has_renewed_for_longer_than_a_token_lives_is_deleted(tmp_path: Path) -> None:
    await replace(FileTokenStore(tmp_path), KEY, "old")
    await replace(FileTokenStore(tmp_path), "another", "young")
    store = FileTokenStore(tmp_path)
    ages = {path: 201 if path.read_text().endswith("old") else 179 for path in tmp_path.iterdir()}
    for path, days in ages.items():
        moment = time.time() - days * 86400
        os.utime(path, (moment, moment))
    await replace(store, "a third", "new")
    found = [await text_of(store, key) for key in (KEY, "another", "a third")]
    assert found == [None, "young", "new"]


@pytest.mark.parametrize("at_keyring", [False, True])
async def test_one_at_a_time_has_the_turn(tmp_path: Path, *, at_keyring: bool) -> None:
    def another() -> FileTokenStore | KeyringTokenStore:
        return KeyringTokenStore(Safe(), tmp_path) if at_keyring else FileTokenStore(tmp_path)

    inside: list[str] = []

    async def work(name: str) -> None:
        async with another().lock(KEY):
            inside.append(name)
            await anyio.lowlevel.checkpoint()
            inside.append(name)

    async with anyio.create_task_group() as tasks:
        for name in "abc":
            tasks.start_soon(work, name)
    assert [first == second for first, second in zip(inside[::2], inside[1::2], strict=True)] == [True] * 3


async def test_a_keyring_keeps_the_same_texts_and_no_file(tmp_path: Path) -> None:
    store = KeyringTokenStore(Safe(), tmp_path)
    assert await text_of(store, KEY) is None
    await store.delete(KEY)
    await replace(store, KEY, "secret")
    assert await text_of(store, KEY) == "secret"
    await store.delete(KEY)
    assert await text_of(store, KEY) is None
    assert not list(tmp_path.iterdir())


async def test_a_locked_keyring_is_an_error_of_the_system(tmp_path: Path) -> None:
    safe = Safe()
    safe.locked = True
    with pytest.raises(OSError, match="keyring refuses"):
        await KeyringTokenStore(safe, tmp_path).load(KEY)


def test_the_kind_of_store_follows_the_setting_and_the_system(tmp_path: Path) -> None:
    before = keyring.get_keyring()
    try:
        keyring.set_keyring(Safe())
        assert isinstance(open_token_store("auto", tmp_path), KeyringTokenStore)
        assert isinstance(open_token_store("file", tmp_path), FileTokenStore)
        keyring.set_keyring(keyring.backends.fail.Keyring())
        assert isinstance(open_token_store("auto", tmp_path), FileTokenStore)
        with pytest.raises(OSError, match="offers no keyring"):
            open_token_store("keyring", tmp_path)
    finally:
        keyring.set_keyring(before)


def test_credentials_are_the_same_user_s_whatever_the_token_and_show_none() -> None:
    first = OAuthCredentials(KEY, TokenPair(KEY, "1", "s3cr3t-access", "s3cr3t-refresh"))
    renewed = OAuthCredentials(KEY, TokenPair(KEY, "1", "another", "another"))
    other = OAuthCredentials(KEY, TokenPair(KEY, "2", "s3cr3t-access", "s3cr3t-refresh"))
    assert first == renewed
    assert hash(first) == hash(renewed)
    assert first != other
    assert first.address("im.recent.get") == f"{KEY}/rest/im.recent.get"
    assert "s3cr3t" not in f"{first!r} {first.pair!r}"
