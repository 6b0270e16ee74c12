"""What registries and hosts are told about the package agrees with the package."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from bitrix24_chat_mcp import __version__
from bitrix24_chat_mcp.settings.load import known_names, variable
from jsonschema import Draft202012Validator
from pydantic import SecretStr

from release import bundle

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SERVER: dict[str, Any] = json.loads((ROOT / "server.json").read_text())
MANIFEST: dict[str, Any] = json.loads((ROOT / "release" / "manifest.json").read_text())
SCHEMA: Any = json.loads((ROOT / "tests" / "registry" / "server.schema.json").read_text())
FIELDS = {variable(name): field for name, field in known_names().items()}


def is_valid(entry: dict[str, Any]) -> bool:
    return Draft202012Validator(SCHEMA).is_valid(entry)  # pyright: ignore[reportUnknownMemberType]


def is_secret(name: str) -> bool:
    return SecretStr.__name__ in repr(FIELDS[name].annotation)


def test_the_registry_s_entry_is_as_its_schema_asks() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert is_valid(SERVER)


@pytest.mark.parametrize(
    "wrong",
    [
        {"description": "x" * 101},
        {"name": "no-slash"},
        {"version": "latest"},
        {"packages": [{"identifier": "x"}]},
    ],
)
def test_the_schema_refuses_what_the_registry_refuses(wrong: dict[str, Any]) -> None:
    assert not is_valid({**SERVER, **wrong})


def test_name_version_and_description_are_the_same_everywhere() -> None:
    (package,) = SERVER["packages"]
    assert {SERVER["version"], package["version"], MANIFEST["version"]} == {__version__}
    assert {package["identifier"], MANIFEST["name"]} == {PROJECT["name"]}
    assert {SERVER["description"], MANIFEST["description"]} == {PROJECT["description"]}


def test_the_registry_s_variables_are_settings_and_secrets_are_marked() -> None:
    told = SERVER["packages"][0]["environmentVariables"]
    assert {one["name"]: one.get("isSecret", False) for one in told} == {
        one["name"]: is_secret(one["name"]) for one in told
    }


def test_the_bundle_s_questions_are_settings_and_secrets_are_hidden() -> None:
    env: dict[str, str] = MANIFEST["server"]["mcp_config"]["env"]
    asked = {value[len("${user_config.") : -1]: name for name, value in env.items() if "user_config" in value}
    assert set(asked) == set(MANIFEST["user_config"])
    for question, name in asked.items():
        assert MANIFEST["user_config"][question].get("sensitive", False) == is_secret(name)


def test_the_bundle_holds_what_the_wheel_is_built_from_and_nothing_else(tmp_path: Path) -> None:
    bundle.pack(tmp_path / "one.mcpb")
    bundle.pack(tmp_path / "two.mcpb")
    assert (tmp_path / "one.mcpb").read_bytes() == (tmp_path / "two.mcpb").read_bytes()
    with ZipFile(tmp_path / "one.mcpb") as archive:
        names = set(archive.namelist())
        assert json.loads(archive.read("manifest.json")) == MANIFEST
    assert MANIFEST["server"]["entry_point"] in names
    assert {name.partition("/")[0] for name in names} == {
        *("manifest.json", "pyproject.toml", "README.md", "LICENSE"),
        *("server", "prompts"),
    }
    texts = {file.relative_to(ROOT).as_posix() for file in (ROOT / "prompts").rglob("*.md")}
    assert texts <= names
    pages = {file.relative_to(ROOT).as_posix() for file in (ROOT / "server").rglob("*.html")}
    assert pages
    assert pages <= names


def test_the_changelog_is_kept_and_knows_the_version() -> None:
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert all(re.fullmatch(r"\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d", heading) for heading in headings[1:])
