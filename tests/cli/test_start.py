"""A command starts without reading in what the others need."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

from tests.factories import FOLDER
from tests.pace import within

OTHERS = ("flask", "openpyxl", "alembic", "numpy", "voucher.cli.demo", "voucher.operations.expire")
RUN = f"""
import atexit, sys
from voucher.cli import main
atexit.register(lambda: print(*(name for name in {OTHERS!r} if name in sys.modules), file=sys.stderr))
main()
"""


def childrens_time() -> float:
    """What ended processes of this one have computed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_checking_all_policy_files_takes_two_seconds_with_the_start_of_the_command() -> None:
    files = sorted(str(path) for path in FOLDER.glob("*.toml"))
    with within(2, childrens_time):
        told = subprocess.run(
            [sys.executable, "-c", RUN, "policy", "check", *files],
            env={**os.environ, "DATABASE_URL": "sqlite:////nowhere/at/all.db"},
            capture_output=True,
            text=True,
        )
    assert told.returncode == 1, told.stderr
    assert told.stdout.count(".toml：") == len(files)
    assert told.stderr.split() == []
