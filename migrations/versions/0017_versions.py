"""Policy versions proposed by one person and published by another; decisions of a year's end."""

from __future__ import annotations

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Policy versions proposed by one person and published by another; decisions of a year's end."""
