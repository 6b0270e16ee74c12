"""The settings: one definition for the TOML file, the environment, the command line and the documentation.

The command line wins over the environment, that over the file, that over the defaults. A key of the file
such as `webhook_url` is `BITRIX24_WEBHOOK_URL` in the environment; tables nest with two underscores
(`BITRIX24_HTTP__PORT`).
"""

import difflib
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, cast

import platformdirs
from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from bitrix24_chat_mcp.portal.api.credentials import parse_webhook

from .sections import HttpSettings, LimitSettings, OAuthSettings, SharedSettings
from .toolsets import ALWAYS, READING, TOOLSETS, ToolNames, Toolsets

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

PREFIX = "BITRIX24_"
FILE_VARIABLE = "BITRIX24_CONFIG"
_MOST_SHOWN = 80  # characters of an unknown name
_logger = logging.getLogger(__name__)


class ConfigError(Exception):
    """The settings are wrong; the text is one line, names the setting and holds no secret."""


def _webhook_address(address: SecretStr) -> SecretStr:
    parse_webhook(address.get_secret_value())
    return address


class _Environment(EnvSettingsSource):
    """The environment, where a list is one word, several with commas, or JSON."""

    def decode_complex_value(self, field_name: str, field: "FieldInfo", value: Any) -> Any:  # noqa: ANN401
        """Read a list or a table; a text that is no JSON is read as words, and validated as such."""
        with suppress(ValueError):
            decoded = super().decode_complex_value(field_name, field, value)
            if isinstance(decoded, list | dict):
                return cast("list[Any] | dict[str, Any]", decoded)
        return [word for word in map(str.strip, str(value).split(",")) if word]


class Settings(BaseSettings):
    """All settings with their defaults."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

    config: str | None = Field(
        default=None, description="The TOML file that was read; set outside the file only.", exclude=True
    )
    webhook_url: Annotated[SecretStr, AfterValidator(_webhook_address)] | None = Field(
        default=None,
        description="Incoming webhook, https://PORTAL/rest/USER/CODE/, with the scope im; keep it secret.",
    )
    demo: bool = Field(default=False, description="Serve the built-in demo portal in place of a real one.")
    read_only: bool = Field(default=False, description="Offer only the tools that change nothing.")
    ui: Literal["auto", "off"] = Field(
        default="auto",
        description="Whether hosts that can may show the list as a page: auto or off.",
    )
    toolsets: Toolsets = Field(
        default=frozenset(), description="Sets of further tools to offer: read, marks, tidy."
    )
    exclude_tools: ToolNames = Field(
        default=frozenset(), description="Tools that are not offered, whatever else is set."
    )
    confirm: Literal["ask", "host"] = Field(
        default="ask",
        description="Who asks before what has no undo: ask: this server; host: the host itself.",
    )
    structured: bool = Field(
        default=True,
        description="Answer with structured content beside the text; false: text alone, which costs less.",
    )
    transport: Literal["stdio", "http"] = Field(
        default="stdio", description="How hosts connect: stdio or http."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="warning", description="How much to log on stderr: debug, info, warning or error."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="How to log: text for people, json for one object a line."
    )
    oauth: OAuthSettings = Field(default_factory=OAuthSettings, description="How people sign in.")
    http: HttpSettings = Field(default_factory=HttpSettings, description="How Streamable HTTP is served.")
    shared: SharedSettings = Field(
        default_factory=SharedSettings, description="What several servers of one portal share."
    )
    limits: LimitSettings = Field(
        default_factory=LimitSettings, description="The portal's limits, and the caller's."
    )

    @property
    def tools(self) -> frozenset[str]:
        """The names of the tools that the operator allows; a client may be offered fewer."""
        of_sets = (name for one in self.toolsets for name in TOOLSETS[one])
        allowed = frozenset([*ALWAYS, *of_sets]) - self.exclude_tools
        return allowed & READING if self.read_only else allowed

    @model_validator(mode="after")
    def _check_oauth(self) -> Self:
        if "bitrix24" in self.http.auth and not self.oauth.application():
            raise ValueError(
                "oauth.client_id: it is missing, or oauth.portal is; http.auth bitrix24 needs both"
            )
        if "bitrix24" in self.http.auth and self.demo:
            raise ValueError("demo: it has nobody to sign in; run `bitrix24-chat-mcp portal` and name that")
        return self

    @model_validator(mode="after")
    def _sealed_if_shared(self) -> Self:
        if self.shared.url and self.transport == "http" and not self.http.state_key:
            raise ValueError("http.state_key: it is missing; with shared.url it seals what the servers share")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources by precedence: the command line, the environment, the file."""
        del env_settings, dotenv_settings, file_secret_settings
        return (
            init_settings,
            _Environment(settings_cls),
            InitSettingsSource(settings_cls, _read_file(init_settings())),
        )


def load(**given: object) -> Settings:
    """Load the settings from all sources; `given` comes from the command line, where None is "not given".

    Raises ConfigError with one line that says what to change.
    """
    _check_environment()
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise ConfigError("; ".join(map(_sentence, error.errors()))) from None


def find_file(named: str | None = None) -> Path | None:
    """Return the settings file: the named one, else BITRIX24_CONFIG's, else the user's own if it exists."""
    if path := named or os.environ.get(FILE_VARIABLE):
        return Path(path).expanduser()
    usual = platformdirs.user_config_path("bitrix24-chat-mcp", appauthor=False) / "config.toml"
    return usual if usual.is_file() else None


def known_names(model: type[BaseModel] = Settings, above: str = "") -> "dict[str, FieldInfo]":
    """Return every setting by its dotted name, `http.port`."""
    names: dict[str, FieldInfo] = {}
    for name, field in model.model_fields.items():
        table = field.annotation
        if isinstance(table, type) and issubclass(table, BaseModel):
            names |= known_names(table, f"{above}{name}.")
        else:
            names[above + name] = field
    return names


def variable(name: str) -> str:
    """Return the environment variable of a setting: `BITRIX24_HTTP__PORT` for `http.port`."""
    return PREFIX + name.replace(".", "__").upper()


def _read_file(given: Mapping[str, Any]) -> dict[str, Any]:
    path = find_file(given.get("config"))
    if path is None:
        return {}
    import tomllib  # noqa: PLC0415 - most users have no file

    try:
        written = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # as Notepad writes it, too
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML ({error})") from None
    known = known_names()
    for name in _dotted(written):
        if name not in known:
            raise ConfigError(f"{path}: unknown setting {_printable(name)!r}{nearest(name, known)}")
    return written


def _dotted(written: Mapping[str, Any], above: str = "") -> Iterator[str]:
    tables = {name.split(".")[0] for name in known_names() if "." in name}
    for name, value in written.items():
        if name not in tables:
            yield above + name
        elif isinstance(value, dict):
            yield from _dotted(cast("dict[str, Any]", value), f"{above}{name}.")


def _check_environment() -> None:
    known = [variable(name) for name in known_names()]
    for name in map(str.upper, os.environ):
        if not name.startswith(PREFIX) or name in known:
            continue
        if suggestion := nearest(name, known):
            raise ConfigError(f"environment: unknown variable {_printable(name)}{suggestion}")
        _logger.warning("environment: %s is no setting of this server and is left alone", _printable(name))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean X?" if a name is close to a known one, else nothing."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    return f"; did you mean {close[0]}?" if close else ""


def _sentence(problem: "ErrorDetails") -> str:
    """Describe the problem of a setting and where it was set; its value may be a secret and is left out."""
    name = ".".join(str(part) for part in problem["loc"] if not isinstance(part, int))
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "value_error" and (not name or message.startswith(f"{name}.")):
        name, message = message.split(": ", 1)  # the message of a model's validator names the setting itself
    where = f" ({variable(name)})" if variable(name) in map(str.upper, os.environ) else ""
    return f"{name}{where}: {message}"


def _printable(name: str) -> str:
    """Return the printable beginning of a name from a file or the environment."""
    return "".join(character for character in name[:_MOST_SHOWN] if character.isprintable())
