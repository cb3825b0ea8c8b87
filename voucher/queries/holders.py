"""Holders of vouchers: who stands on the roster of a year, who is qualified for a programme."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from voucher.models.parties import Holder, Qualification, RosterEntry
from voucher.models.regions import Region
from voucher.queries.paging import Page, as_term, holding, in_regions, paged
from voucher.rules.permissions import Actor
from voucher.terms import HolderClass, HolderKind


@dataclass(frozen=True, slots=True)
class HolderFilter:
    """Which holders, for a programme and year. `standing`: roster (on it), open (on it, not qualified), qualified."""

    programme_code: str
    year: int
    text: str = ""
    standing: str = ""


@dataclass(frozen=True, slots=True)
class HolderLine:
    """A holder in a list; without `roster_no` not on the year's roster, without `qualified_at` not qualified."""

    ref: str
    name: str
    kind: HolderKind
    region_name: str
    roster_no: str | None
    holder_class: HolderClass | None
    qualified_at: datetime | None


def holders(
    session: Session, actor: Actor, wanted: HolderFilter, *, page: int = 1, size: int = 50
) -> Page[HolderLine]:
    """The holders in the actor's regions, by reference."""
    query = (
        select(
            Holder.ref,
            Holder.name,
            as_term(Holder.kind, HolderKind),
            Region.name,
            RosterEntry.roster_no,
            as_term(Qualification.holder_class, HolderClass),
            Qualification.qualified_at,
        )
        .join(Region, Region.code == Holder.region_code)
        .outerjoin(RosterEntry, and_(RosterEntry.uscc == Holder.ref, RosterEntry.year == wanted.year))
        .outerjoin(
            Qualification,
            and_(
                Qualification.holder_id == Holder.id,
                Qualification.programme_code == wanted.programme_code,
                Qualification.year == wanted.year,
            ),
        )
        .where(in_regions(actor))
        .order_by(Holder.ref)
    )
    if wanted.text:
        query = query.where(holding(wanted.text, Holder.ref, Holder.name))
    if wanted.standing in ("roster", "open"):
        query = query.where(RosterEntry.id.is_not(None))
    if wanted.standing == "open":
        query = query.where(Qualification.id.is_(None))
    if wanted.standing == "qualified":
        query = query.where(Qualification.id.is_not(None))
    return paged(session, query, HolderLine, page=page, size=size)
