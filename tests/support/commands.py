"""The server as a command: how the tests start it, with no settings but their own."""

import os
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

COMMAND = [sys.executable, "-m", "bitrix24_chat_mcp"]


def environment(**settings: str) -> dict[str, str]:
    """An environment without settings of ours but these, and without a home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BITRIX24_")}
    return {**kept, "HOME": "/nonexistent", "XDG_CONFIG_HOME": "/nonexistent", **settings}


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(**settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@contextmanager
def started(*arguments: str, announcing: str) -> Generator[re.Match[str]]:
    """Run a command until it announces something on either stream; stop it in the end."""
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    try:
        found = next(filter(None, (re.search(announcing, line) for line in process.stdout)))
        yield found
    finally:
        process.terminate()
        process.communicate(timeout=10)
