"""Keeping the table of holidays (节假日): by the document that arranges a year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.models.messages import Holiday
from voucher.operations import journal
from voucher.operations.alone import alone
from voucher.operations.outcome import Refused
from voucher.rules.permissions import Actor
from voucher.terms import DayKind

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class HolidayRequest:
    """A day that is off, or a weekend day that is worked, and the document that says so."""

    day: date
    kind: DayKind
    name: str
    document_no: str


def set_holidays(
    session: Session, requests: Sequence[HolidayRequest], *, actor: Actor, at: datetime
) -> list[Holiday | Refused]:
    """Enter days, or change what is known of them. Deadlines that were told already stay as they were told.

    Refused, alone: a weekday to be worked, which it is anyway (`holiday_needless`).
    """

    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite

    def enter(request: HolidayRequest) -> Holiday:
        if request.kind is DayKind.WORK and request.day.weekday() < _SATURDAY:
            raise Refusal(Code.HOLIDAY_NEEDLESS, day=request.day.isoformat())
        new = {"day": request.day, "kind": request.kind.value, "name": "", "document_no": ""}
        session.execute(dialect.insert(Holiday).values(new).on_conflict_do_nothing())
        row = session.get_one(Holiday, request.day, with_for_update=True)
        row.kind, row.name, row.document_no = request.kind.value, request.name, request.document_no
        row.entered_by, row.entered_at = actor.person_id, at
        facts = {"kind": row.kind, "document_no": row.document_no}
        journal.record(session, actor, "holiday.set", [(request.day.isoformat(), facts)], at=at)
        session.flush()
        return row

    return alone(session, requests, enter)


def remove_holidays(session: Session, days: Sequence[date], *, actor: Actor, at: datetime) -> int:
    """Take days out of the table, as entered by mistake: they are plain days again. Gives how many were there."""
    statement = delete(Holiday).where(Holiday.day.in_(days)).returning(Holiday.day)
    gone = session.scalars(statement.execution_options(synchronize_session=False)).all()
    journal.record(session, actor, "holiday.remove", [(day.isoformat(), {}) for day in sorted(gone)], at=at)
    return len(gone)
