"""The world that the checks are tried in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.entrance import application
from tests.operations.stories import Told
from voucher.clock import wall_now
from voucher.db import Database


@pytest.fixture
def told(sqlite_database: Database) -> Told:
    """The Shanxi world; test_both_databases tries PostgreSQL."""
    return Told(sqlite_database)


@pytest.fixture
def app(new_sqlite_url: Callable[[], str], tmp_path: Path) -> Iterator[Flask]:
    """The whole application."""
    made = application(new_sqlite_url(), tmp_path)
    yield made
    made.extensions["voucher_database"].dispose()


@pytest.fixture
def served(app: Flask) -> Told:
    """The Shanxi world of today behind the application."""
    return Told(app.extensions["voucher_database"], at=wall_now())
