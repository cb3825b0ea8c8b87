"""A statement is compiled once per run, not once per test: the engines of one kind share a dialect and a cache.

Every test has a database, and so engines, of its own. In production an engine lives as long as its process.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy
from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.util import LRUCache

import voucher.db

_dialects: dict[str, Dialect] = {}
_compiled: LRUCache[Any, Any] = LRUCache(5000)


def _create_engine(*args: Any, **options: Any) -> Engine:
    engine = sqlalchemy.create_engine(*args, **options)
    kind = engine.dialect.name
    engine.update_execution_options(compiled_cache=_compiled)
    if kind in _dialects:
        engine.dialect = _dialects[kind]
    else:  # a dialect knows its server from the first connection on

        @event.listens_for(engine, "engine_connect")
        def connected(connection: Connection) -> None:
            _dialects.setdefault(kind, connection.dialect)

    return engine


def share() -> None:
    """From now on, for every database that this process opens."""
    voucher.db.create_engine = _create_engine  # type: ignore[attr-defined]
