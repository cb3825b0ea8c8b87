"""Who attended a group order: a list that is uploaded, or a code that is scanned on the spot (签到表、扫码签到)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from voucher.clock import iso
from voucher.codes import Code20, Keys, Verdict, new_session_number, verify_code
from voucher.errors import Code, Fact, Refusal
from voucher.models.orders import Order
from voucher.models.tenancies import CheckIn, OrderBeneficiary
from voucher.operations import find, journal
from voucher.operations.group_lines import lines_of
from voucher.operations.order_files import Given, Place, attach
from voucher.rules.permissions import Actor
from voucher.store import Stored
from voucher.terms import AttendanceProof, OrderFileKind, OrderState

OPEN_HOURS: Final = 6
CHECK_IN: Final = "check-in"
_TAKES: Final = frozenset({OrderState.HELD.value, OrderState.DELIVERED.value})


@dataclass(frozen=True, slots=True)
class AttendanceList:
    """The signed list of a group order: the positions of the lines whose tenants attended, and the list itself."""

    order_number: str
    present: frozenset[int]
    file: Stored


def record_list(session: Session, given: AttendanceList, *, actor: Actor, at: datetime) -> Order:
    """Mark every line by the signed list, by the base or the platform; the list is kept with the order.

    Marks made by scanning stand: the list says of the others who attended. Refused: `not_found` (also a position that
    is not there), `state_changed` before the contract is filed or once the order is captured or closed.
    """
    order = _open_order(session, given.order_number, actor=actor)
    lines = lines_of(session, [order])[order.id]
    strange = given.present - {line.position for line in lines}
    if strange:
        raise Refusal(Code.NOT_FOUND, order=order.number, line=min(strange))
    for line in lines:
        if not (line.attended and line.shown_by == AttendanceProof.QR.value):
            _mark(line, there=line.position in given.present, by=AttendanceProof.LIST, actor=actor, at=at)
    attach(session, Place(order.id), [Given(OrderFileKind.ATTENDANCE, given.file)], actor=actor, at=at)
    facts: dict[str, Fact] = {"present": sum(line.attended is True for line in lines), "lines": len(lines)}
    journal.record(session, actor, "order.attendance", [(order.number, facts)], at=at)
    session.flush()
    return order


def open_check_in(session: Session, order_number: str, *, actor: Actor, at: datetime) -> CheckIn:
    """Open the check-in of a group order, for six hours; one that was open ends. By the base or the platform.

    Refused: `not_found` (also an order without lines), `state_changed`.
    """
    order = _open_order(session, order_number, actor=actor)
    open_now = CheckIn.order_id == order.id, CheckIn.closed_at.is_(None)
    session.execute(update(CheckIn).where(*open_now).values(closed_at=at))
    made = CheckIn(
        number=_free_number(session),
        order_id=order.id,
        opened_by=actor.person_id,
        opened_at=at,
        closes_at=at + timedelta(hours=OPEN_HOURS),
    )
    session.add(made)
    journal.record(session, actor, "check_in.open", [(made.number, {"order": order.number})], at=at)
    session.flush()
    return made


def close_check_in(session: Session, order_number: str, *, actor: Actor, at: datetime) -> int:
    """End the check-in: whoever has not checked in was absent. Gives how many attended.

    Refused: `not_found` (also where none is open), `state_changed`.
    """
    order = _open_order(session, order_number, actor=actor)
    query = select(CheckIn).where(CheckIn.order_id == order.id, CheckIn.closed_at.is_(None))
    row = session.scalars(query).one_or_none()
    if row is None:
        raise Refusal(Code.NOT_FOUND, order=order_number)
    row.closed_at = at
    lines = lines_of(session, [order])[order.id]
    for line in lines:
        if line.attended is None:
            _mark(line, there=False, by=AttendanceProof.QR, actor=actor, at=at)
    present = sum(line.attended is True for line in lines)
    facts: dict[str, Fact] = {"present": present, "lines": len(lines)}
    journal.record(session, actor, "check_in.close", [(row.number, facts)], at=at)
    session.flush()
    return present


@dataclass(frozen=True, slots=True)
class Showing:
    """A check-in code as read, and when it was presented (its arrival, or that of its ticket)."""

    code: Code20
    presented_at: datetime


def check_in(
    session: Session, showing: Showing, keys: Keys, *, actor: Actor, at: datetime
) -> Sequence[OrderBeneficiary]:
    """An attendee confirms for the tenant that they act for, by the code on the spot; gives the lines that are marked.

    A code is good for its own half-minute and the next, and each tenant checks in once. Refused: a code that no
    check-in shows, or for a tenant without a line (`check_in_invalid`), an earlier one, or after the end
    (`check_in_over`), a tenant that is marked already (`check_in_done`).
    """
    row = session.scalars(select(CheckIn).where(CheckIn.number == showing.code.number)).one_or_none()
    verdict = verify_code(keys.of(CHECK_IN), showing.code, showing.presented_at)
    if row is None or verdict is Verdict.INVALID:
        raise Refusal(Code.CHECK_IN_INVALID)
    order = session.scalars(
        select(Order)
        .where(Order.id == row.order_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    session.refresh(row)
    ended = row.closed_at is not None or at >= row.closes_at or order.state not in _TAKES
    if verdict is Verdict.EXPIRED or ended:
        raise Refusal(Code.CHECK_IN_OVER)
    mine = [
        line
        for line in lines_of(session, [order])[order.id]
        if line.allotment.tenancy.holder.organisation_id in actor.organisation_ids
    ]
    if not mine:
        raise Refusal(Code.CHECK_IN_INVALID)
    waiting = [line for line in mine if line.attended is None]
    if not waiting:
        shown_at = mine[0].shown_at
        raise Refusal(Code.CHECK_IN_DONE, shown_at=iso(shown_at) if shown_at else None)
    for line in waiting:
        _mark(line, there=True, by=AttendanceProof.QR, actor=actor, at=at)
    facts: dict[str, Fact] = {"order": order.number, "lines": len(waiting)}
    journal.record(session, actor, "check_in.confirm", [(row.number, facts)], at=at)
    session.flush()
    return waiting


def _open_order(session: Session, number: str, *, actor: Actor) -> Order:
    """A group order of either side whose attendance can still be shown, locked."""
    order = find.one_of(find.either_sides_orders(session, [number], actor=actor), number)
    if not order.beneficiaries:
        raise Refusal(Code.NOT_FOUND, order=number)
    if order.state not in _TAKES:
        raise Refusal(Code.STATE_CHANGED, state=order.state, event="attendance")
    return order


def _mark(line: OrderBeneficiary, *, there: bool, by: AttendanceProof, actor: Actor, at: datetime) -> None:
    line.attended, line.shown_by = there, by.value
    line.shown_person_id, line.shown_at = actor.person_id, at


def _free_number(session: Session) -> str:
    """A number that no check-in has yet."""
    while True:
        number = new_session_number()
        if session.scalars(select(CheckIn.id).where(CheckIn.number == number)).one_or_none() is None:
            return number
