"""What came before a claim: prices of its class, contracts of the pair, the day's work, figures of other years."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from voucher.models.checks import PaidElsewhere
from voucher.operations.check_subject import Subject
from voucher.rules.policy import Policy


def near_benefits(session: Session, subject: Subject, policy: Policy) -> tuple[str, ...]:
    """Programmes that paid this firm for something of the same service or amount, under another contract number."""
    service = policy.service(subject.order.service)
    names = [subject.order.service, *([service.label] if service is not None else [])]
    same: list[ColumnElement[bool]] = [PaidElsewhere.service.in_(names)]
    if subject.order.contract_fen is not None:
        same.append(PaidElsewhere.amount_fen == subject.order.contract_fen)
    query = select(PaidElsewhere.programme).where(PaidElsewhere.uscc == subject.holder.ref, or_(*same))
    return tuple(sorted(set(session.scalars(query))))
