"""Centres as eligibility asks for them: whether a base is certified, and whether a startup is inside a live centre."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session, aliased

from voucher.clock import business_date
from voucher.errors import Refusal
from voucher.models.centres import Centre
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.regions import Region
from voucher.models.tenancies import Allotment, OrderBeneficiary, Tenancy
from voucher.rules import tenancy
from voucher.rules.eligibility import LIVE, Finding
from voucher.rules.policy import Policy
from voucher.rules.tenancy import Place, Stay
from voucher.terms import CertificationState, Certifier, EligibilityRule


@dataclass(frozen=True, slots=True)
class Places:
    """The certified centres of organisations, and the stays of holders, as `places` read them."""

    centres: Mapping[int, tuple[Place, ...]] = field(default_factory=dict)
    stays: Mapping[int, tuple[Stay, ...]] = field(default_factory=dict)

    def finding(self, policy: Policy, holder: Holder, on: date, *, past: bool = False) -> Finding:
        """What speaks against this holder on this day under the rules of the policy that ask for centres.

        `past`: an order of that day is judged later; a base must be certified still, a startup was a tenant then.
        """
        mine = self.centres.get(holder.organisation_id or 0, ())
        return tenancy.base(policy, mine, on=on) or tenancy.tenant(
            policy, self.stays.get(holder.id, ()), on=on, past=past
        )

    def refuse(self, policy: Policy, holder: Holder, on: date, *, past: bool = False) -> None:
        """Refused as `centre_not_certified` or `not_qualified`, with the clause; a policy that asks for none passes."""
        found = self.finding(policy, holder, on, past=past)
        if found is not None:
            raise Refusal(found[0], **found[1])


def places(
    session: Session, policies: Iterable[Policy], holders: Collection[Holder], *, locked: bool = False
) -> Places:
    """Read what these policies ask of these holders; nothing where they ask for no centres.

    `locked`: the stays and centres FOR SHARE, so that none ends or is suspended meanwhile (docs/locking.md).
    """
    asked = {rule for policy in policies for rule in policy.eligibility}
    centres: dict[int, tuple[Place, ...]] = {}
    stays: dict[int, tuple[Stay, ...]] = {}
    if EligibilityRule.CERTIFIED_BASE in asked:
        owners = {holder.organisation_id for holder in holders} - {None}
        query = select(Centre, Region).join(Region, Region.code == Centre.certifying_region)
        query = query.where(Centre.organisation_id.in_(owners)).order_by(Centre.id)
        if locked:
            query = query.with_for_update(read=True, of=Centre).execution_options(populate_existing=True)
        for centre, region in session.execute(query):
            before = centres.get(centre.organisation_id, ())
            centres[centre.organisation_id] = (*before, _place(centre, region))
    if EligibilityRule.TENANT_OF_CENTRE in asked:
        stays = _stays(session, {holder.id for holder in holders}, locked=locked)
    return Places(centres, stays)


def in_centre(session: Session, holder_ids: Collection[int], *, on: date) -> dict[int, Centre]:
    """The live centre that each of these holders is inside on the day; one that is in none is left out.

    A centre that was certified anew counts by its later row: the same organisation and kind.
    """
    now = aliased(Centre)
    query = (
        select(Tenancy.holder_id, now)
        .join(Centre, Centre.id == Tenancy.centre_id)
        .join(now, (now.organisation_id == Centre.organisation_id) & (now.kind == Centre.kind))
        .where(Tenancy.holder_id.in_(set(holder_ids)), *stands(on))
        .where(now.state.in_(LIVE), now.from_on <= on, or_(now.to_on.is_(None), now.to_on > on))
        .order_by(now.id.desc())
    )
    return {row[0]: row[1] for row in session.execute(query)}


def tenants_outside(session: Session, orders: Collection[Order]) -> dict[int, str]:
    """The orders for tenants of which one was not inside on the order's day, as is known by now, and that tenant.

    An exit may be written down late: then what was ordered after it is not paid.
    """
    placed = {order.id: business_date(order.placed_at) for order in orders if order.beneficiaries}
    if not placed:
        return {}
    query = (
        select(OrderBeneficiary.order_id, Tenancy)
        .join(Allotment, Allotment.id == OrderBeneficiary.allotment_id)
        .join(Tenancy, Tenancy.id == Allotment.tenancy_id)
        .where(OrderBeneficiary.order_id.in_(placed))
        .order_by(OrderBeneficiary.id)
    )
    found: dict[int, str] = {}
    for order_id, stay in session.execute(query):
        if not tenancy.inside(stay.entered_on, stay.left_on, placed[order_id]):
            found.setdefault(order_id, stay.holder.ref)
    return found


def stands(on: date) -> tuple[ColumnElement[bool], ...]:
    """The tenancies that cover a day (half-open)."""
    return Tenancy.entered_on <= on, or_(Tenancy.left_on.is_(None), Tenancy.left_on > on)


def centres_of(
    session: Session, tenancy_ids: Collection[int], *, locked: bool = False
) -> dict[int, tuple[Place, ...]]:
    """By tenancy the certifications of the centre that it is in: a base's other centres say nothing of its tenants.

    `locked`: as for `places`.
    """
    found: dict[int, tuple[Place, ...]] = {}
    for row, centre, region in session.execute(_housed(Tenancy.id.in_(tenancy_ids), locked=locked)):
        found[row.id] = (*found.get(row.id, ()), _place(centre, region))
    return found


def _housed(which: ColumnElement[bool], *, locked: bool) -> Select[Tenancy, Centre, Region]:
    """Tenancies with every certification of their centre: the same organisation and kind, and its region."""
    again = aliased(Centre)
    query = (
        select(Tenancy, again, Region)
        .join(Centre, Centre.id == Tenancy.centre_id)
        .join(again, (again.organisation_id == Centre.organisation_id) & (again.kind == Centre.kind))
        .join(Region, Region.code == again.certifying_region)
        .where(which)
        .order_by(Tenancy.id, again.id)
    )
    if not locked:
        return query
    return query.with_for_update(read=True, of=[Tenancy, again]).execution_options(populate_existing=True)


def _stays(session: Session, holder_ids: Collection[int], *, locked: bool) -> dict[int, tuple[Stay, ...]]:
    rows: dict[int, Tenancy] = {}
    found: dict[int, list[Place]] = {}
    for row, centre, region in session.execute(_housed(Tenancy.holder_id.in_(holder_ids), locked=locked)):
        rows[row.id] = row
        found.setdefault(row.id, []).append(_place(centre, region))
    stays: dict[int, tuple[Stay, ...]] = {}
    for key, row in rows.items():
        stay = Stay(entered_on=row.entered_on, left_on=row.left_on, places=tuple(found[key]))
        stays[row.holder_id] = (*stays.get(row.holder_id, ()), stay)
    return stays


def _place(centre: Centre, region: Region) -> Place:
    return Place(
        name=centre.name,
        authority=Certifier(centre.authority),
        region=region.name,
        region_path=region.path,
        from_on=centre.from_on,
        to_on=centre.to_on,
        state=CertificationState(centre.state),
    )
