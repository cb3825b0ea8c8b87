"""Databases for the tests: migrated once per run, copied fresh for each test, dropped after it."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import crc32

import hypothesis
import pytest
from alembic import command
from alembic.config import Config as AlembicConfig

# Whatever the shell that runs the tests is set to, no test reaches a real installation.
os.environ["VOUCHER_ENV"] = "test"
for name in (
    "DATABASE_URL",
    "MIGRATION_DATABASE_URL",
    "AUDIT_DATABASE_URL",
    "SECRET_KEY",
    "QR_KEYS",
    "ARGON2",
    "SMTP_URL",
    "MESSAGE_GATEWAY_URL",
    "MESSAGE_SINK_DIR",
):
    os.environ.pop(name, None)

from tests import engines, routes  # noqa: E402
from tests.postgres import Postgres, memory  # noqa: E402 (decided before anything reads the environment)
from voucher.db import Database  # noqa: E402

if in_memory := memory():  # each commit on SQLite waits for the disk
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", in_memory)

# A busy machine is no counterexample; where time matters, a test says so (tests/pace.py).
hypothesis.settings.register_profile(
    "shared", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("shared")

ROOT = Path(__file__).resolve().parent.parent
engines.share()
routes.share()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option of `make test`."""
    said = "tests of pages and of the API run on one of the two databases each, settled by their names"
    parser.addoption("--pages-once", action="store_true", help=said)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What pages and the API stand on is tested on both databases anyway, floor by floor."""
    if not config.getoption("--pages-once"):
        return
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        kind = getattr(item, "callspec", None) and item.callspec.params.get("database_url")  # type: ignore[attr-defined]
        name = item.nodeid.replace(str(kind), "")
        on = ("sqlite", "postgresql")[crc32(name.encode()) % 2]
        is_way_in = item.path.parent.name in ("web", "api")
        (left if is_way_in and kind not in (None, on) else kept).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left)


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database at `url` to a revision, by the migrations and nothing else."""
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(ROOT / "migrations"))
    settings.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(settings, revision)


@pytest.fixture(scope="session")
def postgres() -> Postgres:
    """The PostgreSQL server of this run; destroyed at exit."""
    return Postgres()


@pytest.fixture
def durable(postgres: Postgres) -> Iterator[None]:
    """For tests that serve: PostgreSQL waits for the disk, as the application demands of it."""
    with postgres.durable():
        yield


@pytest.fixture(scope="session")
def postgresql_template(postgres: Postgres) -> Iterator[str]:
    """The name of a migrated PostgreSQL database that tests copy."""
    name = postgres.create_database()
    migrate(postgres.url(name))
    yield name
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that tests copy."""
    file = tmp_path_factory.mktemp("template") / "voucher.db"
    migrate(f"sqlite:///{file}")
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return file


@pytest.fixture
def new_sqlite_url(sqlite_template: Path, tmp_path: Path) -> Callable[[], str]:
    """Makes a fresh, migrated SQLite database at each call."""
    made: list[Path] = []

    def make() -> str:
        made.append(tmp_path / f"voucher-{len(made)}.db")
        shutil.copyfile(sqlite_template, made[-1])
        return f"sqlite:///{made[-1]}"

    return make


@pytest.fixture
def new_postgresql_url(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Makes a fresh, migrated PostgreSQL database at each call; all are dropped after the test."""
    server: Postgres = request.getfixturevalue("postgres")
    template: str = request.getfixturevalue("postgresql_template")
    made: list[str] = []

    def make() -> str:
        made.append(server.create_database(template=template))
        return server.url(made[-1])

    yield make
    for name in made:
        server.drop_database(name)


def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.dispose()


@pytest.fixture
def sqlite_database(new_sqlite_url: Callable[[], str]) -> Iterator[Database]:
    """A fresh SQLite database."""
    yield from _opened(new_sqlite_url())


@pytest.fixture
def pg_database(new_postgresql_url: Callable[[], str]) -> Iterator[Database]:
    """A fresh PostgreSQL database."""
    yield from _opened(new_postgresql_url())


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh database; the test runs once on SQLite and once on PostgreSQL."""
    make: Callable[[], str] = request.getfixturevalue(f"new_{request.param}_url")
    return make()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh database; the test runs once on SQLite and once on PostgreSQL."""
    yield from _opened(database_url)


@pytest.fixture(scope="session")
def told_demo(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo as its own command tells it, once for the whole run: voucher.db, files, passwords.json."""
    own = tmp_path_factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "demo-told-once"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "passwords.json").exists():
            shutil.copyfile(sqlite_template, shared / "voucher.db")
            tell_demo(shared)
    return Path(shutil.copytree(shared, tmp_path_factory.mktemp("demo") / "copy"))


def tell_demo(folder: Path) -> None:
    """Run `voucher demo` on the migrated database in this folder; its passwords are written last."""
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{folder / 'voucher.db'}",
        "FILES_DIR": str(folder / "files"),
        "ANCHOR_DIR": str(folder / "anchors"),
    }
    voucher = Path(sys.executable).with_name("voucher")
    subprocess.run(
        [voucher, "demo", "--passwords", folder / "passwords.json"],
        cwd=ROOT, env=environment, check=True, capture_output=True,
    )  # fmt: skip
    with sqlite3.connect(folder / "voucher.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


@pytest.fixture(scope="session")
def campaign_share() -> float:
    """The share of a campaign's full count to run: 1.0 under `make campaign`, else a twentieth."""
    return 1.0 if os.environ.get("CAMPAIGN") == "full" else 0.05
