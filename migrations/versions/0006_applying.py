"""Applying for vouchers: windows, undertakings, the queue, applications and their decisions, appeals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def upgrade() -> None:
    _windows()
    _applications()
    _appeals()
    _append_only()


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}", ondelete="RESTRICT")


def _windows() -> None:
    op.create_table(
        "application_window",
        sa.Column("id", KEY, nullable=False),
        sa.Column("programme_code", sa.String(length=40), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("budget_line_id", KEY, nullable=False),
        sa.Column("opens_at", INSTANT, nullable=False),
        sa.Column("closes_at", INSTANT, nullable=True),
        sa.Column("document_no", sa.String(length=80), nullable=False),
        sa.Column("published_by", KEY, nullable=False),
        sa.Column("published_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "closes_at IS NULL OR closes_at > opens_at", name="ck_application_window_closes_after_opening"
        ),
        _to("application_window", "programme_code", "programme.code"),
        _to("application_window", "budget_line_id", "budget_line.id"),
        _to("application_window", "published_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_application_window"),
    )
    op.create_index("ix_application_window_programme", "application_window", ["programme_code", "year"])
    op.create_table(
        "undertaking",
        sa.Column("id", KEY, nullable=False),
        sa.Column("programme_code", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("published_by", KEY, nullable=False),
        sa.Column("published_at", INSTANT, nullable=False),
        _to("undertaking", "programme_code", "programme.code"),
        _to("undertaking", "published_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_undertaking"),
        sa.UniqueConstraint("programme_code", "version", name="uq_undertaking_programme_code_version"),
    )
    op.create_table(
        "application_queue",
        sa.Column("programme_code", sa.String(length=40), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_no", sa.Integer(), nullable=False),
        _to("application_queue", "programme_code", "programme.code"),
        sa.PrimaryKeyConstraint("programme_code", "year", name="pk_application_queue"),
    )


def _applications() -> None:
    op.create_table(
        "application",
        sa.Column("id", KEY, nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("programme_code", sa.String(length=40), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("queue_no", sa.Integer(), nullable=False),
        sa.Column("window_id", KEY, nullable=False),
        sa.Column("policy_code", sa.String(length=60), nullable=False),
        sa.Column("holder_id", KEY, nullable=False),
        sa.Column("holder_class", sa.String(length=24), nullable=False),
        sa.Column("wanted_fen", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("undertaking_id", KEY, nullable=True),
        sa.Column("signed_name", sa.String(length=40), nullable=False),
        sa.Column("signed_at", INSTANT, nullable=True),
        sa.Column("submitted_by", KEY, nullable=False),
        sa.Column("submitted_at", INSTANT, nullable=False),
        sa.Column("approved_fen", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("voucher_id", KEY, nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "approved_fen IS NULL OR approved_fen <= wanted_fen", name="ck_application_approved_within_wanted"
        ),
        _to("application", "programme_code", "programme.code"),
        _to("application", "window_id", "application_window.id"),
        _to("application", "policy_code", "policy_version.code"),
        _to("application", "holder_id", "holder.id"),
        _to("application", "undertaking_id", "undertaking.id"),
        _to("application", "submitted_by", "person.id"),
        _to("application", "voucher_id", "voucher.id"),
        sa.PrimaryKeyConstraint("id", name="pk_application"),
        sa.UniqueConstraint("number", name="uq_application_number"),
        sa.UniqueConstraint("voucher_id", name="uq_application_voucher_id"),
        sa.UniqueConstraint(
            "programme_code", "year", "queue_no", name="uq_application_programme_code_year_queue_no"
        ),
    )
    op.create_index("ix_application_state", "application", ["programme_code", "year", "state", "queue_no"])
    op.create_index("ix_application_holder", "application", ["holder_id"])
    op.create_table(
        "application_decision",
        sa.Column("id", KEY, nullable=False),
        sa.Column("application_id", KEY, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=12), nullable=False),
        sa.Column("approved_fen", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("submitted_by", KEY, nullable=False),
        sa.Column("decided_by", KEY, nullable=False),
        sa.Column("decided_at", INSTANT, nullable=False),
        sa.CheckConstraint("decided_by <> submitted_by", name="ck_application_decision_not_by_the_applicant"),
        _to("application_decision", "application_id", "application.id"),
        _to("application_decision", "submitted_by", "person.id"),
        _to("application_decision", "decided_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_application_decision"),
        sa.UniqueConstraint("application_id", "round", name="uq_application_decision_application_id_round"),
    )


def _appeals() -> None:
    op.create_table(
        "appeal",
        sa.Column("id", KEY, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=24), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("application_id", KEY, nullable=True),
        sa.Column("claim_id", KEY, nullable=True),
        sa.Column("holder_id", KEY, nullable=False),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.Column("channel", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("lodged_by", KEY, nullable=False),
        sa.Column("lodged_at", INSTANT, nullable=False),
        sa.Column("appeal_by", sa.Date(), nullable=True),
        sa.Column("against_id", KEY, nullable=False),
        sa.Column("decided_by", KEY, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("result", sa.String(length=1000), nullable=False),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> against_id", name="ck_appeal_decided_by_another"
        ),
        sa.CheckConstraint("(application_id IS NULL) <> (claim_id IS NULL)", name="ck_appeal_one_subject"),
        _to("appeal", "application_id", "application.id"),
        _to("appeal", "claim_id", "claim.id"),
        _to("appeal", "holder_id", "holder.id"),
        _to("appeal", "lodged_by", "person.id"),
        _to("appeal", "against_id", "person.id"),
        _to("appeal", "decided_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_appeal"),
        sa.UniqueConstraint("number", name="uq_appeal_number"),
        sa.UniqueConstraint("subject", "round", name="uq_appeal_subject_round"),
    )
    op.create_index("ix_appeal_state", "appeal", ["state", "lodged_at"])


def _append_only() -> None:
    """The text that people signed stays as it was; `refuse_change` is migration 0002's."""
    if op.get_bind().dialect.name == "postgresql":
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER undertaking_no_{verb} BEFORE {verb.upper()} ON undertaking "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
        op.execute(
            "CREATE TRIGGER undertaking_no_truncate BEFORE TRUNCATE ON undertaking "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    for verb in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER undertaking_no_{verb} BEFORE {verb.upper()} ON undertaking "
            "BEGIN SELECT RAISE(ABORT, 'undertaking is append-only'); END"
        )
    op.execute(
        "CREATE TRIGGER undertaking_no_replace BEFORE INSERT ON undertaking "
        "WHEN EXISTS (SELECT 1 FROM undertaking WHERE id = NEW.id "
        "OR (programme_code = NEW.programme_code AND version = NEW.version)) "
        "BEGIN SELECT RAISE(ABORT, 'undertaking is append-only'); END"
    )
