"""The PostgreSQL that everything is measured on, its yardstick pgbench, and what a measurement costs in CPU."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from alembic import command
from alembic.config import Config as AlembicConfig

from tests.postgres import Postgres

_ROOT = Path(__file__).resolve().parent.parent
SCALE = 10
CLIENTS = 8


@dataclass
class Spent:
    """Wall and CPU seconds of a measurement: its client processes, and the whole family of the server."""

    seconds: float = 0.0
    client_cpu: float = 0.0
    server_cpu: float = 0.0


def migrate(url: str) -> None:
    """Bring the database at `url` to the head."""
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(_ROOT / "migrations"))
    settings.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(settings, "head")


def family_cpu(pid: int) -> float:
    """CPU seconds of a process, its children that live, and those that it has waited for."""
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        waited = parent.cpu_times()
        total += waited.children_user + waited.children_system
    return total


class Cluster:
    """One server: our own databases beside pgbench's."""

    def __init__(self) -> None:
        self.server = Postgres(durable=True)
        self._template = self.server.create_database()
        migrate(self.server.url(self._template))
        self._tpcb = ""

    @property
    def version(self) -> str:
        """As the server says it."""
        with psycopg.connect(self._plain("postgres")) as connection:
            return f"PostgreSQL {connection.info.server_version // 10000}.{connection.info.server_version % 10000}"

    def fresh(self) -> str:
        """The address of a fresh, migrated database."""
        return self.server.url(self.server.create_database(template=self._template))

    @contextmanager
    def measured(self) -> Iterator[Spent]:
        """Wall seconds and the server's CPU seconds of the block."""
        spent, began, before = Spent(), time.perf_counter(), family_cpu(self.server.pid)
        yield spent
        spent.seconds = time.perf_counter() - began
        spent.server_cpu = family_cpu(self.server.pid) - before

    def tpcb(self, seconds: int) -> tuple[float, Spent]:
        """Transactions/s of pgbench's TPC-B, and what they cost."""
        if not self._tpcb:
            self._tpcb = self.server.create_database()
            self._pgbench("-i", "-q", "-s", str(SCALE))
        with self.measured() as spent:
            before = psutil.Process().cpu_times()
            said = self._pgbench("-c", str(CLIENTS), "-j", "2", "-T", str(seconds), "-M", "prepared")
            after = psutil.Process().cpu_times()
            children = after.children_user + after.children_system
            spent.client_cpu = children - before.children_user - before.children_system
        found = re.search(r"tps = ([0-9.]+)", said)
        if found is None:
            raise RuntimeError(said)
        return float(found[1]), spent

    def _pgbench(self, *options: str) -> str:
        asked = [str(self.server.bin / "pgbench"), *options, self._plain(self._tpcb)]
        return subprocess.run(asked, check=True, capture_output=True, text=True, cwd="/").stdout

    def _plain(self, name: str) -> str:
        return self.server.url(name).replace("postgresql+psycopg://", "postgresql://")
