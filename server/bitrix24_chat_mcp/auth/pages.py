"""The pages on which people sign in, as HTML: one style, in Russian and English, without scripts.

Nothing here knows of requests. Every text from outside is cleaned and escaped here.
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template
from typing import Literal
from urllib.parse import urlsplit

from pydantic import AnyUrl

from bitrix24_chat_mcp.answers.sanitize import sanitize
from bitrix24_chat_mcp.portal.api.credentials import is_loopback
from bitrix24_chat_mcp.settings.toolsets import ALWAYS, TOOLSETS

from . import redirect_uris
from .page_texts import TEXTS, Language, Texts

Notice = Literal["declined", "done", "ended", "not_ours"]
"""Signed in; a sign-in that has ended; an answer to no sign-in of this program's."""

_TOOLS = {"list": ALWAYS[:1], "pin": ALWAYS[1:], **TOOLSETS}
"""The tools behind each sentence of what a program may do."""
_NAME_LENGTH = 60
_HEADER_LENGTH = 200
_LANGUAGE = re.compile(
    r"(?:^|,)\s*([a-z]{2})(?:-[\w-]+)?\s*(?:;\s*q=([01](?:\.\d{1,3})?))?\s*(?=,|$)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """What a person is asked.

    `client_host` is the host whose document describes the program, empty where there is none; then
    `client_name` is the name that the program gave itself, if any. `portal` is the portal's origin,
    `redirect_uri` where the browser is sent afterwards, `action` where the form is sent, `tools` what the
    program may call.
    """

    client_host: str
    client_name: str
    portal: str
    redirect_uri: str
    action: str
    tools: frozenset[str] = frozenset(ALWAYS)


def consent(asked: ConsentRequest, accept_language: str) -> str:
    """Ask who signs in whether the program may see the chats; the form says `answer=yes` or `answer=no`."""
    language = _language(accept_language)
    texts = TEXTS[language]
    portal = _shown(urlsplit(asked.portal).netloc)
    may, may_not = _abilities(asked.tools, texts)
    body = Template(_read("consent.html")).substitute(
        may_label=texts.may_label,
        may=_items(may, portal),
        may_not_label=texts.may_not_label,
        may_not=_items(may_not, portal),
        then_label=texts.then_label,
        **_target(asked.redirect_uri, texts),
        warning=texts.warning,
        action=escape(asked.action),
        yes=texts.yes,
        no=texts.no,
    )
    return _page(language, texts.asks.format(program=_program(asked, texts)), body)


def notice(said: Notice, accept_language: str) -> str:
    """Tell how a sign-in ended, and what to do now."""
    language = _language(accept_language)
    heading, sentence = TEXTS[language].notices[said]
    return _page(language, heading, f"<p>{sentence}</p>\n")


@cache
def policy() -> str:
    """Return the content security policy of these pages: their own style, and nothing else.

    No `form-action`: browsers apply it to redirects, and the form leads on to the portal and the client.
    """
    digest = b64encode(sha256(_read("page.css").encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"


def _page(language: Language, heading: str, body: str) -> str:
    return Template(_read("page.html")).substitute(
        lang=language, title=TEXTS[language].title, style=_read("page.css"), heading=heading, body=body
    )


def _abilities(tools: frozenset[str], texts: Texts) -> tuple[list[str], list[str]]:
    """Return what these tools allow, and what a person might fear that they do not."""
    may = [said for ability, said in texts.may.items() if not tools.isdisjoint(_TOOLS[ability])]
    pinning = [] if "pin_chat" in tools else [texts.may["pin"]]
    writing = texts.may_not_write if tools.isdisjoint(_TOOLS["read"]) else texts.may_not_write_though_read
    return may, [*pinning, writing, texts.may_not_else]


def _program(asked: ConsentRequest, texts: Texts) -> str:
    """Name the program by its host, which is checked, or else by what it calls itself, which is not."""
    if asked.client_host:
        return f"<bdi>{_shown(asked.client_host)}</bdi>"
    if name := _shown(asked.client_name):
        return texts.calls_itself.format(name=f"<q><bdi>{name}</bdi></q>")
    return texts.nameless


def _target(redirect_uri: str, texts: Texts) -> dict[str, str]:
    """Name scheme and host; both loopback and the scheme of an application stay on this computer."""
    uri = AnyUrl(redirect_uri)
    local = uri.scheme not in {"http", "https"} or is_loopback((uri.host or "").strip("[]"))
    return {
        "target": _shown(redirect_uris.shown(uri)),
        "target_hint": texts.this_computer if local else "",
    }


def _items(sentences: Iterable[str], portal: str) -> str:
    return "".join(f"<li>{sentence.format(portal=f'<bdi>{portal}</bdi>')}</li>" for sentence in sentences)


def _shown(text: str) -> str:
    return escape(sanitize(text, _NAME_LENGTH))


def _language(accept_language: str) -> Language:
    """Return the language of ours that a browser prefers, by its Accept-Language; English by default."""
    wanted = _LANGUAGE.findall(accept_language[:_HEADER_LENGTH])
    ranked = sorted(wanted, key=lambda one: -float(one[1] or 1))
    known = [name for name, _ in ranked if name.lower() in TEXTS]
    return "ru" if known and known[0].lower() == "ru" else "en"


@cache
def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
