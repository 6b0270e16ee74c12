"""One chat from inside, as one user sees it: its history, its marks. One method per REST method."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from typing_extensions import Unpack

from .client import Meaning, Portal, demand, reader
from .errors import ApiError
from .history import DialogState, History, read_counter, read_dialog, read_history
from .rest import ApiResult, Reader, timestamp, yes_no

T = TypeVar("T")
MOST_MESSAGES = 50
"""`im.dialog.messages.get` gives no more at once."""
SHORTEST_QUERY = 3
"""Characters; to a shorter query the portal answers with every message."""
_read_bool = reader(bool)


@dataclass(frozen=True, slots=True)
class PortalDialog:
    """One chat of one user. `id` is `chatN`, `sgN` or a user's number, as `rest.dialog_id` returns it."""

    portal: Portal
    id: str

    async def state(self) -> DialogState:
        """Return how the chat stands now (`im.dialog.get`), never out of the cache."""
        return (await self._ask("im.dialog.get", {}, read_dialog, fresh=True)).result

    async def messages(self, limit: int, before: int = 0) -> History:
        """Return the newest messages, or those before an id (`im.dialog.messages.get`); marks none as read.

        LAST_ID is always sent: without it, and with more unread messages than LIMIT, the portal leaves out
        the newest. 0 stands for the end of the history. It may still give more than LIMIT.
        """
        params = {"LIMIT": min(limit, MOST_MESSAGES), "LAST_ID": before}
        return _dated(await self._ask("im.dialog.messages.get", params, read_history))

    async def search(
        self,
        chat_id: int,
        query: str,
        limit: int,
        since: datetime | None = None,
        until: datetime | None = None,
        before: int = 0,
    ) -> History:
        """Return the newest messages that hold `query` (`im.dialog.messages.search`), or those before an id.

        The portal puts the query into SQL's LIKE as it is: `%` and `_` stand for other characters.
        """
        span = {"DATE_FROM": since, "DATE_TO": until}
        params: dict[str, str | int] = {"CHAT_ID": chat_id, "SEARCH_MESSAGE": query, "LIMIT": limit}
        params |= {name: timestamp(moment) for name, moment in span.items() if moment}
        params |= {"LAST_ID": before} if before else {}
        return _dated(await self.portal.ask("im.dialog.messages.search", params, read_history))

    async def mark_read(self, up_to: int) -> int:
        """Mark messages as read, up to one (`im.dialog.read`); return how many are unread then.

        The mark that was set by hand stays, see `set_mark`.
        """
        unread = await self._write("im.dialog.read", {"MESSAGE_ID": up_to}, read_counter)
        if unread is None:  # the portal's false: the user has no access
            raise ApiError("ACCESS_ERROR")
        return unread

    async def mark_unread(self, since: int) -> None:
        """Mark a message and all later ones as unread (`im.dialog.unread`).

        The portal says true whether or not it has done so.
        """
        demand(done=await self._write("im.dialog.unread", {"MESSAGE_ID": since}, _read_bool))

    async def set_mark(self, *, unread: bool) -> bool:
        """Set or clear the mark that people set by hand (`im.recent.unread`); its counter stays.

        False means that the chat is not in the user's list.
        """
        return await self._write("im.recent.unread", {"ACTION": yes_no(unread)}, _read_bool)

    async def mute(self, *, muted: bool) -> None:
        """Mute or unmute (`im.chat.mute`)."""
        demand(done=await self._write("im.chat.mute", {"MUTE": yes_no(muted)}, _read_bool))

    async def hide(self) -> None:
        """Take the chat off the user's list (`im.recent.hide`), which marks it read and drops its pin.

        The portal says true whether or not it has done so. Doing it twice may hide what came in between.
        """
        demand(done=await self._write("im.recent.hide", {}, _read_bool, idempotent=False))

    async def _ask(
        self, method: str, params: Mapping[str, str | int], reader: Reader[T], **meaning: Unpack[Meaning]
    ) -> ApiResult[T]:
        return await self.portal.ask(method, {"DIALOG_ID": self.id, **params}, reader, **meaning)

    async def _write(
        self, method: str, params: Mapping[str, str | int], reader: Reader[T], *, idempotent: bool = True
    ) -> T:
        return (await self._ask(method, params, reader, writes=True, idempotent=idempotent)).result


def _dated(answer: ApiResult[History]) -> History:
    return replace(answer.result, as_of=answer.as_of)
