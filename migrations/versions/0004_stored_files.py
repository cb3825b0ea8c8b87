"""Files that something in the database names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
JSON = sa.Text().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "stored_file",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(length=60), nullable=False),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.Column("retention", sa.String(length=12), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("made_of", JSON, nullable=False),
        sa.Column("uploaded_by", KEY, nullable=False),
        sa.Column("uploaded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_stored_file"),
        sa.ForeignKeyConstraint(
            ["uploaded_by"], ["person.id"], name="fk_stored_file_uploaded_by_person", ondelete="RESTRICT"
        ),
    )
    op.create_index("ix_stored_file_uploaded", "stored_file", ["uploaded_at"])
