"""Claude Code itself accepts the plugin, installs it from a checkout and starts its server."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

Claude = Callable[..., str]


@pytest.fixture
def claude(packages: Path, tmp_path: Path) -> Claude:
    """Return a way to run Claude Code with a home of its own, and without a network."""
    command = next(packages.glob("@anthropic-ai/claude-code-*/claude*"), None)
    if command is None:
        pytest.skip("@anthropic-ai/claude-code cannot be installed here")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [command, *arguments],
            env={"HOME": str(tmp_path), "PATH": path, "DISABLE_AUTOUPDATER": "1"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_claude_code_validates_plugin_and_marketplace(claude: Claude) -> None:
    for manifest in ("plugin.json", "marketplace.json"):
        assert "Validation passed" in claude(
            "plugin", "validate", "--strict", f"{ROOT}/.claude-plugin/{manifest}"
        )


def test_claude_code_installs_the_plugin_and_its_server_connects(claude: Claude, tmp_path: Path) -> None:
    fresh = tmp_path / "checkout"
    for name in (".claude-plugin", "prompts"):
        shutil.copytree(ROOT / name, fresh / name)
    claude("plugin", "marketplace", "add", str(fresh))
    claude("plugin", "install", "bitrix24-chats@bitrix24-chat-mcp")
    assert "tidy-pins, triage-inbox" in claude("plugin", "details", "bitrix24-chats")
    assert "Connected" in claude("mcp", "list")
