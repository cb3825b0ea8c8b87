"""The service catalogue as firms search it and platforms keep it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session, contains_eager

from voucher.models.catalogue import CatalogueEntry
from voucher.models.parties import Certification, Organisation, Platform
from voucher.models.regions import Region
from voucher.money import Fen
from voucher.queries.paging import Page, paged
from voucher.rules.eligibility import LIVE
from voucher.rules.permissions import Actor
from voucher.terms import EntryState


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueFilter:
    """What is searched for. `text` in title, result, exclusions, platform, host and region's name; `region` and all
    below it; `most_fen`: listed at this price at most (面议 is left out then)."""

    text: str = ""
    service: str = ""
    region: str = ""
    most_fen: Fen | None = None


@dataclass(frozen=True, slots=True)
class EntryLine:
    """An entry, its platform with host, and the name of the region it stands in."""

    entry: CatalogueEntry
    region: str


def catalogue(
    session: Session, wanted: CatalogueFilter, *, on: date, page: int = 1, size: int = 20
) -> Page[EntryLine]:
    """What is listed by platforms that are certified for it on that day; cheapest first, 面议 last."""
    covering = (
        select(Certification.platform_id)
        .where(
            Certification.state.in_(LIVE),
            Certification.from_on <= on,
            or_(Certification.to_on.is_(None), Certification.to_on > on),
        )
        .distinct()
    )
    query = (
        _entries()
        .where(CatalogueEntry.state == EntryState.LISTED.value, CatalogueEntry.platform_id.in_(covering))
        .where(*_conditions(wanted))
        .order_by(CatalogueEntry.price_fen.is_(None), CatalogueEntry.price_fen, CatalogueEntry.id)
    )
    return paged(session, query, EntryLine, page=page, size=size)


def own_entries(session: Session, *, actor: Actor) -> list[EntryLine]:
    """Everything that the actor's platforms ever listed: what is listed first, newest first."""
    query = (
        _entries()
        .where(CatalogueEntry.platform_id.in_(actor.platform_ids))
        .order_by(CatalogueEntry.state, CatalogueEntry.id.desc())
    )
    return [EntryLine(row[0], row[1]) for row in session.execute(query)]


def entry(session: Session, entry_id: int) -> EntryLine | None:
    """One entry, listed or withdrawn; None where there is none."""
    row = session.execute(_entries().where(CatalogueEntry.id == entry_id)).one_or_none()
    return EntryLine(row[0], row[1]) if row else None


def certified_services(session: Session, *, actor: Actor, on: date) -> dict[int, list[str]]:
    """The service codes that each of the actor's platforms is certified for on that day."""
    query = select(Certification).where(
        Certification.platform_id.in_(actor.platform_ids),
        Certification.state.in_(LIVE),
        Certification.from_on <= on,
        or_(Certification.to_on.is_(None), Certification.to_on > on),
    )
    found: dict[int, set[str]] = {}
    for row in session.scalars(query):
        found.setdefault(row.platform_id, set()).update(row.services)
    return {platform_id: sorted(services) for platform_id, services in found.items()}


def _entries() -> Select[Any]:
    return (
        select(CatalogueEntry)
        .add_columns(Region.name)
        .join(CatalogueEntry.platform)
        .join(Organisation, Organisation.id == Platform.organisation_id)
        .join(Region, Region.code == Platform.region_code)
        .options(contains_eager(CatalogueEntry.platform))
    )


def _conditions(wanted: CatalogueFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for word in wanted.text.split():
        places = (
            CatalogueEntry.title, CatalogueEntry.delivers, CatalogueEntry.exclusions, Platform.name,
            Organisation.name, Region.name,
        )  # fmt: skip
        found.append(or_(*(place.contains(word, autoescape=True) for place in places)))
    if wanted.service:
        found.append(CatalogueEntry.service == wanted.service)
    if wanted.region:
        found.append(Region.path.contains(f"/{wanted.region}/", autoescape=True))
    if wanted.most_fen is not None:
        found.append(CatalogueEntry.price_fen <= wanted.most_fen)
    return found
