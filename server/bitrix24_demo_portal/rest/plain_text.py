"""Message texts as the recent list shows them: without BB codes, on one line."""

import re

from bitrix24_demo_portal.data.world import Message

MARKERS = {
    "ru": {
        "quote": "[Цитата]",
        "icon": "[Иконка]",
        "image": "[Изображение]",
        "file": "[Файл]",
        "attach": "[Вложение]",
        "deleted": "Это сообщение было удалено.",
    },
    "en": {
        "quote": "[Quote]",
        "icon": "[Icon]",
        "image": "[Image]",
        "file": "[File]",
        "attach": "[Attachment]",
        "deleted": "This message was deleted.",
    },
}
_QUOTES = re.compile(
    r"-{54}\n.*?\n-{54}|^>>.*?$|\[QUOTE\].*?\[/QUOTE\]", re.DOTALL | re.MULTILINE | re.IGNORECASE
)
_STRUCK = re.compile(r"\[s\].*?\[/s\]", re.DOTALL | re.IGNORECASE)
_ICON = re.compile(r"\[ICON=[^\]]*\]", re.IGNORECASE)
_ICON_TITLE = re.compile(r" title=([^\]]+?)(?: \w+=|\])")
_IMAGE = re.compile(r"\[IMG[^\]]*\].*?\[/IMG\]", re.DOTALL | re.IGNORECASE)
_TAGS = re.compile(
    r"\[/?(?:b|i|u|url|user|chat|context|put|send|call|size|color|pch|timestamp|disk|rating|attach)"
    r"(?:=[^\]]*)?(?: replace)?\]",
    re.IGNORECASE,
)
_LINES = re.compile(r"\s*(?:\[BR\]|\r?\n)\s*", re.IGNORECASE)


def plain(message: Message, language: str) -> str:
    """Return a message's text for a list item: of any length, and never empty."""
    markers = MARKERS[language]
    text = _QUOTES.sub(markers["quote"] + " ", message.text)
    text = _STRUCK.sub("", text)
    text = _ICON.sub(lambda icon: _icon(icon[0], markers["icon"]), text)
    text = _IMAGE.sub(markers["image"], text)
    text = _LINES.sub(" ", _TAGS.sub("", text)).strip()
    if message.attach:
        text += " " + (message.attach if isinstance(message.attach, str) else markers["attach"])
    if message.file:
        text += " " + markers["file"]
    return text.strip() or markers["deleted"]


def _icon(code: str, marker: str) -> str:
    title = _ICON_TITLE.search(code)
    return f"[{title[1]}]" if title else marker
