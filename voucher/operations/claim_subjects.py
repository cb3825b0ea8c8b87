"""What a claim is about: its order with both sides and the policy, and which side may claim (design, section 5)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, joinedload, lazyload

from voucher.errors import Code, Refusal
from voucher.models.orders import Order
from voucher.models.parties import Holder, Organisation, Platform
from voucher.models.vouchers import Voucher
from voucher.operations.policies import policies_of
from voucher.rules.permissions import Actor
from voucher.rules.policy import Policy
from voucher.terms import PayoutMode


@dataclass(frozen=True, slots=True)
class Subject:
    """An order, locked, with what a claim of it is judged by. A post-subsidy has neither voucher nor platform.

    `owner` is the holder's organisation, kept so that asking the session for it is no statement.
    """

    order: Order
    voucher: Voucher | None
    holder: Holder
    platform: Platform | None
    policy: Policy
    holder_class: str
    owner: Organisation | None = None

    @property
    def by_platform(self) -> bool:
        """Whether the provider claims, as under 通兑; otherwise the firm does."""
        return self.policy.payout_mode is PayoutMode.PAY_PROVIDER

    def claimant(self, actor: Actor) -> bool:
        """Whether the actor acts for the side that claims."""
        return self._provider(actor) if self.by_platform else self._firm(actor)

    def other_side(self, actor: Actor) -> bool:
        """Whether the actor acts for the side that confirms."""
        return self._firm(actor) if self.by_platform else self._provider(actor)

    def _firm(self, actor: Actor) -> bool:
        return self.holder.organisation_id in actor.organisation_ids

    def _provider(self, actor: Actor) -> bool:
        return self.order.platform_id in actor.platform_ids


def subjects(session: Session, condition: ColumnElement[bool], actor: Actor) -> dict[int, Subject]:
    """The orders that fit and in which the actor is firm or platform, locked in id order, by id."""
    query = (
        select(Order, Voucher, Holder, Platform, Organisation)
        .outerjoin(Voucher, Voucher.id == Order.voucher_id)
        .join(Holder, Holder.id == Order.holder_id)
        .outerjoin(Platform, Platform.id == Order.platform_id)
        .outerjoin(Organisation, Organisation.id == Holder.organisation_id)
        .options(lazyload(Voucher.holder), joinedload(Platform.organisation, innerjoin=False))
        .where(
            condition,
            or_(
                Holder.organisation_id.in_(actor.organisation_ids), Order.platform_id.in_(actor.platform_ids)
            ),
        )
        .order_by(Order.id)
        .with_for_update(of=Order)
        .execution_options(populate_existing=True)
    )
    rows = session.execute(query).all()
    policies = policies_of(session, {order.rule_code for order, *_ in rows})
    return {
        order.id: Subject(
            order,
            voucher,
            holder,
            platform,
            policies[order.rule_code],
            order.holder_class or voucher.holder_class,
            owner,
        )
        for order, voucher, holder, platform, owner in rows
    }


def claimants_subject(subject: Subject | None, actor: Actor, name: str) -> Subject:
    """The subject, for the side that claims. Refused: `not_found` (none of the actor's), `other_side_claims`."""
    if subject is None:
        raise Refusal(Code.NOT_FOUND, subject=name)
    if not subject.claimant(actor):
        raise Refusal(Code.OTHER_SIDE_CLAIMS, claimant="provider" if subject.by_platform else "enterprise")
    return subject
