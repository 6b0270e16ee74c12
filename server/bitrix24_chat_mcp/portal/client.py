"""The portal as one user sees it: one method per REST method."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from .auth import Credentials
from .errors import RefusedError, UnclearAnswerError
from .models import Listing, read_listing
from .rest import Answer, Request, timestamp, yes_no

T = TypeVar("T")
Line = Callable[[Request], Awaitable[Answer]]
"""Where requests go: it returns the portal's answer or raises a PortalError."""


MOST_A_PAGE = 200
MOST_PINS = 45
"""Bitrix24 pins no more; it answers `false`, not an error, to one more."""


class _Pinned(msgspec.Struct):
    id: Any = ""
    pinned: Any = False


class _Page(msgspec.Struct):
    items: list[_Pinned | None]


class _Profile(msgspec.Struct):
    ID: Any = ""
    NAME: Any = ""
    LAST_NAME: Any = ""


@dataclass(frozen=True, slots=True)
class Portal:
    """One user's portal: `line` carries the requests, `credentials` make them somebody's."""

    line: Line
    credentials: Credentials

    async def recent(
        self,
        *,
        skip_openlines: bool = False,
        skip_chat: bool = False,
        skip_dialog: bool = False,
        only_openlines: bool = False,
        since: datetime | None = None,
    ) -> Listing:
        """List the recent chats (`im.recent.get`), all that the portal gives at once.

        Without `since`, those active in the last 30 days. With it, those changed since, of the last 7
        days at most: the portal silently moves an earlier date there.
        """
        flags = {
            "SKIP_OPENLINES": skip_openlines,
            "SKIP_CHAT": skip_chat,
            "SKIP_DIALOG": skip_dialog,
            "ONLY_OPENLINES": only_openlines,
        }
        params = {name: yes_no(flag) for name, flag in flags.items() if flag}
        if since:
            params["LAST_SYNC_DATE"] = timestamp(since)
        answer = await self._ask("im.recent.get", params)
        try:
            return read_listing(answer.result, self.credentials.user, answer.as_of)
        except ValueError:
            raise _unexpected("im.recent.get") from None

    async def pin(self, dialog_id: str, *, pin: bool) -> bool:
        """Pin or unpin a chat (`im.recent.pin`); false means that the portal did nothing.

        `dialog_id` must be `chatN` in lower case or a user's number: to anything else the portal may say
        true without pinning.
        """
        params = {"DIALOG_ID": dialog_id, "PIN": yes_no(pin)}
        answer = await self._ask("im.recent.pin", params, writes=True)
        return _decode(answer, bool, "im.recent.pin")

    async def pinned(self) -> set[str]:
        """Return the dialog ids of the pinned chats.

        It takes two lists to see all: `im.recent.list` leaves out task chats, and `im.recent.get` what
        nobody has touched for 30 days.
        """
        params = {"LIMIT": MOST_A_PAGE, "SKIP_OPENLINES": "Y"}  # pinned chats come first, 45 at most
        page = _decode(await self._ask("im.recent.list", params), _Page, "im.recent.list")
        listed = {str(item.id) for item in page.items if isinstance(item, _Pinned) and item.pinned is True}
        return listed | {chat.dialog_id for chat in (await self.recent()).chats if chat.pinned}

    async def dialog_of(self, dialog_id: str) -> str:
        """Return the `chatN` behind a dialog id such as `sg12` (`im.dialog.get`)."""
        answer = await self._ask("im.dialog.get", {"DIALOG_ID": dialog_id})
        found = _decode(answer, dict[str, Any], "im.dialog.get").get("id")
        if not isinstance(found, int) or found <= 0:
            raise RefusedError("ACCESS_ERROR")
        return f"chat{found}"

    async def answers(self) -> None:
        """Make sure that a Bitrix24 portal answers, be it with a refusal (`server.time`)."""
        with suppress(RefusedError):
            await self._ask("server.time", {})

    async def owner(self) -> str:
        """Return the name of the user whose credentials these are (`profile`)."""
        profile = _decode(await self._ask("profile", {}), _Profile, "profile")
        return f"{profile.NAME or ''} {profile.LAST_NAME or ''}".strip() or f"user {profile.ID}"

    async def demand_scope(self, scope: str) -> None:
        """Raise unless the credentials have the permission (`scope`)."""
        if scope not in _decode(await self._ask("scope", {}), list[str], "scope"):
            raise RefusedError("INSUFFICIENT_SCOPE")

    async def _ask(self, method: str, params: Mapping[str, str | int], *, writes: bool = False) -> Answer:
        return await self.line(Request(self.credentials, method, params, writes=writes))


def _decode(answer: Answer, kind: type[T], method: str) -> T:
    try:
        return msgspec.json.decode(answer.result, type=kind)
    except msgspec.DecodeError:
        raise _unexpected(method) from None


def _unexpected(method: str) -> UnclearAnswerError:
    return UnclearAnswerError(
        "UNCLEAR_ANSWER",
        f"The portal answered {method} with a result of an unknown shape.",
        "Try again; if it persists, report it to the people who maintain this server.",
    )
