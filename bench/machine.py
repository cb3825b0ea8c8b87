"""The machine that was measured on, named without a path."""

from __future__ import annotations

import platform
import re
import sqlite3
from pathlib import Path

import psutil

_GIB = 1024**3


def machine(server: str) -> str:
    """CPU, cores, memory, system and versions, in one line."""
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    cpu = found[1] if found else platform.machine()
    memory = psutil.virtual_memory().total // _GIB
    cores = psutil.cpu_count()
    return (
        f"{cpu}, {cores} cores, {memory} GiB; Linux {platform.release().split('-')[0]}, {server}, "
        f"SQLite {sqlite3.sqlite_version}, Python {platform.python_version()}"
    )


def load() -> str:
    """How busy the machine is with other work just now: the load average of the last minute, per core."""
    return f"{psutil.getloadavg()[0] / (psutil.cpu_count() or 1):.1f}"
