"""The application does not serve on a PostgreSQL that acknowledges before it writes."""

from __future__ import annotations

import pytest

from tests.postgres import Postgres
from voucher.db import Database


def test_a_postgresql_that_does_not_wait_for_the_disk_is_refused(
    pg_database: Database, postgres: Postgres
) -> None:
    with postgres.durable():
        pg_database.check_durability()
    with pytest.raises(RuntimeError, match="fsync = off"):
        pg_database.check_durability()


def test_a_sqlite_commit_is_on_disk(sqlite_database: Database) -> None:
    sqlite_database.check_durability()
    with sqlite_database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2  # FULL
