"""Taking back a post-subsidy that was approved and is in no batch yet (撤销核定): its money goes back to its budget line.

A claim on a voucher is reversed by the platform that captured it (`reverse`); a post-subsidy has none. One that lies
open to the public is taken back by an objection that is upheld (`decide_objection`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Code, Fact, Refusal
from voucher.ledger.events import posting_id
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.review import Review
from voucher.money import Fen
from voucher.operations import journal
from voucher.operations.alone import alone
from voucher.operations.award_money import is_award
from voucher.operations.cases import bar_interested, case_of, cases, recused
from voucher.operations.decide_objection import take_back
from voucher.operations.outcome import Refused
from voucher.operations.review_money import Decided
from voucher.operations.tell import Note, tell
from voucher.rules.permissions import Actor
from voucher.terms import ClaimState, MessageEvent, Verdict

_REVOCABLE = (ClaimState.APPROVED, ClaimState.CLEARED)


@dataclass(frozen=True, slots=True)
class RevokeRequest:
    """An approved post-subsidy that should not have been, and why."""

    claim_number: str
    reason: str


@dataclass(frozen=True, slots=True)
class Revoked:
    """What went back to the budget line, in fen."""

    claim_number: str
    given_back_fen: Fen


@dataclass(frozen=True, slots=True)
class _Revocation(Decided):
    @property
    def given_back_fen(self) -> Fen:
        return Fen(self.case.claim.approved_fen or 0)

    @property
    def posting(self) -> UUID:
        return posting_id("revoke", self.number)


def revoke_awards(
    session: Session, requests: Sequence[RevokeRequest], *, actor: Actor, at: datetime
) -> list[Revoked | Refused]:
    """APPROVED or CLEARED → REJECTED: order → budget, cap_used → cap, and the invoices are free; the firm is told.

    Refused, alone: another region's, or no post-subsidy (`not_found`), no reason (`reason_missing`), by whoever
    approved it or belongs to the firm (`self_approval`) or has an interest (`recused`), one under notice, in a batch or
    not approved (`state_changed`), a closed day (`period_closed`).
    """
    return alone(session, requests, lambda request: _revoke(session, request, actor=actor, at=at))


def _revoke(session: Session, request: RevokeRequest, *, actor: Actor, at: datetime) -> Revoked:
    number, reason = request.claim_number, request.reason.strip()
    order = select(Order).join(Claim, Claim.order_id == Order.id).where(Claim.number == number)
    session.scalars(order.with_for_update(of=Order).execution_options(populate_existing=True)).one_or_none()
    case = case_of(cases(session, [number], actor=actor), number)
    if not is_award(case.order):
        raise Refusal(Code.NOT_FOUND, claim=number)
    if not reason:
        raise Refusal(Code.REASON_MISSING, claim=number)
    interests = recused(session, [actor.person_id]).get(actor.person_id, frozenset())
    bar_interested(session, case, actor=actor, interests=interests)
    decided = select(Review.reviewer_id).where(Review.claim_id == case.claim.id)
    if actor.person_id in session.scalars(decided).all():
        raise Refusal(Code.SELF_APPROVAL, claim=number)
    if ClaimState(case.claim.state) not in _REVOCABLE:
        raise Refusal(Code.STATE_CHANGED, state=case.claim.state)
    back = take_back(session, _Revocation(case, Verdict.REJECT, Fen(0)), reason, actor=actor, at=at)
    case.claim.decided_at = at
    facts: dict[str, Fact] = {"released_fen": back, "reason": reason, "rule_version": case.policy.code}
    journal.record(session, actor, "claim.revoke", [(number, facts)], at=at)
    told: dict[str, Fact] = {"verdict": Verdict.REJECT.value, "approved_fen": 0, "reason": reason}
    note = Note(MessageEvent.CLAIM_DECIDED, number, told, holder_id=case.order.holder_id, once="revoke")
    tell(session, [note], at=at)
    session.flush()
    return Revoked(number, back)
