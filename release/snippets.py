"""How each host is told about the server: every snippet of the README comes from here.

`tests/test_readme.py` starts the server exactly as each says.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

NAME = "bitrix24"
COMMAND = "bitrix24-chat-mcp"
WEBHOOK = "https://PORTAL/rest/USER/CODE/"
VARIABLE = "BITRIX24_WEBHOOK_URL"
REPOSITORY = "bitrix24-chat-mcp/bitrix24-chat-mcp"
PLUGIN, MARKETPLACE = "bitrix24-chats", "bitrix24-chat-mcp"
ADDRESS = "http://127.0.0.1:8000/mcp"

_STDIO = {"command": COMMAND, "env": {VARIABLE: WEBHOOK}}
# Claude Code shows a model only the structured form where there is one, which costs half as much again; and
# it looks for tools when they are needed, unless they are always to be loaded.
TEXT_ONLY = {"BITRIX24_STRUCTURED": "false"}
_FROM_ENVIRONMENT = {
    "command": COMMAND,
    "env": {VARIABLE: f"${{{VARIABLE}}}", **TEXT_ONLY},
    "alwaysLoad": True,
}
_ASKED_FOR = {"type": "stdio", "command": COMMAND, "env": {VARIABLE: "${input:webhook}"}}
_QUESTION = {"type": "promptString", "id": "webhook", "description": "Bitrix24 webhook", "password": True}


def snippets() -> dict[str, str]:
    """Return the Markdown of each snippet by its name."""
    asking = f',\n "inputs": [{json.dumps(_QUESTION)}]'
    return {
        "claude-code": _shell(
            f"claude mcp add {NAME} -e {VARIABLE}={WEBHOOK} -e BITRIX24_STRUCTURED=false -- {COMMAND}"
        ),
        "claude-plugin": (
            f"`claude plugin marketplace add {REPOSITORY} && claude plugin install {PLUGIN}@{MARKETPLACE}`"
        ),
        "claude-code-project": _json("mcpServers", _FROM_ENVIRONMENT),
        "cursor-link": f"[Add to Cursor]({_cursor_link()})",
        "cursor": _json("mcpServers", _STDIO),
        "vscode-link": f"[Add to VS Code]({_vscode_link()})",
        "vscode": _json("servers", _ASKED_FOR, asking),
        "codex": f'```toml\n[mcp_servers.{NAME}]\ncommand = "{COMMAND}"\nenv.{VARIABLE} = "{WEBHOOK}"\n```',
        "http-server": _shell(f"{VARIABLE}={WEBHOOK} {COMMAND} --transport http"),
        "http": _json("mcpServers", {"type": "http", "url": ADDRESS}),
    }


def _shell(line: str) -> str:
    return f"```sh\n{line}\n```"


def _json(key: str, entry: Mapping[str, Any], more: str = "") -> str:
    return f'```json\n{{"{key}": {{"{NAME}":\n  {json.dumps(entry)}}}{more}}}\n```'


def _cursor_link() -> str:
    config = base64.b64encode(json.dumps(_STDIO).encode()).decode()
    return f"https://cursor.com/en/install-mcp?name={NAME}&config={quote(config, safe='')}"


def _vscode_link() -> str:
    """Return a link that a Markdown viewer lets through; VS Code asks for the webhook and hides it."""
    document = json.dumps({"name": NAME, **_ASKED_FOR, "inputs": [_QUESTION]}, separators=(",", ":"))
    address = quote(f"vscode:mcp/install?{quote(document)}", safe="")
    return f"https://insiders.vscode.dev/redirect?url={address}"
