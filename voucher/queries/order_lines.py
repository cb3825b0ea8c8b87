"""How the subsidy of an order comes about, line by line, before the limits of the day cut it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from voucher.errors import Refusal
from voucher.models.orders import Order
from voucher.money import Fen
from voucher.queries.policies import policy_of
from voucher.rules.subsidy import Case, Step, compute


def order_lines(session: Session, order: Order) -> tuple[Step, ...]:
    """Base, rate and highest amounts of an order's contract with the clause of each; none before there is a contract."""
    if not order.contract_fen:
        return ()
    case = Case(
        holder_class=order.voucher.holder_class,
        service=order.service,
        contract_fen=Fen(order.contract_fen),
        applicant_region=order.voucher.holder.region_code,
        provider_region=order.platform.region_code,
        earlier_fen=Fen(order.earlier_fen or 0),
        units=order.units or 1,
    )
    try:
        return compute(policy_of(session, order.rule_code), case).steps
    except Refusal:
        return ()
