"""Recognition agreements as they are read: versions with their steps, the registry, and who recognises whom."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.models.agreements import (
    AgreementListing,
    AgreementStep,
    AgreementSuspension,
    AgreementVersion,
)
from voucher.models.orders import Order
from voucher.models.parties import Certification, Organisation, Platform
from voucher.models.people import Person
from voucher.models.regions import Region
from voucher.queries.policies import agreement_of
from voucher.rules.agreement import Agreement, state_of
from voucher.rules.recognition import Listing, Standing
from voucher.rules.subsidy import within
from voucher.terms import AgreementState, AgreementStepKind

_SEEN_BY_ALL = frozenset({AgreementState.PUBLISHED, AgreementState.ENDED, AgreementState.REVOKED})


@dataclass(frozen=True, slots=True)
class AgreementLine:
    """A version in the list of all, with its parties' names; `ended_on` is the first day without orders."""

    version: AgreementVersion
    agreement: Agreement
    state: AgreementState
    regions: tuple[str, ...]
    ended_on: date | None


@dataclass(frozen=True, slots=True)
class Deed:
    """A step of a version and who took it."""

    step: AgreementStep
    kind: AgreementStepKind
    by: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A platform on the registry."""

    listing: AgreementListing
    platform: str


@dataclass(frozen=True, slots=True)
class Away:
    """A platform that a region keeps from the agreement."""

    suspension: AgreementSuspension
    platform: str
    region: str


@dataclass(frozen=True, slots=True)
class AgreementFile:
    """A version with everything that belongs to it."""

    line: AgreementLine
    region_names: dict[str, str]
    proposer: str
    deeds: tuple[Deed, ...]
    entries: tuple[Entry, ...]
    away: tuple[Away, ...]


def agreements(session: Session, *, published_only: bool = False) -> list[AgreementLine]:
    """Every version, the newest of each agreement first; `published_only`: those that anybody may read."""
    steps: dict[int, dict[AgreementStepKind, AgreementStep]] = {}
    for step in session.scalars(select(AgreementStep)):
        steps.setdefault(step.version_id, {})[AgreementStepKind(step.kind)] = step
    query = select(AgreementVersion).order_by(
        AgreementVersion.agreement_code, AgreementVersion.effective_from.desc(), AgreementVersion.id.desc()
    )
    rows = list(session.scalars(query))
    parsed = {row.id: agreement_of(session, row.id) for row in rows}
    names = _region_names(session, {party.region for each in parsed.values() for party in each.parties})
    lines = [
        AgreementLine(
            row,
            parsed[row.id],
            state_of(steps.get(row.id, {})),
            tuple(names.get(party.region, party.region) for party in parsed[row.id].parties),
            ended.from_on if (ended := steps.get(row.id, {}).get(AgreementStepKind.END)) else None,
        )
        for row in rows
    ]
    return [line for line in lines if not published_only or line.state in _SEEN_BY_ALL]


def agreement_file(
    session: Session, version_id: int, *, published_only: bool = False
) -> AgreementFile | None:
    """A version with its steps, registry and suspensions; None for one that is not there, or not for all to read."""
    lines = agreements(session, published_only=published_only)
    line = next((each for each in lines if each.version.id == version_id), None)
    if line is None:
        return None
    code = line.version.agreement_code
    names = _region_names(session, {party.region for party in line.agreement.parties})
    deeds = session.execute(
        select(AgreementStep, Person.name)
        .join(Person, Person.id == AgreementStep.done_by)
        .where(AgreementStep.version_id == version_id)
        .order_by(AgreementStep.id)
    )
    entries = session.execute(
        select(AgreementListing, Platform.name)
        .join(Platform, Platform.id == AgreementListing.platform_id)
        .where(AgreementListing.agreement_code == code, AgreementListing.removed_at.is_(None))
        .order_by(Platform.name, AgreementListing.id)
    )
    away = session.execute(
        select(AgreementSuspension, Platform.name, Region.name)
        .join(Platform, Platform.id == AgreementSuspension.platform_id)
        .join(Region, Region.code == AgreementSuspension.region_code)
        .where(AgreementSuspension.agreement_code == code, AgreementSuspension.lifted_at.is_(None))
        .order_by(Platform.name, AgreementSuspension.id)
    )
    return AgreementFile(
        line,
        names,
        session.get_one(Person, line.version.proposed_by).name,
        tuple(Deed(step, AgreementStepKind(step.kind), name) for step, name in deeds),
        tuple(Entry(*row) for row in entries),
        tuple(Away(*row) for row in away),
    )


def platforms_of(session: Session, agreement: Agreement) -> dict[int, str]:
    """The platforms that the parties, or the regions below them, certified: what may stand on the registry."""
    query = (
        select(Platform.id, Platform.name, Organisation.name, Certification.region_code)
        .join(Certification, Certification.platform_id == Platform.id)
        .join(Organisation, Organisation.id == Platform.organisation_id)
        .order_by(Platform.name, Platform.id)
    )
    return {
        platform_id: f"{name}（{host}）"
        for platform_id, name, host, region in session.execute(query)
        if any(within(region, party.region) for party in agreement.parties)
    }


def version_of_code(session: Session, code: str) -> int:
    """The id of the version of this code that was not withdrawn; refused `not_found`."""
    for line in agreements(session):
        if line.version.code == code and line.state is not AgreementState.WITHDRAWN:
            return line.version.id
    raise Refusal(Code.NOT_FOUND, agreement=code[:64])


@dataclass(frozen=True, slots=True)
class RecognisedBy:
    """An agreement under which a platform may take vouchers of other regions, from when until before when."""

    platform_id: int
    line: AgreementLine
    from_on: date
    to_on: date | None
    suspended_in: tuple[str, ...]


def recognised_by(session: Session, platform_ids: Collection[int]) -> list[RecognisedBy]:
    """Where these platforms stand on registries of agreements that were published, suspended or not."""
    lines: dict[str, list[AgreementLine]] = {}
    for line in agreements(session, published_only=True):
        lines.setdefault(line.version.agreement_code, []).append(line)
    query = select(AgreementListing).where(
        AgreementListing.platform_id.in_(set(platform_ids)), AgreementListing.removed_at.is_(None)
    )
    kept_away: dict[tuple[str, int], list[str]] = {}
    suspensions = select(AgreementSuspension, Region.name).join(
        Region, Region.code == AgreementSuspension.region_code
    )
    for row, name in session.execute(suspensions.where(AgreementSuspension.lifted_at.is_(None))):
        kept_away.setdefault((row.agreement_code, row.platform_id), []).append(name)
    return [
        RecognisedBy(
            listing.platform_id,
            line,
            listing.from_on,
            listing.to_on,
            tuple(kept_away.get((listing.agreement_code, listing.platform_id), ())),
        )
        for listing in session.scalars(query.order_by(AgreementListing.id))
        for line in lines.get(listing.agreement_code, [])
    ]


def standings_of(session: Session, platform_ids: Collection[int]) -> dict[int, list[Standing]]:
    """Every published version as it stands for each of these platforms; nothing is locked."""
    ids = set(platform_ids)
    listings: dict[tuple[int, str], list[Listing]] = {}
    listed = select(AgreementListing).where(
        AgreementListing.platform_id.in_(ids), AgreementListing.removed_at.is_(None)
    )
    for row in session.scalars(listed):
        listings.setdefault((row.platform_id, row.agreement_code), []).append(Listing(row.from_on, row.to_on))
    away: dict[tuple[int, str], list[str]] = {}
    kept = select(AgreementSuspension).where(
        AgreementSuspension.platform_id.in_(ids), AgreementSuspension.lifted_at.is_(None)
    )
    for each in session.scalars(kept):
        away.setdefault((each.platform_id, each.agreement_code), []).append(each.region_code)
    lines = agreements(session, published_only=True)
    return {
        platform_id: [
            Standing(
                version_id=line.version.id,
                agreement=line.agreement,
                ended_on=line.ended_on,
                is_revoked=line.state is AgreementState.REVOKED,
                listings=tuple(listings.get((platform_id, line.version.agreement_code), ())),
                suspended_in=tuple(away.get((platform_id, line.version.agreement_code), ())),
            )
            for line in lines
        ]
        for platform_id in ids
    }


@dataclass(frozen=True, slots=True)
class Recognition:
    """The agreement version under which an order was placed, the name of the region that certified its platform, and
    the step that revoked the version, where one did."""

    version: AgreementVersion
    agreement: Agreement
    region: str
    revoked: AgreementStep | None


def recognition_of(session: Session, order: Order) -> Recognition | None:
    """Under which agreement an order was placed; None for one at a platform of the home region."""
    if order.agreement_version_id is None:
        return None
    version = session.get_one(AgreementVersion, order.agreement_version_id)
    names = _region_names(session, [order.recognised_region])
    revoking = select(AgreementStep).where(
        AgreementStep.version_id == version.id, AgreementStep.kind == AgreementStepKind.REVOKE.value
    )
    revoked = session.scalars(revoking).first()
    return Recognition(version, agreement_of(session, version.id), names[order.recognised_region], revoked)


def _region_names(session: Session, codes: Collection[str]) -> dict[str, str]:
    query = select(Region.code, Region.name).where(Region.code.in_(set(codes)))
    return dict(session.execute(query).all())
