"""Platforms: those that a voucher may be used at, and one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from voucher.models.parties import Certification, Organisation, Platform
from voucher.models.regions import Region
from voucher.queries.agreements import standings_of
from voucher.rules.agreement import Agreement, ruling
from voucher.rules.eligibility import LIVE
from voucher.rules.permissions import Actor
from voucher.rules.policy import Policy
from voucher.rules.recognition import Foreign, Recognised, Standing, Wanted, recognise
from voucher.rules.subsidy import within
from voucher.terms import CertificationState, VoucherKind


@dataclass(frozen=True, slots=True)
class Offer:
    """A platform, the name of the region it stands in, and the codes of the services it may sell for a voucher.

    `agreements` are those that recognise it, by service, where only another region certified it for that.
    """

    platform: Platform
    region: str
    services: tuple[str, ...]
    agreements: Mapping[str, Agreement] = field(default_factory=dict)

    @property
    def agreement(self) -> str:
        """The documents that recognise it; empty for a platform of the home region."""
        return "、".join(sorted({each.document_no for each in self.agreements.values()}))

    def ruling(self, policy: Policy, service: str) -> Policy:
        """The policy as it would rule an order of a service here: with the agreement's own rates, if it has any."""
        agreement = self.agreements.get(service)
        return ruling(policy, agreement) if agreement else policy


def offers(session: Session, policy: Policy, *, on: date, text: str = "", service: str = "") -> list[Offer]:
    """Platforms certified on that day for the policy's kind and at least one of its services, by name.

    Those of other regions only with the services that an agreement recognises on that day. A list to choose from, not
    a verdict: placing the order decides (relations, suspension, what is left of ceilings).
    """
    paid_for = {each.code for each in policy.services}
    kind = policy.kind.value if policy.kind else ""
    certifiers = {certifier.value for certifier in policy.certifiers}
    found: dict[int, tuple[Platform, str, set[str]]] = {}
    home: dict[int, set[str]] = {}
    abroad: dict[int, dict[str, Agreement]] = {}
    rows = [
        (platform, certification, region)
        for platform, certification, region in session.execute(_query(policy, on, text))
        if kind in certification.kinds
        and paid_for & set(certification.services)
        and (
            certification.authority in certifiers or not within(certification.region_code, policy.home_region)
        )
    ]
    away = {row.id for row, each, _ in rows if not within(each.region_code, policy.home_region)}
    standings = standings_of(session, away) if away else {}
    for platform, certification, region in rows:
        services = paid_for & set(certification.services)
        if within(certification.region_code, policy.home_region):
            home.setdefault(platform.id, set()).update(services)
        else:
            foreign = Foreign(certification.region_code, CertificationState(certification.state))
            admitted = _recognised(policy, foreign, services, standings[platform.id], on=on)
            abroad.setdefault(platform.id, {}).update(admitted)
            services = set(admitted)
        if services:
            found.setdefault(platform.id, (platform, region, set()))[2].update(services)
    return [
        Offer(platform, region, tuple(sorted(services)), _only_abroad(platform.id, home, abroad))
        for platform, region, services in found.values()
        if not service or service in services
    ]


def _recognised(
    policy: Policy, foreign: Foreign, services: set[str], standings: Sequence[Standing], *, on: date
) -> dict[str, Agreement]:
    """The services that an agreement recognises there, each with the one that does."""
    kind, kept = policy.kind or VoucherKind.INNOVATION, dict[str, Agreement]()
    for service in sorted(services):
        wanted = Wanted(home=policy.owner_region, kind=kind, service=service, on=on)
        answer = recognise(wanted, [foreign], standings)
        if isinstance(answer, Recognised):
            kept[service] = answer.agreement
    return kept


def _only_abroad(
    platform_id: int, home: Mapping[int, set[str]], abroad: Mapping[int, dict[str, Agreement]]
) -> dict[str, Agreement]:
    """What only an agreement admits: a certification of the home region goes before."""
    own = home.get(platform_id, set())
    return {service: each for service, each in abroad.get(platform_id, {}).items() if service not in own}


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
