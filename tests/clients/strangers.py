"""Other people's programs: where they are kept, and how they come there."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
ENVIRONMENTS = HERE.parents[1] / ".venv-clients"

Environment = Callable[[str], str]
"""The Python of the environment that holds requirements/NAME.txt."""


def install(command: list[str | Path], *, wanted: Path, stamp: Path) -> None:
    """Install what a file asks for, unless just that is there; where it cannot be, skip with the reason."""
    if stamp.exists() and stamp.read_text() == wanted.read_text():
        return
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        pytest.skip(f"{wanted.name} cannot be installed here: {said[-1]}")
    stamp.write_text(wanted.read_text())
