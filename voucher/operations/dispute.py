"""Disputes about an order: opened by either side, told with files, ended by agreement or a reviewer (争议处理).

While one is open the order is DISPUTED: its hold stays, and neither sweeps nor expiry touch it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.disputes import Dispute, DisputeStatement
from voucher.models.orders import Order
from voucher.models.parties import Holder, Organisation, Platform
from voucher.models.regions import Region
from voucher.operations import find, journal
from voucher.operations.cancel_order import side_of
from voucher.operations.cases import recused
from voucher.operations.confirm_order import CaptureChecks
from voucher.operations.deadlines import deadline
from voucher.operations.dispute_end import Outcome, check_outcome, end, open_dispute_of, told
from voucher.operations.order_files import Given, Place, attach
from voucher.operations.policies import policy_of
from voucher.operations.tell import Note, tell
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor, covers_region
from voucher.terms import DisputeOutcome, MessageEvent, OrderSide, OrderState


@dataclass(frozen=True, slots=True)
class Statement:
    """What one side says, and the files it brings."""

    order_number: str
    body: str
    files: tuple[Given, ...] = ()


def open_dispute(session: Session, statement: Statement, *, actor: Actor, at: datetime) -> Dispute:
    """HELD or DELIVERED → DISPUTED, by either side, with its first statement.

    Refused: `not_found`, `state_changed` (also for an order of the counter), `reason_missing`.
    """
    order = _either_sides(session, statement.order_number, actor)
    found = find.remote_one({order.number: order}, order.number, Event.DISPUTE)
    side = side_of(found, actor)
    if not statement.body.strip():
        raise Refusal(Code.REASON_MISSING, order=order.number)
    row = begin(session, order, (side, statement.body.strip()), actor=actor, at=at)
    _say(session, row, (side, statement), actor=actor, at=at)
    return row


def begin(
    session: Session, order: Order, opened: tuple[OrderSide, str], *, actor: Actor, at: datetime
) -> Dispute:
    """Open the dispute of a locked order, by this side and for this reason; refused `state_changed`.

    Where the policy gives the sides days of their own (`dispute_days`), they run from today, in working days.
    """
    side, reason = opened
    order.state = next_state(OrderState(order.state), Event.DISPUTE).value
    order.confirm_by = None
    days = policy_of(session, order.policy_code).dispute_days
    row = Dispute(
        order_id=order.id,
        opened_side=side.value,
        reason=reason[:500],
        opened_by=actor.person_id or None,
        opened_at=at,
        settle_by=None if days is None else deadline(session, business_date(at), days),
    )
    session.add(row)
    journal.record(session, actor, "order.dispute", [(order.number, {"side": side.value})], at=at)
    session.flush()
    facts: dict[str, Fact] = {"reason": reason[:200]}
    facts["settle_by_on"] = row.settle_by.isoformat() if row.settle_by else None
    note = told(MessageEvent.DISPUTE_OPENED, order, facts, at=at)
    tell(session, [note], at=at)
    return row


def state_case(session: Session, statement: Statement, *, actor: Actor, at: datetime) -> DisputeStatement:
    """A further statement of either side while the dispute is open. Refused: `not_found`, `reason_missing`."""
    order = _either_sides(session, statement.order_number, actor)
    row = open_dispute_of(session, order)
    if not statement.body.strip():
        raise Refusal(Code.REASON_MISSING, order=order.number)
    said = _say(session, row, (side_of(order, actor), statement), actor=actor, at=at)
    journal.record(session, actor, "dispute.state", [(order.number, {})], at=at)
    return said


def offer(session: Session, order_number: str, outcome: Outcome, *, actor: Actor, at: datetime) -> Dispute:
    """One side says how it would end the dispute; its offer before, or the other's, is replaced.

    Refused: `not_found`, `capture_above_hold`.
    """
    order = _either_sides(session, order_number, actor)
    row = open_dispute_of(session, order)
    check_outcome(order, outcome)
    side = side_of(order, actor)
    row.offer_side, row.offer_outcome = side.value, outcome.kind.value
    row.offer_fen, row.offered_at = outcome.amount_fen, at
    facts: dict[str, Fact] = {"outcome": outcome.kind.label, "amount_fen": outcome.amount_fen}
    journal.record(session, actor, "dispute.offer", [(order.number, facts)], at=at)
    session.flush()
    to_firm = side is OrderSide.PLATFORM
    note = Note(
        MessageEvent.DISPUTE_OFFERED,
        order.number,
        facts,
        holder_id=order.holder_id if to_firm else None,
        platform_id=None if to_firm else order.platform_id,
        once=at.isoformat(),
    )
    tell(session, [note], at=at)
    return row


def agree(session: Session, order_number: str, outcome: Outcome, *, actor: Actor, at: datetime) -> Dispute:
    """The other side agrees to an offer, named as it was read: the dispute ends so.

    Refused: `not_found`, `state_changed` without an offer of the other side or where it says something else by now;
    for a capture, which no official has seen, what confirming is refused for: a revoked voucher (`voucher_revoked`),
    a platform suspended or revoked since the hold (`provider_suspended`).
    """
    order = _either_sides(session, order_number, actor)
    row = open_dispute_of(session, order)
    standing = (row.offer_outcome, row.offer_fen)
    if row.offer_side in (None, side_of(order, actor).value) or standing != (
        outcome.kind.value,
        outcome.amount_fen,
    ):
        raise Refusal(Code.STATE_CHANGED, state=order.state, event="agree")
    if outcome.kind is DisputeOutcome.CAPTURE:
        voucher = find.vouchers_for_share(session, [order.voucher_id or 0])[order.voucher_id or 0]
        CaptureChecks(session, [order], at).check_parties(order, voucher)
    return end(session, (order, row), outcome, actor=actor, at=at)


def decide_dispute(
    session: Session, order_number: str, outcome: Outcome, *, actor: Actor, at: datetime
) -> Dispute:
    """A reviewer of the firm's region ends the dispute with a reason: resume, capture k, or release.

    Refused: `not_found` (also outside the regions), `reason_missing`, `self_approval` for somebody of either side,
    `recused` for somebody with a declared interest in one of them, `capture_above_hold`.
    """
    order = _in_regions(session, order_number, actor)
    row = open_dispute_of(session, order)
    if not outcome.reason.strip():
        raise Refusal(Code.REASON_MISSING, order=order.number)
    return end(session, (order, row), replace(outcome, decided=True), actor=actor, at=at)


def _say(
    session: Session, row: Dispute, said_by: tuple[OrderSide, Statement], *, actor: Actor, at: datetime
) -> DisputeStatement:
    side, statement = said_by
    said = DisputeStatement(
        dispute_id=row.id, side=side.value, body=statement.body.strip(), said_by=actor.person_id, said_at=at
    )
    session.add(said)
    session.flush()
    attach(session, Place(row.order_id, statement_id=said.id), statement.files, actor=actor, at=at)
    return said


def _either_sides(session: Session, number: str, actor: Actor) -> Order:
    find.vouchers_of_orders(session, [number], actor=actor)
    return find.one_of(find.either_sides_orders(session, [number], actor=actor), number)


def _in_regions(session: Session, number: str, actor: Actor) -> Order:
    query = (
        select(Region.path, Holder.organisation_id, Platform.organisation_id)
        .add_columns(Order.voucher_id, Platform.id)
        .join(Holder, Holder.id == Order.holder_id)
        .join(Platform, Platform.id == Order.platform_id)
        .join(Region, Region.code == Holder.region_code)
        .where(Order.number == number)
    )
    row = session.execute(query).one_or_none()
    if row is None or not covers_region(actor, row[0]):
        raise Refusal(Code.NOT_FOUND, order=number)
    if {row[1], row[2]} & actor.organisation_ids or row[4] in actor.platform_ids:
        raise Refusal(Code.SELF_APPROVAL, order=number)
    interests = recused(session, [actor.person_id]).get(actor.person_id, frozenset())
    named = [organisation_id for organisation_id in (row[1], row[2]) if organisation_id in interests]
    if named:
        name = session.scalars(select(Organisation.name).where(Organisation.id == named[0])).one()
        raise Refusal(Code.RECUSED, organisation=name)
    find.vouchers_for_share(session, [row[3]])
    locked = select(Order).where(Order.number == number).with_for_update()
    return session.scalars(locked.execution_options(populate_existing=True)).one()
