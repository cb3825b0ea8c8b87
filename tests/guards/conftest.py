"""The application as the guards look at it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from config import Config


@pytest.fixture
def app(new_sqlite_url: Callable[[], str], tmp_path: Path) -> Flask:
    """The whole application on an empty, migrated database."""
    from voucher.app import create_app

    environment = {
        "VOUCHER_ENV": "test",
        "DATABASE_URL": new_sqlite_url(),
        "FILES_DIR": str(tmp_path / "files"),
        "ANCHOR_DIR": str(tmp_path / "anchors"),
    }
    return create_app(Config.from_env(environment))
