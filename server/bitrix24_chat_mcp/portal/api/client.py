"""The portal as one user sees it: one method per REST method."""

import asyncio
from collections.abc import Awaitable, Collection, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, Protocol, TypedDict, TypeVar

import msgspec
from typing_extensions import Unpack

from .counters import Counters, read_counters
from .credentials import Credentials
from .errors import ApiError, InvalidRequestError
from .lenient_json import decode, user_number
from .models import Listing, read_listing, read_page
from .rest import ApiResult, Reader, Request, raw, timestamp, yes_no

T = TypeVar("T")


class Send(Protocol):
    """Sends requests: the pipeline."""

    def __call__(self, request: Request[T], /) -> Awaitable[ApiResult[T]]:
        """Return the portal's answer, read, or raise a PortalError."""
        ...


class Meaning(TypedDict, total=False):
    """What a `Request` should know of a method beside its parameters; see there."""

    writes: bool
    idempotent: bool
    fresh: bool


Flag = Literal["skip_openlines", "skip_chat", "skip_dialog", "only_openlines"]
MOST_A_PAGE = 200
MOST_PINS, MOST_PINS_BEFORE_2026 = 45, 25
"""Bitrix24 pins no more; it answers `false`, not an error, to one more. Builds of 2024 pin 25."""
_LARGEST_ID = 10**12


def reader(kind: type[T]) -> Reader[T]:
    """Return a reader of results that have the shape of a msgspec type."""
    decoder = msgspec.json.Decoder(kind)
    return lambda result, _me: decode(result, decoder)


def demand(*, done: bool) -> None:
    """Raise where the portal's answer is `false`, which is how it refuses without an error."""
    if not done:
        raise InvalidRequestError(
            "NOT_DONE", "The portal answered false: it did nothing.", "Tell the user so."
        )


class _Dialog(msgspec.Struct):
    id: Any = 0
    name: Any = ""


class _ProfilePayload(msgspec.Struct):
    ID: Any = ""
    NAME: Any = ""
    LAST_NAME: Any = ""


_profiles = msgspec.json.Decoder(_ProfilePayload)


@dataclass(frozen=True, slots=True)
class Profile:
    """A user's number, and their name, which may be empty."""

    user: str
    name: str


def read_profile(result: msgspec.Raw, _me: str) -> Profile:
    """Read a `profile` result; raise ValueError where it does not say whose it is."""
    found = decode(result, _profiles)
    names = [name for name in (found.NAME, found.LAST_NAME) if isinstance(name, str)]
    return Profile(user_number(found.ID), " ".join(names).strip())


_read_bool, _read_dialog, _read_scopes = reader(bool), reader(_Dialog), reader(list[str])


@dataclass(frozen=True, slots=True)
class Portal:
    """One user's portal: `send` takes the requests, `credentials` say whose they are."""

    send: Send
    credentials: Credentials

    async def recent(
        self, flags: Collection[Flag] = (), since: datetime | None = None, *, fresh: bool = False
    ) -> Listing:
        """List the recent chats (`im.recent.get`), as many as the portal returns at once.

        Without `since`, the chats active in the last 30 days. With it, those changed since, within the
        last 7 days: the portal silently replaces an earlier date by that.
        """
        params = _flags(flags)
        if since:
            params["LAST_SYNC_DATE"] = timestamp(since)
        return _listing(await self.ask("im.recent.get", params, read_listing, fresh=fresh))

    async def pin(self, dialog_id: str, *, pin: bool) -> bool:
        """Pin or unpin a chat (`im.recent.pin`); return false where the portal did nothing.

        `dialog_id` must be `chatN` in lower case or a user's number: for anything else the portal may
        return true without pinning.
        """
        params = {"DIALOG_ID": dialog_id, "PIN": yes_no(pin)}
        return (await self.ask("im.recent.pin", params, _read_bool, writes=True)).result

    async def recent_and_pinned(self, flags: Collection[Flag] = (), *, fresh: bool = False) -> Listing:
        """List the recent chats and all pinned ones.

        Two REST methods are needed: `im.recent.get` leaves out chats without activity for 30 days,
        `im.recent.list` leaves out task chats. The latter returns pinned chats first, so one page has them.
        """
        # im.recent.list does not know only_openlines.
        skipped: list[Flag] = [flag for flag in flags if flag != "only_openlines"]
        recent, page = await _together(
            self.recent(flags, fresh=fresh), self._first_page(skipped, fresh=fresh)
        )
        listed = {chat.dialog_id for chat in recent.chats}
        older = [chat for chat in page.chats if chat.pinned and chat.dialog_id not in listed]
        return replace(recent, chats=[*recent.chats, *older])

    async def _first_page(self, flags: Collection[Flag], *, fresh: bool) -> Listing:
        params = {"LIMIT": MOST_A_PAGE, **_flags(flags)}
        return _listing(await self.ask("im.recent.list", params, read_page, fresh=fresh))

    async def counters(self) -> Counters:
        """Return what is unread in all chats, listed or not (`im.counters.get`), never out of the cache."""
        return (await self.ask("im.counters.get", {}, read_counters, fresh=True)).result

    async def read_all(self) -> None:
        """Mark every chat as read (`im.dialog.read.all`).

        Doing it twice may mark what came in between.
        """
        answer = await self.ask("im.dialog.read.all", {}, _read_bool, writes=True, idempotent=False)
        demand(done=answer.result)

    async def dialog(self, dialog_id: str) -> tuple[str, str]:
        """Return the id and the title of a dialog (`im.dialog.get`); the `chatN` behind an `sgN`."""
        dialog = (await self.ask("im.dialog.get", {"DIALOG_ID": dialog_id}, _read_dialog)).result
        title = dialog.name if isinstance(dialog.name, str) else ""
        if dialog_id.isdigit():
            return dialog_id, title
        if not isinstance(dialog.id, int) or not 0 < dialog.id < _LARGEST_ID or dialog.id is True:
            raise ApiError("ACCESS_ERROR")
        return f"chat{dialog.id}", title

    async def answers(self) -> None:
        """Raise unless a Bitrix24 portal answers, be it with an error code (`server.time`)."""
        with suppress(ApiError):
            await self.ask("server.time", {}, raw)

    async def owner(self) -> str:
        """Return the name of the credentials' user (`profile`)."""
        profile = (await self.ask("profile", {}, read_profile)).result
        return profile.name or f"user {profile.user}"

    async def demand_scope(self, scope: str) -> None:
        """Raise unless the credentials have the permission (`scope`)."""
        if scope not in (await self.ask("scope", {}, _read_scopes)).result:
            raise ApiError("INSUFFICIENT_SCOPE")

    async def ask(
        self,
        method: str,
        params: Mapping[str, str | int],
        reader: Reader[T],
        **meaning: Unpack[Meaning],
    ) -> ApiResult[T]:
        """Call a REST method as this user; raise a PortalError."""
        return await self.send(Request(self.credentials, method, params, reader=reader, **meaning))


def _listing(answer: ApiResult[Listing]) -> Listing:
    return replace(answer.result, as_of=answer.as_of, age=answer.age)


def _flags(flags: Collection[Flag]) -> dict[str, str | int]:
    return {flag.upper(): "Y" for flag in flags}


async def _together(first: Coroutine[Any, Any, T], second: Coroutine[Any, Any, T]) -> tuple[T, T]:
    """Await two at once; when one fails, cancel the other and raise that failure."""
    try:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(first), tasks.create_task(second)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return running[0].result(), running[1].result()
