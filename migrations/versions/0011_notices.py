"""Public notices and objections."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def _points(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}", ondelete="RESTRICT")


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", KEY, nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("region_code", sa.String(length=20), nullable=False),
        sa.Column("programme_code", sa.String(length=40), nullable=True),
        sa.Column("authority", sa.String(length=80), nullable=False),
        sa.Column("contact", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("working_days", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("weekends_only", sa.String(length=40), nullable=False),
        sa.Column("published_by", KEY, nullable=False),
        sa.Column("published_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        _points("notice", "region_code", "region.code"),
        _points("notice", "programme_code", "programme.code"),
        _points("notice", "published_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        sa.UniqueConstraint("number", name="uq_notice_number"),
    )
    op.create_index("ix_notice_state", "notice", ["state", "to_on"])
    op.create_table(
        "notice_line",
        sa.Column("id", KEY, nullable=False),
        sa.Column("notice_id", KEY, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("claim_id", KEY, nullable=True),
        sa.Column("enterprise", sa.String(length=120), nullable=False),
        sa.Column("provider", sa.String(length=120), nullable=False),
        sa.Column("service", sa.String(length=120), nullable=False),
        sa.Column("contract_fen", sa.BigInteger(), nullable=True),
        sa.Column("subsidy_fen", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        _points("notice_line", "notice_id", "notice.id"),
        _points("notice_line", "claim_id", "claim.id"),
        sa.PrimaryKeyConstraint("id", name="pk_notice_line"),
        sa.UniqueConstraint("notice_id", "seq", name="uq_notice_line_notice_id_seq"),
        sa.UniqueConstraint("claim_id", name="uq_notice_line_claim_id"),
    )
    op.create_table(
        "notice_place",
        sa.Column("id", KEY, nullable=False),
        sa.Column("notice_id", KEY, nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("placed_on", sa.Date(), nullable=False),
        sa.Column("recorded_by", KEY, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        _points("notice_place", "notice_id", "notice.id"),
        _points("notice_place", "recorded_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_notice_place"),
        sa.UniqueConstraint("notice_id", "address", name="uq_notice_place_notice_id_address"),
    )
    op.create_table(
        "objection",
        sa.Column("id", KEY, nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("notice_id", KEY, nullable=False),
        sa.Column("line_id", KEY, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("via", sa.String(length=12), nullable=False),
        sa.Column("objector", sa.String(length=60), nullable=False),
        sa.Column("contact", sa.String(length=120), nullable=False),
        sa.Column("body", sa.String(length=2000), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("recorded_by", KEY, nullable=True),
        sa.Column("decided_by", KEY, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        _points("objection", "notice_id", "notice.id"),
        _points("objection", "line_id", "notice_line.id"),
        _points("objection", "recorded_by", "person.id"),
        _points("objection", "decided_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_objection"),
        sa.UniqueConstraint("number", name="uq_objection_number"),
        sa.UniqueConstraint("notice_id", "seq", name="uq_objection_notice_id_seq"),
    )
    op.create_index("ix_objection_line", "objection", ["line_id", "state"])
    op.create_index("ix_objection_source", "objection", ["source", "made_at"])
    op.create_table(
        "objection_lookup",
        sa.Column("id", KEY, nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("failed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_objection_lookup"),
    )
    op.create_index("ix_objection_lookup_source", "objection_lookup", ["source", "failed_at"])
