"""im.search.chat.list and im.search.user.list."""

from bitrix24_demo_portal.data.world import Person
from bitrix24_demo_portal.php import array, string
from bitrix24_demo_portal.rest.call import MethodCall, MethodResult
from bitrix24_demo_portal.rest.errors import RestError
from bitrix24_demo_portal.rest.users import short_user

from .dialogs import long_chat

_DEFAULT, _MOST = 10, 50


def _phrase(call: MethodCall, *names: str) -> list[str]:
    phrase = string(call.param(*names)).strip().lower()
    if len(phrase) < call.options.find_minimum:
        raise RestError("FIND_SHORT")
    return phrase.split()


def _page(call: MethodCall) -> slice:
    limit = call.limit(_DEFAULT, _MOST)
    offset = call.offset()
    return slice(offset, offset + (limit if limit > 0 else _MOST))


def _next(cut: slice, total: int) -> int | None:
    return cut.stop if cut.stop < total else None


def chats(call: MethodCall) -> MethodResult:
    """Search the user's group chats by words of their titles, newest id first."""
    words = _phrase(call, "FIND", "FIND_LINES")
    found = [
        chat
        for chat in call.world.chats.values()
        if chat.message_type not in {"P", "T"}
        and call.user in chat.members
        and all(word in (chat.title or "").lower() for word in words)
    ]
    found.sort(key=lambda chat: chat.id, reverse=True)
    cut = _page(call)
    return MethodResult([long_chat(call, chat) for chat in found[cut]], len(found), _next(cut, len(found)))


def users(call: MethodCall) -> MethodResult:
    """Search active users by words of their names; external ones are counted, and left out afterwards."""
    words = _phrase(call, "FIND")
    found = [
        person
        for person in call.world.people.values()
        if person.active and all(word in f"{person.name} {person.position or ''}".lower() for word in words)
    ]
    cut = _page(call)
    shown = {person.id: short_user(call.viewer, person) for person in found[cut] if not _outsider(person)}
    return MethodResult(array(shown), len(found), _next(cut, len(found)))


def _outsider(person: Person) -> bool:
    return person.kind in {"extranet", "collaber"}
