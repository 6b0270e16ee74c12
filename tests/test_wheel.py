"""The built wheel works by itself, outside the checkout."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's contents; the dependencies are those of the running Python."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    built = subprocess.run(
        [*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT], capture_output=True, text=True, check=False
    )
    if built.returncode:
        pytest.skip(f"the wheel cannot be built here: {built.stderr.strip().splitlines()[-1]}")
    (wheel,) = folder.glob("*.whl")
    site = folder / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", site, wheel], check=True)
    return site


def test_the_demo_runs_from_the_wheel_and_finds_its_texts(site: Path, tmp_path: Path) -> None:
    program = (
        "import bitrix24_chat_mcp, sys; from bitrix24_chat_mcp.__main__ import main; "
        "print(bitrix24_chat_mcp.__file__); sys.exit(main(['demo']))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(site), "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith(str(site))
    assert "Done: listed, pinned, unpinned, and one pin refused" in shown.stdout


def test_the_wheel_holds_both_packages_and_their_texts_and_nothing_else(site: Path) -> None:
    tops = {path.name for path in site.iterdir()} - {"bin"}
    assert {name for name in tops if not name.endswith(".dist-info")} == {
        *("bitrix24_chat_mcp", "bitrix24_demo_portal"),
    }
    texts = {str(path.relative_to(ROOT)) for path in (ROOT / "prompts").rglob("*.md")}
    packed = {str(path.relative_to(site / "bitrix24_chat_mcp")) for path in site.rglob("*.md")}
    assert packed == texts


def test_the_wheel_holds_the_scripts_that_servers_run_in_their_engine(site: Path) -> None:
    shared = ROOT / "server" / "bitrix24_chat_mcp" / "portal" / "shared" / "scripts"
    built = site / "bitrix24_chat_mcp" / "portal" / "shared" / "scripts"
    assert {script.name for script in built.iterdir()} == {script.name for script in shared.iterdir()}
