"""Settings come from the command line, the environment and a file, and a wrong one is named."""

import logging
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from bitrix24_chat_mcp.settings.load import ConfigError, Settings, known_names, load, variable

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
ADDRESS = "https://acme.bitrix24.example/rest/1/s3cr3tc0de12345x/"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and an environment without settings."""
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path


def write(folder: Path, text: str) -> str:
    file = folder / "settings.toml"
    file.write_text(text)
    return str(file)


def test_command_line_wins_over_environment_over_file_over_default(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(home, 'log_level = "info"\nread_only = true\ntransport = "http"\n[http]\nport = 1\n')
    monkeypatch.setenv("BITRIX24_LOG_LEVEL", "error")
    monkeypatch.setenv("BITRIX24_TRANSPORT", "stdio")
    monkeypatch.setenv("BITRIX24_HTTP__PORT", "2")
    settings = load(config=file, log_level="debug", http={"host": "::1"})
    assert settings.log_level == "debug"
    assert settings.transport == "stdio"
    assert settings.read_only
    assert (settings.http.host, settings.http.port) == ("::1", 2)
    assert not settings.demo


def test_the_file_is_the_named_one_or_the_user_s_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().log_level == "warning"
    usual = home / "bitrix24-chat-mcp" / "config.toml"
    usual.parent.mkdir()
    usual.write_text('log_level = "info"')
    assert load().log_level == "info"
    monkeypatch.setenv("BITRIX24_CONFIG", write(home, 'log_level = "error"'))
    assert load().log_level == "error"


def test_a_file_saved_by_an_editor_that_writes_a_byte_order_mark_is_read(home: Path) -> None:
    assert load(config=write(home, "\ufefflog_level = 'debug'")).log_level == "debug"


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("webhok_url = 'x'", "unknown setting 'webhok_url'; did you mean webhook_url?"),
        ("[http]\nprot = 1", "unknown setting 'http.prot'; did you mean http.port?"),
        ("colour = 'x'", "unknown setting 'colour'"),
        ("read_only = 'perhaps'", "read_only: Input should be a valid boolean"),
        ("[http]\nport = 70000", "http.port: Input should be less than or equal to 65535"),
        ("[http]\nhost = '0.0.0.0'", "http.host: only loopback addresses"),
        ("http = 1", "http: "),
        ("log_level = 'loud'", "log_level: Input should be 'debug', 'info', 'warning' or 'error'"),
        ("not toml", "not valid TOML"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_the_setting(home: Path, written: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(complaint)) as error:
        load(config=write(home, written))
    assert "\n" not in str(error.value)


def test_a_missing_named_file_is_an_error(home: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(config=str(home / "nowhere.toml"))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("BITRIX24_WEBHOK_URL", "BITRIX24_WEBHOOK_URL"),
        ("BITRIX24_HTTP_PORT", "BITRIX24_HTTP__PORT"),
        ("BITRIX24_READONLY", "BITRIX24_READ_ONLY"),
    ],
)
def test_a_variable_that_nearly_spells_a_known_one_is_an_error(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(ConfigError, match=f"unknown variable {name}; did you mean {meant}?"):
        load()


def test_a_variable_of_somebody_else_s_is_left_alone_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("BITRIX24_MONTHLY_REPORT", "1")
    with caplog.at_level(logging.WARNING):
        load()
    assert "BITRIX24_MONTHLY_REPORT" in caplog.text


@pytest.mark.parametrize(
    "address",
    [
        ADDRESS,
        ADDRESS.rstrip("/"),
        ADDRESS + "profile",
        ADDRESS + "im.recent.get.json",
        f"  {ADDRESS}\n",
        "http://127.0.0.1:8024/rest/1/s3cr3tc0de12345x/",
        "http://localhost/rest/1/s3cr3tc0de12345x/",
        "http://[::1]:8024/rest/1/s3cr3tc0de12345x/",
        "https://intranet.example:8443/rest/anna.sokolova/s3cr3tc0de12345x/",
    ],
)
def test_a_webhook_address_may_have_been_pasted_in_many_ways(address: str) -> None:
    settings = load(webhook_url=address)
    assert settings.webhook_url is not None
    assert "s3cr3t" not in repr(settings)


@pytest.mark.parametrize(
    "address",
    [
        "http://acme.bitrix24.example/rest/1/s3cr3tc0de12345x/",
        "ftp://acme.bitrix24.example/rest/1/s3cr3tc0de12345x/",
        "https://acme.bitrix24.example/s3cr3tc0de12345x/",
        "https://acme.bitrix24.example/rest/1/",
        "https://user:s3cr3tc0de12345x@acme.bitrix24.example/rest/1/s3cr3tc0de12345x/",
        "https://acme.bitrix24.example/rest/1/s3cr3tc0de12345x/?auth=s3cr3tc0de12345x",
        "https://[acme/rest/1/s3cr3tc0de12345x/",
        "s3cr3tc0de12345x",
    ],
)
def test_a_wrong_webhook_address_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("BITRIX24_WEBHOOK_URL", address)
    with pytest.raises(ConfigError, match=r"^webhook_url \(BITRIX24_WEBHOOK_URL\): it ") as error:
        load()
    assert "s3cr3t" not in str(error.value)


def _dotted(table: dict[str, Any], above: str = "") -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _dotted(cast("dict[str, Any]", value), f"{above}{name}.")
        else:
            yield above + name, value


def test_the_example_file_shows_every_setting_with_its_default_and_nothing_else() -> None:
    # What has no default is shown commented out; a line of why stands above each.
    lines = EXAMPLE.read_text().splitlines()
    shown = tomllib.loads("\n".join(re.sub(r"^# (\w+ = )", r"\1", line) for line in lines))
    written = dict(_dotted(shown))
    names = known_names()
    assert set(written) == set(names) - {"config"}
    for name, value in written.items():
        if (default := names[name].default) is not None:
            assert (frozenset(value) if isinstance(value, list) else value) == default, name  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        above = lines[next(i for i, line in enumerate(lines) if name.rpartition(".")[2] + " = " in line) - 1]
        assert above.startswith("# "), name


def test_the_example_file_loads_as_it_is() -> None:
    assert load(config=str(EXAMPLE)).model_dump(exclude={"config"}) == Settings().model_dump(
        exclude={"config"}
    )


def test_a_variable_s_name_follows_from_the_key() -> None:
    assert variable("webhook_url") == "BITRIX24_WEBHOOK_URL"
    assert variable("http.port") == "BITRIX24_HTTP__PORT"
