"""The year of the invoices (发票日期所在的年度): what an order charged when it was placed moves there at approval.

Design, sections 2.2 (recharge) and 6: charged to the window of the order date, moved where the invoices' date lies in
another one. The latest of a claim's invoices counts: with it the service was whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.ledger.events import Accepted, Event, Leg, Rejected
from voucher.ledger.locking import lock
from voucher.models.claims import Invoice, InvoiceUse
from voucher.models.parties import Holder
from voucher.models.vouchers import Voucher
from voucher.operations.award_money import is_award
from voucher.operations.cases import Case
from voucher.operations.charges import Limited, Room, allowance_of, limit_refs, post_all
from voucher.operations.give_back import Charge, charges_of, recharge_posting
from voucher.operations.group_caps import caps_of
from voucher.operations.review_money import Decided, post_decisions
from voucher.rules.claim_lines import invoice_years
from voucher.rules.permissions import Actor
from voucher.terms import PostingKind, Verdict, YearBasis


def post_decided(
    session: Session, decisions: Sequence[Decided], *, actor: Actor, at: datetime
) -> list[Accepted | Rejected]:
    """`post_decisions`, and with it the move of what is approved to the year of its invoices.

    Rejected, alone and whole, where that year leaves too little: `cap_exceeded` (cap, used, left, needed, year).
    """
    moving = _moving(session, [each.case for each in decisions if each.verdict is not Verdict.REJECT])
    plain = [each for each in decisions if each.case.claim.id not in moving]
    answers = iter(post_decisions(session, plain, actor=actor, at=at) if plain else [])
    return [
        _moved(session, each, moving[each.case.claim.id], actor=actor, at=at)
        if each.case.claim.id in moving
        else next(answers)
        for each in decisions
    ]


def invoiced_on(session: Session, cases: Sequence[Case]) -> dict[int, date]:
    """By claim id the day of the latest invoice that it counts on, for policies whose year is that of the invoices."""
    ids = [case.claim.id for case in cases if case.policy.year is YearBasis.INVOICE_WINDOW]
    if not ids:
        return {}
    query = (
        select(InvoiceUse.claim_id, func.max(Invoice.issued_on))
        .join(Invoice, Invoice.id == InvoiceUse.invoice_id)
        .where(InvoiceUse.claim_id.in_(ids), InvoiceUse.released_at.is_(None))
        .group_by(InvoiceUse.claim_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _moving(session: Session, cases: Sequence[Case]) -> dict[int, date]:
    """The claims on vouchers whose invoices lie in another year than their order, and the invoices' day."""
    days = invoiced_on(session, [case for case in cases if not is_award(case.order)])
    found = {}
    for case in cases:
        day = days.get(case.claim.id)
        if day is None:
            continue
        held_class = session.get_one(Voucher, case.order.voucher_id).holder_class
        if invoice_years(case.policy, held_class, business_date(case.order.placed_at), day) is not None:
            found[case.claim.id] = day
    return found


def _moved(
    session: Session, decision: Decided, on: date, *, actor: Actor, at: datetime
) -> Accepted | Rejected:
    try:
        with session.begin_nested():
            (answer,) = post_decisions(session, [decision], actor=actor, at=at)
            if isinstance(answer, Accepted):
                _recharge(session, decision.case, on, actor=actor, at=at)
            return answer
    except Refusal as refusal:
        return Rejected(refusal.code, refusal.facts)


def _recharge(session: Session, case: Case, on: date, *, actor: Actor, at: datetime) -> None:
    """cap_used(P1) → cap(P1); cap(P2) → cap_used(P2), for the holder's cap and for its group's."""
    order = case.order
    caps = {each.account.owner: each for each in _caps(session, case, on)}
    charges = [
        each
        for each in charges_of(session, [order])[order.id]
        if each.source.code == "cap" and each.source.owner in caps
    ]
    refs = [ref for each in charges for ref in (each.source, each.used)]
    refs += [ref for each in caps.values() for ref in limit_refs(each)]
    locked = lock(session, order.book_id, refs)
    room = Room(session, locked, caps.values())
    legs = [leg for each in charges for leg in _legs(room, each, caps[each.source.owner])]
    event = Event(
        id=recharge_posting(order.number),
        kind=PostingKind.RECHARGE,
        legs=tuple(legs),
        fiscal_year=on.year,
        event_on=business_date(at),
        rule_version=order.policy_code,
        actor_ref=actor.ref,
    )
    for answer in post_all(session, locked, [*room.adjustments(actor, business_date(at)), event], at=at):
        if isinstance(answer, Rejected):
            raise Refusal(answer.code, **answer.facts)


def _caps(session: Session, case: Case, on: date) -> tuple[Limited, ...]:
    """The caps of the invoices' year."""
    voucher = session.get_one(Voucher, case.order.voucher_id)
    holder = session.get_one(Holder, case.order.holder_id)
    allowance = allowance_of(
        case.policy, holder_ref=holder.cap_owner, holder_class=voucher.holder_class, on=on
    )
    return caps_of(session, allowance, holder, case.order.programme_code)


def _legs(room: Room, charge: Charge, cap: Limited) -> tuple[Leg, Leg]:
    limit = room.limit(cap)
    if limit.available_fen < charge.amount:
        raise Refusal(Code.CAP_EXCEEDED, **limit.facts(), needed_fen=charge.amount, year=cap.period)
    return Leg(charge.used, charge.source, charge.amount), Leg(cap.account, cap.used, charge.amount)
