"""Shutting parties out by a decision with a legal basis, one or a list, and letting them in again (domain 4, row 32)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from voucher.codes import is_uscc, normalise_uscc
from voucher.errors import Code, Fact, Refusal
from voucher.models.checks import PartyBan
from voucher.models.parties import Organisation, Platform
from voucher.models.people import RoleGrant
from voucher.operations import journal
from voucher.operations.outcome import Refused, refused
from voucher.operations.regions import paths_of
from voucher.rules.permissions import Actor, covers_region
from voucher.terms import BanKind, Measure, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class BanRequest:
    """A decision against a party: its law, its number, from which day, until before which (None: until lifted).

    `notified_on` and `objection_until` are the notice before it and the last day to object; `region_code` where a lock
    against new certifications counts.
    """

    uscc: str
    kind: BanKind
    measure: Measure = Measure.BAN
    region_code: str | None = None
    notified_on: date | None = None
    objection_until: date | None = None
    legal_basis: str
    decision_no: str
    from_on: date
    to_on: date | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class LiftRequest:
    """A ban to be lifted, and why (信用修复, a decision set aside)."""

    ban_id: int
    reason: str


def ban(
    session: Session, requests: Sequence[BanRequest], *, actor: Actor, at: datetime
) -> list[PartyBan | Refused]:
    """Enter bans; the same decision again changes nothing. What is under way stops at its next step; nothing is deleted.

    Refused, alone: a code that is none (`uscc_invalid`), an organisation known here and outside the actor's regions
    (`not_found`), no legal basis or decision number (`reason_missing`), days that do not fit each other
    (`ban_period`, `_refuse_days`), a lock for a region that is not the actor's (`not_found`).
    """
    known = _organisations(session, [normalise_uscc(each.uscc) for each in requests])
    answers: list[PartyBan | Refused] = []
    notes: list[tuple[str, dict[str, Fact]]] = []
    for request in requests:
        try:
            row, is_new = _entered(session, request, known, actor=actor, at=at)
        except Refusal as refusal:
            answers.append(refused(refusal))
            continue
        answers.append(row)
        if is_new:
            facts: dict[str, Fact] = {
                "kind": row.kind,
                "measure": row.measure,
                "decision_no": row.decision_no,
            }
            notes.append((f"party:{row.uscc}", facts))
    journal.record(session, actor, "party.ban", notes, at=at)
    return answers


def lift(
    session: Session, requests: Sequence[LiftRequest], *, actor: Actor, at: datetime
) -> list[PartyBan | Refused]:
    """End bans at once; they stay on record.

    A party that is not registered here is let in by the bureau that shut it out, or one above it.

    Refused, alone: `not_found`, one of the actor's own house (`self_approval`), `reason_missing`, lifted before
    (`state_changed`).
    """
    answers: list[PartyBan | Refused] = []
    for request in requests:
        row = session.get(PartyBan, request.ban_id, with_for_update=True, populate_existing=True)
        known = _organisations(session, [row.uscc]) if row is not None else {}
        if row is None or not _may_lift(session, row, known, actor):
            answers.append(Refused(Code.NOT_FOUND, {"ban": str(request.ban_id)}))
        elif _own(session, row.uscc, actor):
            answers.append(Refused(Code.SELF_APPROVAL))
        elif not request.reason.strip():
            answers.append(Refused(Code.REASON_MISSING))
        elif row.lifted_at is not None:
            answers.append(Refused(Code.STATE_CHANGED))
        else:
            row.lifted_by, row.lifted_at, row.lift_reason = actor.person_id, at, request.reason.strip()
            answers.append(row)
            facts: dict[str, Fact] = {"kind": row.kind, "decision_no": row.decision_no}
            journal.record(session, actor, "party.lift_ban", [(f"party:{row.uscc}", facts)], at=at)
    session.flush()
    return answers


def _may_lift(session: Session, row: PartyBan, known: dict[str, str], actor: Actor) -> bool:
    if row.uscc in known:
        return covers_region(actor, known[row.uscc])
    query = select(RoleGrant.region_code).where(
        RoleGrant.person_id == row.entered_by,
        RoleGrant.role.in_((Role.REVIEWER.value, Role.PROGRAMME_OFFICER.value)),
        RoleGrant.region_code.is_not(None),
    )
    codes = [code for code in session.scalars(query) if code is not None]
    paths = paths_of(session, codes)
    return row.entered_by == actor.person_id or any(covers_region(actor, paths[code]) for code in codes)


def _own(session: Session, uscc: str, actor: Actor) -> bool:
    """Whether the actor acts for this organisation, or for a platform of it."""
    hosts = select(Platform.organisation_id).where(Platform.id.in_(actor.platform_ids))
    mine = or_(Organisation.id.in_(actor.organisation_ids), Organisation.id.in_(hosts))
    return session.scalars(select(Organisation.id).where(Organisation.uscc == uscc, mine)).first() is not None


def _entered(
    session: Session, request: BanRequest, known: dict[str, str], *, actor: Actor, at: datetime
) -> tuple[PartyBan, bool]:
    uscc = normalise_uscc(request.uscc)
    if not is_uscc(uscc):
        raise Refusal(Code.USCC_INVALID, uscc=uscc[:32])
    if not _may(uscc, known, actor):
        raise Refusal(Code.NOT_FOUND, uscc=uscc)
    decision, basis = request.decision_no.strip(), request.legal_basis.strip()
    if not decision or not basis:
        raise Refusal(Code.REASON_MISSING)
    _refuse_days(request)
    if request.region_code is not None:
        path = paths_of(session, [request.region_code]).get(request.region_code, "")
        if not covers_region(actor, path):
            raise Refusal(Code.NOT_FOUND, region=request.region_code)
    written = replace(request, uscc=uscc, decision_no=decision, legal_basis=basis)
    return enter(session, written, actor=actor, at=at)


def enter(session: Session, request: BanRequest, *, actor: Actor, at: datetime) -> tuple[PartyBan, bool]:
    """Write a decision down that may be taken, and say whether it is new: for decisions that follow from a deed."""
    query = select(PartyBan).where(
        PartyBan.uscc == request.uscc,
        PartyBan.kind == request.kind.value,
        PartyBan.decision_no == request.decision_no,
        PartyBan.measure == request.measure.value,
    )
    before = session.scalars(query).one_or_none()
    if before is not None:
        return before, False
    row = PartyBan(
        uscc=request.uscc,
        kind=request.kind.value,
        measure=request.measure.value,
        region_code=request.region_code,
        notified_on=request.notified_on,
        objection_until=request.objection_until,
        legal_basis=request.legal_basis,
        decision_no=request.decision_no,
        from_on=request.from_on,
        to_on=request.to_on,
        source=request.source.strip(),
        entered_by=actor.person_id,
        entered_at=at,
    )
    session.add(row)
    session.flush()
    return row, True


def _refuse_days(request: BanRequest) -> None:
    """Refused as `ban_period`: it ends before it begins (`end`); a suspension or lock without end (`endless`); a day to
    object without notice or before it (`notice`), or one that is not over when the decision takes effect (`objection`).
    """
    until, told = request.objection_until, request.notified_on
    if request.to_on is not None and request.to_on <= request.from_on:
        raise Refusal(Code.BAN_PERIOD, reason="end")
    if request.to_on is None and request.measure in (Measure.SUSPEND, Measure.REAPPLY_LOCK):
        raise Refusal(Code.BAN_PERIOD, reason="endless")
    if until is not None and (told is None or until < told):
        raise Refusal(Code.BAN_PERIOD, reason="notice")
    if (until is not None and request.from_on <= until) or (told is not None and request.from_on < told):
        raise Refusal(Code.BAN_PERIOD, reason="objection")


def _organisations(session: Session, usccs: Sequence[str]) -> dict[str, str]:
    """The region's path of each of these that is registered here."""
    query = select(Organisation.uscc, Organisation.region_code).where(Organisation.uscc.in_(usccs))
    regions = dict(session.execute(query).all())
    paths = paths_of(session, regions.values())
    return {uscc: paths[code] for uscc, code in regions.items()}


def _may(uscc: str, known: dict[str, str], actor: Actor) -> bool:
    """A party that is not registered here may be on any bureau's list; a registered one is its own bureau's."""
    return uscc not in known or covers_region(actor, known[uscc])
