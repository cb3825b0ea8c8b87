"""Answering objections (异议处理): dismissed, the claim goes on; upheld, its money goes back where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.ledger.events import Rejected, posting_id
from voucher.models.claims import Claim, InvoiceUse
from voucher.models.notices import Notice, NoticeLine, Objection
from voucher.models.orders import Order
from voucher.models.review import Review
from voucher.money import Fen
from voucher.operations import journal
from voucher.operations.alone import alone
from voucher.operations.cases import Case, bar_interested, case_of, cases, recused
from voucher.operations.find import vouchers_for_share
from voucher.operations.outcome import Refused
from voucher.operations.publicise import own_notice
from voucher.operations.review_money import Decided, post_decisions
from voucher.operations.tell import Note, tell
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.rules.publicity import is_over
from voucher.terms import (
    ClaimState,
    MessageEvent,
    NoticeOutcome,
    ObjectionState,
    OrderState,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """What the bureau makes of one objection. The reason is published on the notice."""

    objection_number: str
    upheld: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The objection after it, the claim's state, and what went back, in fen."""

    objection_number: str
    state: ObjectionState
    claim_state: ClaimState
    given_back_fen: Fen


@dataclass(frozen=True, slots=True)
class _Upheld(Decided):
    """All that was approved goes back; an earlier trim has given back the rest already."""

    @property
    def given_back_fen(self) -> Fen:
        return Fen(self.case.claim.approved_fen or 0)

    @property
    def posting(self) -> UUID:
        return posting_id("objection", self.number)


def decide_objection(
    session: Session, requests: Sequence[AnswerRequest], *, actor: Actor, at: datetime
) -> list[Answered | Refused]:
    """Dismiss or uphold objections with a reason, which is published.

    Dismissed: with no other objection open the claim is IN_NOTICE again, CLEARED where the last day is over.
    Upheld: the claim is REJECTED, its money goes order → voucher (or on to the budget) with the allowance, as in a
    review, its invoices are free, and other objections to it are upheld with it. Refused, alone: another region's
    (`not_found`), no reason (`reason_missing`), decided already (`state_changed`), an official of one of the sides
    or who decided the claim (`self_approval`) or with an interest (`recused`), money that is gone from the order (`already_settled`).
    """
    return alone(session, requests, lambda request: _decide(session, request, actor=actor, at=at))


def _decide(session: Session, request: AnswerRequest, *, actor: Actor, at: datetime) -> Answered:
    if not request.reason.strip():
        raise Refusal(Code.REASON_MISSING)
    case, objection = _locked(session, request.objection_number, actor=actor)
    event = Event.APPROVE if request.upheld else Event.REJECT
    state = next_state(ObjectionState(objection.state), event)
    interests = recused(session, [actor.person_id]).get(actor.person_id, frozenset())
    bar_interested(session, case, actor=actor, interests=interests)
    decided = select(Review.reviewer_id).where(Review.claim_id == case.claim.id)
    if actor.person_id in session.scalars(decided).all():
        raise Refusal(Code.SELF_APPROVAL, claim=case.claim.number)
    open_ = case.claim.state == ClaimState.OBJECTED.value
    back = Fen(0)
    if request.upheld and open_:
        decision = _Upheld(case, Verdict.REJECT, Fen(0))
        back = take_back(session, decision, request.reason.strip(), actor=actor, at=at)
    same = Objection.id == objection.id if not request.upheld else Objection.line_id == objection.line_id
    session.execute(
        update(Objection)
        .where(same, Objection.state == ObjectionState.LODGED.value)
        .values(state=state.value, decided_by=actor.person_id, decided_at=at, reason=request.reason.strip())
        .execution_options(synchronize_session=False)
    )
    if open_:
        _move_on(session, case, objection, upheld=request.upheld, at=at)
    answer = Answered(objection.number, state, ClaimState(case.claim.state), back)
    _write(session, _Done(case, answer, request.reason.strip()), actor=actor, at=at)
    return answer


def _locked(session: Session, number: str, *, actor: Actor) -> tuple[Case, Objection]:
    """The objection and its case, locked voucher, order, claim, objection; refused `not_found`."""
    named = (
        select(Objection.id, Notice.number, Claim.number, Order.id, Order.voucher_id)
        .join(Notice, Notice.id == Objection.notice_id)
        .join(NoticeLine, NoticeLine.id == Objection.line_id)
        .join(Claim, Claim.id == NoticeLine.claim_id)
        .join(Order, Order.id == Claim.order_id)
        .where(Objection.number == number)
    )
    row = session.execute(named).one_or_none()
    if row is None:
        raise Refusal(Code.NOT_FOUND, objection=number)
    objection_id, notice_number, claim_number, order_id, voucher_id = row
    own_notice(session, notice_number, actor=actor)
    vouchers_for_share(session, [each for each in (voucher_id,) if each])
    order = select(Order).where(Order.id == order_id).with_for_update()
    session.scalars(order.execution_options(populate_existing=True)).one()
    case = case_of(cases(session, [claim_number], actor=actor), claim_number)
    query = select(Objection).where(Objection.id == objection_id).with_for_update()
    return case, session.scalars(query.execution_options(populate_existing=True)).one()


def take_back(session: Session, decision: Decided, reason: str, *, actor: Actor, at: datetime) -> Fen:
    """What `review` does for a rejection of a claim that was approved: the posting, the states, the invoices.

    Gives what went back, in fen. The case is locked, its voucher and order before it. Raises Refusal: `already_settled`,
    `period_closed`, and `state_changed` for a claim that cannot be rejected any more.
    """
    case, back = decision.case, decision.given_back_fen
    (answer,) = post_decisions(session, [decision], actor=actor, at=at)
    if isinstance(answer, Rejected):
        raise Refusal(answer.code, **answer.facts)
    claim, order = case.claim, case.order
    claim.state = next_state(ClaimState(claim.state), Event.REJECT).value
    order.state = next_state(OrderState(order.state), Event.DISALLOW).value
    order.closed_at, order.close_reason = at, reason[:200]
    claim.approved_fen = order.approved_fen = 0
    uses = update(InvoiceUse).where(InvoiceUse.claim_id == claim.id, InvoiceUse.released_at.is_(None))
    session.execute(uses.values(released_at=at))
    session.flush()
    return back


def _move_on(session: Session, case: Case, objection: Objection, *, upheld: bool, at: datetime) -> None:
    """The line's outcome, and the claim's state where nothing is open any more."""
    line = session.get_one(NoticeLine, objection.line_id)
    notice = session.get_one(Notice, objection.notice_id)
    if upheld:
        line.outcome = NoticeOutcome.UPHELD.value
        return
    left = select(Objection.id).where(
        Objection.line_id == line.id, Objection.state == ObjectionState.LODGED.value
    )
    if session.scalars(left).first() is not None:
        return
    over = is_over(notice.to_on, business_date(at))
    line.outcome = (NoticeOutcome.CLEARED if over else NoticeOutcome.OPEN).value
    event = Event.CLEAR if over else Event.RESUME
    case.claim.state = next_state(ClaimState(case.claim.state), event).value
    session.flush()


@dataclass(frozen=True, slots=True)
class _Done:
    case: Case
    answer: Answered
    reason: str


def _write(session: Session, done: _Done, *, actor: Actor, at: datetime) -> None:
    """The journal of objection and claim, and the word to the firm."""
    case, answer = done.case, done.answer
    facts: dict[str, Fact] = {"claim": case.claim.number, "outcome": answer.state.value}
    facts |= {"released_fen": answer.given_back_fen, "rule_version": case.policy.code}
    journal.record(session, actor, "objection.decide", [(answer.objection_number, facts)], at=at)
    journal.record(session, actor, "claim.objection", [(case.claim.number, facts)], at=at)
    session.flush()
    told: dict[str, Fact] = {"claim": case.claim.number, "outcome": answer.state.value, "reason": done.reason}
    subject = answer.objection_number
    note = Note(MessageEvent.OBJECTION_DECIDED, subject, told, holder_id=case.order.holder_id)
    tell(session, [note], at=at)
