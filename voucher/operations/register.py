"""Organisations by USCC, the platforms under them, and the holders that vouchers are made out to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.codes import is_uscc, normalise_uscc
from voucher.errors import Code, Refusal
from voucher.ledger.bulk import Rows, insert_missing
from voucher.models.parties import Holder, Organisation, Platform
from voucher.operations.journal import record
from voucher.operations.outcome import Refused, refused
from voucher.operations.regions import paths_of
from voucher.rules.permissions import Actor
from voucher.terms import HolderKind, PlatformKind

V = TypeVar("V")

_ORGANISATION: Final = ("uscc", "name", "region_code", "legal_representative", "created_at")
_PLATFORM: Final = ("organisation_id", "name", "kind", "region_code", "created_at")
_HOLDER: Final = ("ref", "kind", "name", "organisation_id", "region_code", "created_at")
_PART: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationRequest:
    """A legal person, its USCC in any spelling."""

    uscc: str
    name: str
    region_code: str
    legal_representative: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformRequest:
    """A platform under its host organisation; `region_code` is where it stands."""

    host_uscc: str
    name: str
    kind: PlatformKind
    region_code: str


@dataclass(frozen=True, slots=True)
class Registered:
    """The row that stands now. `ref` is the USCC (of a platform: its host's) or the temporary number."""

    id: int
    ref: str
    is_new: bool


def register_organisations(
    session: Session, requests: Sequence[OrganisationRequest], *, actor: Actor, at: datetime
) -> list[Registered | Refused]:
    """Register legal persons: one row per USCC whatever the spelling, also when two come at once.

    A known one keeps its name and region. Refused one by one: `uscc_invalid`, an unknown region (`not_found`).
    """
    regions = paths_of(session, (request.region_code for request in requests))
    codes = [normalise_uscc(request.uscc) for request in requests]
    valid: dict[str, OrganisationRequest] = {}
    answers: dict[int, Refused] = {}
    for index, (code, request) in enumerate(zip(codes, requests, strict=True)):
        if not is_uscc(code):
            answers[index] = Refused(Code.USCC_INVALID, {"uscc": code[:32]})
        elif request.region_code not in regions:
            answers[index] = Refused(Code.NOT_FOUND, {"region": request.region_code})
        else:
            valid.setdefault(code, request)
    known = organisation_ids(session, valid)
    rows = [
        (code, request.name, request.region_code, request.legal_representative, at)
        for code, request in sorted(valid.items())
        if code not in known
    ]
    if rows:
        insert_missing(session, Rows(Organisation, _ORGANISATION, rows))
        record(
            session, actor, "organisation.register", [(f"organisation:{row[0]}", {}) for row in rows], at=at
        )
    ids = organisation_ids(session, valid)
    return [
        answers[index] if index in answers else Registered(ids[code], code, code not in known)
        for index, code in enumerate(codes)
    ]


def register_platforms(
    session: Session, requests: Sequence[PlatformRequest], *, actor: Actor, at: datetime
) -> list[Registered | Refused]:
    """Register platforms, several under one USCC; a name is unique under its host.

    Refused one by one: an unknown host or region (`not_found`), the name with another kind (`already_registered`).
    """
    regions = paths_of(session, (request.region_code for request in requests))
    hosts = organisation_ids(session, (normalise_uscc(request.host_uscc) for request in requests))
    answers: list[Registered | Refused] = []
    for request in requests:
        host = hosts.get(normalise_uscc(request.host_uscc))
        if host is None or request.region_code not in regions:
            answers.append(Refused(Code.NOT_FOUND))
            continue
        try:
            answers.append(_platform(session, request, host, actor=actor, at=at))
        except Refusal as refusal:
            answers.append(refused(refusal))
    return answers


def _platform(
    session: Session, request: PlatformRequest, host: int, *, actor: Actor, at: datetime
) -> Registered:
    query = select(Platform).where(Platform.organisation_id == host, Platform.name == request.name)
    is_new = session.scalars(query).one_or_none() is None
    if is_new:
        row = (host, request.name, request.kind.value, request.region_code, at)
        insert_missing(session, Rows(Platform, _PLATFORM, [row]))
    platform = session.scalars(query).one()
    if platform.kind != request.kind.value:
        raise Refusal(Code.ALREADY_REGISTERED, subject=f"platform:{platform.id}")
    if is_new:
        record(session, actor, "platform.register", [(f"platform:{platform.id}", {"host": host})], at=at)
    return Registered(platform.id, platform.organisation.uscc, is_new)


def register_firms(
    session: Session, usccs: Sequence[str], *, actor: Actor, at: datetime
) -> list[Registered | Refused]:
    """Make registered organisations holders of vouchers. Refused one by one: not registered (`not_found`)."""
    codes = [normalise_uscc(uscc) for uscc in usccs]
    owners = {
        owner.uscc: owner
        for part in batched(sorted(set(codes)))
        for owner in session.scalars(select(Organisation).where(Organisation.uscc.in_(part)))
    }
    known = holder_ids(session, owners)
    rows = [
        (code, HolderKind.FIRM.value, owner.name, owner.id, owner.region_code, at)
        for code, owner in sorted(owners.items())
        if code not in known
    ]
    if rows:
        insert_missing(session, Rows(Holder, _HOLDER, rows))
        record(session, actor, "holder.register", [(f"holder:{row[0]}", {}) for row in rows], at=at)
    ids = holder_ids(session, owners)
    return [
        Registered(ids[code], code, code not in known) if code in ids else Refused(Code.NOT_FOUND)
        for code in codes
    ]


def organisation_ids(session: Session, usccs: Iterable[str]) -> dict[str, int]:
    """The ids of those of these normalised USCCs that are registered."""
    found: dict[str, int] = {}
    for part in batched(sorted(set(usccs))):
        rows = session.execute(select(Organisation.uscc, Organisation.id).where(Organisation.uscc.in_(part)))
        found.update((uscc, key) for uscc, key in rows)
    return found


def holder_ids(session: Session, refs: Iterable[str]) -> dict[str, int]:
    """The ids of those of these references that are holders."""
    found: dict[str, int] = {}
    for part in batched(sorted(set(refs))):
        rows = session.execute(select(Holder.ref, Holder.id).where(Holder.ref.in_(part)))
        found.update((ref, key) for ref, key in rows)
    return found


def batched(values: Sequence[V]) -> Iterator[Sequence[V]]:
    """Parts of at most 5,000, so that no statement has more parameters than a database takes."""
    for start in range(0, len(values), _PART):
        yield values[start : start + _PART]
