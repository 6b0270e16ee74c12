"""Measures, prints every figure beside what was promised, and writes BENCHMARKS.md; 1 if one is missed.

`python -m bench tokens startup` measures only these parts, and writes nothing.
"""

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import crowd, http, large, pacing, replicas, startup, titles, tokens
from bench.table import HEAD, Row

PARTS = {
    "tokens": tokens,
    "titles": titles,
    "large": large,
    "startup": startup,
    "pacing": pacing,
    "http": http,
    "crowd": crowd,
    "replicas": replicas,
}
FILE = Path(__file__).parents[1] / "BENCHMARKS.md"


def main(names: Sequence[str]) -> int:
    """Measure the named parts, or all of them."""
    print(HEAD)
    measured: list[Row] = []
    for name in names or PARTS:
        for row in PARTS[name].rows():
            print(row, flush=True)
            measured.append(row)
    if not names:
        FILE.write_text(_page(measured), encoding="utf-8")
    return int(not all(row.kept for row in measured))


def _page(rows: Sequence[Row]) -> str:
    parts = "\n".join(f"- `{name}`: {_first_line(part.__doc__)}" for name, part in PARTS.items())
    return f"""# Figures

Measured on {datetime.now(UTC):%Y-%m-%d}, at commit {_commit()}, on {_machine()}. To repeat: `make bench`.

{HEAD}
{chr(10).join(map(str, rows))}

The parts, each of which `python -m bench NAME` measures alone:

{parts}
"""


def _first_line(text: str | None) -> str:
    return (text or "").strip().splitlines()[0]


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=FILE.parent, capture_output=True, text=True, check=False)  # noqa: S603
    return f"`{done.stdout.strip() or 'unknown'}`"


def _machine() -> str:
    return (
        f"{os.cpu_count()} cores ({platform.machine()}, load {os.getloadavg()[0]:.1f}), "
        f"{platform.system()}, Python {platform.python_version()}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
