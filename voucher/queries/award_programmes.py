"""Programmes that pay afterwards (后补助) and are open today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from voucher.models.parties import Holder
from voucher.models.programmes import PolicyVersion, Programme
from voucher.queries.policies import policy_of
from voucher.rules.permissions import Actor
from voucher.rules.policy import Policy
from voucher.terms import PolicyState, VoucherKind


@dataclass(frozen=True, slots=True)
class AwardProgramme:
    """A programme and the version of it that is in force."""

    programme_name: str
    policy: Policy


def award_programmes(session: Session, on: date, programme: str = "") -> list[AwardProgramme]:
    """The post-subsidy programmes in force on a day, by code; only the one named, if one is."""
    query = (
        select(PolicyVersion.code, Programme.name)
        .join(Programme, Programme.code == PolicyVersion.programme_code)
        .where(
            Programme.kind == VoucherKind.POST_SUBSIDY.value,
            PolicyVersion.state == PolicyState.PUBLISHED.value,
            PolicyVersion.effective_from <= on,
            or_(PolicyVersion.effective_to.is_(None), PolicyVersion.effective_to > on),
        )
        .order_by(Programme.code)
    )
    if programme:
        query = query.where(Programme.code == programme)
    return [AwardProgramme(name, policy_of(session, code)) for code, name in session.execute(query)]


def own_holder(session: Session, actor: Actor) -> Holder | None:
    """The holder that the actor's organisation is; the first of several."""
    query = (
        select(Holder).where(Holder.organisation_id.in_(actor.organisation_ids)).order_by(Holder.id).limit(1)
    )
    return session.scalars(query).one_or_none()
