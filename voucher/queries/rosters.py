"""Rosters: which files were imported, by whom, and how many firms each year has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from voucher.models.parties import RosterEntry, RosterImport
from voucher.models.people import Person
from voucher.models.regions import Region
from voucher.queries.paging import in_regions
from voucher.rules.permissions import Actor


@dataclass(frozen=True, slots=True)
class ImportLine:
    """An imported file."""

    year: int
    file_name: str
    rows: int
    sha256: str
    imported_by: str
    imported_at: datetime


def imports(session: Session, *, limit: int = 50) -> list[ImportLine]:
    """The latest imported files, newest first."""
    query = (
        select(
            RosterImport.year,
            RosterImport.file_name,
            RosterImport.rows,
            RosterImport.sha256,
            Person.name,
            RosterImport.imported_at,
        )
        .join(Person, Person.id == RosterImport.imported_by)
        .order_by(RosterImport.id.desc())
        .limit(limit)
    )
    return [ImportLine(*row) for row in session.execute(query)]


def roster_counts(session: Session, actor: Actor) -> list[tuple[int, int]]:
    """Year and number of firms on its roster in the actor's regions, newest first."""
    query = (
        select(RosterEntry.year, func.count())
        .join(Region, Region.code == RosterEntry.region_code)
        .where(in_regions(actor))
        .group_by(RosterEntry.year)
        .order_by(RosterEntry.year.desc())
    )
    return [(year, count) for year, count in session.execute(query)]
