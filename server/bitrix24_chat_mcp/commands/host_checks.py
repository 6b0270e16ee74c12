"""Finds the problems of this server's entry in a host's file, and describes them without secrets."""

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, cast, get_origin

from pydantic import TypeAdapter, ValidationError

from bitrix24_chat_mcp.answers.sanitize import sanitize
from bitrix24_chat_mcp.settings.load import FILE_VARIABLE, PREFIX, find_file, known_names, nearest, variable

from .hosts import ServerEntry

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

MOST_SHOWN = 80
"""Characters of a name or a command that are repeated."""
_WEBHOOK = re.compile(r"/rest/[^/\s]+/[^/\s]+")
_PLACEHOLDER = "PORTAL/rest/USER/CODE"
_HTTP_BY_URL = {"Cursor", "Codex"}
"""Hosts that take an entry with `url` for HTTP; the others need a `type`."""
_FILLED_IN_LATER = re.compile(r"\$\{.*\}")


def problems(entry: ServerEntry) -> list[str]:
    """Return the problems of an entry, a sentence each; none if the host can start the server with it."""
    if entry.misplaced:
        return [entry.misplaced]
    checks = (_enabled, _address if "url" in entry.written else _command)
    return [problem for check in checks for problem in check(entry)]


def _enabled(entry: ServerEntry) -> Iterator[str]:
    if entry.written.get("disabled") is True or entry.written.get("enabled") is False:
        yield "is switched off"


def _address(entry: ServerEntry) -> Iterator[str]:
    if entry.host.name not in _HTTP_BY_URL and entry.written.get("type") != "http":
        yield 'needs "type": "http" beside the url'
    if not str(entry.written["url"]).rstrip("/").endswith("/mcp"):
        yield "the url must end in /mcp"


def _command(entry: ServerEntry) -> Iterator[str]:
    command = entry.written.get("command")
    if not isinstance(command, str) or not command:
        yield "has no command"
    elif _WEBHOOK.search(command):
        yield "a webhook stands in command, where every list of processes shows it: put it in env"
    elif " " in command and not os.path.exists(command):  # noqa: PTH110 - false for a text that is no path
        yield "the command holds its arguments: put them in args, one by one"
    elif not (command.isprintable() and shutil.which(command)):
        yield f"the command {sanitize(command, MOST_SHOWN)!r} is not on the PATH: give it with its whole path"
    yield from _arguments(entry.written.get("args", []))
    yield from _environment(entry)


def _arguments(written: object) -> Iterator[str]:
    if not isinstance(written, list) or not all(
        isinstance(argument, str) for argument in cast("list[Any]", written)
    ):
        yield "args must be a list of strings"
        return
    arguments = cast("list[str]", written)
    if any(map(_WEBHOOK.search, arguments)):
        yield "a webhook stands in args, where every list of processes shows it: put it in env"
    if "http" in arguments or "--transport=http" in arguments:
        yield "args ask for HTTP, but a host that starts a command speaks stdio: leave --transport out"


def _environment(entry: ServerEntry) -> Iterator[str]:
    written: object = entry.written.get("env", {})
    if not isinstance(written, dict):
        yield "env must be an object"
        return
    settings = cast("dict[str, Any]", written)
    fields = {variable(name): field for name, field in known_names().items()}
    for name, value in settings.items():
        if name.startswith(PREFIX) and name not in fields:
            yield f"env: unknown variable {sanitize(name, MOST_SHOWN)}{nearest(name, fields)}"
        elif not isinstance(value, str):
            yield f"env: {sanitize(name, MOST_SHOWN)} must be a string, in quotation marks"
        elif name in fields and not _FILLED_IN_LATER.search(value):
            yield from _value(name, value, fields[name])
    yield from _webhook(entry, settings)


def _value(name: str, value: str, field: "FieldInfo") -> Iterator[str]:
    if _PLACEHOLDER in value:
        yield f"env: {name} is still the example, put the address of your webhook there"
        return
    try:
        written: object = json.loads(value) if get_origin(field.annotation) is list else value
        TypeAdapter[Any](Annotated[field.annotation, field]).validate_python(written)  # type: ignore[valid-type]
    except json.JSONDecodeError:
        yield f'env: {name} must be a list in JSON, such as ["one", "two"]'
    except ValidationError as error:
        yield f"env: {name}: {error.errors()[0]['msg'].removeprefix('Value error, ')}"


def _webhook(entry: ServerEntry, settings: Mapping[str, Any]) -> Iterator[str]:
    address = settings.get(variable("webhook_url"))
    if entry.shared and address and not _FILLED_IN_LATER.search(str(address)):
        yield "a webhook stands in a file that a project shares: move it to your own file, or to a variable"
    arguments = str(entry.written.get("args"))
    demo = "'--demo'" in arguments or variable("demo") in settings
    elsewhere = FILE_VARIABLE in settings or "'--config'" in arguments
    if not (address or demo or elsewhere or find_file()):
        yield f"no portal is named: set {variable('webhook_url')} in env, or webhook_url in the settings file"
