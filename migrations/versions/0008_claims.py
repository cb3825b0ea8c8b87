"""Claims in full: invoices shared out over claims, payments one by one, tax checks that are never changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(length=32), "sqlite")
LIVE = sa.text("released_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "claim_payment",
        sa.Column("id", KEY, nullable=False),
        sa.Column("claim_id", KEY, nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("payer_name", sa.String(length=120), nullable=False),
        sa.Column("payer_account", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("serial", sa.String(length=60), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("dropped_at", INSTANT, nullable=True),
        sa.CheckConstraint("amount_fen > 0", name="ck_claim_payment_amount_positive"),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["claim.id"], name="fk_claim_payment_claim_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_claim_payment"),
    )
    op.create_index("ix_claim_payment_claim", "claim_payment", ["claim_id"])
    op.create_table(
        "invoice_use",
        sa.Column("id", KEY, nullable=False),
        sa.Column("invoice_id", KEY, nullable=False),
        sa.Column("claim_id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("allocated_fen", sa.BigInteger(), nullable=False),
        sa.Column("released_at", INSTANT, nullable=True),
        sa.CheckConstraint("allocated_fen > 0", name="ck_invoice_use_allocated_positive"),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["claim.id"], name="fk_invoice_use_claim_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoice.id"], name="fk_invoice_use_invoice_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["service_order.id"], name="fk_invoice_use_order_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_invoice_use"),
    )
    op.create_index("ix_invoice_use_claim", "invoice_use", ["claim_id"])
    op.create_index(
        "uq_invoice_use_live",
        "invoice_use",
        ["invoice_id", "claim_id"],
        unique=True,
        postgresql_where=LIVE,
        sqlite_where=LIVE,
    )
    op.create_table(
        "tax_check",
        sa.Column("id", KEY, nullable=False),
        sa.Column("invoice_id", KEY, nullable=False),
        sa.Column("verdict", sa.String(length=12), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("checked_by", KEY, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["checked_by"], ["person.id"], name="fk_tax_check_checked_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoice.id"], name="fk_tax_check_invoice_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tax_check"),
    )
    op.create_index("ix_tax_check_invoice", "tax_check", ["invoice_id"])
    _append_only()


def _append_only() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER tax_check_no_{verb} BEFORE {verb.upper()} ON tax_check "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
        op.execute(
            "CREATE TRIGGER tax_check_no_truncate BEFORE TRUNCATE ON tax_check "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    for verb in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER tax_check_no_{verb} BEFORE {verb.upper()} ON tax_check "
            "BEGIN SELECT RAISE(ABORT, 'tax_check is append-only'); END"
        )
    op.execute(
        "CREATE TRIGGER tax_check_no_replace BEFORE INSERT ON tax_check "
        "WHEN EXISTS (SELECT 1 FROM tax_check WHERE id = NEW.id) "
        "BEGIN SELECT RAISE(ABORT, 'tax_check is append-only'); END"
    )
