"""Finding holders eligible for a programme and year, with a snapshot of the facts (domain, section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from voucher.clock import business_date, fiscal_year, iso
from voucher.errors import Code, Refusal
from voucher.models.parties import Holder, Qualification, RosterEntry
from voucher.models.programmes import Programme
from voucher.operations.import_roster import TECH_SME
from voucher.operations.journal import record
from voucher.operations.outcome import Refused, refused
from voucher.operations.places import Places, places
from voucher.operations.policies import policy_in_force
from voucher.operations.regions import paths_of
from voucher.operations.register import batched
from voucher.operations.relations import Known, known
from voucher.rules import eligibility
from voucher.rules.permissions import Actor, covers_region, runs
from voucher.rules.policy import Policy
from voucher.terms import EligibilityRule, HolderClass, HolderKind

_TEAMS = (HolderKind.TEAM.value, HolderKind.FOUNDER.value)


@dataclass(frozen=True, slots=True)
class QualifyRequest:
    """A holder (its USCC or temporary id) and the class it asks to be qualified as.

    Without a class: a team or founder as a team, a base as a base, everybody else as a sci-tech SME.
    """

    holder_ref: str
    holder_class: HolderClass | None = None


@dataclass(frozen=True, slots=True)
class Qualified:
    """The qualification that stands for the year; one from before keeps its facts."""

    qualification_id: int
    holder_id: int
    year: int


@dataclass(frozen=True, slots=True)
class _Case:
    """What is known about the holders at hand, and who asks."""

    policy: Policy
    actor: Actor
    at: datetime
    holders: dict[str, Holder]
    paths: dict[str, str]
    numbers: dict[str, str]
    known: Known
    places: Places


def qualify(
    session: Session, programme_code: str, requests: Sequence[QualifyRequest], *, actor: Actor, at: datetime
) -> list[Qualified | Refused]:
    """Qualify holders for the year of `at` under the policy in force; again is the same answer.

    Refused for the whole call: no such programme (`not_found`), one of an authority below (`not_own_programme`), no policy in force (`policy_not_published`).
    Refused one by one: a holder that is not there or not in the actor's regions (`not_found`); one that the
    policy does not serve (`not_qualified`; reason `holder_class`, `roster`, `region` or what a centre asks for), a base
    that is not certified (`centre_not_certified`), one that a decision in force
    shuts out (`party_banned`).
    """
    programme = session.get(Programme, programme_code)
    if programme is None:
        raise Refusal(Code.NOT_FOUND, programme=programme_code)
    if not runs(actor, programme.region_code):
        raise Refusal(Code.NOT_OWN_PROGRAMME, programme=programme.name)
    policy = policy_in_force(session, programme_code, at)
    case = _case(session, policy, [request.holder_ref for request in requests], actor=actor, at=at)
    checked: list[Holder | Refused] = []
    rows: list[dict[str, Any]] = []
    for request in requests:
        try:
            holder = _eligible(case, request)
        except Refusal as refusal:
            checked.append(refused(refusal))
            continue
        checked.append(holder)
        rows.append(_row(case, programme_code, holder, _class_of(holder, request)))
    standing = _write(session, programme_code, rows, case)
    return [
        each if isinstance(each, Refused) else Qualified(standing[each.id], each.id, fiscal_year(at))
        for each in checked
    ]


def _case(session: Session, policy: Policy, refs: Sequence[str], *, actor: Actor, at: datetime) -> _Case:
    holders: dict[str, Holder] = {}
    numbers: dict[str, str] = {}
    for part in batched(sorted(set(refs))):
        found = session.scalars(select(Holder).where(Holder.ref.in_(part)))
        holders.update((holder.ref, holder) for holder in found)
        entries = select(RosterEntry.uscc, RosterEntry.roster_no).where(
            RosterEntry.roster == TECH_SME,
            RosterEntry.year == business_date(at).year,
            RosterEntry.uscc.in_(part),
        )
        numbers.update((uscc, number) for uscc, number in session.execute(entries))
    paths = paths_of(session, (holder.region_code for holder in holders.values()))
    owners = {holder.organisation_id for holder in holders.values()} - {None}
    on = business_date(at)
    parties = known(session, {*filter(None, owners)}, set(), years={on.year}, on=on)
    around = places(session, [policy], list(holders.values()))
    return _Case(policy, actor, at, holders, paths, numbers, parties, around)


def _eligible(case: _Case, request: QualifyRequest) -> Holder:
    holder = case.holders.get(request.holder_ref)
    if (
        holder is None
        or holder.converted_into is not None
        or not covers_region(case.actor, case.paths[holder.region_code])
    ):
        raise Refusal(Code.NOT_FOUND, holder=request.holder_ref[:40])
    by_centre = EligibilityRule.TENANT_OF_CENTRE in case.policy.eligibility
    if not by_centre and f"/{case.policy.owner_region}/" not in case.paths[holder.region_code]:
        raise Refusal(Code.NOT_QUALIFIED, reason="region", holder=holder.ref)
    case.known.refuse_banned(holder.organisation_id, None)
    on = business_date(case.at)
    years = (on.year,) if holder.ref in case.numbers else ()
    held = _class_of(holder, request)
    if (holder.kind in _TEAMS) != (held is HolderClass.TEAM):
        raise Refusal(Code.NOT_QUALIFIED, reason="holder_class", holder=holder.ref)
    finding = eligibility.holder_class(case.policy, held) or eligibility.roster(
        case.policy, years, on, held=held
    )
    if finding is not None:
        raise Refusal(finding[0], holder=holder.ref, **finding[1])
    case.places.refuse(case.policy, holder, on)
    return holder


def _class_of(holder: Holder, request: QualifyRequest) -> HolderClass:
    if request.holder_class is not None:
        return request.holder_class
    if holder.kind == HolderKind.BASE.value:
        return HolderClass.INCUBATION_BASE
    return HolderClass.TEAM if holder.kind in _TEAMS else HolderClass.TECH_SME


def _row(case: _Case, programme_code: str, holder: Holder, held_class: HolderClass) -> dict[str, Any]:
    return {
        "programme_code": programme_code,
        "year": fiscal_year(case.at),
        "holder_id": holder.id,
        "holder_class": held_class.value,
        "facts": {
            "holder": holder.ref,
            "name": holder.name,
            "region": holder.region_code,
            "roster": TECH_SME,
            "roster_no": case.numbers.get(holder.ref),
            "policy": case.policy.code,
            "at": iso(case.at),
        },
        "qualified_by": case.actor.person_id,
        "qualified_at": case.at,
    }


def _write(
    session: Session, programme_code: str, rows: Sequence[dict[str, Any]], case: _Case
) -> dict[int, int]:
    """Insert what is missing, in the order of holders, and journal it; gives holder id -> qualification id."""
    ids = [row["holder_id"] for row in rows]
    before = _standing(session, programme_code, ids, year=fiscal_year(case.at))
    missing = {row["holder_id"]: row for row in rows if row["holder_id"] not in before}
    if missing:
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        statement = dialect.insert(Qualification).on_conflict_do_nothing()
        session.connection().execute(statement, [row for _, row in sorted(missing.items())])
        facts = {"programme": programme_code, "rule_version": case.policy.code}
        subjects = [(f"holder:{row['facts']['holder']}", facts) for row in missing.values()]
        record(session, case.actor, "holder.qualify", subjects, at=case.at)
    return _standing(session, programme_code, ids, year=fiscal_year(case.at))


def _standing(
    session: Session, programme_code: str, holder_ids: Sequence[int], *, year: int
) -> dict[int, int]:
    found: dict[int, int] = {}
    for part in batched(holder_ids):
        query = select(Qualification.holder_id, Qualification.id).where(
            Qualification.programme_code == programme_code,
            Qualification.year == year,
            Qualification.holder_id.in_(part),
        )
        found.update((holder, key) for holder, key in session.execute(query))
    return found
