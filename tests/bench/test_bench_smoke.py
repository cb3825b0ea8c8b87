"""`make bench` still runs: one small section of it, briefly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_bench_measures_verification_and_prints_it_beside_what_is_wanted() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "bench", "verify"],
        cwd=ROOT, env={**os.environ, "BENCH_QUICK": "1"}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert "| ledger verify, " in said.stdout and "≥ 500,000/s" in said.stdout
