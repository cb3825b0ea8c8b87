"""Telling people: the outbox, contacts, and the table of holidays."""

from __future__ import annotations

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    pass
