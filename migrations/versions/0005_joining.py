"""Joining: accounts claimed, authorisations, counter devices, teams, and what two persons do at the counter."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
JSON = sa.Text().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    _people()
    _counter()


def _people() -> None:
    op.create_table(
        "authorisation",
        sa.Column("id", KEY, nullable=False),
        sa.Column("organisation_id", KEY, nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("mandates", sa.String(length=80), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("letter_sha256", sa.String(length=64), nullable=False),
        sa.Column("letter_name", sa.String(length=200), nullable=False),
        sa.Column("letter_type", sa.String(length=60), nullable=False),
        sa.Column("granted_by", KEY, nullable=False),
        sa.Column("granted_at", INSTANT, nullable=False),
        sa.Column("person_id", KEY, nullable=True),
        sa.Column("grant_id", KEY, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_by", KEY, nullable=True),
        sa.CheckConstraint(
            "person_id IS NULL OR person_id <> granted_by", name="ck_authorisation_not_oneself"
        ),
        sa.CheckConstraint("from_on < to_on", name="ck_authorisation_some_days"),
        sa.ForeignKeyConstraint(
            ["ended_by"], ["person.id"], name="fk_authorisation_ended_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["role_grant.id"], name="fk_authorisation_grant_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["granted_by"], ["person.id"], name="fk_authorisation_granted_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name="fk_authorisation_organisation_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_authorisation_person_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_authorisation"),
    )
    op.create_index("ix_authorisation_organisation", "authorisation", ["organisation_id"])
    op.create_table(
        "join_code",
        sa.Column("id", KEY, nullable=False),
        sa.Column("organisation_id", KEY, nullable=False),
        sa.Column("purpose", sa.String(length=12), nullable=False),
        sa.Column("selector", sa.String(length=4), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=True),
        sa.Column("platform_id", KEY, nullable=True),
        sa.Column("authorisation_id", KEY, nullable=True),
        sa.Column("person_id", KEY, nullable=True),
        sa.Column("wrong_tries", sa.Integer(), nullable=False),
        sa.Column("issued_by", KEY, nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("used_by", KEY, nullable=True),
        sa.ForeignKeyConstraint(
            ["authorisation_id"],
            ["authorisation.id"],
            name="fk_join_code_authorisation_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["issued_by"], ["person.id"], name="fk_join_code_issued_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_join_code_organisation_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_join_code_person_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platform.id"], name="fk_join_code_platform_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["used_by"], ["person.id"], name="fk_join_code_used_by", ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name="pk_join_code"),
    )
    op.create_index("ix_join_code_organisation", "join_code", ["organisation_id", "selector"])
    op.create_index(
        "uq_join_code_live_selector",
        "join_code",
        ["organisation_id", "selector"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "departure",
        sa.Column("id", KEY, nullable=False),
        sa.Column("organisation_id", KEY, nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("successor_id", KEY, nullable=True),
        sa.Column("open_tasks", JSON, nullable=False),
        sa.Column("left_by", KEY, nullable=False),
        sa.Column("left_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "successor_id IS NULL OR successor_id <> person_id", name="ck_departure_somebody_else"
        ),
        sa.ForeignKeyConstraint(["left_by"], ["person.id"], name="fk_departure_left_by", ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_departure_organisation_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_departure_person_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["successor_id"], ["person.id"], name="fk_departure_successor_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_departure"),
    )
    op.create_index("ix_departure_organisation", "departure", ["organisation_id"])
    op.create_table(
        "team_member",
        sa.Column("id", KEY, nullable=False),
        sa.Column("organisation_id", KEY, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name="fk_team_member_organisation_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_team_member"),
    )
    op.create_index("ix_team_member_organisation", "team_member", ["organisation_id"])


def _counter() -> None:
    op.create_table(
        "desk_case",
        sa.Column("id", KEY, nullable=False),
        sa.Column("organisation_id", KEY, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("person_id", KEY, nullable=True),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("made_by", KEY, nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("checked_by", KEY, nullable=True),
        sa.Column("checked_at", INSTANT, nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "(state = 'proposed') = (checked_by IS NULL)", name="ck_desk_case_checked_or_open"
        ),
        sa.CheckConstraint("checked_by IS NULL OR checked_by <> made_by", name="ck_desk_case_two_persons"),
        sa.ForeignKeyConstraint(
            ["checked_by"], ["person.id"], name="fk_desk_case_checked_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["made_by"], ["person.id"], name="fk_desk_case_made_by", ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_desk_case_organisation_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_desk_case_person_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_desk_case"),
    )
    op.create_index("ix_desk_case_state", "desk_case", ["state", "made_at"])
    op.create_index(
        "uq_desk_case_open",
        "desk_case",
        ["organisation_id", "kind"],
        unique=True,
        postgresql_where=sa.text("state = 'proposed'"),
        sqlite_where=sa.text("state = 'proposed'"),
    )
    op.create_table(
        "desk_paper",
        sa.Column("id", KEY, nullable=False),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["desk_case.id"], name="fk_desk_paper_case_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_desk_paper"),
    )
    op.create_index("ix_desk_paper_case", "desk_paper", ["case_id"])
    op.create_table(
        "counter_device",
        sa.Column("id", KEY, nullable=False),
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("registered_by", KEY, nullable=False),
        sa.Column("registered_at", INSTANT, nullable=False),
        sa.Column("last_used_at", INSTANT, nullable=True),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platform.id"], name="fk_counter_device_platform_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["registered_by"], ["person.id"], name="fk_counter_device_registered_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_counter_device"),
        sa.UniqueConstraint("token_hash", name="uq_counter_device_token_hash"),
    )
    op.create_index("ix_counter_device_platform", "counter_device", ["platform_id"])
    op.create_table(
        "counter_pin",
        sa.Column("person_id", KEY, autoincrement=False, nullable=False),
        sa.Column("pin_hash", sa.String(length=160), nullable=False),
        sa.Column("wrong_tries", sa.Integer(), nullable=False),
        sa.Column("set_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_counter_pin_person_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("person_id", name="pk_counter_pin"),
    )
    op.create_table(
        "prepared_paper",
        sa.Column("id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("prepared_by", KEY, nullable=False),
        sa.Column("prepared_at", INSTANT, nullable=False),
        sa.Column("dropped_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"], ["service_order.id"], name="fk_prepared_paper_order_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["prepared_by"], ["person.id"], name="fk_prepared_paper_prepared_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_prepared_paper"),
    )
    op.create_index("ix_prepared_paper_order", "prepared_paper", ["order_id"])
