"""The world that the tests of the main job begin with."""

from __future__ import annotations

import pytest

from tests.operations.stories import Told
from voucher.db import Database


@pytest.fixture
def told(database: Database) -> Told:
    """The Shanxi world, committed, on SQLite and on PostgreSQL."""
    return Told(database)
