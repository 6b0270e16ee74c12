"""`make release`: builds, checks the wheel on every Python there is, says what to publish.

Each gets a clean environment. Nothing is signed and nothing leaves this machine.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bitrix24_chat_mcp import __version__

from release import bundle, readme

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
NAMES = ("python3.11", "python3.12", "python3.13", "python3.14")


def main() -> int:
    """Build and check; return 0 if it can be published."""
    if stale := [file for file, text in readme.generated().items() if file.read_text("utf-8") != text]:
        print(f"Not up to date, run make docs: {', '.join(file.name for file in stale)}", file=sys.stderr)
        return 1
    shutil.rmtree(DIST, ignore_errors=True)
    _run(sys.executable, "-m", "build", "--quiet", "--outdir", str(DIST), str(ROOT))
    (wheel,) = DIST.glob("*.whl")
    for python in _pythons():
        _check(python, wheel)
    bundle.main()
    print("\n".join(_what_to_publish()))
    return 0


def _pythons() -> list[str]:
    """Return every Python that answers, one a version: on the PATH, and where pyenv keeps its own."""
    pyenv = Path.home() / ".pyenv" / "versions"
    found: dict[str, str] = {}
    for name in NAMES:
        for python in (shutil.which(name), *map(str, sorted(pyenv.glob(f"*/bin/{name}")))):
            if python and name not in found and _answers(python):
                found[name] = python
    return list(found.values())


def _answers(python: str) -> bool:
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


def _check(python: str, wheel: Path) -> None:
    """Install the wheel where nothing else is, and let it show its main job."""
    with tempfile.TemporaryDirectory() as folder:
        _run(python, "-m", "venv", folder)
        command = str(Path(folder) / "bin" / "bitrix24-chat-mcp")
        _run(str(Path(folder) / "bin" / "python"), "-m", "pip", "install", "--quiet", str(wheel))
        told = subprocess.run([command, "--version"], capture_output=True, text=True, check=True, cwd=folder)
        if told.stdout.split()[-1] != __version__:
            raise SystemExit(f"{python}: the wheel says {told.stdout.strip()}, not {__version__}")
        subprocess.run([command, "demo"], stdout=subprocess.DEVNULL, check=True, cwd=folder)
    print(f"{python}: the wheel installs, and the demo runs")


def _what_to_publish() -> Iterator[str]:
    yield f"\nVersion {__version__} is ready. To publish:"
    for file in sorted(DIST.iterdir()):
        yield f"  {hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(ROOT)}"
    yield f"  1. git tag v{__version__}, after its heading stands in CHANGELOG.md"
    yield "  2. the sdist and the wheel to the Python Package Index, for instance with twine"
    yield "  3. the bundle to the release page"
    yield "  4. server.json to the MCP registry: mcp-publisher validate, login, publish"


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main())
