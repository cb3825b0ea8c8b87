"""Tenants of centres, what a base allots to them, and orders for several of them."""

from __future__ import annotations

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Tenants of centres, what a base allots to them, and orders for several of them."""
