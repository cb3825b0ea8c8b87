"""Many rows at once: arrays on PostgreSQL, executemany on SQLite. Nothing else differs there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import TextClause, bindparam, insert, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from voucher.db import Base

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one table; every tuple gives the columns in order."""

    table: type[Base]
    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]

    @property
    def shape(self) -> tuple[type[Base], tuple[str, ...]]:
        """What a statement for these rows depends on."""
        return self.table, self.columns

    def arrays(self, part: int) -> dict[str, list[Any]]:
        """One array a column, named after the part of the statement that they belong to."""
        columns = zip(*self.rows, strict=True) if self.rows else ((),) * len(self.columns)
        return {f"p{part}_{place}": list(column) for place, column in enumerate(columns)}

    def mappings(self, prefix: str = "") -> list[dict[str, Any]]:
        """One dictionary a row."""
        names = [prefix + column for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]


def is_postgresql(session: Session) -> bool:
    """Whether the session speaks to PostgreSQL."""
    return session.get_bind().dialect.name == "postgresql"


def insert_missing(session: Session, wanted: Rows) -> int:
    """Insert the rows in the order given, passing over those that exist by now; returns how many were inserted."""
    connection = session.connection()
    if is_postgresql(session):
        return connection.execute(_insert_missing(*wanted.shape), wanted.arrays(0)).rowcount
    statement = insert(wanted.table).prefix_with("OR IGNORE", dialect="sqlite")
    return connection.execute(statement, wanted.mappings()).rowcount


def write_together(session: Session, inserted: Sequence[Rows], updated: Rows, *, keys: int) -> None:
    """Insert rows of several tables and update rows of another, in the order given.

    The first `keys` columns of `updated` name the row. On PostgreSQL this is one statement. Raises RuntimeError
    when a row to update is not there.
    """
    connection = session.connection()
    if is_postgresql(session):
        statement = _together(tuple(each.shape for each in inserted), updated.shape, keys)
        parameters = {
            name: array for part, each in enumerate(inserted) for name, array in each.arrays(part).items()
        }
        done = connection.execute(statement, parameters | updated.arrays(len(inserted)))
    else:
        for each in inserted:
            if each.rows:
                connection.execute(insert(each.table), each.mappings())
        if not updated.rows:
            return
        done = connection.execute(_update(*updated.shape, keys), updated.mappings("new_"))
    if done.rowcount != len(updated.rows):
        name = updated.table.__tablename__
        raise RuntimeError(f"{name}: {done.rowcount} of {len(updated.rows)} rows were there to update")


def _unnest(table: type[Base], columns: tuple[str, ...], part: int) -> str:
    types = [table.__table__.c[name].type.compile(dialect=_DIALECT) for name in columns]
    return ", ".join(f"CAST(:p{part}_{place} AS {kind}[])" for place, kind in enumerate(types))


def _insert(table: type[Base], columns: tuple[str, ...], part: int) -> str:
    into = f"{table.__tablename__} ({', '.join(columns)})"
    return f"INSERT INTO {into} SELECT * FROM unnest({_unnest(table, columns, part)})"  # noqa: S608


@cache
def _insert_missing(table: type[Base], columns: tuple[str, ...]) -> TextClause:
    return text(f"{_insert(table, columns, 0)} ON CONFLICT DO NOTHING")


@cache
def _together(
    inserted: tuple[tuple[type[Base], tuple[str, ...]], ...],
    updated: tuple[type[Base], tuple[str, ...]],
    keys: int,
) -> TextClause:
    inserts = ", ".join(f"w{part} AS ({_insert(*shape, part)})" for part, shape in enumerate(inserted))
    table, columns = updated
    changes = ", ".join(f"{column} = v.{column}" for column in columns[keys:])
    where = " AND ".join(f"t.{column} = v.{column}" for column in columns[:keys])
    values = f"unnest({_unnest(table, columns, len(inserted))}) AS v ({', '.join(columns)})"
    return text(f"WITH {inserts} UPDATE {table.__tablename__} t SET {changes} FROM {values} WHERE {where}")  # noqa: S608


@cache
def _update(table: type[Base], columns: tuple[str, ...], keys: int) -> Any:
    plain = table.__table__
    where = [plain.c[column] == bindparam(f"new_{column}") for column in columns[:keys]]
    return (
        update(table).where(*where).values({column: bindparam(f"new_{column}") for column in columns[keys:]})
    )
