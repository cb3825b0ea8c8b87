"""Recognition agreements between regions, in versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
JSON = sa.Text().with_variant(postgresql.JSONB(), "postgresql")
APPEND_ONLY = {
    "agreement_version": "id = NEW.id",
    "agreement_step": "id = NEW.id OR (version_id = NEW.version_id AND kind = NEW.kind)",
}


def upgrade() -> None:
    """Recognition agreements between regions, in versions."""
    _versions()
    _registry()
    for table, same in APPEND_ONLY.items():
        _append_only(table, same)


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}", ondelete="RESTRICT")


def _versions() -> None:
    op.create_table(
        "agreement",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_agreement"),
    )
    op.create_table(
        "agreement_version",
        sa.Column("id", KEY, nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("agreement_code", sa.String(length=64), nullable=False),
        sa.Column("document_no", sa.String(length=200), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("fills", JSON, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("effective_to", sa.Date(), nullable=True),
        sa.Column("proposed_for", JSON, nullable=False),
        sa.Column("proposed_by", KEY, nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=False),
        _to("agreement_version", "agreement_code", "agreement.code"),
        _to("agreement_version", "proposed_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_agreement_version"),
        sa.UniqueConstraint("id", "proposed_by", name="uq_agreement_version_id_proposed_by"),
    )
    op.create_index(
        "ix_agreement_version_agreement", "agreement_version", ["agreement_code", "effective_from"]
    )
    op.create_table(
        "agreement_step",
        sa.Column("id", KEY, nullable=False),
        sa.Column("version_id", KEY, nullable=False),
        sa.Column("proposed_by", KEY, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("document_no", sa.String(length=200), nullable=False),
        sa.Column("done_by", KEY, nullable=False),
        sa.Column("done_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "kind <> 'publish' OR done_by <> proposed_by", name="ck_agreement_step_two_persons"
        ),
        sa.ForeignKeyConstraint(
            ["version_id", "proposed_by"],
            ["agreement_version.id", "agreement_version.proposed_by"],
            name="fk_agreement_step_version_id_proposed_by",
            ondelete="RESTRICT",
        ),
        _to("agreement_step", "done_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_agreement_step"),
        sa.UniqueConstraint("version_id", "kind", name="uq_agreement_step_version_id_kind"),
    )


def _registry() -> None:
    op.create_table(
        "agreement_listing",
        sa.Column("id", KEY, nullable=False),
        sa.Column("agreement_code", sa.String(length=64), nullable=False),
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("document_no", sa.String(length=200), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.Column("entered_by", KEY, nullable=False),
        sa.Column("entered_at", INSTANT, nullable=False),
        sa.Column("removed_by", KEY, nullable=True),
        sa.Column("removed_at", INSTANT, nullable=True),
        sa.Column("remove_reason", sa.String(length=200), nullable=False),
        _to("agreement_listing", "agreement_code", "agreement.code"),
        _to("agreement_listing", "platform_id", "platform.id"),
        _to("agreement_listing", "entered_by", "person.id"),
        _to("agreement_listing", "removed_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_agreement_listing"),
    )
    op.create_index("ix_agreement_listing_platform", "agreement_listing", ["platform_id", "agreement_code"])
    op.create_table(
        "agreement_suspension",
        sa.Column("id", KEY, nullable=False),
        sa.Column("agreement_code", sa.String(length=64), nullable=False),
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("region_code", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("document_no", sa.String(length=200), nullable=False),
        sa.Column("suspended_by", KEY, nullable=False),
        sa.Column("suspended_at", INSTANT, nullable=False),
        sa.Column("lifted_by", KEY, nullable=True),
        sa.Column("lifted_at", INSTANT, nullable=True),
        _to("agreement_suspension", "agreement_code", "agreement.code"),
        _to("agreement_suspension", "platform_id", "platform.id"),
        _to("agreement_suspension", "region_code", "region.code"),
        _to("agreement_suspension", "suspended_by", "person.id"),
        _to("agreement_suspension", "lifted_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name="pk_agreement_suspension"),
    )
    op.create_index(
        "ix_agreement_suspension_platform", "agreement_suspension", ["platform_id", "agreement_code"]
    )


def _append_only(table: str, same: str) -> None:
    """Refuse changes; `same` says which rows an insert would replace."""
    if op.get_bind().dialect.name == "postgresql":
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    for verb in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
    op.execute(
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )
