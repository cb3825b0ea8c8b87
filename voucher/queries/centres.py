"""Centres as they are read: the public register, what an authority sees of its own, what a centre sees of itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, aliased

from voucher.models.centres import Centre, CentreTitle
from voucher.models.checks import PartyBan
from voucher.models.evaluations import CentreReport
from voucher.models.parties import Organisation
from voucher.models.regions import Region
from voucher.queries.claims import Deed, history
from voucher.queries.paging import Page, in_regions, paged
from voucher.rules.permissions import Actor, covers_region
from voucher.terms import CentreKind, CertificationState, Certifier, Measure, TitleKind


@dataclass(frozen=True, slots=True)
class CentreLine:
    """A centre in a list: the row, who runs it, where it is certified (with the path) and where it stands."""

    row: Centre
    organisation: str
    certified_in: str
    path: str
    stands_in: str

    @property
    def kind(self) -> CentreKind:
        """What it is."""
        return CentreKind(self.row.kind)

    @property
    def certifier(self) -> Certifier:
        """Which department certified it."""
        return Certifier(self.row.authority)

    @property
    def state(self) -> CertificationState:
        """The state of its certification."""
        return CertificationState(self.row.state)


@dataclass(frozen=True, slots=True)
class TitleLine:
    """A title, and whether it fell."""

    row: CentreTitle

    @property
    def kind(self) -> TitleKind:
        """Which title."""
        return TitleKind(self.row.kind)


@dataclass(frozen=True, slots=True)
class CentreFile:
    """A centre with its titles, the locks of its organisation and its history; `is_own`: the actor may change it."""

    line: CentreLine
    titles: Sequence[TitleLine]
    locks: Sequence[PartyBan]
    history: Sequence[Deed]
    is_own: bool


@dataclass(frozen=True, slots=True)
class CentreFilter:
    """Which centres: part of a name or document, a kind, a state, those of the actor's regions."""

    text: str = ""
    kind: CentreKind | None = None
    state: CertificationState | None = None


def _centres() -> Select[Centre, str, str, str, str]:
    place = aliased(Region)
    return (
        select(Centre, Organisation.name, Region.name, Region.path, place.name)
        .join(Organisation, Organisation.id == Centre.organisation_id)
        .join(Region, Region.code == Centre.certifying_region)
        .join(place, place.code == Centre.location_region)
        .order_by(Centre.name, Centre.id)
    )


def centres(session: Session, wanted: CentreFilter, *, page: int = 1) -> Page[CentreLine]:
    """The register, by name. It is public."""
    query: Any = _centres()
    if wanted.text:
        query = query.where(
            or_(
                Centre.name.contains(wanted.text, autoescape=True),
                Organisation.name.contains(wanted.text, autoescape=True),
                Centre.document_no.contains(wanted.text, autoescape=True),
            )
        )
    if wanted.kind is not None:
        query = query.where(Centre.kind == wanted.kind.value)
    if wanted.state is not None:
        query = query.where(Centre.state == wanted.state.value)
    return paged(session, query, CentreLine, page=page)


def centres_of_authority(session: Session, actor: Actor) -> list[CentreLine]:
    """Every centre that is certified for one of the actor's regions, by name."""
    return [CentreLine(*row) for row in session.execute(_centres().where(in_regions(actor)))]


def own_centres(session: Session, actor: Actor) -> list[CentreLine]:
    """The centres of the actor's organisations; what is struck off stays in the list."""
    query = _centres().where(Centre.organisation_id.in_(actor.organisation_ids))
    return [CentreLine(*row) for row in session.execute(query)]


def centre_line(session: Session, centre_id: int) -> CentreLine | None:
    """One centre; None where there is none."""
    row = session.execute(_centres().where(Centre.id == centre_id)).one_or_none()
    return CentreLine(*row) if row else None


def centre_file(session: Session, actor: Actor, centre_id: int) -> CentreFile | None:
    """One centre for its authority; None for one that is not there."""
    line = centre_line(session, centre_id)
    if line is None:
        return None
    titles = session.scalars(
        select(CentreTitle).where(CentreTitle.centre_id == centre_id).order_by(CentreTitle.id)
    )
    locks = session.scalars(
        select(PartyBan)
        .join(Organisation, Organisation.uscc == PartyBan.uscc)
        .where(
            Organisation.id == line.row.organisation_id,
            PartyBan.measure == Measure.REAPPLY_LOCK.value,
        )
        .order_by(PartyBan.id)
    )
    return CentreFile(
        line,
        [TitleLine(each) for each in titles],
        locks.all(),
        history(session, [f"centre:{centre_id}"]),
        covers_region(actor, line.path),
    )


def titles_of(session: Session, centre_ids: Collection[int]) -> dict[int, list[TitleLine]]:
    """The titles of these centres, those that fell too."""
    query = select(CentreTitle).where(CentreTitle.centre_id.in_(centre_ids)).order_by(CentreTitle.id)
    found: dict[int, list[TitleLine]] = {}
    for row in session.scalars(query):
        found.setdefault(row.centre_id, []).append(TitleLine(row))
    return found


def reports_of(
    session: Session, centre_ids: Collection[int], years: Collection[int]
) -> dict[tuple[int, int, int], CentreReport]:
    """The reports that came, by centre, year and quarter."""
    query = select(CentreReport).where(CentreReport.centre_id.in_(centre_ids), CentreReport.year.in_(years))
    return {(row.centre_id, row.year, row.quarter): row for row in session.scalars(query)}


def locked_until(locks: Sequence[PartyBan], on: date) -> date | None:
    """The first day without a lock, where one is in force."""
    days = [
        row.to_on
        for row in locks
        if row.lifted_at is None and row.to_on is not None and row.from_on <= on < row.to_on
    ]
    return max(days, default=None)
