"""The claim that is checked, with its order and both sides, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from voucher.clock import business_date
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.parties import Holder, Organisation, Platform


@dataclass(frozen=True, slots=True)
class Subject:
    """A claim, its order, the firm and (but for a post-subsidy) the platform with its host."""

    claim: Claim
    order: Order
    holder: Holder
    owner: Organisation | None
    platform: Platform | None

    @property
    def owner_id(self) -> int:
        """The firm's organisation; 0 for a holder that is none."""
        return self.owner.id if self.owner is not None else 0

    @property
    def host_id(self) -> int:
        """The provider's organisation; 0 where there is none."""
        return self.platform.organisation_id if self.platform is not None else 0

    @property
    def placed_on(self) -> date:
        """The day of the order."""
        return business_date(self.order.placed_at)

    @property
    def at(self) -> datetime:
        """When it was handed in last."""
        return self.claim.submitted_at


def subjects_of(session: Session, claim_ids: list[int]) -> list[Subject]:
    """The subjects of these claims, in the order of their ids."""
    query = (
        select(Claim, Order, Holder, Organisation, Platform)
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .outerjoin(Organisation, Organisation.id == Holder.organisation_id)
        .outerjoin(Platform, Platform.id == Order.platform_id)
        .options(lazyload(Platform.organisation))
        .where(Claim.id.in_(claim_ids))
        .order_by(Claim.id)
    )
    return [Subject(*row) for row in session.execute(query)]
