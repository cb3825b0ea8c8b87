"""The service catalogue: a platform lists what it offers and withdraws it (服务清单). Entries are never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.catalogue import CatalogueEntry
from voucher.models.parties import Certification
from voucher.money import Fen
from voucher.operations import find, journal
from voucher.operations.outcome import Refused, refused
from voucher.rules.eligibility import LIVE
from voucher.rules.permissions import Actor
from voucher.terms import EntryState


@dataclass(frozen=True, slots=True)
class EntryRequest:
    """What a platform offers. `price_fen` None: to be agreed (面议); `usual_days` None: not said.

    `replaces` is an entry of the same platform that is withdrawn with it: this is how an entry is changed.
    """

    platform_id: int
    service: str
    title: str
    delivers: str
    unit: str
    price_fen: Fen | None = None
    usual_days: int | None = None
    exclusions: str = ""
    replaces: int | None = None


def list_entries(
    session: Session, requests: Sequence[EntryRequest], *, actor: Actor, at: datetime
) -> list[CatalogueEntry | Refused]:
    """Put offers of the actor's platforms on the list. Refused, alone: `not_found` (platform, or the entry to be
    replaced), `service_not_certified` for a service that no certification in force covers."""
    results: list[CatalogueEntry | Refused] = []
    for request in requests:
        try:
            platform = find.platform_of(session, request.platform_id, actor=actor)
            _check_certified(session, request, at)
            if request.replaces is not None:
                _withdraw(_own(session, request.replaces, actor), at)
        except Refusal as refusal:
            results.append(refused(refusal))
            continue
        row = CatalogueEntry(
            platform_id=platform.id,
            service=request.service,
            title=request.title,
            delivers=request.delivers,
            unit=request.unit,
            price_fen=request.price_fen,
            usual_days=request.usual_days,
            exclusions=request.exclusions,
            state=EntryState.LISTED.value,
            listed_by=actor.person_id,
            listed_at=at,
        )
        session.add(row)
        session.flush()
        results.append(row)
    listed: list[tuple[str, dict[str, Fact]]] = [
        (f"entry:{row.id}", {"platform": row.platform_id, "price_fen": row.price_fen})
        for row in results
        if isinstance(row, CatalogueEntry)
    ]
    journal.record(session, actor, "catalogue.list", listed, at=at)
    return results


def withdraw_entries(
    session: Session, ids: Sequence[int], *, actor: Actor, at: datetime
) -> list[CatalogueEntry | Refused]:
    """Take offers off the list; orders made from them keep theirs. Refused, alone: `not_found`, `entry_withdrawn`."""
    results: list[CatalogueEntry | Refused] = []
    for entry_id in ids:
        try:
            row = _own(session, entry_id, actor)
            _withdraw(row, at)
            results.append(row)
        except Refusal as refusal:
            results.append(refused(refusal))
    gone: list[tuple[str, dict[str, Fact]]] = [
        (f"entry:{row.id}", {}) for row in results if isinstance(row, CatalogueEntry)
    ]
    journal.record(session, actor, "catalogue.withdraw", gone, at=at)
    session.flush()
    return results


def listed_entries(session: Session, ids: set[int]) -> dict[int, CatalogueEntry]:
    """The entries of these ids that are on the list, by id."""
    if not ids:
        return {}
    query = select(CatalogueEntry).where(
        CatalogueEntry.id.in_(ids), CatalogueEntry.state == EntryState.LISTED.value
    )
    return {row.id: row for row in session.scalars(query)}


def _own(session: Session, entry_id: int, actor: Actor) -> CatalogueEntry:
    query = select(CatalogueEntry).where(
        CatalogueEntry.id == entry_id, CatalogueEntry.platform_id.in_(actor.platform_ids)
    )
    row = session.scalars(query.with_for_update()).one_or_none()
    if row is None:
        raise Refusal(Code.NOT_FOUND, entry=entry_id)
    return row


def _withdraw(row: CatalogueEntry, at: datetime) -> None:
    if row.state != EntryState.LISTED.value:
        raise Refusal(Code.ENTRY_WITHDRAWN, entry=row.id)
    row.state, row.withdrawn_at = EntryState.WITHDRAWN.value, at


def _check_certified(session: Session, request: EntryRequest, at: datetime) -> None:
    on = business_date(at)
    query = select(Certification).where(
        Certification.platform_id == request.platform_id,
        Certification.state.in_(LIVE),
        Certification.from_on <= on,
    )
    for row in session.scalars(query):
        if request.service in row.services and (row.to_on is None or on < row.to_on):
            return
    raise Refusal(Code.SERVICE_NOT_CERTIFIED, reason="service", service=request.service)
