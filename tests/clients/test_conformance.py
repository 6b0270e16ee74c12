"""The protocol's own conformance suite, in both eras, against the server over HTTP."""

import subprocess
from pathlib import Path

import pytest
from strangers import HERE

ERAS = ["2025-11-25", "2026-07-28"]


@pytest.mark.parametrize("era", ERAS)
def test_all_that_applies_to_a_server_without_fixtures_passes(
    node: str, packages: Path, address: str, era: str, tmp_path: Path
) -> None:
    suite = packages / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    expected = HERE / f"baseline-{era}.yml"
    asked = ["--url", address, "--requirements", era, "--expected-failures", expected, "-o", tmp_path]
    done = subprocess.run(
        [node, suite, "server", *asked],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[done.stdout.find("=== SUMMARY") :]


@pytest.mark.parametrize("era", ERAS)
def test_each_expected_failure_has_its_reason(era: str) -> None:
    lines = (HERE / f"baseline-{era}.yml").read_text().splitlines()
    entries = [line for line in lines if line.startswith("  - ")]
    assert entries
    assert all(" # " in line for line in entries)
