"""The plugins for Claude Code and Cursor are as their documented forms ask, and hold no secret."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from bitrix24_chat_mcp.mcp_server import texts
from bitrix24_chat_mcp.settings.load import known_names, variable
from jsonschema import Draft202012Validator
from pydantic import SecretStr
from support.commands import run
from support.conversation import Conversation

from release import plugins

ROOT = Path(__file__).parents[1]
MANIFESTS = [(host, kind) for host in ("claude", "cursor") for kind in ("plugin", "marketplace")]
SKILLS = sorted((ROOT / plugins.SKILLS).glob("*/SKILL.md"))
AGENT = ROOT / plugins.AGENT


def manifest(host: str, kind: str) -> dict[str, Any]:
    return json.loads((ROOT / f".{host}-plugin" / f"{kind}.json").read_text())


def is_valid(host: str, kind: str, document: dict[str, Any]) -> bool:
    schema = json.loads((ROOT / "tests" / "registry" / f"{host}-{kind}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema).is_valid(document)  # pyright: ignore[reportUnknownMemberType]


def entry(host: str) -> dict[str, Any]:
    (found,) = manifest(host, "plugin")["mcpServers"].values()
    return found


@pytest.mark.parametrize(("host", "kind"), MANIFESTS)
def test_a_plugin_manifest_is_as_its_documented_form_asks(host: str, kind: str) -> None:
    assert is_valid(host, kind, manifest(host, kind))


@pytest.mark.parametrize(("host", "kind"), MANIFESTS)
@pytest.mark.parametrize("wrong", [{"name": "With Spaces"}, {"unheard_of": True}])
def test_the_schemas_refuse_what_the_hosts_refuse(host: str, kind: str, wrong: dict[str, Any]) -> None:
    assert not is_valid(host, kind, {**manifest(host, kind), **wrong})


@pytest.mark.parametrize("host", ["claude", "cursor"])
def test_a_plugin_leads_to_files_that_exist_and_to_the_marketplace_s_entry(host: str) -> None:
    told = manifest(host, "plugin")
    assert all((ROOT / path).exists() for path in (told["skills"], *told["agents"]))
    (listed,) = manifest(host, "marketplace")["plugins"]
    assert (listed["name"], listed["source"]) == (told["name"], "./")


@pytest.mark.parametrize("host", ["claude", "cursor"])
def test_a_plugin_passes_on_the_environment_and_holds_no_secret(host: str) -> None:
    fields = {variable(name): field for name, field in known_names().items()}
    env: dict[str, str] = entry(host)["env"]
    assert set(env) <= set(fields)
    for name, value in env.items():
        is_secret = SecretStr.__name__ in repr(fields[name].annotation)
        assert bool(re.fullmatch(rf"\$\{{(env:)?{name}(:-)?\}}", value)) == is_secret


def test_a_plugin_without_webhook_and_sign_in_starts_and_says_what_is_missing() -> None:
    done = run("check", BITRIX24_WEBHOOK_URL="", BITRIX24_STRUCTURED="false")
    assert "NOT_CONFIGURED" in done.stdout
    for skill in SKILLS:
        assert "NOT_CONFIGURED" in skill.read_text()
        assert "bitrix24-chat-mcp login" in skill.read_text()


@pytest.mark.parametrize("file", [*SKILLS, AGENT], ids=lambda file: file.parent.name)
def test_a_skill_and_the_agent_have_a_name_and_a_description_in_bounds(file: Path) -> None:
    head = dict(line.split(": ", 1) for line in file.read_text().split("---\n")[1].splitlines())
    assert head["name"] in {file.parent.name, file.stem}
    assert re.fullmatch(r"[a-z0-9-]{1,64}", head["name"])
    assert 20 < len(head["description"]) < 1024
    assert len(file.read_text()) < 2000


def test_a_skill_has_the_procedure_of_its_prompt() -> None:
    assert {skill.parent.name for skill in SKILLS} == set(plugins.PROMPTS)
    for name, prompt in plugins.PROMPTS.items():
        procedure = texts.read(prompt).replace("$stale_days", "14").split("\n\n")[-1]
        assert procedure in (ROOT / plugins.SKILLS / name / "SKILL.md").read_text()


async def test_skills_and_agent_name_only_tools_and_arguments_that_exist(converse: Conversation) -> None:
    async with converse() as client:
        tools = {tool.name: tool.input_schema["properties"] for tool in (await client.list_tools()).tools}
    told = "\n".join(file.read_text() for file in (*SKILLS, AGENT))
    assert set(re.findall(r"\b[a-z]+(?:_[a-z]+)*_chats?\b", told)) == set(tools)
    assert set(re.findall(r"\b([a-z_]+)=", told)) <= {name for one in tools.values() for name in one}
