"""Many rows in one statement: arrays on PostgreSQL, executemany on SQLite. Nothing else differs there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import CursorResult, TextClause, bindparam, insert, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from voucher.db import Base

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def is_postgresql(session: Session) -> bool:
    """Whether the session speaks to PostgreSQL."""
    return session.get_bind().dialect.name == "postgresql"


def insert_rows(
    session: Session, table: type[Base], columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert `rows`, in the order given."""
    if not rows:
        return
    if is_postgresql(session):
        session.execute(_array_insert(table, columns, skip_existing=False), _arrays(rows))
    else:
        session.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in rows])


def insert_missing(
    session: Session, table: type[Base], columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert `rows` in the order given, passing over those that exist by now."""
    if is_postgresql(session):
        session.execute(_array_insert(table, columns, skip_existing=True), _arrays(rows))
    else:
        statement = insert(table).prefix_with("OR IGNORE", dialect="sqlite")
        session.execute(statement, [dict(zip(columns, row, strict=True)) for row in rows])


def update_rows(
    session: Session,
    table: type[Base],
    keys: tuple[str, ...],
    columns: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """Set `columns` of the rows named by `keys`; each row gives its keys first. Every row must exist."""
    if not rows:
        return
    if is_postgresql(session):
        done = session.execute(_array_update(table, keys, columns), _arrays(rows))
    else:
        plain = table.__table__
        statement = update(table).where(*(plain.c[key] == bindparam(f"k_{key}") for key in keys))
        statement = statement.values({column: bindparam(f"v_{column}") for column in columns})
        names = [f"k_{key}" for key in keys] + [f"v_{column}" for column in columns]
        done = session.connection().execute(statement, [dict(zip(names, row, strict=True)) for row in rows])
    if isinstance(done, CursorResult) and done.rowcount != len(rows):
        raise RuntimeError(f"{table.__tablename__}: {done.rowcount} of {len(rows)} rows were there to update")


def _arrays(rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {f"c{index}": list(column) for index, column in enumerate(zip(*rows, strict=True))}


def _unnest(table: type[Base], columns: tuple[str, ...]) -> str:
    types = [table.__table__.c[name].type.compile(dialect=_DIALECT) for name in columns]
    return ", ".join(f"CAST(:c{index} AS {kind}[])" for index, kind in enumerate(types))


@cache
def _array_insert(table: type[Base], columns: tuple[str, ...], *, skip_existing: bool) -> TextClause:
    tail = " ON CONFLICT DO NOTHING" if skip_existing else ""
    return text(
        f"INSERT INTO {table.__tablename__} ({', '.join(columns)}) "
        f"SELECT * FROM unnest({_unnest(table, columns)}){tail}"
    )


@cache
def _array_update(table: type[Base], keys: tuple[str, ...], columns: tuple[str, ...]) -> TextClause:
    names = ", ".join(keys + columns)
    changes = ", ".join(f"{column} = v.{column}" for column in columns)
    where = " AND ".join(f"t.{key} = v.{key}" for key in keys)
    return text(
        f"UPDATE {table.__tablename__} t SET {changes} "
        f"FROM unnest({_unnest(table, keys + columns)}) AS v ({names}) WHERE {where}"
    )
