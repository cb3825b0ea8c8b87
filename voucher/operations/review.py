"""Reviewing claims: approve, trim with a reason, or reject (审核). One decision for one claim, for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.ledger import accounts
from voucher.ledger.events import Accepted, Event, Leg, Rejected, posting_id
from voucher.ledger.locking import lock
from voucher.ledger.posting import post
from voucher.models.claims import Claim, Invoice
from voucher.models.orders import Order
from voucher.models.parties import Holder, Platform
from voucher.models.programmes import BudgetLine
from voucher.models.regions import Region
from voucher.models.review import Review
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations import journal
from voucher.operations.charges import give_back_legs, order_allowance, refs_of
from voucher.operations.find import budget_lines, vouchers_for_share
from voucher.operations.outcome import Refused, one_book, refused
from voucher.operations.policies import policies_of
from voucher.operations.tell import Note, tell
from voucher.rules import lifecycle
from voucher.rules.lifecycle import next_state
from voucher.rules.permissions import Actor, covers_region
from voucher.rules.policy import Policy
from voucher.terms import CapBasis, ClaimState, MessageEvent, OrderState, PostingKind, Verdict


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """A decision on one claim. `approved_fen` counts for a trim only: approving gives all that is claimed."""

    claim_number: str
    verdict: Verdict
    approved_fen: Fen | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The decision: what is approved, and what goes back to the voucher (or the budget), in fen."""

    claim_number: str
    verdict: Verdict
    approved_fen: Fen
    given_back_fen: Fen


@dataclass(frozen=True, slots=True)
class _Case:
    claim: Claim
    order: Order
    voucher: Voucher
    line: BudgetLine


@dataclass(frozen=True, slots=True)
class _Decision:
    case: _Case
    verdict: Verdict
    approved_fen: Fen
    reason: str

    @property
    def given_back_fen(self) -> Fen:
        return Fen(self.case.order.captured_fen - self.approved_fen)


def review(
    session: Session, requests: Sequence[ReviewRequest], *, actor: Actor, at: datetime
) -> list[Reviewed | Refused]:
    """Decide claims of one book (ValueError for several). What is not approved of a captured order goes order → voucher at once.

    From a voucher that is no longer live it goes on to the budget line of issue, from a closed line to lapsed;
    where the cap counts what is redeemed, its room comes back in the year that was charged. A rejected claim
    frees its invoices. Refused, alone: a claim outside the reviewer's regions (`not_found`), one of the
    reviewer's own organisation or making (`self_approval`), no reason for a trim or rejection
    (`reason_missing`), more than was claimed (`approved_above_claim`), a claim decided already (`state_changed`),
    and money that is gone from the order (`already_settled`).
    """
    cases = _cases(session, [request.claim_number for request in requests], actor)
    decisions: list[_Decision | Refused] = []
    decided: set[str] = set()
    for request in requests:
        try:
            decision = _decision(cases.get(request.claim_number), request, decided)
            decided.add(request.claim_number)
            decisions.append(decision)
        except Refusal as refusal:
            decisions.append(refused(refusal))
    valid = [each for each in decisions if isinstance(each, _Decision)]
    answers = iter(_post(session, valid, actor=actor, at=at) if valid else [])
    results: list[Reviewed | Refused] = []
    notes: list[tuple[str, dict[str, Fact]]] = []
    rows: list[dict[str, Any]] = []
    for each in decisions:
        if isinstance(each, Refused):
            results.append(each)
            continue
        answer = next(answers)
        if isinstance(answer, Rejected):
            results.append(refused(answer))
            continue
        results.append(_written(session, each, at=at))
        rows.append(_row(each, actor=actor, at=at))
        facts: dict[str, Fact] = {"order": each.case.order.number, "verdict": each.verdict.value}
        notes.append((each.case.claim.number, {**facts, "approved_fen": each.approved_fen}))
    if rows:
        session.connection().execute(insert(Review), rows)
    journal.record(session, actor, "claim.review", notes, at=at)
    session.flush()
    tell(session, _notes(decisions, results), at=at)
    return results


def _cases(session: Session, numbers: Sequence[str], actor: Actor) -> dict[str, _Case | Refusal]:
    """The claims in the actor's regions, locked voucher by voucher, order by order, claim by claim."""
    query = (
        select(Claim.number, Claim.id, Order.id, Order.voucher_id, Region.path)
        .add_columns(Holder.organisation_id, Platform.organisation_id, Platform.id, Claim.submitted_by)
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .join(Platform, Platform.id == Order.platform_id)
        .join(Region, Region.code == Holder.region_code)
        .where(Claim.number.in_(numbers))
    )
    rows = [row for row in session.execute(query) if covers_region(actor, row.path)]
    vouchers = vouchers_for_share(session, [row.voucher_id for row in rows])
    lines = budget_lines(session, [voucher.budget_line_id for voucher in vouchers.values()])
    orders = {order.id: order for order in _orders(session, [row[2] for row in rows])}
    claims = {claim.number: claim for claim in _claims(session, [row[1] for row in rows])}
    found: dict[str, _Case | Refusal] = {}
    for number, _, order_id, voucher_id, _, firm_id, host_id, platform_id, author_id in rows:
        interested = {firm_id, host_id} & actor.organisation_ids or {platform_id} & actor.platform_ids
        if interested or author_id == actor.person_id:
            found[number] = Refusal(Code.SELF_APPROVAL, claim=number)
            continue
        voucher = vouchers[voucher_id]
        found[number] = _Case(claims[number], orders[order_id], voucher, lines[voucher.budget_line_id])
    return found


def _orders(session: Session, ids: Sequence[int]) -> list[Order]:
    query = select(Order).where(Order.id.in_(ids)).order_by(Order.id).with_for_update()
    return list(session.scalars(query.execution_options(populate_existing=True)))


def _claims(session: Session, ids: Sequence[int]) -> list[Claim]:
    query = select(Claim).where(Claim.id.in_(ids)).order_by(Claim.id).with_for_update()
    return list(session.scalars(query.execution_options(populate_existing=True)))


def _decision(case: _Case | Refusal | None, request: ReviewRequest, decided: set[str]) -> _Decision:
    if case is None:
        raise Refusal(Code.NOT_FOUND, claim=request.claim_number)
    if isinstance(case, Refusal):
        raise case
    event = lifecycle.Event.REJECT if request.verdict is Verdict.REJECT else lifecycle.Event.APPROVE
    state = ClaimState(case.claim.state)
    if state is not ClaimState.SUBMITTED or request.claim_number in decided:
        raise Refusal(Code.STATE_CHANGED, state=state.value, event=event.value)
    next_state(state, event)
    if request.verdict is not Verdict.APPROVE and not request.reason.strip():
        raise Refusal(Code.REASON_MISSING, claim=request.claim_number)
    approved = _approved(case.claim, request)
    return _Decision(case, request.verdict, approved, request.reason.strip())


def _approved(claim: Claim, request: ReviewRequest) -> Fen:
    if request.verdict is Verdict.REJECT:
        return Fen(0)
    if request.verdict is Verdict.APPROVE:
        return Fen(claim.claimed_fen)
    if request.approved_fen is None or request.approved_fen < 1:
        raise ValueError("a trim names the amount that is left, above zero; nothing left is a rejection")
    if request.approved_fen > claim.claimed_fen:
        raise Refusal(
            Code.APPROVED_ABOVE_CLAIM, approved_fen=request.approved_fen, claimed_fen=claim.claimed_fen
        )
    return request.approved_fen


def _post(
    session: Session, decisions: Sequence[_Decision], *, actor: Actor, at: datetime
) -> list[Accepted | Rejected]:
    """One answer for each decision; one that takes nothing back posts nothing and is accepted."""
    book_id = one_book(each.case.order.book_id for each in decisions)
    policies = policies_of(session, {each.case.order.policy_code for each in decisions})
    events = [
        _event(policies, each, actor=actor, at=at) if each.given_back_fen else None for each in decisions
    ]
    present = [event for event in events if event is not None]
    refs = [ref for event in present for ref in refs_of(event.legs)]
    refs += [accounts.order(each.case.order.number) for each in decisions]
    locked = lock(session, book_id, refs)
    answers = iter(post(session, locked, present, at=at) if present else [])
    return [
        Accepted(posting_id("review", each.case.claim.number)) if event is None else next(answers)
        for each, event in zip(decisions, events, strict=True)
    ]


def _event(policies: Mapping[str, Policy], decision: _Decision, *, actor: Actor, at: datetime) -> Event:
    case, amount = decision.case, decision.given_back_fen
    legs = give_back_legs(case.voucher, case.line, case.order.number, amount)
    charged = order_allowance(policies[case.order.policy_code], case.voucher, case.order)
    if charged is not None and charged.basis is CapBasis.REDEEMED:
        legs += (Leg(charged.used, charged.cap, amount),)
    return Event(
        id=posting_id("review", case.claim.number),
        kind=PostingKind.DISALLOW if decision.verdict is Verdict.REJECT else PostingKind.TRIM,
        legs=legs,
        fiscal_year=case.order.fiscal_year,
        event_on=business_date(at),
        rule_version=case.order.policy_code,
        actor_ref=actor.ref,
    )


def _written(session: Session, decision: _Decision, *, at: datetime) -> Reviewed:
    claim, order = decision.case.claim, decision.case.order
    if decision.verdict is Verdict.REJECT:
        claim.state = next_state(ClaimState(claim.state), lifecycle.Event.REJECT).value
        order.state = next_state(OrderState(order.state), lifecycle.Event.DISALLOW).value
        order.closed_at, order.close_reason = at, decision.reason[:200]
        session.execute(update(Invoice).where(Invoice.claim_id == claim.id).values(released_at=at))
    else:
        claim.state = next_state(ClaimState(claim.state), lifecycle.Event.APPROVE).value
        order.state = next_state(OrderState(order.state), lifecycle.Event.APPROVE).value
    claim.approved_fen = order.approved_fen = decision.approved_fen
    claim.decided_at = at
    return Reviewed(claim.number, decision.verdict, decision.approved_fen, decision.given_back_fen)


def _row(decision: _Decision, *, actor: Actor, at: datetime) -> dict[str, Any]:
    return {
        "claim_id": decision.case.claim.id,
        "verdict": decision.verdict.value,
        "approved_fen": decision.approved_fen,
        "reason": decision.reason,
        "rule_version": decision.case.order.policy_code,
        "reviewer_id": actor.person_id,
        "reviewed_at": at,
    }


def _notes(decisions: Sequence[_Decision | Refused], results: Sequence[Reviewed | Refused]) -> list[Note]:
    """The firm is told of each decision, with its reason."""
    return [
        Note(
            MessageEvent.CLAIM_DECIDED,
            result.claim_number,
            {
                "verdict": result.verdict.value,
                "approved_fen": result.approved_fen,
                "reason": decision.reason or None,
            },
            holder_id=decision.case.order.holder_id,
        )
        for decision, result in zip(decisions, results, strict=True)
        if isinstance(decision, _Decision) and isinstance(result, Reviewed)
    ]
