"""Everything that is a holder's becomes another holder's, wherever a table names a holder."""

from __future__ import annotations

from sqlalchemy import Column, Table, UniqueConstraint, exists, update
from sqlalchemy.orm import Session

from voucher.db import Base
from voucher.models.parties import Holder


def move_holder(session: Session, old_id: int, new_id: int) -> None:
    """Make every row of one holder the other's; a row of which the other has its own (of the same year) stays.

    The caller has locked what must not change meanwhile. Nothing is refused.
    """
    session.flush()
    for table in Base.metadata.sorted_tables:
        if table is Holder.__table__:
            continue
        for column in table.columns:
            if any(key.column is Holder.__table__.c.id for key in column.foreign_keys):
                _move(session, table, column, (old_id, new_id))


def _move(session: Session, table: Table, column: Column[int], ids: tuple[int, int]) -> None:
    old_id, new_id = ids
    statement = update(table).where(column == old_id).values({column.name: new_id})
    for constraint in table.constraints:
        if not isinstance(constraint, UniqueConstraint) or column.name not in constraint.columns:
            continue
        twin = table.alias()
        others = [each for each in constraint.columns if each is not column]
        same = [twin.c[each.name] == each for each in others]
        statement = statement.where(~exists().where(twin.c[column.name] == new_id, *same))
    session.execute(statement)
