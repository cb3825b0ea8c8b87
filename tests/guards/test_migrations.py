"""The migrations make exactly the schema that the models declare, on both databases."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

import voucher.models  # noqa: F401 (fills the metadata)
from tests.guards.source import ROOT
from voucher.db import Base, Database
from voucher.models.guards import APPEND_ONLY, declared_triggers

VERSIONS = sorted((ROOT / "migrations/versions").glob("*.py"))
TRIGGER_NAMES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')",
}


def test_migrations_are_numbered_without_a_gap() -> None:
    assert VERSIONS
    for number, file in enumerate(VERSIONS, start=1):
        assert re.fullmatch(rf"{number:04}_[a-z0-9_]+\.py", file.name), file.name


def test_migrations_form_one_line_with_one_head() -> None:
    scripts = ScriptDirectory(str(ROOT / "migrations"))
    line = [script.revision for script in scripts.walk_revisions()][::-1]
    assert scripts.get_heads() == line[-1:]
    assert line == [file.name[:4] for file in VERSIONS]


def test_a_migration_imports_nothing_from_the_application() -> None:
    for file in VERSIONS:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] in ("voucher", "config")], file.name


def test_the_migrated_schema_equals_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences: list[Any] = compare_metadata(context, Base.metadata)
    assert differences == []


def test_the_triggers_are_the_declared_ones(database: Database) -> None:
    dialect = database.engine.dialect.name
    with database.engine.connect() as connection:
        present = set(connection.execute(text(TRIGGER_NAMES[dialect])).scalars())
    assert present == declared_triggers(dialect)


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_every_append_only_table_refuses_a_truncate(pg_database: Database, table: str) -> None:
    with pg_database.engine.connect() as connection, pytest.raises(Exception, match="append"):
        connection.execute(text(f"TRUNCATE {table} CASCADE"))
