"""Carrying out an approved factor: every claim of the programme's year is trimmed, in parts that may be run again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.ledger.events import Rejected, posting_id
from voucher.models.claims import Claim, InvoiceUse
from voucher.models.orders import Order
from voucher.models.prorata import Factor
from voucher.money import Fen
from voucher.operations import journal
from voucher.operations.cases import Case
from voucher.operations.find import vouchers_for_share
from voucher.operations.policies import policies_of
from voucher.operations.prorata import WAITING, factor_of, own_programme
from voucher.operations.review_money import Decided, post_decisions
from voucher.operations.tell import Note, tell
from voucher.rules import lifecycle
from voucher.rules.funding import after_window
from voucher.rules.lifecycle import next_state
from voucher.rules.permissions import Actor
from voucher.rules.policy import Policy
from voucher.rules.prorata import round_of
from voucher.terms import ClaimState, FactorState, MessageEvent, OrderState, Verdict

NOTHING_LEFT = "按确定的比例折算后不足一元"


@dataclass(frozen=True, slots=True)
class _Factored(Decided):
    """What the factor leaves of an approved claim."""

    factor_bp: int

    @property
    def given_back_fen(self) -> Fen:
        return Fen(self.case.order.approved_fen - self.approved_fen)

    @property
    def posting(self) -> UUID:
        return posting_id("prorata", self.number)


def approved_factors(session: Session) -> list[Factor]:
    """The factors that are approved, of all books."""
    query = select(Factor).where(Factor.state == FactorState.APPROVED.value).order_by(Factor.id)
    return list(session.scalars(query))


def apply_own(session: Session, programme_code: str, year: int, *, actor: Actor, at: datetime) -> int:
    """`apply_factor` for one year of a programme of the actor's books; refused `not_found` without an approved one."""
    own_programme(session, programme_code, actor)
    factor = factor_of(session, programme_code, year)
    if factor is None or factor.state != FactorState.APPROVED.value:
        raise Refusal(Code.NOT_FOUND, programme=programme_code, year=year)
    return apply_factor(session, factor, actor=actor, at=at)


def apply_factor(session: Session, factor: Factor, *, actor: Actor, at: datetime, limit: int = 500) -> int:
    """Trim up to `limit` approved claims of the factor's year that were not trimmed yet; gives how many.

    Each to whole yuan, order → voucher (on to the budget where it is no longer live) with the allowances; one of which
    nothing is left is REJECTED. Done again it goes on where it stopped; a claim approved later is trimmed by the next
    run. A claim that the ledger refuses (a closed day) stays as it is.
    """
    made = _decisions(session, factor, limit)
    if not made:
        return 0
    answers = post_decisions(session, made, actor=actor, at=at)
    done = [each for each, answer in zip(made, answers, strict=True) if not isinstance(answer, Rejected)]
    for each in done:
        _write(each, at=at)
    gone = [each.case.claim.id for each in done if each.verdict is Verdict.REJECT]
    uses = update(InvoiceUse).where(InvoiceUse.claim_id.in_(gone), InvoiceUse.released_at.is_(None))
    session.execute(uses.values(released_at=at))
    facts: list[tuple[str, dict[str, Fact]]] = [
        (each.number, {"factor_bp": factor.factor_bp, "approved_fen": each.approved_fen}) for each in done
    ]
    journal.record(session, actor, "claim.factor", facts, at=at)
    session.flush()
    tell(session, [_note(each) for each in done], at=at)
    return len(done)


def _decisions(session: Session, factor: Factor, limit: int) -> list[_Factored]:
    """The next claims, locked with their vouchers and orders (docs/locking.md)."""
    query = (
        select(Order.id, Order.voucher_id, Order.policy_code, Claim.queued_at)
        .join(Claim, Claim.order_id == Order.id)
        .where(
            Order.programme_code == factor.programme_code,
            Claim.state == WAITING.value,
            Claim.factor_bp.is_(None),
        )
        .order_by(Claim.id)
    )
    rows = session.execute(query).all()
    policies = policies_of(session, {row.policy_code for row in rows})
    chosen = [row for row in rows if _is_of(policies[row.policy_code], factor, row.queued_at)][:limit]
    vouchers_for_share(session, [row.voucher_id for row in chosen if row.voucher_id is not None])
    fresh = {"populate_existing": True}
    orders = select(Order).where(Order.id.in_([row.id for row in chosen])).order_by(Order.id)
    held = {each.id: each for each in session.scalars(orders.with_for_update().execution_options(**fresh))}
    claims = (
        select(Claim)
        .where(Claim.order_id.in_(held), Claim.state == WAITING.value, Claim.factor_bp.is_(None))
        .order_by(Claim.id)
        .with_for_update()
        .execution_options(**fresh)
    )
    return [
        _factored(claim, held[claim.order_id], policies, factor.factor_bp)
        for claim in session.scalars(claims)
    ]


def _is_of(policy: Policy, factor: Factor, queued_at: datetime) -> bool:
    return bool(policy.prorata) and round_of(policy, business_date(queued_at)) == factor.year


def _factored(claim: Claim, order: Order, policies: dict[str, Policy], factor_bp: int) -> _Factored:
    left = after_window(Fen(order.approved_fen), factor_bp)
    case = Case(claim, order, policies[order.policy_code], None, "", None, None)
    return _Factored(case, Verdict.TRIM if left else Verdict.REJECT, left, factor_bp)


def _write(each: _Factored, *, at: datetime) -> None:
    claim, order = each.case.claim, each.case.order
    claim.factor_bp, claim.approved_fen, order.approved_fen = (
        each.factor_bp,
        each.approved_fen,
        each.approved_fen,
    )
    if each.verdict is Verdict.REJECT:
        claim.state = next_state(ClaimState(claim.state), lifecycle.Event.REJECT).value
        order.state = next_state(OrderState(order.state), lifecycle.Event.DISALLOW).value
        order.closed_at, order.close_reason = at, NOTHING_LEFT


def _note(each: _Factored) -> Note:
    """Whoever claims is told what the factor left."""
    facts: dict[str, Fact] = {"factor_bp": each.factor_bp, "approved_fen": each.approved_fen}
    order = each.case.order
    platform = order.platform_id if each.case.claim.by_platform else None
    return Note(
        MessageEvent.CLAIM_FACTORED, each.number, facts, holder_id=order.holder_id, platform_id=platform
    )
