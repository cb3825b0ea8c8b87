"""Centres of the told towns: certified by their authority, and who moves in (双创中心、孵化基地)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from voucher.cli.story.cast import Company
from voucher.cli.story.stage import accepted
from voucher.cli.story.town import Town
from voucher.clock import business_date
from voucher.operations.centres import CentreRequest, register_centres
from voucher.operations.outcome import only
from voucher.operations.register import (
    OrganisationRequest,
    organisation_ids,
    register_firms,
    register_organisations,
)
from voucher.operations.tenancies import EnterRequest, enter
from voucher.rules.permissions import Actor
from voucher.terms import CentreKind, Certifier


def register(session: Session, companies: Sequence[Company], *, actor: Actor, at: datetime) -> None:
    """Legal persons who may hold vouchers."""
    owners = [
        OrganisationRequest(
            uscc=each.uscc, name=each.name, region_code=each.region, legal_representative=each.person
        )
        for each in companies
    ]
    accepted(register_organisations(session, owners, actor=actor, at=at))
    accepted(register_firms(session, [each.uscc for each in companies], actor=actor, at=at))


def move_in(session: Session, town: Town, *, actor: Actor, at: datetime) -> None:
    """The town's centre, or its bases, are certified; the firms, or the bases' tenants, move in."""
    if town.centre is not None:
        register(session, [town.centre], actor=actor, at=at)
        _enter(session, town, (town.centre, town.firms), actor=actor, at=at)
    for base in town.firms if town.tenants else ():
        _enter(session, town, (base, town.tenants), actor=actor, at=at)


def _enter(
    session: Session, town: Town, inside: tuple[Company, Sequence[Company]], *, actor: Actor, at: datetime
) -> None:
    owner, tenants = inside
    owner_id = organisation_ids(session, [owner.uscc])[owner.uscc]
    certified = CentreRequest(
        organisation_id=owner_id,
        name=owner.name,
        kind=CentreKind.INCUBATION_BASE if town.tenants else CentreKind.IE_CENTRE,
        authority=Certifier.HUMAN_RESOURCES if town.tenants else Certifier.SCIENCE,
        certifying_region=town.scheme.region,
        location_region=owner.region,
        document_no=f"{town.scheme.document_no}认定",
        from_on=business_date(at) - timedelta(days=365),
    )
    centre = only(register_centres(session, [certified], actor=actor, at=at))
    manager = replace(actor, organisation_ids=frozenset({owner_id}))
    moves = [EnterRequest(centre.centre_id, each.uscc, business_date(at)) for each in tenants]
    accepted(enter(session, moves, actor=manager, at=at))
