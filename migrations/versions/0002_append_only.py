"""Triggers that refuse changes of what must only grow.

They are guard rails: the evidence is the log. On PostgreSQL UPDATE, DELETE and TRUNCATE are refused; on SQLite
UPDATE and DELETE, and an INSERT that would replace a row (`INSERT OR REPLACE` fires no delete trigger there
unless `recursive_triggers` is on, so the insert itself is refused too).
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

KEYS = {
    "posting": ("book_id", "id"),
    "transfer": ("book_id", "posting_id", "leg"),
    "entry": ("book_id", "account_id", "seq"),
    "log_leaf": ("book_id", "idx"),
    "log_checkpoint": ("book_id", "tree_size"),
    "journal": ("id",),
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _postgresql()
    else:
        _sqlite()


def _postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in KEYS:
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _sqlite() -> None:
    for table, key in KEYS.items():
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        same = " AND ".join(f"{column} = NEW.{column}" for column in key)
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
