"""Fixing the factor of a programme's year: how much is asked for, what the budget allows, proposed by one, approved by
another person (domain 0.2, 3.4; 福建: 实际比例根据预算及申请情况确定)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.programmes import Programme
from voucher.models.prorata import Factor
from voucher.money import Fen
from voucher.operations import journal
from voucher.operations.alone import alone
from voucher.operations.outcome import Refused
from voucher.operations.policies import policies_of
from voucher.operations.tell_second import Waiting, tell_second
from voucher.rules.permissions import Actor
from voucher.rules.policy import WHOLE_BP, Policy
from voucher.rules.prorata import first_day_after, largest_factor, round_of, total_after
from voucher.terms import ClaimState, FactorState, ProposalKind

_OPEN = (ClaimState.AWAITING, ClaimState.SUBMITTED, ClaimState.RETURNED)
WAITING = ClaimState.APPROVED


@dataclass(frozen=True, slots=True)
class FactorRequest:
    """A factor in basis points for a programme's year, the money that it is found for, and on what basis."""

    programme_code: str
    year: int
    factor_bp: int
    budget_fen: Fen
    basis: str


@dataclass(frozen=True, slots=True)
class FactorAnswer:
    """A second person's answer to the proposed factor that they saw; a proposal never changes."""

    programme_code: str
    year: int
    proposal_id: int
    approved: bool = True


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of a programme's year: amounts approved and waiting, and those not decided yet, in fen."""

    programme_code: str
    year: int
    waiting: tuple[Fen, ...]
    undecided: tuple[Fen, ...]
    over: bool

    @property
    def amounts(self) -> tuple[Fen, ...]:
        """Everything that the budget may have to bear."""
        return self.waiting + self.undecided

    def largest(self, budget_fen: Fen) -> int:
        """The largest factor that the budget allows, undecided claims counted as they are asked for."""
        return largest_factor(self.amounts, budget_fen)

    def left(self, factor_bp: int) -> Fen:
        """What the factor leaves of all of them."""
        return total_after(self.amounts, factor_bp)


def demands(session: Session, programme_codes: Sequence[str], *, at: datetime) -> list[Demand]:
    """The years of these programmes of which claims wait for a factor, the oldest first."""
    query = (
        select(Order.programme_code, Order.policy_code, Claim.state, Claim.queued_at)
        .add_columns(Claim.claimed_fen, Claim.approved_fen)
        .join(Order, Order.id == Claim.order_id)
        .where(
            Order.programme_code.in_(programme_codes),
            Claim.state.in_([state.value for state in (WAITING, *_OPEN)]),
            Claim.factor_bp.is_(None),
        )
        .order_by(Claim.id)
    )
    rows = session.execute(query).all()
    policies = policies_of(session, {row.policy_code for row in rows})
    found: dict[tuple[str, int], tuple[list[Fen], list[Fen], list[bool]]] = {}
    for row in rows:
        policy = policies[row.policy_code]
        if not policy.prorata:
            continue
        year = round_of(policy, business_date(row.queued_at))
        waiting, undecided, over = found.setdefault((row.programme_code, year), ([], [], []))
        over.append(first_day_after(policy, year) <= business_date(at))
        if row.state == WAITING.value:
            waiting.append(Fen(row.approved_fen or 0))
        else:
            undecided.append(Fen(row.claimed_fen))
    return [
        Demand(code, year, tuple(waiting), tuple(undecided), all(over))
        for (code, year), (waiting, undecided, over) in sorted(found.items())
    ]


def propose_factor(
    session: Session, requests: Sequence[FactorRequest], *, actor: Actor, at: datetime
) -> list[Factor | Refused]:
    """Propose factors for years whose applications are all in.

    Refused, alone: another book's programme, or a year of which nothing waits (`not_found`), a year that is not over
    (`factor_early`), a factor whose total is above the budget (`factor_too_high`: the largest one), one proposed or
    approved before (`state_changed`).
    """
    return alone(session, requests, lambda request: _propose(session, request, actor=actor, at=at))


def _propose(session: Session, request: FactorRequest, *, actor: Actor, at: datetime) -> Factor:
    programme = own_programme(session, request.programme_code, actor)
    if not 1 <= request.factor_bp <= WHOLE_BP:
        raise ValueError("a factor lies between 1 and 10,000")
    live = factor_of(session, request.programme_code, request.year)
    if live is not None:
        raise Refusal(Code.STATE_CHANGED, state=live.state)
    demand = _demand(session, request.programme_code, request.year, at=at)
    _bar_above(demand, request.factor_bp, request.budget_fen)
    row = Factor(
        programme_code=request.programme_code,
        year=request.year,
        factor_bp=request.factor_bp,
        budget_fen=request.budget_fen,
        demand_fen=sum(demand.amounts),
        claims=len(demand.amounts),
        basis=request.basis,
        state=FactorState.PROPOSED.value,
        proposed_by=actor.person_id,
        proposed_at=at,
    )
    session.add(row)
    session.flush()
    _note(session, row, "factor.propose", actor=actor, at=at)
    waiting = Waiting(
        ProposalKind.FACTOR,
        f"{row.year} 年度补助比例",
        row.id,
        f"{programme.name} {row.year} 年度",
        book_id=programme.book_id,
        where={"programme": programme.code, "year": row.year},
    )
    tell_second(session, waiting, actor=actor, at=at)
    return row


def answer_factor(
    session: Session, requests: Sequence[FactorAnswer], *, actor: Actor, at: datetime
) -> list[Factor | Refused]:
    """Approve or refuse proposed factors; an approved one is carried out by `apply_factor`.

    Refused, alone: nothing proposed there, or in another's book (`not_found`), decided already or another proposal than
    was seen (`state_changed`), approved by whoever proposed it (`self_approval`), more asked for by now than the
    budget bears (`factor_too_high`).
    """
    return alone(session, requests, lambda request: _answer(session, request, actor=actor, at=at))


def _answer(session: Session, request: FactorAnswer, *, actor: Actor, at: datetime) -> Factor:
    own_programme(session, request.programme_code, actor)
    row = factor_of(session, request.programme_code, request.year)
    if row is None:
        raise Refusal(Code.NOT_FOUND, programme=request.programme_code, year=request.year)
    if row.state != FactorState.PROPOSED.value or row.id != request.proposal_id:
        raise Refusal(Code.STATE_CHANGED, state=row.state)
    if request.approved:
        if row.proposed_by == actor.person_id:
            raise Refusal(Code.SELF_APPROVAL, programme=request.programme_code)
        demand = _demand(session, request.programme_code, request.year, at=at)
        _bar_above(demand, row.factor_bp, Fen(row.budget_fen))
    row.state = (FactorState.APPROVED if request.approved else FactorState.REFUSED).value
    row.decided_by, row.decided_at = actor.person_id, at
    session.flush()
    _note(session, row, "factor.approve" if request.approved else "factor.refuse", actor=actor, at=at)
    return row


def own_programme(session: Session, code: str, actor: Actor) -> Programme:
    """A programme of one of the actor's books; refused `not_found`."""
    programme = session.get(Programme, code)
    if programme is None or programme.book_id not in actor.book_ids:
        raise Refusal(Code.NOT_FOUND, programme=code[:40])
    return programme


def factor_of(session: Session, programme_code: str, year: int) -> Factor | None:
    """The live factor of a programme's year, locked; None where none is proposed or approved."""
    query = select(Factor).where(
        Factor.programme_code == programme_code,
        Factor.year == year,
        Factor.state != FactorState.REFUSED.value,
    )
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()


def refuse_unfactored(pairs: Sequence[tuple[Claim, Policy]]) -> None:
    """Refuse (`factor_required`) claims of a policy with a factor on which none was applied yet."""
    for claim, policy in pairs:
        if policy.prorata and claim.factor_bp is None:
            year = round_of(policy, business_date(claim.queued_at))
            raise Refusal(Code.FACTOR_REQUIRED, claim=claim.number, year=year)


def _demand(session: Session, programme_code: str, year: int, *, at: datetime) -> Demand:
    found = [each for each in demands(session, [programme_code], at=at) if each.year == year]
    if not found or not found[0].waiting:
        raise Refusal(Code.NOT_FOUND, programme=programme_code, year=year)
    if not found[0].over:
        raise Refusal(Code.FACTOR_EARLY, year=year)
    return found[0]


def _bar_above(demand: Demand, factor_bp: int, budget_fen: Fen) -> None:
    if demand.left(factor_bp) > budget_fen:
        most = demand.largest(budget_fen)
        raise Refusal(Code.FACTOR_TOO_HIGH, factor_bp=factor_bp, most_bp=most, budget_fen=budget_fen)


def _note(session: Session, row: Factor, action: str, *, actor: Actor, at: datetime) -> None:
    facts: dict[str, Fact] = {"year": row.year, "factor_bp": row.factor_bp, "budget_fen": row.budget_fen}
    facts |= {"demand_fen": row.demand_fen, "claims": row.claims, "basis": row.basis}
    journal.record(session, actor, action, [(row.programme_code, facts)], at=at)
    session.flush()
