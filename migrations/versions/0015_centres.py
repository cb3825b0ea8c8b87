"""Centres and their titles, evaluations, quarterly reports."""

from __future__ import annotations

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Centres and their titles, evaluations, quarterly reports."""
