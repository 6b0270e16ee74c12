"""Lists in the environment: a word, words with commas, or JSON; and nothing wrong ends in a traceback."""

from pathlib import Path

import pytest
from bitrix24_chat_mcp.settings.load import ConfigError, known_names, load, variable
from support.commands import run

LISTS = [name for name, field in known_names().items() if "frozenset" in str(field.annotation)]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


def test_the_lists_are_known() -> None:
    assert {"http.auth", "http.portals", "http.allowed_origins", "limits.moves_to"} <= set(LISTS)


CLOSED = {"http.auth", "toolsets", "exclude_tools"}
"""Lists of words that the server knows; tests of their own take them."""


@pytest.mark.parametrize("name", [name for name in LISTS if name not in CLOSED])
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a.example", {"a.example"}),
        ("a.example,b.example", {"a.example", "b.example"}),
        (" a.example , b.example, ", {"a.example", "b.example"}),
        ('["a.example", "b.example"]', {"a.example", "b.example"}),
        ("[]", set[str]()),
    ],
)
def test_a_list_is_a_word_or_words_with_commas_or_json(
    name: str, written: str, read: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable(name), written)
    table, _, key = name.partition(".")
    assert getattr(getattr(load(), table), key) == read


def test_http_auth_is_a_plain_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITRIX24_HTTP__BEARER_TOKEN", "t0ken" * 8)
    monkeypatch.setenv("BITRIX24_HTTP__PORTALS", "*.bitrix24.ru,acme.example:8443")
    monkeypatch.setenv("BITRIX24_HTTP__AUTH", "bearer,webhook-header")
    assert load().http.auth == {"bearer", "webhook-header"}


@pytest.mark.parametrize(
    "written", ["none", "bearer;webhook-header", "[bearer]", '["bearer"', "5", "true", "{}", '{"a": 1}', '"']
)
def test_a_wrong_list_is_one_line_that_names_the_setting(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BITRIX24_HTTP__AUTH", written)
    with pytest.raises(ConfigError, match=r"^http\.auth \(BITRIX24_HTTP__AUTH\): ") as error:
        load()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["BITRIX24_HTTP", "BITRIX24_LIMITS", "BITRIX24_HTTP__AUTH"])
def test_nonsense_in_the_environment_ends_the_command_with_one_line(name: str) -> None:
    refused = run("--transport", "http", **{name: "nonsense"})
    assert refused.returncode == 2
    assert refused.stderr.startswith("bitrix24-chat-mcp: ")
    assert refused.stderr.count("\n") == 1
