"""The world that the checks are tried in."""

from __future__ import annotations

import pytest

from tests.operations.stories import Told
from voucher.db import Database


@pytest.fixture
def told(sqlite_database: Database) -> Told:
    """The Shanxi world; tests/checks/test_both_databases.py tries PostgreSQL."""
    return Told(sqlite_database)
