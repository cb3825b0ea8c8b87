"""Policy versions proposed by one person and published by another; decisions of a year's end; the factor of a year.

A published version is never edited: no version is deleted, and of one nothing changes but the day on which it ends, once,
by the version that follows it. On PostgreSQL the application's role may write nothing else either (0018).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
JSON = sa.Text().with_variant(postgresql.JSONB(), "postgresql")

PUBLISHED = (
    "code",
    "programme_code",
    "document_no",
    "text",
    "fills",
    "sha256",
    "effective_from",
    "state",
    "parent_code",
    "parent_sha256",
    "proposed_by",
    "published_by",
    "published_at",
)
"""What of a policy version is never changed: all but `effective_to` and `superseded_by`."""


def upgrade() -> None:
    _policy_proposal()
    _factor()
    _year_end()
    if op.get_bind().dialect.name == "postgresql":
        _guard_on_postgresql()
    else:
        _guard_on_sqlite()


def _policy_proposal() -> None:
    op.create_table(
        "policy_proposal",
        sa.Column("id", KEY, nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("programme_code", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("document_no", sa.String(length=500), nullable=False),
        sa.Column("region_code", sa.String(length=20), nullable=False),
        sa.Column("book_code", sa.String(length=20), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("fills", JSON, nullable=False),
        sa.Column("document_text", sa.String(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("proposed_by", KEY, nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.Column("decided_by", KEY, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "(state IN ('draft', 'proposed')) = (decided_by IS NULL)",
            name="ck_policy_proposal_decided_or_open",
        ),
        sa.CheckConstraint(
            "state <> 'published' OR decided_by <> proposed_by", name="ck_policy_proposal_two_persons"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["person.id"], name="fk_policy_proposal_decided_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["person.id"], name="fk_policy_proposal_proposed_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["region_code"], ["region.code"], name="fk_policy_proposal_region_code", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_policy_proposal"),
    )
    op.create_index("ix_policy_proposal_code", "policy_proposal", ["code", "proposed_at"])
    op.create_index(
        "uq_policy_proposal_open",
        "policy_proposal",
        ["code"],
        unique=True,
        postgresql_where=sa.text("state = 'proposed'"),
        sqlite_where=sa.text("state = 'proposed'"),
    )


def _factor() -> None:
    op.create_table(
        "factor",
        sa.Column("id", KEY, nullable=False),
        sa.Column("programme_code", sa.String(length=40), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("factor_bp", sa.Integer(), nullable=False),
        sa.Column("budget_fen", sa.BigInteger(), nullable=False),
        sa.Column("demand_fen", sa.BigInteger(), nullable=False),
        sa.Column("claims", sa.Integer(), nullable=False),
        sa.Column("basis", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("proposed_by", KEY, nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.Column("decided_by", KEY, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.CheckConstraint("factor_bp BETWEEN 1 AND 10000", name="ck_factor_a_factor"),
        sa.CheckConstraint("state <> 'approved' OR decided_by <> proposed_by", name="ck_factor_two_persons"),
        sa.CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name="ck_factor_decided_or_open"),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["person.id"], name="fk_factor_decided_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["programme_code"], ["programme.code"], name="fk_factor_programme_code", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["person.id"], name="fk_factor_proposed_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_factor"),
    )
    op.create_index(
        "uq_factor_live",
        "factor",
        ["programme_code", "year"],
        unique=True,
        postgresql_where=sa.text("state <> 'refused'"),
        sqlite_where=sa.text("state <> 'refused'"),
    )


def _year_end() -> None:
    op.create_table(
        "year_end",
        sa.Column("id", KEY, nullable=False),
        sa.Column("budget_line_id", KEY, nullable=False),
        sa.Column("action", sa.String(length=12), nullable=False),
        sa.Column("to_line_id", KEY, nullable=True),
        sa.Column("vouchers", sa.String(length=12), nullable=False),
        sa.Column("document_no", sa.String(length=80), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("proposed_by", KEY, nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "(action = 'carry') = (to_line_id IS NOT NULL)", name="ck_year_end_carried_somewhere"
        ),
        sa.ForeignKeyConstraint(
            ["budget_line_id"], ["budget_line.id"], name="fk_year_end_budget_line_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["to_line_id"], ["budget_line.id"], name="fk_year_end_to_line_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["person.id"], name="fk_year_end_proposed_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_year_end"),
    )
    op.create_index("ix_year_end_line", "year_end", ["budget_line_id"])
    op.create_table(
        "year_end_answer",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("proposed_by", KEY, nullable=False),
        sa.Column("decided_by", KEY, nullable=False),
        sa.Column("decided_at", INSTANT, nullable=False),
        sa.CheckConstraint("decided_by <> proposed_by", name="ck_year_end_answer_two_persons"),
        sa.ForeignKeyConstraint(["id"], ["year_end.id"], name="fk_year_end_answer_id", ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["person.id"], name="fk_year_end_answer_proposed_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["person.id"], name="fk_year_end_answer_decided_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_year_end_answer"),
    )


def _append_only(table: str) -> None:
    for verb in ("update", "delete"):
        if op.get_bind().dialect.name == "postgresql":
            does = "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        else:
            does = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        op.execute(f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} {does}")


def _changed(differs: str) -> str:
    """An update that is not the one that ends a version: it ended already, does not end, or something else changes."""
    others = " OR ".join(f"NEW.{column} {differs} OLD.{column}" for column in PUBLISHED)
    return f"OLD.superseded_by IS NOT NULL OR NEW.superseded_by IS NULL OR {others}"


def _guard_on_postgresql() -> None:
    for table in ("year_end", "year_end_answer"):
        _append_only(table)
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        "CREATE TRIGGER policy_version_no_delete BEFORE DELETE ON policy_version "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER policy_version_no_truncate BEFORE TRUNCATE ON policy_version "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER policy_version_ends_once BEFORE UPDATE ON policy_version FOR EACH ROW "
        f"WHEN ({_changed('IS DISTINCT FROM')}) EXECUTE FUNCTION refuse_change()"
    )


def _guard_on_sqlite() -> None:
    for table in ("year_end", "year_end_answer"):
        _append_only(table)
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
    op.execute(
        "CREATE TRIGGER policy_version_no_delete BEFORE DELETE ON policy_version "
        "BEGIN SELECT RAISE(ABORT, 'policy_version is append-only'); END"
    )
    op.execute(
        "CREATE TRIGGER policy_version_no_replace BEFORE INSERT ON policy_version "
        "WHEN EXISTS (SELECT 1 FROM policy_version WHERE code = NEW.code) "
        "BEGIN SELECT RAISE(ABORT, 'policy_version is append-only'); END"
    )
    op.execute(
        f"CREATE TRIGGER policy_version_ends_once BEFORE UPDATE ON policy_version WHEN {_changed('IS NOT')} "
        "BEGIN SELECT RAISE(ABORT, 'policy_version is append-only'); END"
    )
