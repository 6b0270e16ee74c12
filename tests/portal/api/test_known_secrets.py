"""Secrets that are held are found in any disguise, for as long as they are held, and nothing else is."""

from collections.abc import Callable
from hashlib import sha512

import pytest
from bitrix24_chat_mcp.answers.redaction import mask_secrets
from bitrix24_chat_mcp.answers.sanitize import sanitize
from bitrix24_chat_mcp.portal.api.credentials import Webhook
from bitrix24_chat_mcp.portal.api.known_secrets import KnownSecrets
from hypothesis import given
from hypothesis import strategies as st

SECRET = "q7W8-e9r0.t1y2"


class Owner:
    """Whatever holds a secret."""


@pytest.fixture
def owner() -> Owner:
    return Owner()


@pytest.fixture
def known(owner: Owner) -> KnownSecrets:
    known = KnownSecrets()
    known.register(owner, SECRET)
    return known


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("nothing", "nothing"),
        (SECRET, "*"),
        (f"a{SECRET.upper()}b", "a*b"),
        (SECRET * 2, "**"),
        (f"{SECRET[:-1]} {SECRET}", f"{SECRET[:-1]} *"),
        ("q7W8%2De9r0%2et1y2!", "*!"),
        ("q7W8%252De9r0.t1y2", "*"),
        ("q7W8&#45;e9r0&#x2e;t1y2&amp;", "*&amp;"),
        ("q7W8&hyphen;e9r0&period;t1y2", "q7W8&hyphen;e9r0&period;t1y2"),  # another hyphen
        ("q7W8&#45e9r0.t1y2", "*"),
        ("q7W8%26%2345%3Be9r0.t1y2", "*"),
        (r"q7W8\u002de9r0\x2et1y2", "*"),
        ("ｑ７Ｗ８－ｅ９ｒ０．ｔ１ｙ２", "*"),
        ("𝐪𝟕𝐖𝟖-𝐞𝟗𝐫𝟎.𝐭𝟏𝐲𝟐 ok", "* ok"),
        ("q7\u200bW8-\u2060e9r0\ufe0f.t1\u3164y2\u200b.", "*\u200b."),
        ("%zz & \\ %D0%AF&", "%zz & \\ %D0%AF&"),
    ],
)
def test_a_secret_is_masked_where_it_stands_and_the_rest_stays(
    known: KnownSecrets, text: str, masked: str
) -> None:
    assert known.mask(text, "*") == masked
    assert known.mask(f"Привет {text} 👋", "*") == f"Привет {masked} 👋"


@given(
    st.text(max_size=30),
    st.text(max_size=30),
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=10, max_size=40),
)
def test_any_secret_is_found_in_any_text(before: str, after: str, secret: str) -> None:
    known, owner = KnownSecrets(), Owner()
    known.register(owner, secret)
    if known.within(secret):  # not too short when folded
        assert known.within(f"{before} {secret} {after}")
        assert secret not in known.mask(f"{before} {secret} {after}", "*")


def test_nothing_is_left_of_secrets_whose_owners_are_gone() -> None:
    known = KnownSecrets()
    owners = [Owner(), Owner()]
    known.register(owners[0], SECRET)
    known.register(owners[1], SECRET)
    owners.pop()
    assert known.within(SECRET)
    owners.clear()
    assert not known.within(SECRET)
    assert known.mask(SECRET, "*") == SECRET


def test_a_webhook_is_masked_while_it_lives() -> None:
    code = "zxcvb"
    webhooks = [Webhook("https://acme.example", "1", code * 2)]
    assert mask_secrets(f"code={code * 2}") == "code=[secret]"
    assert sanitize(f"code={code * 2}") == "code=[secret]"
    webhooks.clear()
    assert sanitize(f"code={code * 2}") == f"code={code * 2}"


def test_what_is_shorter_than_eight_characters_is_an_ordinary_word() -> None:
    known, owner = KnownSecrets(), Owner()
    known.register(owner, "", "hello", "qwertyu", "q\u200bwertyu")
    assert not known.within("hello qwertyu")


@pytest.mark.parametrize("many", [2, 2000])
def test_many_secrets_are_found_as_few_are(many: int) -> None:
    known, owner = KnownSecrets(), Owner()
    secrets = [sha512(str(n).encode()).hexdigest()[: 8 + n % 60] for n in range(many)]
    known.register(owner, *secrets)
    assert all(known.within(f"{'я' * (n % 9)}{secret.upper()} x") for n, secret in enumerate(secrets))
    assert not known.within("Uploaded the new mockups, comments welcome")


@pytest.mark.parametrize("spell", [str, str.upper, " ".join])
def test_a_phrase_is_a_secret_too(spell: Callable[[str], str]) -> None:
    known, owner = KnownSecrets(), Owner()
    known.register(owner, spell("correct horse battery staple"))
    assert known.mask(spell("a correct horse battery staple").lower(), "*").endswith("*")
