"""Row ids taken before the rows are written, so that a number printed for people can carry its id."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from voucher.db import Base

_NEXT = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")


def take_ids(session: Session, table: type[Base], count: int) -> list[int]:
    """`count` fresh ids of a table, ascending. PostgreSQL: from its sequence, without a lock, gaps possible.

    SQLite: above the highest one; its single writer makes that safe.
    """
    column: Any = table.__table__.c["id"]
    if session.get_bind().dialect.name == "postgresql":
        taken = session.execute(_NEXT, {"name": table.__tablename__, "count": count})
        return sorted(int(row[0]) for row in taken)
    highest = session.execute(select(func.coalesce(func.max(column), 0))).scalar_one()
    return list(range(int(highest) + 1, int(highest) + count + 1))
