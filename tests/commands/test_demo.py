"""`bitrix24-chat-mcp demo` shows a conversation and nothing else."""

import os
import subprocess
import sys

import pytest
from support.commands import COMMAND, environment, run


def test_the_demo_shows_a_conversation_without_audit_lines_and_colours_in_a_pipe() -> None:
    done = run("demo")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert all(line.startswith(("▶ ", "  ")) for line in done.stdout.splitlines() if line)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_the_demo_is_coloured_on_a_terminal_and_the_audit_stays_away() -> None:
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [*COMMAND, "demo"], env=environment(TERM="xterm-256color"), stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = ""
        while part := read(ours):
            shown += part
    os.close(ours)
    assert process.returncode == 0
    assert "\x1b[1;36m" in shown
    assert "▶ Done: listed, pinned, unpinned" in shown
    assert '"outcome"' not in shown


def read(terminal: int) -> str:
    """Read what is there; a terminal whose other end is closed gives an error in place of an end."""
    try:
        return os.read(terminal, 65_536).decode(errors="replace")
    except OSError:
        return ""
