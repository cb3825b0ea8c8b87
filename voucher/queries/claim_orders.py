"""What a claim's form knows before anybody types: orders that can be claimed together, and how the firm paid before."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.models.claims import Claim, ClaimPayment
from voucher.models.orders import Order
from voucher.models.parties import Platform
from voucher.terms import OrderState


def claimable_beside(session: Session, order: Order) -> list[Order]:
    """Other captured orders of the same holder, programme version and host: one invoice may stand for all of them."""
    host = order.platform.organisation_id
    query = (
        select(Order)
        .join(Platform.__table__, Platform.id == Order.platform_id)
        .where(
            Order.id != order.id,
            Order.holder_id == order.holder_id,
            Order.policy_code == order.policy_code,
            Order.state == OrderState.CAPTURED.value,
            Platform.organisation_id == host,
        )
        .order_by(Order.id)
        .limit(19)
    )
    return list(session.scalars(query))


def last_payer_account(session: Session, holder_id: int) -> str:
    """The account from which the holder paid last; empty where it never claimed."""
    query = (
        select(ClaimPayment.payer_account)
        .join(Claim, Claim.id == ClaimPayment.claim_id)
        .join(Order, Order.id == Claim.order_id)
        .where(Order.holder_id == holder_id)
        .order_by(ClaimPayment.id.desc())
        .limit(1)
    )
    return session.scalars(query).first() or ""
