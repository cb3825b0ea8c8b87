"""What a holder bought of one kind at one host shortly before: tiers count on the sum (domain 4, row 7)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from voucher.clock import business_date
from voucher.models.orders import Order
from voucher.models.parties import Holder, Platform
from voucher.money import Fen
from voucher.rules.policy import Policy
from voucher.terms import OrderState

COUNTED = tuple(
    state.value
    for state in (
        OrderState.HELD,
        OrderState.DELIVERED,
        OrderState.DISPUTED,
        OrderState.CAPTURED,
        OrderState.CLAIMED,
        OrderState.APPROVED,
        OrderState.IN_BATCH,
        OrderState.SETTLED,
        OrderState.PAID,
    )
)
"""The states in which an order's contract counts: money is held for it or was given."""


class Splits:
    """The earlier contracts of a sequence of orders, each order after the ones before it.

    The holders whose policy asks for it are locked, so that two orders at once are seen one after the other. Where
    no policy sets `split_days`, nothing is asked of the database.
    """

    def __init__(self, session: Session, orders: Sequence[tuple[Order, Policy]]) -> None:
        self._seen: list[tuple[tuple[int, int, str], Order, Fen]] = []
        asked = [(order, policy) for order, policy in orders if policy.split_days]
        self._hosts: dict[int, int] = {}
        if not asked:
            return
        holders = sorted({order.holder_id for order, _ in asked})
        session.execute(
            select(Holder.id)
            .where(Holder.id.in_(holders))
            .order_by(Holder.id)
            .with_for_update(key_share=True)
        )
        here, other = aliased(Platform), aliased(Platform)
        places = {order.platform_id for order, _ in asked}
        hosts = select(here.id, here.organisation_id, other.id).join(
            other, other.organisation_id == here.organisation_id
        )
        for place, host, sibling in session.execute(hosts.where(here.id.in_(places))):
            self._hosts[place] = self._hosts[sibling] = host
        query = select(Order).where(
            Order.holder_id.in_(holders),
            Order.platform_id.in_(self._hosts),
            Order.state.in_(COUNTED),
            Order.contract_fen.is_not(None),
        )
        for row in session.scalars(query):
            self.add(row, Fen(row.contract_fen or 0))

    def earlier(self, order: Order, policy: Policy) -> Fen:
        """The sum of the contracts of the same holder, host and service placed within `split_days` before, in fen."""
        if not policy.split_days:
            return Fen(0)
        since = business_date(order.placed_at) - timedelta(days=policy.split_days)
        key = (order.holder_id, self._hosts[order.platform_id], order.service)
        return Fen(
            sum(
                amount
                for same, row, amount in self._seen
                if same == key and row.number != order.number and since <= business_date(row.placed_at)
            )
        )

    def add(self, order: Order, contract_fen: Fen) -> None:
        """Count this contract for the orders that follow."""
        host = self._hosts.get(order.platform_id)
        if host is not None:
            self._seen.append(((order.holder_id, host, order.service), order, contract_fen))
