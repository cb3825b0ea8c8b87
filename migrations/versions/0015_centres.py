"""Centres and their titles, evaluations, quarterly reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def upgrade() -> None:
    _centre()
    _title()


def _centre() -> None:
    op.create_table(
        "centre",
        sa.Column("id", KEY, nullable=False),
        sa.Column("organisation_id", KEY, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("authority", sa.String(length=80), nullable=False),
        sa.Column("certifying_region", sa.String(length=20), nullable=False),
        sa.Column("location_region", sa.String(length=20), nullable=False),
        sa.Column("grade", sa.String(length=40), nullable=False),
        sa.Column("document_no", sa.String(length=80), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("state_reason", sa.String(length=200), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("to_on IS NULL OR to_on > from_on", name="ck_centre_ends_after_it_begins"),
        _to("centre", "organisation_id", "organisation.id"),
        _to("centre", "certifying_region", "region.code"),
        _to("centre", "location_region", "region.code"),
        sa.PrimaryKeyConstraint("id", name="pk_centre"),
        sa.UniqueConstraint(
            "organisation_id",
            "kind",
            "authority",
            "document_no",
            name="uq_centre_organisation_id_kind_authority_document_no",
        ),
    )
    op.create_index("ix_centre_certifying_region", "centre", ["certifying_region"])


def _title() -> None:
    op.create_table(
        "centre_title",
        sa.Column("id", KEY, nullable=False),
        sa.Column("centre_id", KEY, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("document_no", sa.String(length=80), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("fell_at", INSTANT, nullable=True),
        _to("centre_title", "centre_id", "centre.id"),
        sa.PrimaryKeyConstraint("id", name="pk_centre_title"),
        sa.UniqueConstraint(
            "centre_id", "kind", "document_no", name="uq_centre_title_centre_id_kind_document_no"
        ),
    )


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}", ondelete="RESTRICT")
