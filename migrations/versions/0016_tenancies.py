"""Tenants of centres, what a base allots to them, and orders for several of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")

# One of the views of 0003: what is allotted to tenants is held by accounts of their own.
AUDIT_VOUCHER = """
CREATE VIEW audit_voucher AS
SELECT v.number AS voucher_no, h.ref AS holder, v.programme_code AS programme, v.face_fen,
       coalesce(a.credits_posted - a.debits_posted - a.debits_pending, 0) AS available_fen,
       coalesce(a.debits_pending, 0) + coalesce(t.held_fen, 0) AS held_fen,
       coalesce((SELECT sum(o.captured_fen) FROM service_order o WHERE o.voucher_id = v.id
                 AND o.state <> 'reversed'), 0) AS redeemed_fen,
       v.state, coalesce(t.free_fen, 0) AS allotted_fen
FROM voucher v
JOIN holder h ON h.id = v.holder_id
LEFT JOIN account a ON a.book_id = v.book_id AND a.code = 'voucher' AND a.owner_ref = v.number
LEFT JOIN (
    SELECT tv.id, sum(ta.credits_posted - ta.debits_posted - ta.debits_pending) AS free_fen,
           sum(ta.debits_pending) AS held_fen
    FROM allotment al
    JOIN voucher tv ON tv.id = al.voucher_id
    JOIN account ta ON ta.book_id = tv.book_id AND ta.code = 'allot' AND ta.owner_ref = tv.number || '|' || al.tenant_ref
    GROUP BY tv.id
) t ON t.id = v.id
"""


def _points(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}", ondelete="RESTRICT")


def upgrade() -> None:
    """Tenants of centres, what a base allots to them, and orders for several of them."""
    _tenancy()
    _allotment()
    _lines()
    op.execute(AUDIT_VOUCHER)


def _tenancy() -> None:
    op.create_table(
        "tenancy",
        sa.Column("id", KEY, nullable=False),
        sa.Column("centre_id", KEY, nullable=False),
        sa.Column("holder_id", KEY, nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.Column("graduated_on", sa.Date(), nullable=True),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("registered_by", KEY, nullable=False),
        sa.Column("registered_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "left_on IS NULL OR left_on > entered_on", name="ck_tenancy_leaves_after_it_enters"
        ),
        sa.CheckConstraint(
            "graduated_on IS NULL OR graduated_on >= entered_on", name="ck_tenancy_graduates_inside"
        ),
        _points("tenancy", "centre_id", "centre.id"),
        _points("tenancy", "holder_id", "holder.id"),
        _points("tenancy", "registered_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_tenancy"),
        sa.UniqueConstraint(
            "centre_id", "holder_id", "entered_on", name="uq_tenancy_centre_id_holder_id_entered_on"
        ),
    )
    op.create_index("ix_tenancy_holder", "tenancy", ["holder_id"])


def _allotment() -> None:
    op.create_table(
        "allotment",
        sa.Column("id", KEY, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("voucher_id", KEY, nullable=False),
        sa.Column("tenancy_id", KEY, nullable=False),
        sa.Column("tenant_ref", sa.String(length=60), nullable=False),
        sa.Column("allotted_fen", sa.BigInteger(), nullable=False),
        sa.Column("moves", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("allotted_by", KEY, nullable=False),
        sa.Column("allotted_at", INSTANT, nullable=False),
        sa.CheckConstraint("allotted_fen >= 0", name="ck_allotment_not_negative"),
        _points("allotment", "voucher_id", "voucher.id"),
        _points("allotment", "tenancy_id", "tenancy.id"),
        _points("allotment", "allotted_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_allotment"),
        sa.UniqueConstraint("number", name="uq_allotment_number"),
        sa.UniqueConstraint("voucher_id", "tenancy_id", name="uq_allotment_voucher_id_tenancy_id"),
    )
    op.create_index("ix_allotment_tenancy", "allotment", ["tenancy_id"])


def _lines() -> None:
    op.create_table(
        "order_beneficiary",
        sa.Column("id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("allotment_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("attended", sa.Boolean(), nullable=True),
        sa.Column("shown_by", sa.String(length=12), nullable=False),
        sa.Column("shown_person_id", KEY, nullable=True),
        sa.Column("shown_at", INSTANT, nullable=True),
        sa.CheckConstraint("amount_fen > 0", name="ck_order_beneficiary_something"),
        _points("order_beneficiary", "order_id", "service_order.id"),
        _points("order_beneficiary", "allotment_id", "allotment.id"),
        _points("order_beneficiary", "shown_person_id", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_order_beneficiary"),
        sa.UniqueConstraint("order_id", "allotment_id", name="uq_order_beneficiary_order_id_allotment_id"),
    )
    op.create_index("ix_order_beneficiary_allotment", "order_beneficiary", ["allotment_id"])
    op.create_table(
        "check_in",
        sa.Column("id", KEY, nullable=False),
        sa.Column("number", sa.String(length=9), nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("opened_by", KEY, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("closes_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        _points("check_in", "order_id", "service_order.id"),
        _points("check_in", "opened_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_check_in"),
        sa.UniqueConstraint("number", name="uq_check_in_number"),
    )
    op.create_index("ix_check_in_order", "check_in", ["order_id"])
    op.create_table(
        "tenant_objection",
        sa.Column("id", KEY, nullable=False),
        sa.Column("line_id", KEY, nullable=False),
        sa.Column("body", sa.String(length=500), nullable=False),
        sa.Column("made_by", KEY, nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("answer", sa.String(length=500), nullable=False),
        sa.Column("answered_by", KEY, nullable=True),
        sa.Column("answered_at", INSTANT, nullable=True),
        _points("tenant_objection", "line_id", "order_beneficiary.id"),
        _points("tenant_objection", "made_by", "person.id"),
        _points("tenant_objection", "answered_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_tenant_objection"),
        sa.UniqueConstraint("line_id", name="uq_tenant_objection_line_id"),
    )
