"""What came before a claim: prices of its class, contracts of the pair, the day's work, figures of other years."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.models.checks import PaidElsewhere
from voucher.models.orders import Order
from voucher.models.parties import Platform
from voucher.operations.check_subject import Subject
from voucher.operations.splits import COUNTED
from voucher.rules.policy import Policy

PAIR_DAYS = 90


def pair_contracts(session: Session, subject: Subject, policy: Policy) -> tuple[int, ...]:
    """The contracts of firm, host and service within the policy's `split_days` (90 where it sets none), in fen."""
    since = subject.placed_on - timedelta(days=policy.split_days or PAIR_DAYS)
    query = (
        select(Order.contract_fen, Order.placed_at)
        .join(Platform, Platform.id == Order.platform_id)
        .where(
            Order.holder_id == subject.holder.id,
            Platform.organisation_id == subject.host_id,
            Order.service == subject.order.service,
            Order.state.in_(COUNTED),
            Order.contract_fen.is_not(None),
        )
    )
    rows = session.execute(query).all()
    return tuple(amount or 0 for amount, at in rows if since <= business_date(at) <= subject.placed_on)


def near_benefits(session: Session, subject: Subject, policy: Policy) -> tuple[str, ...]:
    """Programmes that paid this firm for something of the same service or amount, under another contract number."""
    service = policy.service(subject.order.service)
    names = [subject.order.service, *([service.label] if service is not None else [])]
    same: list[ColumnElement[bool]] = [PaidElsewhere.service.in_(names)]
    if subject.order.contract_fen is not None:
        same.append(PaidElsewhere.amount_fen == subject.order.contract_fen)
    query = select(PaidElsewhere.programme).where(PaidElsewhere.uscc == subject.holder.ref, or_(*same))
    return tuple(sorted(set(session.scalars(query))))
