"""Co-funders: what each promised, its part of every order, and transfers between books."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
JSON = sa.Text().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Co-funders: what each promised, its part of every order, and transfers between books."""
    _pledges()
    _shares()
    _remittances()


def _pledges() -> None:
    op.create_table(
        "pledge_document",
        sa.Column("id", KEY, nullable=False),
        sa.Column("book_id", KEY, nullable=False),
        sa.Column("programme_code", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("document_no", sa.String(length=80), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("pledged_by", KEY, nullable=False),
        sa.Column("pledged_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pledge_document"),
        sa.UniqueConstraint(
            "book_id",
            "owner",
            "year",
            "document_no",
            name="uq_pledge_document_book_id_owner_year_document_no",
        ),
        sa.CheckConstraint("amount_fen > 0", name="ck_pledge_document_amount_positive"),
        *_keys(
            "pledge_document",
            ("book_id", "book.book_id"),
            ("programme_code", "programme.code"),
            ("pledged_by", "person.id"),
        ),
    )


def _shares() -> None:
    op.create_table(
        "order_share",
        sa.Column("id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("book_id", KEY, nullable=False),
        sa.Column("pledge_owner", sa.String(length=120), nullable=False),
        sa.Column("pledge_year", sa.Integer(), nullable=False),
        sa.Column("parts", KEY, nullable=False),
        sa.Column("whole", KEY, nullable=False),
        sa.Column("portions", JSON, nullable=False),
        sa.Column("base_fen", sa.BigInteger(), nullable=False),
        sa.Column("held_fen", sa.BigInteger(), nullable=False),
        sa.Column("share_fen", sa.BigInteger(), nullable=False),
        sa.Column("settled_fen", sa.BigInteger(), nullable=False),
        sa.Column("hold_posting", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_order_share"),
        sa.UniqueConstraint("order_id", "book_id", name="uq_order_share_order_id_book_id"),
        sa.CheckConstraint(
            "held_fen >= 0 AND share_fen >= 0 AND settled_fen >= 0", name="ck_order_share_no_negative"
        ),
        sa.CheckConstraint("settled_fen <= share_fen", name="ck_order_share_settled_within_share"),
        sa.CheckConstraint(
            "parts >= 0 AND whole > 0 AND parts <= whole", name="ck_order_share_part_of_whole"
        ),
        *_keys(
            "order_share",
            ("order_id", "service_order.id"),
            ("book_id", "book.book_id"),
        ),
    )
    op.create_index("ix_order_share_book", "order_share", ["book_id", "order_id"])


def _remittances() -> None:
    op.create_table(
        "remittance",
        sa.Column("id", KEY, nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("from_book_id", KEY, nullable=False),
        sa.Column("to_book_id", KEY, nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("document_no", sa.String(length=80), nullable=False),
        sa.Column("receipt_no", sa.String(length=80), nullable=False),
        sa.Column("prepared_by", KEY, nullable=False),
        sa.Column("prepared_at", INSTANT, nullable=False),
        sa.Column("sent_by", KEY, nullable=True),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("noted_by", KEY, nullable=True),
        sa.Column("noted_at", INSTANT, nullable=True),
        sa.Column("received_by", KEY, nullable=True),
        sa.Column("received_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_remittance"),
        sa.UniqueConstraint("number", name="uq_remittance_number"),
        sa.CheckConstraint("amount_fen > 0", name="ck_remittance_amount_positive"),
        sa.CheckConstraint("from_book_id <> to_book_id", name="ck_remittance_two_books"),
        sa.CheckConstraint("prepared_by <> sent_by", name="ck_remittance_sent_by_another"),
        sa.CheckConstraint("noted_by <> received_by", name="ck_remittance_received_by_another"),
        *_keys(
            "remittance",
            ("from_book_id", "book.book_id"),
            ("to_book_id", "book.book_id"),
            *((column, "person.id") for column in ("prepared_by", "sent_by", "noted_by", "received_by")),
        ),
    )
    op.create_index("ix_remittance_pair", "remittance", ["from_book_id", "to_book_id", "state"])


def _keys(table: str, *columns: tuple[str, str]) -> Sequence[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}", ondelete="RESTRICT")
        for column, target in columns
    ]
