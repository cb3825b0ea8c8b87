"""Co-funders: what each promised, and its part of every order."""

from __future__ import annotations

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Co-funders: what each promised, and its part of every order."""
