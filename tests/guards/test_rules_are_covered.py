"""Every branch of every rule is taken by the rules' own tests: what a policy says is tried on both sides."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.guards.source import ROOT


def test_the_rules_tests_take_every_branch_of_every_rule(tmp_path: Path) -> None:
    data = tmp_path / "rules.coverage"
    run = [
        sys.executable,
        "-m",
        "coverage",
        "run",
        "--branch",
        "--source=voucher/rules",
        f"--data-file={data}",
    ]
    tests = ["-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "tests/rules"]
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    subprocess.run([*run, *tests], cwd=ROOT, env=plain, capture_output=True, check=False, timeout=300)
    report = [sys.executable, "-m", "coverage", "report", f"--data-file={data}", "--show-missing"]
    told = subprocess.run(
        [*report, "--skip-covered", "--fail-under=100", "--precision=2"],
        cwd=ROOT,
        env=plain,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert told.returncode == 0, told.stdout[-3000:]
