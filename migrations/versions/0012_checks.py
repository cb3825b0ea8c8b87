"""What automatic checks rest on and what they found: bans, marks, registers, findings, snapshots of facts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
JSON = sa.Text().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    for create in (
        _party_ban,
        _party_mark,
        _party_director,
        _claim_mark,
        _paid_elsewhere,
        _exchange_file,
        _foreign_use,
        _check_finding,
        _fact_snapshot,
        _payee_change,
        _relation_statement,
    ):
        create()
    op.create_index("ix_service_order_price", "service_order", ["programme_code", "service", "contract_fen"])
    op.create_index("ix_role_grant_organisation", "role_grant", ["organisation_id"])
    op.create_index("ix_role_grant_platform", "role_grant", ["platform_id"])
    op.create_index("ix_redemption_session_order", "redemption_session", ["order_id"])
    op.create_index("ix_service_order_captured", "service_order", ["platform_id", "captured_at"])


def _party_ban() -> None:
    op.create_table(
        "party_ban",
        sa.Column("id", KEY, nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("measure", sa.String(length=16), nullable=False),
        sa.Column("region_code", sa.String(length=20), nullable=True),
        sa.Column("notified_on", sa.Date(), nullable=True),
        sa.Column("objection_until", sa.Date(), nullable=True),
        sa.Column("legal_basis", sa.String(length=200), nullable=False),
        sa.Column("decision_no", sa.String(length=80), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("entered_by", KEY, nullable=False),
        sa.Column("entered_at", INSTANT, nullable=False),
        sa.Column("lifted_by", KEY, nullable=True),
        sa.Column("lifted_at", INSTANT, nullable=True),
        sa.Column("lift_reason", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["entered_by"], ["person.id"], name="fk_party_ban_entered_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["lifted_by"], ["person.id"], name="fk_party_ban_lifted_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["region_code"], ["region.code"], name="fk_party_ban_region_code", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_party_ban"),
        sa.UniqueConstraint(
            "uscc", "kind", "decision_no", "measure", name="uq_party_ban_uscc_kind_decision_no_measure"
        ),
    )


def _party_mark() -> None:
    op.create_table(
        "party_mark",
        sa.Column("id", KEY, nullable=False),
        sa.Column("organisation_id", KEY, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=120), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("noted_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name="fk_party_mark_organisation_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_party_mark"),
        sa.UniqueConstraint(
            "organisation_id", "kind", "value", name="uq_party_mark_organisation_id_kind_value"
        ),
    )
    op.create_index("ix_party_mark_value", "party_mark", ["kind", "value"])


def _party_director() -> None:
    op.create_table(
        "party_director",
        sa.Column("organisation_id", KEY, nullable=False),
        sa.Column("person_key", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("noted_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name="fk_party_director_organisation_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("organisation_id", "person_key", name="pk_party_director"),
    )
    op.create_index("ix_party_director_person", "party_director", ["person_key"])


def _claim_mark() -> None:
    op.create_table(
        "claim_mark",
        sa.Column("id", KEY, nullable=False),
        sa.Column("claim_id", KEY, nullable=False),
        sa.Column("holder_id", KEY, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("noted_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["claim.id"], name="fk_claim_mark_claim_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["holder_id"], ["holder.id"], name="fk_claim_mark_holder_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_claim_mark"),
        sa.UniqueConstraint("claim_id", "kind", "value", name="uq_claim_mark_claim_id_kind_value"),
    )
    op.create_index("ix_claim_mark_value", "claim_mark", ["kind", "value", "noted_at"])


def _paid_elsewhere() -> None:
    op.create_table(
        "paid_elsewhere",
        sa.Column("id", KEY, nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("programme", sa.String(length=120), nullable=False),
        sa.Column("contract_no", sa.String(length=60), nullable=False),
        sa.Column("contract_key", sa.String(length=60), nullable=False),
        sa.Column("service", sa.String(length=120), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("imported_by", KEY, nullable=False),
        sa.Column("imported_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["imported_by"], ["person.id"], name="fk_paid_elsewhere_imported_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_paid_elsewhere"),
        sa.UniqueConstraint(
            "uscc",
            "programme",
            "contract_key",
            "service",
            name="uq_paid_elsewhere_uscc_programme_contract_key_service",
        ),
    )


def _exchange_file() -> None:
    op.create_table(
        "exchange_file",
        sa.Column("id", KEY, nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("imported_by", KEY, nullable=False),
        sa.Column("imported_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["imported_by"], ["person.id"], name="fk_exchange_file_imported_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_exchange_file"),
        sa.UniqueConstraint("source", "sha256", name="uq_exchange_file_source_sha256"),
    )


def _foreign_use() -> None:
    op.create_table(
        "foreign_use",
        sa.Column("id", KEY, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("file_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["exchange_file.id"], name="fk_foreign_use_file_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_foreign_use"),
        sa.UniqueConstraint("digest", "source", name="uq_foreign_use_digest_source"),
    )


def _check_finding() -> None:
    op.create_table(
        "check_finding",
        sa.Column("id", KEY, nullable=False),
        sa.Column("claim_id", KEY, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("found_at", INSTANT, nullable=False),
        sa.Column("settled_by", KEY, nullable=True),
        sa.Column("settled_at", INSTANT, nullable=True),
        sa.Column("settlement", sa.String(length=500), nullable=False),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (settled_by IS NULL)", name="ck_check_finding_settled_by_somebody"
        ),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["claim.id"], name="fk_check_finding_claim_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["settled_by"], ["person.id"], name="fk_check_finding_settled_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_check_finding"),
        sa.UniqueConstraint("claim_id", "round", "seq", name="uq_check_finding_claim_id_round_seq"),
    )


def _fact_snapshot() -> None:
    op.create_table(
        "fact_snapshot",
        sa.Column("id", KEY, nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("rule_version", sa.String(length=80), nullable=False),
        sa.Column("taken_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fact_snapshot"),
    )
    op.create_index("ix_fact_snapshot_subject", "fact_snapshot", ["subject"])


def _payee_change() -> None:
    op.create_table(
        "payee_change",
        sa.Column("id", KEY, nullable=False),
        sa.Column("organisation_id", KEY, nullable=False),
        sa.Column("account_name", sa.String(length=120), nullable=False),
        sa.Column("bank", sa.String(length=120), nullable=False),
        sa.Column("account_no", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asked_by", KEY, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("cools_until", sa.Date(), nullable=False),
        sa.Column("decided_by", KEY, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> asked_by", name="ck_payee_change_two_persons"
        ),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["person.id"], name="fk_payee_change_asked_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["person.id"], name="fk_payee_change_decided_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name="fk_payee_change_organisation_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_payee_change"),
    )
    op.create_index("ix_payee_change_organisation", "payee_change", ["organisation_id", "state"])


def _relation_statement() -> None:
    op.create_table(
        "relation_statement",
        sa.Column("id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("side", sa.String(length=12), nullable=False),
        sa.Column("related", sa.Boolean(), nullable=False),
        sa.Column("text_version", sa.String(length=20), nullable=False),
        sa.Column("stated_by", KEY, nullable=False),
        sa.Column("stated_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["service_order.id"], name="fk_relation_statement_order_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["stated_by"], ["person.id"], name="fk_relation_statement_stated_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_relation_statement"),
        sa.UniqueConstraint("order_id", "side", name="uq_relation_statement_order_id_side"),
    )
