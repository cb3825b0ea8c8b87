"""The application on a fresh database, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.entrance import application


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The whole application; the test runs once on SQLite and once on PostgreSQL."""
    made = application(database_url, tmp_path)
    yield made
    made.extensions["voucher_database"].dispose()
