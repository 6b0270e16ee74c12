"""The bundle for Claude Desktop is valid, and starts as its manifest says."""

import json
import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest
from bitrix24_demo_portal import DemoPortal
from bitrix24_demo_portal.asgi.server import serving
from mcp import Client, StdioServerParameters
from strangers import Environment
from support.commands import environment
from support.conversation import facts

from release import bundle


def test_its_maker_finds_the_bundle_valid(node: str, packages: Path, tmp_path: Path) -> None:
    file = tmp_path / "bitrix24-chat-mcp.mcpb"
    bundle.pack(file)
    mcpb = packages / "@anthropic-ai" / "mcpb" / "dist" / "cli" / "cli.js"
    manifest = bundle.contents()["manifest.json"]
    for asked in (["validate", manifest], ["info", file], ["unpack", file, tmp_path / "unpacked"]):
        done = subprocess.run([node, mcpb, *asked], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "unpacked" / "manifest.json").read_bytes() == manifest.read_bytes()


async def test_a_host_starts_the_bundle_as_its_manifest_says(
    environment_of: Environment, tmp_path: Path
) -> None:
    uv = Path(environment_of("uv")).parent
    bundle.pack(tmp_path / "one.mcpb")
    with ZipFile(tmp_path / "one.mcpb") as archive:
        archive.extractall(tmp_path / "bundle")
    started = json.loads((tmp_path / "bundle" / "manifest.json").read_text())["server"]["mcp_config"]
    portal = DemoPortal()
    async with serving(portal) as base:
        answers = {"webhook_url": portal.webhook(base=base), "demo": "false", "read_only": "true"}
        env = {name: _filled(value, answers, tmp_path) for name, value in started["env"].items()}
        args = [_filled(argument, answers, tmp_path) for argument in started["args"]]
        given = environment(PATH=f"{uv}:/usr/bin:/bin", HOME=str(tmp_path), **env)
        _install([str(uv / started["command"]), *args, "--version"], given)
        command = StdioServerParameters(command=str(uv / started["command"]), args=args, env=given)
        async with Client(command) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            listed = facts(await client.call_tool("list_recent_chats", {"limit": 5}))
    assert tools == ["list_recent_chats"]
    assert listed["shown"] == 5


def _install(command: list[str], given: dict[str, str]) -> None:
    """Let uv install what the bundle needs; skip where it cannot be had."""
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    if "Failed to fetch" in done.stderr or "error sending request" in done.stderr:
        pytest.skip(f"uv cannot install the bundle here: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr


def _filled(text: str, answers: dict[str, str], folder: Path) -> str:
    """Put the user's answers and the bundle's folder where the manifest leaves room for them."""
    for question, answer in answers.items():
        text = text.replace(f"${{user_config.{question}}}", answer)
    return text.replace("${__dirname}", str(folder / "bundle"))
