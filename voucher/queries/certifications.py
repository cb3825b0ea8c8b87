"""Platforms as the authority sees them: who is certified by whom, for what, and in which state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.models.parties import Certification, Organisation, Platform
from voucher.models.regions import Region
from voucher.queries.claims import Deed, history
from voucher.queries.paging import Page, as_term, holding, in_regions, paged
from voucher.rules.permissions import Actor
from voucher.terms import CertificationState, Certifier, PlatformKind, VoucherKind


@dataclass(frozen=True, slots=True)
class CertifiedLine:
    """A platform in a list, with one of its certifications (None: it has none)."""

    platform_id: int
    name: str
    kind: PlatformKind
    host_name: str
    host_uscc: str
    region_name: str
    state: CertificationState | None
    document_no: str | None


@dataclass(frozen=True, slots=True)
class CertificationLine:
    """A certification; `is_own`: the actor may change it."""

    row: Certification
    state: CertificationState
    certifier: Certifier
    kinds: Sequence[VoucherKind]
    region_name: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class PlatformFile:
    """A platform with all its certifications and its history."""

    platform: Platform
    kind: PlatformKind
    region_name: str
    certifications: Sequence[CertificationLine]
    history: Sequence[Deed]


def certified_platforms(
    session: Session, *, text: str = "", state: CertificationState | None = None, page: int = 1
) -> Page[CertifiedLine]:
    """Every platform with each of its certifications, by name. The register of platforms is public."""
    host = Organisation.__table__.alias("host_organisation")
    query = (
        select(
            Platform.__table__.c.id,
            Platform.__table__.c.name,
            as_term(Platform.kind, PlatformKind),
            host.c.name,
            host.c.uscc,
            Region.name,
            as_term(Certification.state, CertificationState),
            Certification.document_no,
        )
        .select_from(Platform.__table__)
        .join(host, host.c.id == Platform.__table__.c.organisation_id)
        .join(Region, Region.code == Platform.__table__.c.region_code)
        .outerjoin(Certification, Certification.platform_id == Platform.__table__.c.id)
        .order_by(Platform.__table__.c.name, Platform.__table__.c.id, Certification.id)
    )
    if text:
        query = query.where(
            holding(text, Platform.name) | host.c.name.contains(text, autoescape=True) | (host.c.uscc == text)
        )
    if state is not None:
        query = query.where(Certification.state == state.value)
    return paged(session, query, CertifiedLine, page=page)


def platform_file(session: Session, actor: Actor, platform_id: int) -> PlatformFile | None:
    """One platform; None for one that is not there."""
    platform = session.get(Platform, platform_id)
    if platform is None:
        return None
    rows = session.execute(
        select(Certification, Region.name, in_regions(actor))
        .join(Region, Region.code == Certification.region_code)
        .where(Certification.platform_id == platform.id)
        .order_by(Certification.id)
    )
    lines = [_line(row, region_name, is_own=bool(is_own)) for row, region_name, is_own in rows]
    place = session.get_one(Region, platform.region_code)
    deeds = history(session, [f"platform:{platform.id}"])
    return PlatformFile(platform, PlatformKind(platform.kind), place.name, lines, deeds)


def certified_line(session: Session, certification_id: int) -> tuple[str, str] | None:
    """The name of the platform of a certification, and the path of the region for which it is certified."""
    query = (
        select(Platform.__table__.c.name, Region.path)
        .join(Certification, Certification.platform_id == Platform.__table__.c.id)
        .join(Region, Region.code == Certification.region_code)
        .where(Certification.id == certification_id)
    )
    row = session.execute(query).one_or_none()
    return None if row is None else (str(row[0]), str(row[1]))


def own_certifications(session: Session, actor: Actor) -> list[tuple[str, CertificationLine]]:
    """Every certification of the actor's platforms, with the platform's name."""
    query = (
        select(Platform.__table__.c.name, Certification, Region.name)
        .join(Certification, Certification.platform_id == Platform.__table__.c.id)
        .join(Region, Region.code == Certification.region_code)
        .where(Certification.platform_id.in_(actor.platform_ids))
        .order_by(Platform.__table__.c.name, Certification.id)
    )
    return [(str(name), _line(row, region, is_own=False)) for name, row, region in session.execute(query)]


def _line(row: Certification, region_name: str, *, is_own: bool) -> CertificationLine:
    return CertificationLine(
        row,
        CertificationState(row.state),
        Certifier(row.authority),
        [VoucherKind(kind) for kind in row.kinds],
        region_name,
        is_own,
    )
