"""A town for each story: on SQLite with a calendar that can be turned, on PostgreSQL on the day that it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from tests import factories
from tests.entrance import application


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Monday, 2 March 2026, ten in the morning; it runs, and stories turn it on by days."""
    with time_machine.travel(factories.AT, tick=True) as traveller:
        yield traveller


@pytest.fixture
def app(clock: time_machine.Traveller, new_sqlite_url: Callable[[], str], tmp_path: Path) -> Iterator[Flask]:
    """The whole application on SQLite, whose time is the machine's."""
    made = application(new_sqlite_url(), tmp_path)
    yield made
    made.extensions["voucher_database"].dispose()


@pytest.fixture
def postgresql_app(new_postgresql_url: Callable[[], str], tmp_path: Path) -> Iterator[Flask]:
    """The whole application on PostgreSQL, whose time is the database's own."""
    made = application(new_postgresql_url(), tmp_path)
    yield made
    made.extensions["voucher_database"].dispose()
