"""The container's steps work in a clean directory: what it builds starts, and its health check passes."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.commands import environment

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
_, BUILD, RUN = TEXT.split("\nFROM ")


def steps(stage: str, instruction: str) -> Iterator[str]:
    return (found[1].strip() for found in re.finditer(rf"^\s*{instruction} (.*)$", stage, re.MULTILINE))


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first stage makes, at another place than in the image."""
    source, image = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("image")
    for step in steps(BUILD, "COPY"):
        *names, target = step.split()
        for name in names:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, source / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, source / target)
    for step in steps(BUILD, "RUN"):
        line = step.replace("/opt/server", str(image / "server")).replace(
            "python -m", f"{sys.executable} -m", 1
        )
        done = subprocess.run(
            ["/bin/sh", "-ec", line], cwd=source, capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(
                f"the image's packages cannot be installed here: {done.stderr.strip().splitlines()[-1]}"
            )
    return image / "server" / "bin"


def test_what_is_left_out_of_the_context_is_not_needed() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {name for step in steps(BUILD, "COPY") for name in step.split()[:-1]}
    assert kept == copied


def test_it_does_not_run_as_root_and_nothing_is_compiled_at_the_start(image: Path) -> None:
    assert list(steps(RUN, "USER")) == ["server"]
    (package,) = image.parent.rglob("bitrix24_chat_mcp")
    assert list((package / "mcp_server" / "__pycache__").glob("app.*.pyc"))


def test_it_starts_and_its_health_check_passes(image: Path) -> None:
    settings = dict(one.split("=", 1) for step in steps(RUN, "ENV") for one in shlex.split(step))
    (entry,) = json.loads(next(steps(RUN, "ENTRYPOINT")))
    # Beyond loopback it wants to know who calls; that is compose.yaml's affair.
    here = {**settings, "PATH": f"{image}:/usr/bin:/bin", "BITRIX24_HTTP__HOST": "127.0.0.1"}
    env = environment(**here, BITRIX24_DEMO="1") | {"BITRIX24_HTTP__PORT": "0"}
    with subprocess.Popen([image / entry], env=env, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        try:
            port = re.findall(r":(\d+)/mcp", server.stderr.readline())[0]
            _, *check = json.loads(RUN.partition("CMD ")[2].partition("\n")[0])
            check = [argument.replace(settings["BITRIX24_HTTP__PORT"], port) for argument in check]
            done = subprocess.run([image / "python", *check], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        finally:
            server.terminate()
