"""Recognition agreements between regions, in versions."""

from __future__ import annotations

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Recognition agreements between regions, in versions."""
