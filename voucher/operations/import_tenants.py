"""A base's list of tenants: looked at first, then registered, all of it or nothing (入驻企业名单)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.codes import is_temporary, is_uscc, normalise_uscc
from voucher.errors import Code, Refusal
from voucher.models.centres import Centre
from voucher.models.parties import Holder
from voucher.models.tenancies import Tenancy
from voucher.operations.outcome import only
from voucher.operations.register import OrganisationRequest, register_firms, register_organisations
from voucher.operations.tenancies import EnterRequest, enter, own_centres
from voucher.rules.permissions import Actor
from voucher.terms import TenantFault

_LONGEST_NAME: Final = 120


@dataclass(frozen=True, slots=True)
class TenantRow:
    """One row as it stands in the file: name, USCC or temporary id, days of entry and exit (may be empty)."""

    line: int
    name: str
    ref: str
    entered: str
    left: str = ""


@dataclass(frozen=True, slots=True)
class TenantError:
    """What is wrong with one row, and what stands there."""

    line: int
    fault: TenantFault
    value: str


@dataclass(frozen=True, slots=True)
class TenantEntry:
    """A row that is fine, as it would be registered; `is_new`: the firm is not known yet."""

    line: int
    name: str
    ref: str
    entered_on: date
    left_on: date | None
    is_new: bool


@dataclass(frozen=True, slots=True)
class TenantPreview:
    """What an import would do: the tenants, and every error of every row."""

    entries: tuple[TenantEntry, ...]
    errors: tuple[TenantError, ...]


def preview_tenants(
    session: Session, centre_id: int, rows: Sequence[TenantRow], *, actor: Actor
) -> TenantPreview:
    """Check every row of a list for one of the actor's centres, and name every error; writes nothing.

    Refused: another's centre (`not_found`).
    """
    centre = own_centres(session, actor=actor).get(centre_id)
    if centre is None:
        raise Refusal(Code.NOT_FOUND, centre=centre_id)
    refs = {normalise_uscc(row.ref) for row in rows}
    known = {row.ref: row.id for row in session.scalars(select(Holder).where(Holder.ref.in_(refs)))}
    stays = _stays(session, centre, known.values())
    errors: list[TenantError] = []
    entries: list[TenantEntry] = []
    seen: set[str] = set()
    for row in rows:
        ref, entered, left = normalise_uscc(row.ref), _day(row.entered), _day(row.left)
        faults = {
            TenantFault.NAME_EMPTY: not 0 < len(row.name.strip()) <= _LONGEST_NAME,
            TenantFault.REF_INVALID: not (is_uscc(ref) or is_temporary(ref)),
            TenantFault.REF_UNKNOWN: is_temporary(ref) and ref not in known,
            TenantFault.REF_TWICE: ref in seen,
            TenantFault.ENTERED_INVALID: entered is None,
            TenantFault.LEFT_INVALID: bool(row.left.strip())
            and (left is None or (entered is not None and left <= entered)),
            TenantFault.OVERLAPS: entered is not None
            and any(_overlap(stay, entered, left) for stay in stays.get(known.get(ref, 0), ())),
        }
        seen.add(ref)
        errors += [
            TenantError(row.line, fault, _value(row, fault)) for fault, is_so in faults.items() if is_so
        ]
        if entered is not None and not any(faults.values()):
            entries.append(TenantEntry(row.line, row.name.strip(), ref, entered, left, ref not in known))
    return TenantPreview(tuple(entries), tuple(errors))


def import_tenants(
    session: Session, centre_id: int, rows: Sequence[TenantRow], *, actor: Actor, at: datetime
) -> list[Tenancy]:
    """Register the tenants of a list; firms that are not known are registered where the centre stands.

    Refused: another's centre (`not_found`), any row with an error (`roster_invalid`; the preview names each).
    """
    found = preview_tenants(session, centre_id, rows, actor=actor)
    if found.errors or not rows:
        lines = {error.line for error in found.errors}
        raise Refusal(Code.ROSTER_INVALID, rows=len(lines))
    region = session.get_one(Centre, centre_id).location_region
    fresh = [each for each in found.entries if each.is_new]
    wanted = [OrganisationRequest(uscc=each.ref, name=each.name, region_code=region) for each in fresh]
    register_organisations(session, wanted, actor=actor, at=at)
    register_firms(session, [each.ref for each in fresh], actor=actor, at=at)
    asked = [EnterRequest(centre_id, each.ref, each.entered_on, each.left_on) for each in found.entries]
    return [only([answer]) for answer in enter(session, asked, actor=actor, at=at)]


def _stays(session: Session, centre: Centre, holder_ids: Collection[int]) -> dict[int, list[Tenancy]]:
    query = (
        select(Tenancy)
        .join(Centre, Centre.id == Tenancy.centre_id)
        .where(
            Tenancy.holder_id.in_(holder_ids),
            Centre.organisation_id == centre.organisation_id,
            Centre.kind == centre.kind,
        )
    )
    found: dict[int, list[Tenancy]] = {}
    for row in session.scalars(query):
        found.setdefault(row.holder_id, []).append(row)
    return found


def _overlap(stay: Tenancy, entered_on: date, left_on: date | None) -> bool:
    if (stay.entered_on, stay.left_on) == (entered_on, left_on):
        return False
    starts_before = left_on is None or stay.entered_on < left_on
    return starts_before and (stay.left_on is None or entered_on < stay.left_on)


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written.strip().replace("/", "-"))
    except ValueError:
        return None


def _value(row: TenantRow, fault: TenantFault) -> str:
    by_fault = {
        TenantFault.NAME_EMPTY: row.name,
        TenantFault.ENTERED_INVALID: row.entered,
        TenantFault.OVERLAPS: row.entered,
        TenantFault.LEFT_INVALID: row.left,
    }
    return by_fault.get(fault, row.ref)[:60]
