"""Somebody leaves a firm, or a platform: every role there ends at once, and a colleague follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.claims import Claim
from voucher.models.joining import Authorisation, Departure
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.people import RoleGrant
from voucher.models.sessions import RedemptionSession
from voucher.operations.alone import alone
from voucher.operations.authorise import end, end_grants
from voucher.operations.issue_codes import ENTERPRISE, approvers, valid, works_for
from voucher.operations.journal import record
from voucher.operations.outcome import Refused
from voucher.rules.permissions import Actor
from voucher.terms import ClaimState, OrderState, SessionState

_OPEN_ORDERS: Final = (
    OrderState.PLACED, OrderState.ACCEPTED, OrderState.HELD, OrderState.DELIVERED, OrderState.DISPUTED,
    OrderState.CAPTURED,
)  # fmt: skip
_OPEN_CLAIMS: Final = (ClaimState.AWAITING, ClaimState.RETURNED)
_OPEN_SESSIONS: Final = (SessionState.OPEN, SessionState.SCANNED, SessionState.PROPOSED)


@dataclass(frozen=True, slots=True)
class LeaveRequest:
    """Somebody leaves a firm, and who follows them."""

    organisation_id: int
    person_id: int
    successor_id: int | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """What was handed over, by kind: numbers of orders, claims and counter sessions."""

    departure_id: int
    open_tasks: dict[str, list[str]]


def leave(
    session: Session, requests: Sequence[LeaveRequest], *, actor: Actor, at: datetime
) -> list[Left | Refused]:
    """End every role and authorisation of people at a firm at once, and hand what is open to a colleague.

    Whatever belongs to the firm stays the firm's; the list of what was open is kept with the successor's name. Refused
    one by one: nobody of the actor's firm (`not_found`), the last approver (`last_in_charge`), open work, other people
    and no successor (`successor_missing`), a successor who does not act for the firm (`not_found`).
    """
    return alone(session, requests, lambda request: _leave(session, request, actor=actor, at=at))


def open_tasks(session: Session, organisation_id: int) -> dict[str, list[str]]:
    """The numbers of what a firm has under way and that is for the firm to do, by kind."""
    mine = select(Holder.id).where(Holder.organisation_id == organisation_id)
    orders = select(Order.number).where(
        Order.holder_id.in_(mine), Order.state.in_([state.value for state in _OPEN_ORDERS])
    )
    claims = (
        select(Claim.number)
        .join(Order, Order.id == Claim.order_id)
        .where(Order.holder_id.in_(mine), Claim.state.in_([state.value for state in _OPEN_CLAIMS]))
    )
    sessions = select(RedemptionSession.number).where(
        RedemptionSession.holder_id.in_(mine),
        RedemptionSession.state.in_([state.value for state in _OPEN_SESSIONS]),
    )
    found = {
        "orders": sorted(session.scalars(orders)),
        "claims": sorted(session.scalars(claims)),
        "sessions": sorted(session.scalars(sessions)),
    }
    return {kind: numbers for kind, numbers in found.items() if numbers}


def _leave(session: Session, request: LeaveRequest, *, actor: Actor, at: datetime) -> Left:
    today = business_date(at)
    grants = _grants(session, request, today) if request.organisation_id in actor.organisation_ids else []
    if not grants:
        raise Refusal(Code.NOT_FOUND, person=request.person_id)
    tasks = open_tasks(session, request.organisation_id)
    _check(session, request, tasks, on=today)
    letters = session.scalars(
        select(Authorisation)
        .where(
            Authorisation.organisation_id == request.organisation_id,
            Authorisation.person_id == request.person_id,
            Authorisation.ended_at.is_(None),
        )
        .order_by(Authorisation.id)
        .with_for_update()
    ).all()
    for letter in letters:
        end(session, letter, actor=actor, at=at)
    end_grants(session, grants, at=at)
    row = Departure(
        organisation_id=request.organisation_id,
        person_id=request.person_id,
        successor_id=request.successor_id,
        open_tasks=tasks,
        left_by=actor.person_id,
        left_at=at,
    )
    session.add(row)
    session.flush()
    facts: dict[str, Fact] = {"person": request.person_id, "successor": request.successor_id}
    facts["open"] = sum(len(numbers) for numbers in tasks.values())
    record(session, actor, "authority.leave", [(f"organisation:{request.organisation_id}", facts)], at=at)
    return Left(row.id, tasks)


def _check(session: Session, request: LeaveRequest, tasks: dict[str, list[str]], *, on: date) -> None:
    in_charge = approvers(session, [request.organisation_id], on=on).get(request.organisation_id, [])
    if set(in_charge) == {request.person_id}:
        raise Refusal(Code.LAST_IN_CHARGE)
    if request.successor_id is None:
        if tasks:
            numbers = [number for each in tasks.values() for number in each]
            raise Refusal(Code.SUCCESSOR_MISSING, open="、".join(numbers[:20]))
        return
    follows = works_for(session, request.successor_id, request.organisation_id, on=on)
    if request.successor_id == request.person_id or not follows:
        raise Refusal(Code.NOT_FOUND, person=request.successor_id)


def _grants(session: Session, request: LeaveRequest, on: date) -> list[RoleGrant]:
    """The person's roles at the firm. The approvers are locked too, so that the last two do not leave at once."""
    query = (
        select(RoleGrant)
        .where(
            RoleGrant.organisation_id == request.organisation_id,
            RoleGrant.role.in_(ENTERPRISE),
            valid(on),
        )
        .order_by(RoleGrant.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return [each for each in session.scalars(query) if each.person_id == request.person_id]
