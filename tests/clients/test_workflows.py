"""GitHub's workflows are as its syntax asks, by actionlint; they cannot run here."""

import subprocess
from pathlib import Path

from strangers import HERE, PROGRAMS

WORKFLOWS = HERE.parents[1] / ".github" / "workflows"


def complaints(node: str, packages: Path, *files: Path) -> list[str]:
    program = packages.parent / PROGRAMS.relative_to(HERE) / "workflows.mjs"
    done = subprocess.run(
        [node, str(program), *map(str, files)],
        capture_output=True,
        text=True,
        check=True,
        cwd=packages.parent,
    )
    return done.stdout.splitlines()


def test_actionlint_has_nothing_to_say_of_the_workflows(node: str, packages: Path) -> None:
    files = sorted(WORKFLOWS.glob("*.yml"))
    assert {file.stem for file in files} == {"ci", "release"}
    assert complaints(node, packages, *files) == []


def test_actionlint_complains_of_a_wrong_workflow(node: str, packages: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text((WORKFLOWS / "ci.yml").read_text().replace("runs-on: ubuntu-latest", "runs_on: x"))
    assert any("runs_on" in line for line in complaints(node, packages, wrong))
