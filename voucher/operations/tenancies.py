"""Tenants of centres: they enter, graduate and leave; whoever leaves gives back what was allotted and not spent (入驻、毕业、退出)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from voucher.clock import business_date, day_bounds
from voucher.errors import Code, Fact, Refusal
from voucher.models.centres import Centre
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.tenancies import Allotment, OrderBeneficiary, Tenancy
from voucher.operations import journal
from voucher.operations.allot import end_allotments
from voucher.operations.alone import alone
from voucher.operations.outcome import Refused
from voucher.operations.policies import policies_of
from voucher.rules.permissions import Actor
from voucher.terms import EligibilityRule, OrderState

_UNDONE: Final = (
    OrderState.DECLINED.value,
    OrderState.CANCELLED.value,
    OrderState.EXPIRED.value,
    OrderState.RELEASED.value,
    OrderState.REVERSED.value,
    OrderState.DISALLOWED.value,
)


@dataclass(frozen=True, slots=True)
class EnterRequest:
    """A startup or founder (its USCC or temporary id), known as a holder, that enters a centre of the actor's."""

    centre_id: int
    holder_ref: str
    entered_on: date
    left_on: date | None = None


@dataclass(frozen=True, slots=True)
class LeaveRequest:
    """A tenant that leaves; `left_on` is the first day on which it is no longer inside."""

    tenancy_id: int
    left_on: date


@dataclass(frozen=True, slots=True)
class GraduateRequest:
    """A tenant that graduated; it may stay on, and leaves with an exit."""

    tenancy_id: int
    graduated_on: date


@dataclass(frozen=True, slots=True)
class Left:
    """The tenancy after its end, and what went back to the base's vouchers at once, in fen."""

    tenancy: Tenancy
    returned_fen: int


def enter(
    session: Session, requests: Sequence[EnterRequest], *, actor: Actor, at: datetime
) -> list[Tenancy | Refused]:
    """Register tenants of the actor's own centres. The same one again, with the same days, is the same answer.

    Refused one by one: another's centre or an unknown holder (`not_found`), `tenancy_invalid` with `reason` `days`
    (leaves before it enters), `overlaps` (inside the same centre already) or `own` (the base itself).
    """
    centres = own_centres(session, actor=actor)

    def work(request: EnterRequest) -> Tenancy:
        centre = centres.get(request.centre_id)
        query = select(Holder).where(Holder.ref == request.holder_ref, Holder.converted_into.is_(None))
        holder = session.scalars(query.with_for_update(read=True, key_share=True)).one_or_none()
        if centre is None or holder is None:
            raise Refusal(Code.NOT_FOUND, holder=request.holder_ref[:40])
        return _enter(session, request, (centre, holder), actor=actor, at=at)

    return alone(session, requests, work)


def _enter(
    session: Session, request: EnterRequest, pair: tuple[Centre, Holder], *, actor: Actor, at: datetime
) -> Tenancy:
    centre, holder = pair
    if request.left_on is not None and request.left_on <= request.entered_on:
        raise Refusal(Code.TENANCY_INVALID, reason="days", holder=holder.ref)
    if holder.organisation_id == centre.organisation_id:
        raise Refusal(Code.TENANCY_INVALID, reason="own", holder=holder.ref)
    # Two that register one tenant at once: the second waits here and finds the first's row.
    session.execute(select(Centre.id).where(Centre.id == centre.id).with_for_update())
    for row in _stays_in(session, centre, holder.id):
        if (row.entered_on, row.left_on) == (request.entered_on, request.left_on):
            return row
        if _overlap(row, request):
            facts: dict[str, Fact] = {"holder": holder.ref, "entered_on": row.entered_on.isoformat()}
            raise Refusal(Code.TENANCY_INVALID, reason="overlaps", **facts)
    made = Tenancy(
        centre_id=centre.id,
        holder_id=holder.id,
        entered_on=request.entered_on,
        left_on=request.left_on,
        registered_by=actor.person_id,
        registered_at=at,
    )
    session.add(made)
    session.flush()
    entered: dict[str, Fact] = {
        "centre": centre.id,
        "holder": holder.ref,
        "on": request.entered_on.isoformat(),
    }
    journal.record(session, actor, "tenancy.enter", [(f"tenancy:{made.id}", entered)], at=at)
    return made


def graduate(
    session: Session, requests: Sequence[GraduateRequest], *, actor: Actor, at: datetime
) -> list[Tenancy | Refused]:
    """Write down that tenants graduated (在孵时长、毕业管理, Shanxi 2022 item 2). It moves no money.

    Refused one by one: another's (`not_found`); `tenancy_invalid`, `reason` `graduated` (twice) or `days` (before it
    entered, after it left, or after today).
    """
    today = business_date(at)

    def work(request: GraduateRequest) -> Tenancy:
        row = _own(session, request.tenancy_id, actor=actor)
        if row.graduated_on is not None:
            raise Refusal(Code.TENANCY_INVALID, reason="graduated", on=row.graduated_on.isoformat())
        last = min(row.left_on, today) if row.left_on else today
        if not row.entered_on <= request.graduated_on <= last:
            raise Refusal(Code.TENANCY_INVALID, reason="days", holder=row.holder.ref)
        row.graduated_on = request.graduated_on
        facts: dict[str, Fact] = {"on": request.graduated_on.isoformat()}
        journal.record(session, actor, "tenancy.graduate", [(f"tenancy:{row.id}", facts)], at=at)
        session.flush()
        return row

    return alone(session, requests, work)


def leave(
    session: Session, requests: Sequence[LeaveRequest], *, actor: Actor, at: datetime
) -> list[Left | Refused]:
    """End tenancies: allot → voucher of all that is neither spent nor held, in the same transaction.

    What an open hold keeps is left until it resolves and then goes on to the voucher. An end that was announced for a
    later day is brought forward. Refused one by one: another's (`not_found`); `tenancy_invalid`, `reason` `left`
    (over already), `days` (not after it entered, before it graduated, or after today) or `ordered` (an announced end
    brought before an order that rests on the stay; names the last one); `period_closed`.
    """
    today = business_date(at)

    def work(request: LeaveRequest) -> Left:
        row = _own(session, request.tenancy_id, actor=actor)
        announced = row.left_on
        if announced is not None and announced <= today:
            raise Refusal(Code.TENANCY_INVALID, reason="left", on=announced.isoformat())
        first = max(row.entered_on + timedelta(days=1), row.graduated_on or row.entered_on)
        if not first <= request.left_on <= today:
            raise Refusal(Code.TENANCY_INVALID, reason="days", holder=row.holder.ref)
        if announced is not None:
            _refuse_ordered(session, row, request.left_on)
        row.left_on = request.left_on
        returned = end_allotments(session, row.id, actor=actor, at=at)
        facts: dict[str, Fact] = {"on": request.left_on.isoformat(), "returned_fen": returned}
        if announced is not None:
            facts["announced_on"] = announced.isoformat()
        journal.record(session, actor, "tenancy.leave", [(f"tenancy:{row.id}", facts)], at=at)
        session.flush()
        return Left(row, returned)

    return alone(session, requests, work)


def _refuse_ordered(session: Session, row: Tenancy, left_on: date) -> None:
    """Whoever let a stay be counted on until an announced day does not take back what was ordered within it."""
    lines = select(OrderBeneficiary.order_id).join(Allotment, Allotment.id == OrderBeneficiary.allotment_id)
    for_it = set(session.scalars(lines.where(Allotment.tenancy_id == row.id)))
    query = select(Order).where(Order.placed_at >= day_bounds(left_on)[0], Order.state.not_in(_UNDONE))
    found = session.scalars(query.where(or_(Order.id.in_(for_it), Order.holder_id == row.holder_id))).all()
    policies = policies_of(session, {order.policy_code for order in found})
    asked = EligibilityRule.TENANT_OF_CENTRE
    resting = [each for each in found if each.id in for_it or asked in policies[each.policy_code].eligibility]
    last = max(resting, key=lambda order: order.placed_at, default=None)
    if last is not None:
        earliest = business_date(last.placed_at) + timedelta(days=1)
        facts: dict[str, Fact] = {"order": last.number, "earliest_on": earliest.isoformat()}
        raise Refusal(Code.TENANCY_INVALID, reason="ordered", holder=row.holder.ref, **facts)


def own_centres(session: Session, *, actor: Actor) -> dict[int, Centre]:
    """The centres of the actor's organisations, by id."""
    query = select(Centre).where(Centre.organisation_id.in_(actor.organisation_ids)).order_by(Centre.id)
    return {centre.id: centre for centre in session.scalars(query)}


def _own(session: Session, tenancy_id: int, *, actor: Actor) -> Tenancy:
    """A tenancy of the actor's centres, locked FOR UPDATE: before any voucher (docs/locking.md)."""
    query = (
        select(Tenancy)
        .join(Tenancy.centre)
        .where(Tenancy.id == tenancy_id, Centre.organisation_id.in_(actor.organisation_ids))
        .with_for_update(of=Tenancy)
        .execution_options(populate_existing=True)
    )
    row = session.scalars(query).one_or_none()
    if row is None:
        raise Refusal(Code.NOT_FOUND, tenancy=tenancy_id)
    return row


def _stays_in(session: Session, centre: Centre, holder_id: int) -> list[Tenancy]:
    """The stays of a holder in this centre, also under an earlier certification of it."""
    query = (
        select(Tenancy)
        .join(Centre, Centre.id == Tenancy.centre_id)
        .where(
            Tenancy.holder_id == holder_id,
            or_(
                Tenancy.centre_id == centre.id,
                (Centre.organisation_id == centre.organisation_id) & (Centre.kind == centre.kind),
            ),
        )
    )
    return list(session.scalars(query.order_by(Tenancy.id)))


def _overlap(row: Tenancy, request: EnterRequest) -> bool:
    starts_before = request.left_on is None or row.entered_on < request.left_on
    return starts_before and (row.left_on is None or request.entered_on < row.left_on)
