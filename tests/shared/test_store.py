"""Tokens, locks, marks and epochs in a real engine."""

import asyncio
from functools import partial

import anyio
import pytest
from bitrix24_chat_mcp.portal.api.credentials import parse_webhook
from bitrix24_chat_mcp.portal.api.errors import StoreUnreachableError
from bitrix24_chat_mcp.portal.oauth.sealing import Sealer
from bitrix24_chat_mcp.portal.oauth.token_store import ConflictError
from bitrix24_chat_mcp.portal.shared.engine import Engine
from bitrix24_chat_mcp.portal.shared.epochs import SharedEpochs
from bitrix24_chat_mcp.portal.shared.one_time_marks import SharedMarks
from bitrix24_chat_mcp.portal.shared.token_store import SharedTokenStore

from bench.valkey import ValkeyServer

OLD, NEW = b"the old key, of 32 characters  ", b"the new key, of 32 characters  "


@pytest.fixture
def store(engine: Engine) -> SharedTokenStore:
    return SharedTokenStore(engine, Sealer(OLD))


async def test_a_token_that_one_server_saves_another_one_loads(
    store: SharedTokenStore, engine: Engine
) -> None:
    saved = await store.save("user 7", "the pair", generation=None)
    assert await SharedTokenStore(engine, Sealer(OLD)).load("user 7") == saved
    assert await store.load("user 8") is None


async def test_a_save_or_delete_with_an_old_generation_changes_nothing(store: SharedTokenStore) -> None:
    first = await store.save("user 7", "first", generation=None)
    second = await store.save("user 7", "second", generation=first.generation)
    for change in (
        partial(store.save, "user 7", "third", generation=first.generation),
        partial(store.save, "user 7", "third", generation=None),
        partial(store.delete, "user 7", generation=first.generation),
    ):
        with pytest.raises(ConflictError):
            await change()
    assert await store.load("user 7") == second
    await store.delete("user 7", generation=second.generation)
    assert await store.load("user 7") is None


async def test_what_lies_in_the_engine_is_sealed_and_bound_to_its_keys_name(
    store: SharedTokenStore, engine: Engine
) -> None:
    await store.save("user 7", "the secret pair", generation=None)
    await store.save("user 8", "another", generation=None)
    keys = sorted(await engine.run("KEYS", "*"))
    dump = [await engine.run("HGETALL", key) for key in keys]
    assert "secret" not in str(dump) + str(keys)
    assert "user 7" not in str(keys)
    await engine.run("COPY", keys[0], keys[1], "REPLACE")
    loaded = [await store.load(f"user {number}") for number in (7, 8)]
    assert [token is None for token in loaded].count(True) == 1, "the copied one opens nowhere else"


async def test_keys_can_be_rotated_while_servers_run(engine: Engine, store: SharedTokenStore) -> None:
    await store.save("user 7", "the pair", generation=None)
    rotating = SharedTokenStore(engine, Sealer(NEW, OLD))
    token = await rotating.load("user 7")
    assert token
    await rotating.save("user 7", "the next pair", generation=token.generation)
    assert await store.load("user 7") is None
    token = await SharedTokenStore(engine, Sealer(NEW)).load("user 7")
    assert token
    assert token.text == "the next pair"


async def test_one_server_at_a_time_holds_a_lock(store: SharedTokenStore) -> None:
    inside = most = 0

    async def work() -> None:
        nonlocal inside, most
        async with store.lock("user 7"):
            inside += 1
            most = max(most, inside)
            await anyio.sleep(0.01)
            inside -= 1

    await asyncio.gather(*(work() for _ in range(5)))
    assert most == 1


async def test_a_lock_whose_lease_is_over_is_not_taken_from_its_next_holder(
    store: SharedTokenStore, engine: Engine
) -> None:
    async with store.lock("user 7"):
        (name,) = await engine.run("KEYS", "*:lock")
        await engine.run("SET", name, "another server")
    assert await engine.run("GET", name) == b"another server"


async def test_a_mark_is_made_once_across_all_servers(engine: Engine, valkey: ValkeyServer) -> None:
    other = Engine(valkey.url)
    marked = await asyncio.gather(*(SharedMarks(at).mark("code 1", 60) for at in (engine, other) * 4))
    assert marked.count(True) == 1
    assert await SharedMarks(other).is_marked("code 1")
    assert not await SharedMarks(other).is_marked("code 2")
    await other.aclose()


async def test_an_epoch_changes_with_each_write_of_that_user_alone(engine: Engine) -> None:
    epochs = SharedEpochs(engine)
    one, other = (parse_webhook(f"https://acme.bitrix24.com/rest/{user}/code1/") for user in (1, 2))
    before = await epochs.current(one), await epochs.current(other)
    await epochs.advance(one)
    assert await epochs.current(one) != before[0]
    assert await epochs.current(other) == before[1]


async def test_a_crowd_of_callers_is_no_failure_of_the_engine(
    store: SharedTokenStore, engine: Engine
) -> None:
    saved = await store.save("user 7", "the pair", generation=None)
    assert await asyncio.gather(*(store.load("user 7") for _ in range(3000))) == [saved] * 3000
    assert not engine.trouble


@pytest.mark.parametrize("how", ["stopped", "frozen"])
async def test_no_caller_waits_for_an_engine_that_fails_and_a_token_read_before_is_still_good(
    store: SharedTokenStore, engine: Engine, valkey: ValkeyServer, how: str
) -> None:
    saved = await store.save("user 7", "the pair", generation=None)
    if how == "stopped":
        valkey.stop()
    else:
        valkey.freeze()
    for _ in range(1000):  # were each to wait for the engine, this would take minutes
        assert await store.load("user 7") == saved
        with pytest.raises(StoreUnreachableError):
            await store.load("user 8")
        with pytest.raises(StoreUnreachableError):
            await store.save("user 7", "next", generation=saved.generation)
    assert engine.trouble


async def test_when_the_engine_is_back_all_is_as_before_without_a_restart(
    store: SharedTokenStore, engine: Engine, valkey: ValkeyServer
) -> None:
    valkey.stop()
    with pytest.raises(StoreUnreachableError):
        await store.load("user 7")
    valkey.start()
    with anyio.fail_after(20):
        while engine.trouble:  # noqa: ASYNC110 - another process is waited for
            await anyio.sleep(0.01)
    saved = await store.save("user 7", "the pair", generation=None)
    assert await store.load("user 7") == saved
