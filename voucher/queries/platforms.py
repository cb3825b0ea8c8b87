"""Platforms: those that a voucher may be used at, and one's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from voucher.models.parties import Certification, Organisation, Platform
from voucher.models.regions import Region
from voucher.rules.eligibility import LIVE
from voucher.rules.permissions import Actor
from voucher.rules.policy import Policy


@dataclass(frozen=True, slots=True)
class Offer:
    """A platform, the name of the region it stands in, and the codes of the services it may sell for a voucher."""

    platform: Platform
    region: str
    services: tuple[str, ...]


def offers(session: Session, policy: Policy, *, on: date, text: str = "", service: str = "") -> list[Offer]:
    """Platforms certified on that day for the policy's kind and at least one of its services, by name.

    A list to choose from, not a verdict: placing the order decides (relations, recognition, suspension).
    """
    paid_for = {each.code for each in policy.services}
    kind = policy.kind.value if policy.kind else ""
    found: dict[int, tuple[Platform, str, set[str]]] = {}
    for platform, certification, region in session.execute(_query(policy, on, text)):
        services = paid_for & set(certification.services)
        if kind in certification.kinds and services:
            found.setdefault(platform.id, (platform, region, set()))[2].update(services)
    return [
        Offer(platform, region, tuple(sorted(services)))
        for platform, region, services in found.values()
        if not service or service in services
    ]


def own_platforms(session: Session, *, actor: Actor) -> list[Platform]:
    """The platforms that the actor acts for, by name."""
    query = select(Platform).where(Platform.id.in_(actor.platform_ids)).order_by(Platform.name)
    return list(session.scalars(query))


def _query(policy: Policy, on: date, text: str) -> Select[Platform, Certification, str]:
    query = (
        select(Platform, Certification, Region.name)
        .join(Certification, Certification.platform_id == Platform.id)
        .join(Region, Region.code == Platform.region_code)
        .join(Organisation, Organisation.id == Platform.organisation_id)
        .where(
            Certification.state.in_(LIVE),
            Certification.authority.in_([certifier.value for certifier in policy.certifiers]),
            Certification.from_on <= on,
            or_(Certification.to_on.is_(None), Certification.to_on > on),
        )
        .order_by(Platform.name, Platform.id)
    )
    if text:
        query = query.where(
            or_(
                Platform.name.contains(text, autoescape=True),
                Organisation.name.contains(text, autoescape=True),
                Region.name.contains(text, autoescape=True),
            )
        )
    return query
