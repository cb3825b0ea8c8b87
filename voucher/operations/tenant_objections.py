"""What a tenant says against something that was spent for it, and the base's answer (入驻企业异议)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.models.centres import Centre
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.tenancies import Allotment, OrderBeneficiary, Tenancy, TenantObjection
from voucher.operations import journal
from voucher.rules.permissions import Actor


def object_as_tenant(
    session: Session, order_number: str, body: str, *, actor: Actor, at: datetime
) -> TenantObjection:
    """A tenant objects, once, to an order that was placed for it. The base answers; whoever reviews the claim reads both.

    Refused: an order without a line for the actor (`not_found`), no words (`reason_missing`), a second objection
    (`state_changed`).
    """
    query = (
        select(OrderBeneficiary)
        .join(Order, Order.id == OrderBeneficiary.order_id)
        .join(Allotment, Allotment.id == OrderBeneficiary.allotment_id)
        .join(Tenancy, Tenancy.id == Allotment.tenancy_id)
        .join(Holder, Holder.id == Tenancy.holder_id)
        .where(Order.number == order_number, Holder.organisation_id.in_(actor.organisation_ids))
        .order_by(OrderBeneficiary.id)
        .with_for_update(of=OrderBeneficiary)
    )
    line = session.scalars(query).first()
    if line is None:
        raise Refusal(Code.NOT_FOUND, order=order_number)
    if not body.strip():
        raise Refusal(Code.REASON_MISSING, order=order_number)
    before = select(TenantObjection.id).where(TenantObjection.line_id == line.id)
    if session.scalars(before).one_or_none() is not None:
        raise Refusal(Code.STATE_CHANGED, event="object")
    made = TenantObjection(line_id=line.id, body=body.strip()[:500], made_by=actor.person_id, made_at=at)
    session.add(made)
    journal.record(session, actor, "tenant.object", [(order_number, {"line": line.position})], at=at)
    session.flush()
    return made


def answer_tenant(
    session: Session, objection_id: int, answer: str, *, actor: Actor, at: datetime
) -> TenantObjection:
    """The base answers an objection, once. Refused: another base's (`not_found`), no words, answered already."""
    query = (
        select(TenantObjection)
        .join(TenantObjection.line)
        .join(Allotment, Allotment.id == OrderBeneficiary.allotment_id)
        .join(Tenancy, Tenancy.id == Allotment.tenancy_id)
        .join(Centre, Centre.id == Tenancy.centre_id)
        .where(TenantObjection.id == objection_id, Centre.organisation_id.in_(actor.organisation_ids))
        .with_for_update(of=TenantObjection)
    )
    row = session.scalars(query).one_or_none()
    if row is None:
        raise Refusal(Code.NOT_FOUND, objection=objection_id)
    if row.answered_at is not None:
        raise Refusal(Code.STATE_CHANGED, event="answer")
    if not answer.strip():
        raise Refusal(Code.REASON_MISSING)
    row.answer, row.answered_by, row.answered_at = answer.strip()[:500], actor.person_id, at
    journal.record(session, actor, "tenant.answer", [(f"tenant_objection:{row.id}", {})], at=at)
    session.flush()
    return row
