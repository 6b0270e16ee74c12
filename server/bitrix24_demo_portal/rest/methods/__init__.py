"""The REST methods by name, with the scope that each needs."""

from collections.abc import Callable
from typing import NamedTuple

from bitrix24_demo_portal.rest.call import MethodCall

from . import account, counters, dialogs, marks, messages, pins, recent_get, recent_list, search


class Method(NamedTuple):
    """A method's function and the scope that it needs, "" for none."""

    answer: Callable[[MethodCall], object]
    scope: str = "im"


METHODS = {
    "im.recent.get": Method(recent_get.get),
    "im.recent.list": Method(recent_list.page),
    "im.recent.pin": Method(pins.pin),
    "im.recent.unread": Method(marks.mark_unread),
    "im.recent.hide": Method(marks.hide),
    "im.chat.mute": Method(marks.mute),
    "im.dialog.get": Method(dialogs.get),
    "im.dialog.messages.get": Method(messages.get),
    "im.dialog.messages.search": Method(messages.search),
    "im.dialog.read": Method(marks.read),
    "im.dialog.read.all": Method(marks.read_all),
    "im.dialog.unread": Method(marks.unread_from),
    "im.counters.get": Method(counters.get),
    "im.search.chat.list": Method(search.chats),
    "im.search.user.list": Method(search.users),
    "user.current": Method(account.user_current, "user"),
    "profile": Method(account.profile, ""),
    "scope": Method(account.scope, ""),
    "server.time": Method(account.server_time, ""),
    "app.info": Method(account.app_info, ""),
}
"""All but `batch`, which calls the others."""
