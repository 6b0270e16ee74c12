"""The plugins for Claude Code and Cursor, which `make docs` writes from server.json and the prompts.

A manifest holds no secret: it passes on the variable of the environment, and the skills say what to do when
there is neither that nor a sign-in.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bitrix24_chat_mcp import __version__
from bitrix24_chat_mcp.mcp_server import texts

from release.snippets import COMMAND, MARKETPLACE, NAME, PLUGIN, TEXT_ONLY, VARIABLE

ROOT = Path(__file__).parents[1]
SKILLS, AGENT = "prompts/skills", "prompts/agents/chat-reader.md"
PROMPTS = {"triage-inbox": "triage_inbox", "tidy-pins": "tidy_pins"}
"""Each skill, and the prompt that has its procedure."""
_OWNER = {"name": "bitrix24-chat-mcp contributors"}
_NOT_SIGNED_IN = (
    f"If a tool answers NOT_CONFIGURED or NOT_SIGNED_IN, stop and tell the user to run `{COMMAND} login` in "
    f"a terminal, or to set {VARIABLE} in the environment of this program. Never ask for the webhook here: "
    "it is a password."
)


def files() -> dict[Path, str]:
    """Return every file of the plugins as it should be."""
    skills = {ROOT / SKILLS / name / "SKILL.md": _skill(name, prompt) for name, prompt in PROMPTS.items()}
    manifests = {
        ".claude-plugin/plugin.json": _plugin({VARIABLE: f"${{{VARIABLE}:-}}", **TEXT_ONLY}, alwaysLoad=True),
        ".claude-plugin/marketplace.json": _marketplace(),
        ".cursor-plugin/plugin.json": {
            "displayName": _server()["title"],
            **_plugin({VARIABLE: f"${{env:{VARIABLE}}}"}),
        },
        ".cursor-plugin/marketplace.json": _marketplace(),
    }
    written = {ROOT / name: json.dumps(manifest, indent=2) + "\n" for name, manifest in manifests.items()}
    return skills | written


def _server() -> dict[str, Any]:
    return json.loads((ROOT / "server.json").read_text(encoding="utf-8"))


def _plugin(env: Mapping[str, str], **entry: object) -> dict[str, object]:
    """Return a plugin's manifest; `env` and `entry` are how the host starts the server."""
    return {
        "name": PLUGIN,
        "version": __version__,
        "description": _server()["description"],
        "author": _OWNER,
        "homepage": _server()["repository"]["url"],
        "repository": _server()["repository"]["url"],
        "license": "MIT",
        "keywords": ["bitrix24", "chat", "mcp"],
        "skills": f"./{SKILLS}/",
        "agents": [f"./{AGENT}"],
        "mcpServers": {NAME: {"command": COMMAND, "env": env, **entry}},
    }


def _marketplace() -> dict[str, object]:
    described = _server()["description"]
    entry: Mapping[str, str] = {"name": PLUGIN, "source": "./", "description": described}
    return {"name": MARKETPLACE, "owner": _OWNER, "metadata": {"description": described}, "plugins": [entry]}


def _skill(name: str, prompt: str) -> str:
    """Return a skill: the prompt's procedure, with a call in the place of the chats that the prompt holds."""
    head, text = texts.front_matter(prompt), texts.read(prompt).replace("$stale_days", "14")
    procedure = re.sub(r".*:\n\n\$\w+\n\n", "", text)
    top = f"---\nname: {name}\ndescription: {json.dumps(head['skill'], ensure_ascii=False)}\n---\n"
    first = f"{head['first']} Then do what the user wants, in their words:"
    return f"{top}{first}\n\n{procedure}\n\n{_NOT_SIGNED_IN}\n"
