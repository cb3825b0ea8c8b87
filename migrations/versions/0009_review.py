"""Review: rounds of defects, who has a case, recusals, stand-ins, opinions, reports, signatures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
LIVE = sa.text("ended_at IS NULL")


def upgrade() -> None:
    _returns()
    _cases()
    _opinions()
    op.create_table(
        "cosignature",
        sa.Column("id", KEY, nullable=False),
        sa.Column("claim_id", KEY, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("function", sa.String(length=40), nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("signed_at", INSTANT, nullable=False),
        _to("cosignature", "claim_id", "claim.id"),
        _to("cosignature", "person_id", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_cosignature"),
    )
    op.create_index("ix_cosignature_claim", "cosignature", ["claim_id"])


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}", ondelete="RESTRICT")


def _returns() -> None:
    op.create_table(
        "claim_return",
        sa.Column("id", KEY, nullable=False),
        sa.Column("claim_id", KEY, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=30), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("contact", sa.String(length=80), nullable=False),
        sa.Column("late_reason", sa.String(length=500), nullable=False),
        sa.Column("returned_by", KEY, nullable=False),
        sa.Column("returned_at", INSTANT, nullable=False),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("overdue_at", INSTANT, nullable=True),
        _to("claim_return", "claim_id", "claim.id"),
        _to("claim_return", "returned_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_claim_return"),
        sa.UniqueConstraint("claim_id", "round", name="uq_claim_return_claim_id_round"),
        sa.UniqueConstraint("number", name="uq_claim_return_number"),
    )
    op.create_index("ix_claim_return_due", "claim_return", ["due_on"])
    op.create_table(
        "claim_defect",
        sa.Column("id", KEY, nullable=False),
        sa.Column("return_id", KEY, nullable=False),
        sa.Column("item", sa.String(length=24), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        _to("claim_defect", "return_id", "claim_return.id"),
        sa.PrimaryKeyConstraint("id", name="pk_claim_defect"),
        sa.UniqueConstraint("return_id", "item", name="uq_claim_defect_return_id_item"),
    )


def _cases() -> None:
    op.create_table(
        "case_taking",
        sa.Column("claim_id", KEY, autoincrement=False, nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("for_id", KEY, nullable=True),
        sa.Column("taken_at", INSTANT, nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        _to("case_taking", "claim_id", "claim.id"),
        _to("case_taking", "person_id", "person.id"),
        _to("case_taking", "for_id", "person.id"),
        sa.PrimaryKeyConstraint("claim_id", name="pk_case_taking"),
    )
    op.create_index("ix_case_taking_person_id", "case_taking", ["person_id"])
    op.create_table(
        "recusal",
        sa.Column("id", KEY, nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("organisation_id", KEY, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("declared_by", KEY, nullable=False),
        sa.Column("declared_at", INSTANT, nullable=False),
        sa.Column("ended_by", KEY, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        _to("recusal", "person_id", "person.id"),
        _to("recusal", "organisation_id", "organisation.id"),
        _to("recusal", "declared_by", "person.id"),
        _to("recusal", "ended_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_recusal"),
    )
    op.create_index(
        "uq_recusal_live",
        "recusal",
        ["person_id", "organisation_id"],
        unique=True,
        postgresql_where=LIVE,
        sqlite_where=LIVE,
    )
    op.create_table(
        "stand_in",
        sa.Column("id", KEY, nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("colleague_id", KEY, nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("named_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.CheckConstraint("person_id <> colleague_id", name="ck_stand_in_another_person"),
        sa.CheckConstraint("from_on < to_on", name="ck_stand_in_some_days"),
        _to("stand_in", "person_id", "person.id"),
        _to("stand_in", "colleague_id", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_stand_in"),
    )
    op.create_index("ix_stand_in_person", "stand_in", ["person_id"])
    op.create_index("ix_stand_in_colleague", "stand_in", ["colleague_id"])


def _opinions() -> None:
    op.create_table(
        "expert_opinion",
        sa.Column("id", KEY, nullable=False),
        sa.Column("claim_id", KEY, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("invited_by", KEY, nullable=False),
        sa.Column("invited_at", INSTANT, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("conflict", sa.String(length=200), nullable=True),
        sa.Column("verdict", sa.String(length=12), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.String(length=2000), nullable=True),
        sa.Column("given_at", INSTANT, nullable=True),
        sa.CheckConstraint("verdict IS NULL OR given_at IS NOT NULL", name="ck_expert_opinion_given"),
        _to("expert_opinion", "claim_id", "claim.id"),
        _to("expert_opinion", "person_id", "person.id"),
        _to("expert_opinion", "invited_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_expert_opinion"),
        sa.UniqueConstraint(
            "claim_id", "person_id", "round", name="uq_expert_opinion_claim_id_person_id_round"
        ),
    )
    op.create_index("ix_expert_opinion_person", "expert_opinion", ["person_id"])
    op.create_table(
        "audit_report",
        sa.Column("id", KEY, nullable=False),
        sa.Column("claim_id", KEY, nullable=False),
        sa.Column("organisation", sa.String(length=120), nullable=False),
        sa.Column("report_no", sa.String(length=80), nullable=False),
        sa.Column("reported_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("recorded_by", KEY, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        _to("audit_report", "claim_id", "claim.id"),
        _to("audit_report", "recorded_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_report"),
        sa.UniqueConstraint("claim_id", "report_no", name="uq_audit_report_claim_id_report_no"),
    )
