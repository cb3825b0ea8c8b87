"""Disputes about orders as the authority reads them: what is open, until when the sides may settle it, what waits for us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.models.disputes import Dispute
from voucher.models.orders import Order
from voucher.models.parties import Holder, Platform
from voucher.models.regions import Region
from voucher.queries.housed import housed
from voucher.queries.paging import Page, as_term, in_regions, paged
from voucher.rules.permissions import Actor
from voucher.terms import DisputeOutcome, DisputeStanding, OrderSide


@dataclass(frozen=True, slots=True)
class DisputeLine:
    """A dispute in a list; `held_fen` is what its order holds meanwhile, `outcome` how it ended."""

    order_number: str
    holder_name: str
    region_name: str
    platform_name: str | None
    opened_side: OrderSide
    opened_at: datetime
    settle_by: date | None
    escalated_at: datetime | None
    held_fen: int
    outcome: str | None

    @property
    def standing(self) -> DisputeStanding:
        """Whether the sides are at it, the authority is, or nobody any more."""
        if self.outcome is not None:
            return DisputeStanding.ENDED
        return DisputeStanding.SETTLING if self.escalated_at is None else DisputeStanding.ESCALATED

    @property
    def ending(self) -> DisputeOutcome | None:
        """How it ended; None while it is open."""
        return DisputeOutcome(self.outcome) if self.outcome else None


def disputes(
    session: Session, actor: Actor, *, standing: DisputeStanding | None = None, page: int = 1
) -> Page[DisputeLine]:
    """Disputes of holders in the actor's regions, oldest first; without a standing all that are open."""
    query = (
        select(
            Order.number,
            Holder.name,
            Region.name,
            housed(),
            as_term(Dispute.opened_side, OrderSide),
            Dispute.opened_at,
            Dispute.settle_by,
            Dispute.escalated_at,
            Order.held_fen,
            Dispute.outcome,
        )
        .select_from(Dispute)
        .join(Order, Order.id == Dispute.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .join(Region, Region.code == Holder.region_code)
        .join(Platform, Platform.id == Order.platform_id)
        .where(in_regions(actor))
        .order_by(Dispute.id)
    )
    ended = standing is DisputeStanding.ENDED
    query = query.where(Dispute.outcome.is_not(None) if ended else Dispute.outcome.is_(None))
    if standing is DisputeStanding.ESCALATED:
        query = query.where(Dispute.escalated_at.is_not(None))
    if standing is DisputeStanding.SETTLING:
        query = query.where(Dispute.escalated_at.is_(None))
    return paged(session, query, DisputeLine, page=page)
