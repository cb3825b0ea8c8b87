"""Telling people: contacts, the outbox, and the table of holidays with the published years."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
JSON = sa.Text().with_variant(postgresql.JSONB(), "postgresql")
HOLIDAYS = Path(__file__).resolve().parents[2] / "voucher/data/holidays.csv"
SOURCE = "chinesecalendar 1.11.0"


def upgrade() -> None:
    op.create_table(
        "contact",
        sa.Column("person_id", KEY, nullable=False, autoincrement=False),
        sa.Column("email", sa.String(length=120), nullable=False),
        sa.Column("mobile", sa.String(length=20), nullable=False),
        sa.Column("channels", JSON, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_contact_person_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("person_id", name="pk_contact"),
    )
    op.create_table(
        "message",
        sa.Column("id", KEY, nullable=False),
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("once", sa.String(length=80), nullable=False),
        sa.Column("person_id", KEY, nullable=True),
        sa.Column("address", sa.String(length=120), nullable=True),
        sa.Column("channel", sa.String(length=12), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("told_at", INSTANT, nullable=False),
        sa.Column("next_try_at", INSTANT, nullable=True),
        sa.Column("claimed_at", INSTANT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=200), nullable=False),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("read_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_message_person_id", ondelete="RESTRICT"
        ),
        sa.CheckConstraint("(person_id IS NULL) <> (address IS NULL)", name="ck_message_one_recipient"),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
        sa.UniqueConstraint("ref", name="uq_message_ref"),
        sa.UniqueConstraint(
            "event",
            "subject",
            "once",
            "person_id",
            "channel",
            name="uq_message_event_subject_once_person_id_channel",
        ),
    )
    op.create_index("ix_message_inbox", "message", ["person_id", "channel", "read_at"])
    op.create_index("ix_message_outbox", "message", ["state", "next_try_at"])
    holidays = op.create_table(
        "holiday",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("document_no", sa.String(length=80), nullable=False),
        sa.Column("entered_by", KEY, nullable=True),
        sa.Column("entered_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["entered_by"], ["person.id"], name="fk_holiday_entered_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("day", name="pk_holiday"),
    )
    with HOLIDAYS.open(encoding="utf-8", newline="") as file:
        published = [
            {
                "day": date.fromisoformat(row["day"]),
                "kind": row["kind"],
                "name": row["name"],
                "document_no": SOURCE,
            }
            for row in csv.DictReader(file)
        ]
    op.bulk_insert(holidays, published)
