"""The centres that orders rest on, when their money is held or captured (暂停、摘牌即停止)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.tenancies import Allotment, OrderBeneficiary
from voucher.operations.places import Places, centres_of, places
from voucher.rules import tenancy
from voucher.rules.policy import Policy
from voucher.rules.tenancy import Place


class OrderPlaces:
    """The centres of locked orders, each with its policy; locked FOR SHARE, so that none is suspended meanwhile.

    Nothing is asked for where no policy asks for centres.
    """

    def __init__(self, session: Session, orders: Sequence[tuple[Order, Policy]]) -> None:
        asking = [(order, policy) for order, policy in orders if tenancy.asks_for_places(policy)]
        self._places, self._holders = Places(), dict[int, Holder]()
        self._of_tenants: dict[int, list[tuple[Place, ...]]] = {}
        if not asking:
            return
        holders = select(Holder).where(Holder.id.in_({order.holder_id for order, _ in asking}))
        self._holders = {holder.id: holder for holder in session.scalars(holders)}
        policies = [policy for _, policy in asking]
        self._places = places(session, policies, list(self._holders.values()), locked=True)
        self._read_tenants(session, [order.id for order, _ in asking if order.beneficiaries])

    def _read_tenants(self, session: Session, order_ids: Sequence[int]) -> None:
        if not order_ids:
            return
        query = (
            select(OrderBeneficiary.order_id, Allotment.tenancy_id)
            .join(Allotment, Allotment.id == OrderBeneficiary.allotment_id)
            .where(OrderBeneficiary.order_id.in_(order_ids))
            .order_by(OrderBeneficiary.id)
        )
        lines = session.execute(query).all()
        around = centres_of(session, {tenancy_id for _, tenancy_id in lines}, locked=True)
        for order_id, tenancy_id in lines:
            self._of_tenants.setdefault(order_id, []).append(around[tenancy_id])

    def check(self, order: Order, policy: Policy) -> None:
        """Refuse an order whose centre is suspended or struck off by now; where somebody was is judged by the order's day.

        As `centre_not_certified` (a base's, or the one in which a tenant of its order is) or `not_qualified` (a startup's).
        """
        if not tenancy.asks_for_places(policy):
            return
        on = business_date(order.placed_at)
        for around in self._of_tenants.get(order.id, ()):
            finding = tenancy.base(policy, around, on=on)
            if finding is not None:
                raise Refusal(finding[0], **finding[1])
        self._places.refuse(policy, self._holders[order.holder_id], on)
