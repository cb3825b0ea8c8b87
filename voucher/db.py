"""Engines, sessions, and the one place that commits.

`Database.transaction` runs a function of parsed values as one transaction: it reads the database clock, gives
the instant to the function, commits once, and runs the whole function again when the database asks for it
(serialisation failure, deadlock, lock timeout, a connection lost before the commit). A connection lost *during*
the commit is not retried here: the outcome is unknown, and only the client's own key can tell (see
`operations/once.py`).

On SQLite writers queue in a fair in-process lock before `BEGIN IMMEDIATE`; readers get a deferred transaction
under `query_only`. `FOR UPDATE` does not exist there; the single writer takes its place.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from psycopg.types.numeric import Int8Dumper
from sqlalchemy import Connection, Engine, MetaData, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session

from voucher.clock import wall_now
from voucher.errors import Code, Refusal

T = TypeVar("T")

TRIES = 3
LOCK_SECONDS = 5
RETRIED_STATES = frozenset({"40001", "40P01", "55P03"})
_WRITES = "voucher_writes"
# What a transaction writes is found by key. Planned anew for every execution, its statements cost half as much again.
_CLOCK = text("SELECT clock_timestamp(), set_config('plan_cache_mode', 'force_generic_plan', true)")


class Base(DeclarativeBase):
    """The tables' common base; the naming convention makes every constraint addressable in migrations."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class FairLock:
    """A lock that is handed over in the order of asking (a plain one starved writers 11 to 3,645)."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._held = False

    def acquire(self, timeout: float) -> bool:
        """Wait for the turn; False after `timeout` seconds."""
        with self._mutex:
            if not self._held:
                self._held = True
                return True
            ticket = threading.Lock()
            ticket.acquire()
            self._waiting.append(ticket)
        if ticket.acquire(timeout=timeout):
            return True
        with self._mutex:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                return False
        return True

    def release(self) -> None:
        """Hand over to the longest waiting, or open the lock."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False


class Database:
    """One database: its engine, its reading sessions and its transactions."""

    def __init__(self, url: str | URL, *, pool_size: int = 16) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _postgresql_engine(self.url, pool_size)
        self._writer = self.engine.execution_options(**{_WRITES: True}) if self.is_sqlite else self.engine
        self._reader = (
            self.engine if self.is_sqlite else self.engine.execution_options(postgresql_readonly=True)
        )
        self._turn = FairLock()
        self._serving_lock: int | None = None

    def dispose(self) -> None:
        """Close every pooled connection, and give up the serving lock."""
        self.engine.dispose()
        if self._serving_lock is not None:
            os.close(self._serving_lock)
            self._serving_lock = None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that cannot write; its transaction ends with the block."""
        with Session(self._reader, autoflush=False) as session:
            yield session

    def transaction(self, work: Callable[[Session, datetime], T], *, at: datetime | None = None) -> T:
        """Run `work(session, at)` as one transaction and return what it returned.

        `at` is the database clock, read once per attempt, unless given (replaying a told year). A raised
        exception rolls everything back. After three failed attempts: `Refusal(busy)`.
        """
        for attempt in range(1, TRIES + 1):
            with self._one_writer(), Session(self._writer, expire_on_commit=False) as session:
                try:
                    answer = work(session, at or database_now(session))
                    session.flush()
                except DBAPIError as failure:
                    session.rollback()
                    if not _is_passing(failure):
                        raise
                else:
                    _commit(session)
                    return answer
            time.sleep(0.02 * attempt)
        raise Refusal(Code.BUSY)

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        if not self.is_sqlite:
            yield
            return
        if not self._turn.acquire(timeout=LOCK_SECONDS * 3):
            raise Refusal(Code.BUSY)
        try:
            yield
        finally:
            self._turn.release()

    def serve_alone(self) -> None:
        """On SQLite, take the lock of the one serving process; refuse to serve beside another one."""
        if not self.is_sqlite or not self.url.database or self._serving_lock is not None:
            return
        handle = os.open(f"{self.url.database}.serving", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + 10
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._serving_lock = handle
                return
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(handle)
                    raise RuntimeError(
                        "another process already serves this SQLite database; "
                        "SQLite is served by one process with threads: use PostgreSQL for more"
                    ) from None
                time.sleep(0.2)

    def analyze(self) -> None:
        """Refresh the planner's statistics after a bulk load.

        PostgreSQL keeps the plans of foreign-key checks; made on empty tables, they scan for every row.
        """
        engine = self._writer.execution_options(isolation_level="AUTOCOMMIT")
        with self._one_writer(), engine.connect() as connection:
            connection.execute(text("ANALYZE"))

    def check_durability(self) -> None:
        """Refuse a PostgreSQL that acknowledges before the write is on disk."""
        if self.is_sqlite:
            return
        with self.read() as session:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                value = session.execute(text(f"SHOW {setting}")).scalar_one()
                if value == "off":
                    raise RuntimeError(
                        f"PostgreSQL runs with {setting} = off: it would lose acknowledged money"
                    )


def database_now(session: Session) -> datetime:
    """The database's clock. On SQLite that is this machine's."""
    if session.get_bind().dialect.name == "sqlite":
        return wall_now()
    instant: datetime = session.execute(_CLOCK).scalar_one()
    return instant.astimezone(UTC)


def sqlstate(failure: DBAPIError) -> str | None:
    """The SQLSTATE of a PostgreSQL failure, if it has one."""
    return getattr(failure.orig, "sqlstate", None)


def _commit(session: Session) -> None:
    try:
        session.commit()
    except DBAPIError as failure:
        if failure.connection_invalidated or sqlstate(failure) in RETRIED_STATES:
            raise Refusal(Code.BUSY) from failure
        raise


def _is_passing(failure: DBAPIError) -> bool:
    if failure.connection_invalidated or sqlstate(failure) in RETRIED_STATES:
        return True
    return "database is locked" in str(failure.orig)


def _postgresql_engine(url: URL, pool_size: int) -> Engine:
    options = f"-c lock_timeout={LOCK_SECONDS}s -c statement_timeout=10s -c timezone=UTC"
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=16,
        pool_timeout=10,
        isolation_level="READ COMMITTED",
        connect_args={"connect_timeout": 3, "options": options},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # By default the type of an int, and so the prepared statement, depends on its size.
        connection.adapters.register_dumper(int, Int8Dumper)

    return engine


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": 30}, pool_size=40)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "recursive_triggers=ON",
            "busy_timeout=30000",
            # Pages kept in memory, and let the log grow before it is folded in: in a province's year each page
            # was read and written dozens of times. At most 48 MiB a connection, of which only the writer's fills.
            "cache_size=-49152",
            "wal_autocheckpoint=8000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = bool(connection.get_execution_options().get(_WRITES))
        connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
