"""Published agreement versions as they stand: read, parsed once, and put together with registry and suspensions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.models.agreements import (
    AgreementListing,
    AgreementStep,
    AgreementSuspension,
    AgreementVersion,
    RecognitionAgreement,
)
from voucher.rules.agreement import Agreement
from voucher.rules.agreement_reading import read
from voucher.rules.recognition import Listing, Standing
from voucher.terms import AgreementStepKind

_parsed: dict[str, Agreement] = {}


@dataclass(frozen=True, slots=True)
class Published:
    """A version that was published, and what became of it since."""

    version_id: int
    agreement: Agreement
    ended_on: date | None
    is_revoked: bool

    def standing(self, listings: Sequence[Listing] = (), suspended_in: Sequence[str] = ()) -> Standing:
        """The version as it stands for a platform with these listings and suspensions."""
        return Standing(
            version_id=self.version_id,
            agreement=self.agreement,
            ended_on=self.ended_on,
            is_revoked=self.is_revoked,
            listings=tuple(listings),
            suspended_in=tuple(suspended_in),
        )


def agreement_of(session: Session, version: AgreementVersion) -> Agreement:
    """The version as parsed; its text is read once for a process, for the sha256 covers text and fill-ins."""
    if version.sha256 not in _parsed:
        _parsed[version.sha256] = read(version.text, tuple(version.fills))
    return _parsed[version.sha256]


def versions_of(session: Session, version_ids: Iterable[int]) -> dict[int, Agreement]:
    """The versions of these ids, published or not."""
    wanted = set(version_ids)
    if not wanted:
        return {}
    query = select(AgreementVersion).where(AgreementVersion.id.in_(wanted))
    return {row.id: agreement_of(session, row) for row in session.scalars(query)}


def published(session: Session) -> list[Published]:
    """Every version that was published, by id, also those that ended or were revoked."""
    steps = steps_of(session)
    ids = {version_id for version_id, kinds in steps.items() if AgreementStepKind.PUBLISH in kinds}
    if not ids:
        return []
    query = select(AgreementVersion).where(AgreementVersion.id.in_(ids)).order_by(AgreementVersion.id)
    return [
        Published(
            row.id,
            agreement_of(session, row),
            ended.from_on if (ended := steps[row.id].get(AgreementStepKind.END)) else None,
            AgreementStepKind.REVOKE in steps[row.id],
        )
        for row in session.scalars(query)
    ]


def steps_of(session: Session) -> dict[int, dict[AgreementStepKind, AgreementStep]]:
    """What became of every version, by its id."""
    found: dict[int, dict[AgreementStepKind, AgreementStep]] = {}
    for step in session.scalars(select(AgreementStep).order_by(AgreementStep.id)):
        found.setdefault(step.version_id, {})[AgreementStepKind(step.kind)] = step
    return found


def standings(
    session: Session, platform_ids: Iterable[int], *, locked: bool = True
) -> dict[int, list[Standing]]:
    """Every published version as it stands for each of these platforms.

    `locked`: the agreements FOR SHARE in the order of their codes, so that none is revoked, and no platform suspended,
    until the transaction ends.
    """
    ids = set(platform_ids)
    if locked:
        query = select(RecognitionAgreement.code).order_by(RecognitionAgreement.code)
        session.execute(query.with_for_update(read=True)).all()
    versions = published(session)
    listings: dict[tuple[int, str], list[Listing]] = {}
    suspended: dict[tuple[int, str], list[str]] = {}
    if versions:
        listed = select(AgreementListing).where(
            AgreementListing.platform_id.in_(ids), AgreementListing.removed_at.is_(None)
        )
        for row in session.scalars(listed.order_by(AgreementListing.id)):
            listings.setdefault((row.platform_id, row.agreement_code), []).append(
                Listing(row.from_on, row.to_on)
            )
        kept_away = select(AgreementSuspension).where(
            AgreementSuspension.platform_id.in_(ids), AgreementSuspension.lifted_at.is_(None)
        )
        for each in session.scalars(kept_away.order_by(AgreementSuspension.id)):
            suspended.setdefault((each.platform_id, each.agreement_code), []).append(each.region_code)
    return {
        platform_id: [
            version.standing(
                listings.get((platform_id, version.agreement.agreement), ()),
                suspended.get((platform_id, version.agreement.agreement), ()),
            )
            for version in versions
        ]
        for platform_id in ids
    }
