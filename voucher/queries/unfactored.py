"""Approved claims that wait for the factor of their year: no notice and no batch takes them before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.programmes import Programme
from voucher.models.prorata import Factor
from voucher.models.regions import Region
from voucher.queries.paging import in_regions
from voucher.queries.policies import policy_of
from voucher.rules.permissions import Actor
from voucher.rules.prorata import first_day_after, round_of
from voucher.terms import ClaimState, FactorState


@dataclass(frozen=True, slots=True)
class UnfactoredClaim:
    """A claim, the year whose factor it waits for, the first day on which that may be proposed, and how it stands."""

    number: str
    programme_code: str
    programme_name: str
    holder_name: str
    approved_fen: int
    document_no: str
    year: int
    from_on: date
    state: FactorState | None


def unfactored(session: Session) -> ColumnElement[bool]:
    """Whether a claim, joined with its order, is approved under a version with a factor that was not applied yet."""
    waiting = and_(Claim.state == ClaimState.APPROVED.value, Claim.factor_bp.is_(None))
    codes = session.scalars(
        select(Order.policy_code).join(Claim, Claim.order_id == Order.id).where(waiting).distinct()
    )
    asking = [code for code in codes if policy_of(session, code).prorata]
    return and_(waiting, Order.policy_code.in_(asking))


def unfactored_claims(session: Session, actor: Actor, programme_code: str = "") -> list[UnfactoredClaim]:
    """Those of the actor's books, or of programmes of their regions; the oldest decision first."""
    query = (
        select(Claim, Order.policy_code, Programme.code, Programme.name, Holder.name.label("holder"))
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .join(Programme, Programme.code == Order.programme_code)
        .join(Region, Region.code == Programme.region_code)
        .where(unfactored(session), or_(Claim.book_id.in_(actor.book_ids), in_regions(actor)))
        .order_by(Claim.decided_at, Claim.id)
    )
    if programme_code:
        query = query.where(Order.programme_code == programme_code)
    rows = session.execute(query).all()
    states = _states(session, {row.code for row in rows})
    found = []
    for claim, policy_code, programme, name, holder in rows:
        policy = policy_of(session, policy_code)
        year = round_of(policy, business_date(claim.queued_at))
        day, state = first_day_after(policy, year), states.get((programme, year))
        amount, document = claim.approved_fen or 0, policy.document_no
        found.append(
            UnfactoredClaim(claim.number, programme, name, holder, amount, document, year, day, state)
        )
    return found


def _states(session: Session, programmes: set[str]) -> dict[tuple[str, int], FactorState]:
    query = select(Factor.programme_code, Factor.year, Factor.state).where(
        Factor.programme_code.in_(programmes), Factor.state != FactorState.REFUSED.value
    )
    return {(row.programme_code, row.year): FactorState(row.state) for row in session.execute(query)}
