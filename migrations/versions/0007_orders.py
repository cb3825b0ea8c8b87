"""Orders in full: catalogue, contracts, instalments, disputes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def upgrade() -> None:
    _contracts()
    _disputes()
    _deliveries()


def _contracts() -> None:
    op.create_table(
        "contract",
        sa.Column("id", KEY, nullable=False),
        sa.Column("ref", sa.String(length=120), nullable=False),
        sa.Column("book_id", KEY, nullable=False),
        sa.Column("holder_id", KEY, nullable=False),
        sa.Column("host_id", KEY, nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=True),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=60), nullable=False),
        sa.Column("filed_by", KEY, nullable=False),
        sa.Column("filed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contract"),
        sa.CheckConstraint("amount_fen > 0", name="ck_contract_amount_positive"),
        sa.UniqueConstraint("ref", name="uq_contract_ref"),
        sa.ForeignKeyConstraint(
            ["book_id"], ["book.book_id"], name="fk_contract_book_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["holder_id"], ["holder.id"], name="fk_contract_holder_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["host_id"], ["organisation.id"], name="fk_contract_host_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["filed_by"], ["person.id"], name="fk_contract_filed_by", ondelete="RESTRICT"
        ),
    )
    op.create_index("ix_contract_holder", "contract", ["holder_id"])
    op.create_index("ix_contract_host", "contract", ["host_id"])
    op.create_table(
        "contract_supplement",
        sa.Column("id", KEY, nullable=False),
        sa.Column("contract_id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("was_fen", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=True),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("filed_by", KEY, nullable=False),
        sa.Column("filed_at", INSTANT, nullable=False),
        sa.Column("answered_by", KEY, nullable=True),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("answer_reason", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contract_supplement"),
        sa.CheckConstraint("amount_fen > 0", name="ck_contract_supplement_amount_positive"),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name="fk_contract_supplement_contract_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["service_order.id"], name="fk_contract_supplement_order_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["filed_by"], ["person.id"], name="fk_contract_supplement_filed_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["person.id"], name="fk_contract_supplement_answered_by", ondelete="RESTRICT"
        ),
    )
    op.create_index(
        "uq_contract_supplement_open",
        "contract_supplement",
        ["contract_id"],
        unique=True,
        postgresql_where=sa.text("state = 'asked'"),
        sqlite_where=sa.text("state = 'asked'"),
    )
    op.create_table(
        "order_instalment",
        sa.Column("id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("subsidy_fen", sa.BigInteger(), nullable=False),
        sa.Column("captured_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_order_instalment"),
        sa.UniqueConstraint("order_id", "position", name="uq_order_instalment_order_id_position"),
        sa.CheckConstraint(
            "amount_fen > 0 AND subsidy_fen >= 0 AND captured_fen >= 0",
            name="ck_order_instalment_no_negative",
        ),
        sa.CheckConstraint("captured_fen <= subsidy_fen", name="ck_order_instalment_captured_within_subsidy"),
        sa.ForeignKeyConstraint(
            ["order_id"], ["service_order.id"], name="fk_order_instalment_order_id", ondelete="RESTRICT"
        ),
    )
    op.create_index("ix_order_instalment_due", "order_instalment", ["state", "due_on"])
    op.create_table(
        "catalogue_entry",
        sa.Column("id", KEY, nullable=False),
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("service", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("delivers", sa.String(length=500), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=True),
        sa.Column("usual_days", sa.Integer(), nullable=True),
        sa.Column("exclusions", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("listed_by", KEY, nullable=False),
        sa.Column("listed_at", INSTANT, nullable=False),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_catalogue_entry"),
        sa.CheckConstraint("price_fen IS NULL OR price_fen > 0", name="ck_catalogue_entry_price_positive"),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platform.id"], name="fk_catalogue_entry_platform_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["listed_by"], ["person.id"], name="fk_catalogue_entry_listed_by", ondelete="RESTRICT"
        ),
    )
    op.create_index("ix_catalogue_entry_platform", "catalogue_entry", ["platform_id", "state"])
    op.create_index("ix_catalogue_entry_service", "catalogue_entry", ["state", "service"])


def _disputes() -> None:
    op.create_table(
        "dispute",
        sa.Column("id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("opened_side", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("opened_by", KEY, nullable=True),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("settle_by", sa.Date(), nullable=True),
        sa.Column("escalated_at", INSTANT, nullable=True),
        sa.Column("offer_side", sa.String(length=12), nullable=True),
        sa.Column("offer_outcome", sa.String(length=12), nullable=True),
        sa.Column("offer_fen", sa.BigInteger(), nullable=True),
        sa.Column("offered_at", INSTANT, nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("agreed", sa.Boolean(), nullable=True),
        sa.Column("decided_by", KEY, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decision_reason", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dispute"),
        sa.ForeignKeyConstraint(
            ["order_id"], ["service_order.id"], name="fk_dispute_order_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["opened_by"], ["person.id"], name="fk_dispute_opened_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["person.id"], name="fk_dispute_decided_by", ondelete="RESTRICT"
        ),
    )
    op.create_index("ix_dispute_order", "dispute", ["order_id"])
    op.create_index("ix_dispute_settle_by", "dispute", ["settle_by"])
    op.create_index(
        "uq_dispute_open",
        "dispute",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("outcome IS NULL"),
        sqlite_where=sa.text("outcome IS NULL"),
    )
    op.create_table(
        "dispute_statement",
        sa.Column("id", KEY, nullable=False),
        sa.Column("dispute_id", KEY, nullable=False),
        sa.Column("side", sa.String(length=12), nullable=False),
        sa.Column("body", sa.String(length=2000), nullable=False),
        sa.Column("said_by", KEY, nullable=False),
        sa.Column("said_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dispute_statement"),
        sa.ForeignKeyConstraint(
            ["dispute_id"], ["dispute.id"], name="fk_dispute_statement_dispute_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["said_by"], ["person.id"], name="fk_dispute_statement_said_by", ondelete="RESTRICT"
        ),
    )
    op.create_index("ix_dispute_statement_dispute", "dispute_statement", ["dispute_id"])


def _deliveries() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("provider_ref", sa.String(length=60), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("report_sha256", sa.String(length=64), nullable=True),
        sa.Column("delivered_by", KEY, nullable=False),
        sa.Column("delivered_at", INSTANT, nullable=False),
        sa.Column("confirm_by", sa.Date(), nullable=True),
        sa.Column("answer", sa.String(length=12), nullable=True),
        sa.Column("answered_by", KEY, nullable=True),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("answer_reason", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.ForeignKeyConstraint(
            ["order_id"], ["service_order.id"], name="fk_delivery_order_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["delivered_by"], ["person.id"], name="fk_delivery_delivered_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["person.id"], name="fk_delivery_answered_by", ondelete="RESTRICT"
        ),
    )
    op.create_index("ix_delivery_order", "delivery", ["order_id"])
    op.create_table(
        "order_file",
        sa.Column("id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("delivery_id", KEY, nullable=True),
        sa.Column("statement_id", KEY, nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=60), nullable=False),
        sa.Column("uploaded_by", KEY, nullable=False),
        sa.Column("uploaded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_order_file"),
        sa.ForeignKeyConstraint(
            ["order_id"], ["service_order.id"], name="fk_order_file_order_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name="fk_order_file_delivery_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["dispute_statement.id"], name="fk_order_file_statement_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["uploaded_by"], ["person.id"], name="fk_order_file_uploaded_by", ondelete="RESTRICT"
        ),
    )
    op.create_index("ix_order_file_order", "order_file", ["order_id"])
    op.create_table(
        "order_extension",
        sa.Column("id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asked_by", KEY, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("answered_by", KEY, nullable=True),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("answer_reason", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_order_extension"),
        sa.ForeignKeyConstraint(
            ["order_id"], ["service_order.id"], name="fk_order_extension_order_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["person.id"], name="fk_order_extension_asked_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["person.id"], name="fk_order_extension_answered_by", ondelete="RESTRICT"
        ),
    )
    op.create_index("ix_order_extension_order", "order_extension", ["order_id"])
    op.create_index(
        "uq_order_extension_open",
        "order_extension",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("state = 'asked'"),
        sqlite_where=sa.text("state = 'asked'"),
    )
