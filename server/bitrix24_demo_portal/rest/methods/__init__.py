"""The REST methods: which function answers which name, and what scope it needs."""

from collections.abc import Callable
from typing import NamedTuple

from bitrix24_demo_portal.rest.call import MethodCall

from . import account, counters, dialogs, marks, pins, recent_get, recent_list, search


class Method(NamedTuple):
    """A method's function and its scope; "" needs none."""

    answer: Callable[[MethodCall], object]
    scope: str = "im"


METHODS = {
    "im.recent.get": Method(recent_get.get),
    "im.recent.list": Method(recent_list.page),
    "im.recent.pin": Method(pins.pin),
    "im.recent.unread": Method(marks.unread),
    "im.recent.hide": Method(marks.hide),
    "im.chat.mute": Method(marks.mute),
    "im.dialog.get": Method(dialogs.get),
    "im.dialog.messages.get": Method(dialogs.messages),
    "im.dialog.read": Method(dialogs.read),
    "im.dialog.read.all": Method(dialogs.read_all),
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
