"""Reviewing claims: approve, trim with a reason, or reject (审核). One decision for one hearing of a claim, for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.ledger.events import Rejected
from voucher.models.claims import Claim, InvoiceUse
from voucher.models.orders import Order
from voucher.models.review import CaseTaking, ClaimReturn, Review
from voucher.money import Fen
from voucher.operations import journal
from voucher.operations.award_money import Wanted, award, is_award
from voucher.operations.cases import Case, bar_interested, bar_others, bar_signers, case_of, cases, recused
from voucher.operations.deadlines import deadline
from voucher.operations.decision_basis import Minutes, bar_missing, bases
from voucher.operations.find import vouchers_for_share
from voucher.operations.keep_files import keep_files
from voucher.operations.outcome import Refused, refused
from voucher.operations.recharge import invoiced_on, post_decided
from voucher.operations.recognised import Recognised, recognise_cost
from voucher.operations.review_money import Decided
from voucher.operations.tell import Note, tell
from voucher.rules import lifecycle
from voucher.rules.lifecycle import next_state
from voucher.rules.permissions import Actor
from voucher.terms import ClaimState, MessageEvent, OrderState, TrimCause, Verdict


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """A decision on one claim. `approved_fen` counts for a trim only: approving gives all that is claimed.

    `cause` says for which of the listed reasons a trim is made, `reason` says it in words. `budget_line` is the code
    of the line that pays a post-subsidy; for a claim on a voucher it is not asked. `audited_fen` is the cost that is
    recognised, where the policy counts on it; None: as the latest third party's report found.
    """

    claim_number: str
    verdict: Verdict
    approved_fen: Fen | None = None
    reason: str = ""
    cause: TrimCause = TrimCause.OTHER
    minutes: Minutes | None = None
    budget_line: str = ""
    audited_fen: Fen | None = None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The decision: what is approved, and what goes back to the voucher (or the budget), in fen."""

    claim_number: str
    verdict: Verdict
    approved_fen: Fen
    given_back_fen: Fen


@dataclass(frozen=True, slots=True)
class _Decision(Decided):
    request: ReviewRequest
    recognised: Recognised | None = None

    @property
    def base_fen(self) -> Fen:
        return Fen(self.case.claim.base_fen) if self.recognised is None else self.recognised.audited_fen


def review(
    session: Session, requests: Sequence[ReviewRequest], *, actor: Actor, at: datetime
) -> list[Reviewed | Refused]:
    """Decide claims of one book (ValueError for several). What is not approved of a captured order goes order → voucher at once.

    From a voucher that is no longer live it goes on to the budget line of issue, from a closed line to lapsed;
    where the cap counts what is redeemed, its room comes back in the year that was charged. A rejected claim
    frees its invoices. What the decision rested on is kept with it (domain 1.4, C3). Refused, alone: a claim
    outside the reviewer's regions (`not_found`), one of the reviewer's own organisation or making, or signed by the
    reviewer for an authority or decided by them before an appeal (`self_approval`), or interest (`recused`), one in another's hand (`case_taken`), no reason for a trim or
    rejection (`reason_missing`), more than was claimed (`approved_above_claim`), a claim decided already or back at
    its firm (`state_changed`; once the last day is over it may be rejected), money that is gone from the order
    (`already_settled`), and for a yes what the policy asks for: `opinion_missing`, `cosign_missing`, `minutes_missing`.
    Where the policy counts on the audited amount, the subsidy is computed on it and a yes becomes a trim down to that;
    refused without one (`audit_missing`), above it (`approved_above_audit`), `subsidy_zero`.
    A post-subsidy is awarded by its approval: also refused as `award` refuses. Where the year is that of the invoices,
    what is approved moves to it (`cap_exceeded` where it leaves too little).
    """
    found = _locked_cases(session, [request.claim_number for request in requests], actor=actor)
    interests = recused(session, [actor.person_id]).get(actor.person_id, frozenset())
    decisions: list[_Decision | Refused] = []
    decided: set[str] = set()
    for request in requests:
        try:
            case = case_of(found, request.claim_number)
            bar_interested(session, case, actor=actor, interests=interests)
            _bar_decided(session, case, request, again=request.claim_number in decided, at=at)
            bar_others(session, case, actor=actor)
            bar_signers(case, actor=actor)
            decisions.append(_awarded(session, _decision(session, case, request), actor=actor, at=at))
            decided.add(request.claim_number)
        except Refusal as refusal:
            decisions.append(refused(refusal))
    valid = [each for each in decisions if isinstance(each, _Decision)]
    answers = iter(post_decided(session, valid, actor=actor, at=at) if valid else [])
    results: list[Reviewed | Refused] = []
    made: list[_Decision] = []
    for each in decisions:
        if isinstance(each, Refused):
            results.append(each)
            continue
        answer = next(answers)
        if isinstance(answer, Rejected):
            results.append(refused(answer))
            continue
        results.append(Reviewed(each.number, each.verdict, each.approved_fen, each.given_back_fen))
        made.append(each)
    _write(session, made, actor=actor, at=at)
    return results


def _locked_cases(session: Session, numbers: Sequence[str], *, actor: Actor) -> dict[str, Case]:
    """The cases, locked voucher by voucher, order by order, claim by claim (docs/locking.md)."""
    query = (
        select(Order.id, Order.voucher_id)
        .join(Claim, Claim.order_id == Order.id)
        .where(Claim.number.in_(set(numbers)))
    )
    rows = session.execute(query).all()
    vouchers_for_share(session, [row.voucher_id for row in rows if row.voucher_id is not None])
    orders = select(Order).where(Order.id.in_([row.id for row in rows])).order_by(Order.id).with_for_update()
    session.scalars(orders.execution_options(populate_existing=True)).all()
    return cases(session, numbers, actor=actor)


def _bar_decided(session: Session, case: Case, request: ReviewRequest, *, again: bool, at: datetime) -> None:
    """Refuse (`state_changed`) a claim that does not wait for a decision; an overdue one may be rejected."""
    state = ClaimState(case.claim.state)
    event = lifecycle.Event.REJECT if request.verdict is Verdict.REJECT else lifecycle.Event.APPROVE
    waits = state is ClaimState.SUBMITTED
    if state is ClaimState.RETURNED and request.verdict is Verdict.REJECT:
        last = select(ClaimReturn.due_on).where(
            ClaimReturn.claim_id == case.claim.id, ClaimReturn.answered_at.is_(None)
        )
        due_on = session.scalars(last).one_or_none()
        waits = due_on is not None and due_on < business_date(at)
    if not waits or again:
        raise Refusal(Code.STATE_CHANGED, state=state.value, event=event.value)
    next_state(state, event)


def _decision(session: Session, case: Case, request: ReviewRequest) -> _Decision:
    if request.verdict is not Verdict.APPROVE and not request.reason.strip():
        raise Refusal(Code.REASON_MISSING, claim=request.claim_number)
    approved = _approved(case.claim, request)
    if request.verdict is Verdict.REJECT:
        return _Decision(case, request.verdict, approved, request)
    bar_missing(session, case, request.minutes)
    recognised = recognise_cost(session, case, request.audited_fen)
    if recognised is None or approved <= recognised.most_fen:
        return _Decision(case, request.verdict, approved, request, recognised)
    if request.verdict is Verdict.TRIM:
        raise Refusal(
            Code.APPROVED_ABOVE_AUDIT,
            approved_fen=approved,
            most_fen=recognised.most_fen,
            audited_fen=recognised.audited_fen,
        )
    because = replace(request, cause=TrimCause.RECOGNISED)
    return _Decision(case, Verdict.TRIM, recognised.most_fen, because, recognised)


def _awarded(session: Session, decision: _Decision, *, actor: Actor, at: datetime) -> _Decision:
    """A post-subsidy is paid for at its approval, within the yearly cap; every other decision stays as it is."""
    order, request = decision.case.order, decision.request
    if not is_award(order) or decision.verdict is Verdict.REJECT:
        return decision
    with session.begin_nested():
        claim = decision.case.claim
        day = invoiced_on(session, [decision.case]).get(claim.id)
        origin = claim.origin_region or ""
        wanted = Wanted(decision.approved_fen, request.budget_line, decision.base_fen, origin, day)
        given = award(session, order, wanted, actor=actor, at=at)
    return replace(decision, approved_fen=given.amount_fen)


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


def _write(session: Session, made: Sequence[_Decision], *, actor: Actor, at: datetime) -> None:
    """The decisions' rows and states, the journal, and the word to whoever claims."""
    if not made:
        return
    ids = [each.case.claim.id for each in made]
    for each in made:
        if each.recognised is not None:
            each.case.claim.audited_fen = each.case.claim.base_fen = each.recognised.audited_fen
    facts_of = bases(session, [each.case for each in made])
    rows = [_row(each, facts_of[each.case.claim.id], actor=actor, at=at) for each in made]
    session.connection().execute(insert(Review), rows)
    for each in made:
        _set_states(each, at=at)
    rejected = [each.case.claim.id for each in made if each.verdict is Verdict.REJECT]
    uses = update(InvoiceUse).where(InvoiceUse.claim_id.in_(rejected), InvoiceUse.released_at.is_(None))
    session.execute(uses.values(released_at=at))
    session.execute(delete(CaseTaking).where(CaseTaking.claim_id.in_(ids)))
    minutes = [each.request.minutes.file for each in made if each.request.minutes is not None]
    keep_files(session, minutes, actor=actor, at=at)
    notes: list[tuple[str, dict[str, Fact]]] = []
    for each in made:
        facts: dict[str, Fact] = {"order": each.case.order.number, "verdict": each.verdict.value}
        facts |= {"approved_fen": each.approved_fen, "rule_version": each.case.policy.code}
        notes.append((each.number, facts))
    journal.record(session, actor, "claim.review", notes, at=at)
    session.flush()
    appeal_by = _appeal_days(session, made, at=at)
    tell(session, [_note(each, appeal_by) for each in made], at=at)


def _set_states(decision: _Decision, *, at: datetime) -> None:
    claim, order = decision.case.claim, decision.case.order
    if decision.verdict is Verdict.REJECT:
        claim.state = next_state(ClaimState(claim.state), lifecycle.Event.REJECT).value
        order.state = next_state(OrderState(order.state), lifecycle.Event.DISALLOW).value
        order.closed_at, order.close_reason = at, decision.request.reason.strip()[:200]
    else:
        claim.state = next_state(ClaimState(claim.state), lifecycle.Event.APPROVE).value
        order.state = next_state(OrderState(order.state), lifecycle.Event.APPROVE).value
    claim.approved_fen = order.approved_fen = decision.approved_fen
    claim.decided_at = at


def _row(decision: _Decision, facts: dict[str, Any], *, actor: Actor, at: datetime) -> dict[str, Any]:
    minutes = decision.request.minutes
    return {
        "claim_id": decision.case.claim.id,
        "hearing": decision.case.claim.hearing,
        "verdict": decision.verdict.value,
        "approved_fen": decision.approved_fen,
        "reason": decision.request.reason.strip(),
        "rule_version": decision.case.policy.code,
        "reviewer_id": actor.person_id,
        "reviewed_at": at,
        "cause": decision.request.cause.value if decision.verdict is Verdict.TRIM else None,
        "minutes_no": minutes.number if minutes else None,
        "minutes_on": minutes.on if minutes else None,
        "minutes_sha256": minutes.file.sha256 if minutes else None,
        "minutes_name": minutes.file.file_name if minutes else None,
        "facts": facts,
    }


def _appeal_days(session: Session, made: Sequence[_Decision], *, at: datetime) -> dict[int, str]:
    """The last day on which a rejection of today may be appealed, by the policies' numbers of days."""
    days = {each.case.policy.appeal_days for each in made if each.verdict is Verdict.REJECT}
    return {each: deadline(session, business_date(at), each).isoformat() for each in days if each}


def _note(decision: _Decision, appeal_by: dict[int, str]) -> Note:
    """Whoever claims is told of the decision, with its reason, and of a rejection how it is appealed."""
    is_no, days = decision.verdict is Verdict.REJECT, decision.case.policy.appeal_days
    return Note(
        MessageEvent.CLAIM_DECIDED,
        decision.number,
        {
            "verdict": decision.verdict.value,
            "approved_fen": decision.approved_fen,
            "reason": decision.request.reason.strip() or None,
            "audited_fen": decision.recognised.audited_fen if decision.recognised else None,
            "appeal_subject": decision.number if is_no else None,
            "appeal_by_on": appeal_by.get(days) if is_no and days else None,
        },
        holder_id=decision.case.order.holder_id,
        platform_id=decision.case.order.platform_id if decision.case.claim.by_platform else None,
    )
