"""A token store compares generations: what another process has saved meanwhile is never overwritten."""

from pathlib import Path

import anyio
import pytest
from bitrix24_chat_mcp.portal.oauth.local_store import FileTokenStore, KeyringTokenStore
from bitrix24_chat_mcp.portal.oauth.token_store import ConflictError, TokenStore
from support.stored_tokens import replace, text_of

from .test_token_store import KEY, Safe


@pytest.fixture(params=["file", "keyring"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[TokenStore, TokenStore]:
    """Two processes' ways to one store."""
    if request.param == "file":
        return FileTokenStore(tmp_path), FileTokenStore(tmp_path)
    keyring = Safe()
    return KeyringTokenStore(keyring, tmp_path), KeyringTokenStore(keyring, tmp_path)


async def test_a_token_store_refuses_to_save_or_delete_what_was_saved_meanwhile(
    stores: tuple[TokenStore, TokenStore],
) -> None:
    frozen, other = stores
    read = await frozen.save(KEY, "one", generation=None)
    assert await frozen.load(KEY) == read
    await other.save(KEY, "two", generation=read.generation)
    with pytest.raises(ConflictError):
        await frozen.save(KEY, "three", generation=read.generation)
    with pytest.raises(ConflictError):
        await frozen.save(KEY, "three", generation=None)
    with pytest.raises(ConflictError):
        await frozen.delete(KEY, generation=read.generation)
    assert await text_of(frozen, KEY) == "two"


async def test_a_token_store_does_not_take_a_new_sign_in_for_the_one_before(
    stores: tuple[TokenStore, TokenStore],
) -> None:
    frozen, other = stores
    read = await frozen.save(KEY, "one", generation=None)
    await other.delete(KEY)
    with pytest.raises(ConflictError):
        await frozen.save(KEY, "three", generation=read.generation)
    await other.save(KEY, "two", generation=None)
    with pytest.raises(ConflictError):
        await frozen.save(KEY, "three", generation=read.generation)
    assert await text_of(frozen, KEY) == "two"


async def test_ten_processes_that_save_one_generation_have_one_winner(
    stores: tuple[TokenStore, TokenStore],
) -> None:
    first = await stores[0].save(KEY, "first", generation=None)
    won: list[str] = []

    async def save(name: str, store: TokenStore) -> None:
        try:
            await store.save(KEY, name, generation=first.generation)
            won.append(name)
        except ConflictError:
            pass

    async with anyio.create_task_group() as tasks:
        for number in range(10):
            tasks.start_soon(save, str(number), stores[number % 2])
    assert won == [await text_of(stores[0], KEY)]


async def test_a_token_file_of_an_older_version_is_read_as_generation_0(tmp_path: Path) -> None:
    store = FileTokenStore(tmp_path)
    await replace(store, KEY, "x")
    (file,) = tmp_path.iterdir()
    file.write_text('{"portal": "p"}')
    found = await store.load(KEY)
    assert found
    assert (found.text, found.generation) == ('{"portal": "p"}', 0)
    await store.save(KEY, "new", generation=0)
    assert await text_of(store, KEY) == "new"


async def test_a_token_store_lock_that_was_waited_for_in_vain_is_free_again(tmp_path: Path) -> None:
    one, other = FileTokenStore(tmp_path), FileTokenStore(tmp_path)
    async with one.lock(KEY):
        with anyio.move_on_after(0):
            async with other.lock(KEY):
                pytest.fail("two have the lock")
    async with other.lock(KEY):
        pass
