"""`voucher db`: the schema, by the migrations alone, and the roles of PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import click
from alembic import command
from alembic.config import Config as Migrations
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from config import ROOT
from voucher.cli.context import settings

ROLES = ("voucher_app", "voucher_audit")
_GRANTS = "0018"


@click.group()
def db() -> None:
    """数据库：建表与升级，PostgreSQL 角色。"""


@db.command()
def upgrade() -> None:
    """把数据库升级到最新结构（使用 MIGRATION_DATABASE_URL，未设时用 DATABASE_URL）。"""
    url = make_url(settings().migration_database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    command.upgrade(_migrations(), "head")
    click.echo("数据库结构已是最新。")


@db.command()
def roles() -> None:
    """在 PostgreSQL 上创建应用角色 voucher_app 与审计只读角色 voucher_audit，并授权。

    以拥有建角色权限的用户执行（MIGRATION_DATABASE_URL）。两个角色都没有密码，须由管理员自行设置。
    """
    engine = create_engine(settings().migration_database_url)
    if engine.dialect.name != "postgresql":
        raise click.ClickException("只有 PostgreSQL 需要建立角色；当前数据库是 SQLite。")
    with engine.begin() as connection:
        for role in ROLES:
            exists = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
            if exists.first() is None:
                connection.execute(text(f"CREATE ROLE {role} LOGIN"))
                click.echo(f"已创建角色 {role}，请设置其登录方式。")
        migrated = MigrationContext.configure(connection)
        if migrated.get_current_revision() is not None:
            with Operations.context(migrated):
                ScriptDirectory.from_config(_migrations()).get_revision(_GRANTS).module.upgrade()
            click.echo("已按结构授权。")
        else:
            click.echo("尚未建表；下一次 voucher db upgrade 会同时授权。")
    engine.dispose()


def _migrations() -> Migrations:
    """Alembic's settings: the folder beside config.py, and the database of the role that owns the tables."""
    migrations = Migrations()
    migrations.set_main_option("script_location", str(ROOT / "migrations"))
    migrations.set_main_option("sqlalchemy.url", settings().migration_database_url.replace("%", "%%"))
    return migrations
