"""Alembic's environment: the database comes from `sqlalchemy.url`, set by `voucher db upgrade`."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import BigInteger, create_engine, pool
from sqlalchemy.engine import make_url

import voucher.models  # noqa: F401  (fills the metadata)
from voucher.db import Base
from voucher.models.types import FenColumn, JSONColumn, UTCDateTime


def render_item(kind: str, item: Any, _autogen: Any) -> str | Literal[False]:
    """Write plain SQLAlchemy types, since a migration imports nothing from the application."""
    if kind != "type":
        return False
    if isinstance(item, FenColumn):
        return "sa.BigInteger()"
    if isinstance(item, UTCDateTime):
        return "INSTANT"
    if isinstance(item, JSONColumn):
        return "JSON"
    if isinstance(item, BigInteger):
        return "KEY"
    return False


def compare_type(_context: Any, _inspected: Any, _meta: Any, inspected: Any, declared: Any) -> bool | None:
    """The three own column types are rendered per dialect; everything else is compared as usual."""
    return False if isinstance(declared, FenColumn | UTCDateTime | JSONColumn) else None


def run() -> None:
    """Bring the database to the wanted revision, one transaction for each migration."""
    url = make_url(context.config.get_main_option("sqlalchemy.url") or "")
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=connection.dialect.name == "sqlite",
            transaction_per_migration=True,
            render_item=render_item,
            compare_type=compare_type,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
