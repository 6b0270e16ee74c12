"""The pages of signing in, as HTML: what they say, in which language, and that nothing foreign is markup."""

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from bitrix24_chat_mcp.auth import pages
from bitrix24_chat_mcp.auth.page_texts import TEXTS, Language
from bitrix24_chat_mcp.auth.pages import ConsentRequest, Notice
from bitrix24_chat_mcp.settings.toolsets import ALWAYS, TOOLSETS

NOTICES: tuple[Notice, ...] = ("declined", "done", "ended", "not_ours")


ASKED = ConsentRequest(
    client_host="",
    client_name="Claude",
    portal="https://acme.bitrix24.ru",
    redirect_uri="https://claude.ai/api/mcp/auth_callback",
    action="/sign-in/abc",
)


def asked(**changed: Any) -> ConsentRequest:
    return replace(ASKED, **changed)


def test_the_consent_page_says_who_asks_for_what_and_where_one_is_sent() -> None:
    page = pages.consent(asked(), "en")
    for said in (
        "<bdi>Claude</bdi></q> asks to see your chats",
        "acme.bitrix24.ru",
        "<bdi>https://claude.ai</bdi>",
    ):
        assert said in page
    assert 'action="/sign-in/abc"' in page
    assert re.findall(r'name="answer" value="(\w+)"', page) == ["yes", "no"]


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/back", "http://[::1]:9/", "cursor://back"])
def test_the_consent_page_says_that_a_redirect_stays_on_this_computer(address: str) -> None:
    assert "a program on this computer" in pages.consent(asked(redirect_uri=address), "en")
    assert "a program on this computer" not in pages.consent(asked(), "en")


def test_the_consent_page_of_a_read_only_server_says_that_nothing_is_pinned() -> None:
    page = pages.consent(asked(tools=frozenset({"list_recent_chats"})), "en")
    assert page.index("It may not") < page.index("pin and unpin")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_consent_page_says_what_each_set_of_tools_allows(language: Language) -> None:
    texts = TEXTS[language]
    default = pages.consent(asked(), language)
    assert texts.may_not_write in default
    for one in ("read", "marks", "tidy"):
        page = pages.consent(asked(tools=frozenset({*ALWAYS, *TOOLSETS[one]})), language)
        may = page[: page.index(texts.may_not_label)]
        assert texts.may[one] in may
        assert texts.may[one] not in default
        assert (texts.may_not_write in page) is (one != "read"), "who may read may read further back"
        assert texts.may_not_write_though_read in page


@pytest.mark.parametrize(
    ("accept_language", "language"),
    [
        ("ru", "ru"),
        ("ru-RU,ru;q=0.9,en-US;q=0.8", "ru"),
        ("en-GB,en;q=0.9,ru;q=0.8", "en"),
        ("de,ru;q=0.5,en;q=0.4", "ru"),
        ("en;q=0.1, RU;q=0.2", "ru"),
        ("", "en"),
        ("*", "en"),
        ("fr", "en"),
        ("xxru,enough", "en"),
        (";;q=,,ru" * 1000, "ru"),
    ],
)
def test_the_language_is_the_browser_s(accept_language: str, language: str) -> None:
    for page in (pages.consent(asked(), accept_language), pages.notice("done", accept_language)):
        assert f'<html lang="{language}">' in page


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "\"><img src=x onerror='alert(1)'>",
        "</style><style>*{display:none}",
        "$body ${yes} {portal} {0.__class__}",
        "A\u202eevil\u2066 \x1b[31m" + "x" * 500,
    ],
)
def test_foreign_names_are_text_and_short(attack: str) -> None:
    page = pages.consent(
        asked(client_name=attack, redirect_uri=f"https://h/{attack}", portal="https://p"), "en"
    )
    usual = pages.consent(asked(), "en")
    assert page.count("<") == usual.count("<")
    assert len(page) < len(usual) + 400
    assert not re.search("[\u202e\u2066\x1b]", page)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_policy_allows_the_page_its_own_style_and_nothing_else(language: str) -> None:
    for page in [pages.consent(asked(), language), *(pages.notice(said, language) for said in NOTICES)]:
        (style,) = re.findall("<style>(.*?)</style>", page, re.DOTALL)
        assert f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" in pages.policy()
        assert "<script" not in page
        assert "style=" not in page
    assert pages.policy().startswith("default-src 'none'; ")
