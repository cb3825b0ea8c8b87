"""The lines of orders that a base placed for its tenants, and where their money comes from."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.models.orders import Order
from voucher.models.tenancies import OrderBeneficiary
from voucher.operations.find_allotments import account_of
from voucher.operations.hold import Draw, HoldRequest
from voucher.rules.shares import by_weight
from voucher.rules.subsidy import Case, compute


def lines_of(session: Session, orders: Sequence[Order]) -> dict[int, list[OrderBeneficiary]]:
    """The lines of orders by order id, in their order; nothing is asked where no order has any."""
    ids = [order.id for order in orders if order.beneficiaries]
    if not ids:
        return {}
    query = select(OrderBeneficiary).where(OrderBeneficiary.order_id.in_(ids))
    found: dict[int, list[OrderBeneficiary]] = {}
    query = query.order_by(OrderBeneficiary.order_id, OrderBeneficiary.position)
    for row in session.scalars(query.execution_options(populate_existing=True)):
        found.setdefault(row.order_id, []).append(row)
    return found


def draws_of(lines: Sequence[OrderBeneficiary], asked: HoldRequest) -> tuple[Draw, ...]:
    """Where a hold's money comes from: each tenant's allotment, at the most its part of the subsidy; () without lines.

    What the policy gives on the order's part of the contract is shared out over the parts of the price by largest
    remainder, so that the parts add up to it to the fen.
    """
    if not lines:
        return ()
    case = Case(
        holder_class=asked.voucher.holder_class,
        service=asked.order.service,
        contract_fen=asked.contract_fen,
        applicant_region=asked.voucher.holder.region_code,
        provider_region=asked.platform_region,
    )
    wanted = compute(asked.policy, case).amount_fen
    parts = by_weight(wanted, [line.amount_fen for line in lines])
    return tuple(Draw(account_of(line.allotment), part) for line, part in zip(lines, parts, strict=True))
