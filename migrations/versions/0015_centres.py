"""Centres and their titles, evaluations, quarterly reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.Text().with_variant(postgresql.JSONB(), "postgresql")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def upgrade() -> None:
    _centre()
    _title()
    _rules()
    _report()
    _evaluation()
    _rectification()
    _guard_rules()


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
        sa.Column("revoked_on", sa.Date(), nullable=True),
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


def _rules() -> None:
    op.create_table(
        "evaluation_rules",
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("region_code", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=12), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.Column("published_by", KEY, nullable=False),
        sa.Column("published_at", INSTANT, nullable=False),
        _to("evaluation_rules", "region_code", "region.code"),
        _to("evaluation_rules", "published_by", "person.id"),
        sa.PrimaryKeyConstraint("code", name="pk_evaluation_rules"),
    )
    op.create_index("ix_evaluation_rules_region", "evaluation_rules", ["region_code", "subject"])


def _guard_rules() -> None:
    """Published rules are never changed and never deleted."""
    if op.get_bind().dialect.name == "postgresql":
        refuses = "EXECUTE FUNCTION refuse_change()"
        for verb, of in (("update", "ROW"), ("delete", "ROW"), ("truncate", "STATEMENT")):
            op.execute(
                f"CREATE TRIGGER evaluation_rules_no_{verb} BEFORE {verb.upper()} ON evaluation_rules "
                f"FOR EACH {of} {refuses}"
            )
        return
    refuses = "BEGIN SELECT RAISE(ABORT, 'evaluation_rules is append-only'); END"
    for verb in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER evaluation_rules_no_{verb} BEFORE {verb.upper()} ON evaluation_rules {refuses}"
        )
    op.execute(
        "CREATE TRIGGER evaluation_rules_no_replace BEFORE INSERT ON evaluation_rules "
        f"WHEN EXISTS (SELECT 1 FROM evaluation_rules WHERE code = NEW.code) {refuses}"
    )


def _report() -> None:
    op.create_table(
        "centre_report",
        sa.Column("id", KEY, nullable=False),
        sa.Column("centre_id", KEY, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("quarter", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("figures", JSON, nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("submitted_by", KEY, nullable=False),
        sa.Column("submitted_at", INSTANT, nullable=False),
        sa.Column("corrected_at", INSTANT, nullable=True),
        sa.CheckConstraint("quarter BETWEEN 1 AND 4", name="ck_centre_report_four_quarters"),
        _to("centre_report", "centre_id", "centre.id"),
        _to("centre_report", "submitted_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_centre_report"),
        sa.UniqueConstraint("centre_id", "year", "quarter", name="uq_centre_report_centre_id_year_quarter"),
    )


def _evaluation() -> None:
    op.create_table(
        "evaluation",
        sa.Column("id", KEY, nullable=False),
        sa.Column("centre_id", KEY, nullable=True),
        sa.Column("certification_id", KEY, nullable=True),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("rules_code", sa.String(length=60), nullable=False),
        sa.Column("points", JSON, nullable=False),
        sa.Column("remarks", sa.String(length=500), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("grade", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("state_reason", sa.String(length=200), nullable=False),
        sa.Column("scored_by", KEY, nullable=False),
        sa.Column("scored_at", INSTANT, nullable=False),
        sa.Column("published_by", KEY, nullable=True),
        sa.Column("published_at", INSTANT, nullable=True),
        sa.Column("document_no", sa.String(length=80), nullable=False),
        sa.Column("fails_in_row", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(centre_id IS NULL) <> (certification_id IS NULL)", name="ck_evaluation_of_one_subject"
        ),
        sa.CheckConstraint(
            "published_by IS NULL OR published_by <> scored_by", name="ck_evaluation_two_persons"
        ),
        _to("evaluation", "centre_id", "centre.id"),
        _to("evaluation", "certification_id", "certification.id"),
        _to("evaluation", "rules_code", "evaluation_rules.code"),
        _to("evaluation", "scored_by", "person.id"),
        _to("evaluation", "published_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_evaluation"),
        sa.UniqueConstraint("centre_id", "year", name="uq_evaluation_centre_id_year"),
        sa.UniqueConstraint("certification_id", "year", name="uq_evaluation_certification_id_year"),
    )


def _rectification() -> None:
    op.create_table(
        "rectification",
        sa.Column("id", KEY, nullable=False),
        sa.Column("evaluation_id", KEY, nullable=False),
        sa.Column("demand", sa.String(length=500), nullable=False),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("answer", sa.String(length=500), nullable=False),
        sa.Column("answered_by", KEY, nullable=True),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("decided_by", KEY, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        _to("rectification", "evaluation_id", "evaluation.id"),
        _to("rectification", "answered_by", "person.id"),
        _to("rectification", "decided_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_rectification"),
        sa.UniqueConstraint("evaluation_id", name="uq_rectification_evaluation_id"),
    )


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}", ondelete="RESTRICT")
