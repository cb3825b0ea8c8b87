"""At the bureau's counter: one person takes papers in, another one checks them and decides (柜面双人办理).

Opening an account, a new legal representative, a lost password, a team that became a firm. The database refuses
that one person is both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.codes import is_uscc, normalise_uscc
from voucher.errors import Code, Fact, Refusal, found
from voucher.models.joining import DeskCase, DeskPaper
from voucher.models.parties import Holder, Organisation
from voucher.models.people import Person, RoleGrant
from voucher.models.regions import Region
from voucher.operations.alone import alone
from voucher.operations.authorise import end_grants
from voucher.operations.convert import Conversion, Converted, convert
from voucher.operations.issue_codes import approvers, check_outsider, valid, works_for
from voucher.operations.join_codes import DESK_LIFE, CodeRequest, MadeCode, make_codes
from voucher.operations.journal import record
from voucher.operations.keep_files import Care, keep_files
from voucher.operations.outcome import Refused
from voucher.operations.teams import WITHOUT_USCC
from voucher.rules.permissions import Actor, covers_region
from voucher.store import Stored
from voucher.terms import CodePurpose, DeskKind, DeskState, Retention, Role

CONVERT_FACTS = ("uscc", "name", "legal_representative", "bank", "account_no")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskRequest:
    """What somebody asks for at the counter, for an organisation by its number, with the papers shown.

    `login`: whose password (reset). `facts`: `name` of the person who came (account) or of the new legal
    representative; for a conversion the firm's `uscc`, `name`, `legal_representative`, and perhaps `bank`, `account_no`.
    """

    kind: DeskKind
    ref: str
    papers: tuple[Stored, ...]
    login: str = ""
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DeskDecision:
    """The second person's word on a case; a reason where it is no."""

    case_id: int
    approve: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a case: the code to hand over, or the firm that the team became."""

    case_id: int
    state: DeskState
    code: MadeCode | None = None
    converted: Converted | None = None


def take_in(
    session: Session, requests: Sequence[DeskRequest], *, actor: Actor, at: datetime
) -> list[int | Refused]:
    """Write cases down for a second person; gives their ids. Nothing else happens yet.

    Refused one by one: an organisation that is not there or outside the actor's regions, a login that does not work for
    it (`not_found`); no papers (`file_refused`); an open account (`account_exists`); somebody with a role of the bureau
    (`other_duties`); a name that is missing (`reason_missing`); a wrong USCC (`uscc_invalid`); the same kind of case
    open already (`state_changed`).
    """
    return alone(session, requests, lambda request: _take_in(session, request, actor=actor, at=at))


def decide(
    session: Session, decisions: Sequence[DeskDecision], *, key: bytes, actor: Actor, at: datetime
) -> list[Decided | Refused]:
    """Decide cases as the second person, and do what they are for.

    An account, a representative or a reset gives a code that lives 30 minutes, to be used at the counter. A new
    representative ends the role of every approver of before at once. Refused one by one: not there or outside the
    actor's regions (`not_found`), the person who took it in (`self_approval`), decided already (`state_changed`), a no
    without a reason (`reason_missing`), what changed meanwhile (as in `take_in`), and what `convert` refuses.
    """
    return alone(session, decisions, lambda each: _decide(session, each, key=key, actor=actor, at=at))


def _take_in(session: Session, request: DeskRequest, *, actor: Actor, at: datetime) -> int:
    owner = _organisation(session, normalise_uscc(request.ref), actor)
    if not request.papers:
        raise Refusal(Code.FILE_REFUSED, reason="missing")
    person_id = _person(session, request, owner.id)
    facts = _facts(request)
    _check(session, owner, DeskKind(request.kind), person_id=person_id, at=at)
    _none_open(session, owner.id, request.kind)
    keep_files(session, request.papers, actor=actor, at=at, care=Care(retention=Retention.STANDING))
    row = DeskCase(
        organisation_id=owner.id,
        kind=request.kind.value,
        state=DeskState.PROPOSED.value,
        person_id=person_id,
        facts=facts,
        made_by=actor.person_id,
        made_at=at,
    )
    session.add(row)
    session.flush()
    session.add_all(
        DeskPaper(case_id=row.id, sha256=each.sha256, file_name=each.file_name, media_type=each.media_type)
        for each in request.papers
    )
    said: dict[str, Fact] = {"case": row.id, "kind": row.kind, "papers": len(request.papers)}
    record(session, actor, "desk.take_in", [(f"organisation:{owner.id}", said)], at=at)
    session.flush()
    return row.id


def _decide(session: Session, decision: DeskDecision, *, key: bytes, actor: Actor, at: datetime) -> Decided:
    row = session.scalars(
        select(DeskCase)
        .where(DeskCase.id == decision.case_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise Refusal(Code.NOT_FOUND, case=decision.case_id)
    owner = session.get_one(Organisation, row.organisation_id)
    _covered(session, owner, actor)
    if row.made_by == actor.person_id:
        raise Refusal(Code.SELF_APPROVAL)
    if row.state != DeskState.PROPOSED.value:
        raise Refusal(Code.STATE_CHANGED)
    if not decision.approve and not decision.reason:
        raise Refusal(Code.REASON_MISSING)
    row.state = (DeskState.DONE if decision.approve else DeskState.DECLINED).value
    row.checked_by, row.checked_at, row.reason = actor.person_id, at, decision.reason
    session.flush()
    said: dict[str, Fact] = {"case": row.id, "kind": row.kind, "state": row.state}
    record(session, actor, "desk.decide", [(f"organisation:{owner.id}", said)], at=at)
    if not decision.approve:
        return Decided(row.id, DeskState.DECLINED)
    kind = DeskKind(row.kind)
    _check(session, owner, kind, person_id=row.person_id, at=at)
    if kind is DeskKind.CONVERT:
        firm = convert(session, _conversion(row, owner), actor=actor, at=at)
        return Decided(row.id, DeskState.DONE, converted=firm)
    if kind is DeskKind.REPRESENTATIVE:
        _change_representative(session, owner, row.facts["name"], at=at)
    purpose = CodePurpose.RESET if kind is DeskKind.RESET else CodePurpose.ACCOUNT
    wanted = CodeRequest(organisation_id=owner.id, purpose=purpose, life=DESK_LIFE, person_id=row.person_id)
    return Decided(row.id, DeskState.DONE, make_codes(session, [wanted], key=key, actor=actor, at=at)[0])


def _organisation(session: Session, ref: str, actor: Actor) -> Organisation:
    """The organisation, locked, so that two cases of one kind are not taken in at once."""
    owner = session.scalars(
        select(Organisation).where(Organisation.uscc == ref).with_for_update(key_share=True)
    ).one_or_none()
    if owner is None:
        raise Refusal(Code.NOT_FOUND, uscc=ref[:32])
    _covered(session, owner, actor)
    return owner


def _covered(session: Session, owner: Organisation, actor: Actor) -> None:
    path = session.scalars(select(Region.path).where(Region.code == owner.region_code)).one()
    if not covers_region(actor, path):
        raise Refusal(Code.NOT_FOUND)


def _person(session: Session, request: DeskRequest, organisation_id: int) -> int | None:
    if request.kind is not DeskKind.RESET:
        return None
    person_id = session.scalars(select(Person.id).where(Person.login == request.login)).one_or_none()
    if person_id is None:
        raise Refusal(Code.NOT_FOUND, organisation=organisation_id)
    return person_id


def _facts(request: DeskRequest) -> dict[str, str]:
    given = {name: value.strip() for name, value in request.facts.items() if value.strip()}
    if request.kind is DeskKind.CONVERT:
        if not is_uscc(given.get("uscc", "")):
            raise Refusal(Code.USCC_INVALID, uscc=given.get("uscc", "")[:32])
        given["uscc"] = normalise_uscc(given["uscc"])
        if "name" not in given or "legal_representative" not in given:
            raise Refusal(Code.REASON_MISSING)
        return {name: given[name] for name in CONVERT_FACTS if name in given}
    if request.kind is DeskKind.RESET:
        return {}
    if "name" not in given:
        raise Refusal(Code.REASON_MISSING)
    return {"name": given["name"]}


def _check(
    session: Session, owner: Organisation, kind: DeskKind, *, person_id: int | None, at: datetime
) -> None:
    """What must be so when a case is taken in, and again when it is decided."""
    on = business_date(at)
    holder = session.scalars(select(Holder).where(Holder.organisation_id == owner.id)).one_or_none()
    if holder is not None and holder.converted_into is not None:
        raise Refusal(Code.NOT_FOUND)
    if kind is DeskKind.CONVERT and (holder is None or holder.kind not in WITHOUT_USCC):
        raise Refusal(Code.NOT_FOUND)
    if kind is DeskKind.ACCOUNT and approvers(session, [owner.id], on=on):
        raise Refusal(Code.ACCOUNT_EXISTS)
    if kind is DeskKind.RESET:
        if not works_for(session, found(person_id), owner.id, on=on):
            raise Refusal(Code.NOT_FOUND)
        check_outsider(session, found(person_id), on=on)


def _none_open(session: Session, organisation_id: int, kind: DeskKind) -> None:
    query = select(DeskCase.id).where(
        DeskCase.organisation_id == organisation_id,
        DeskCase.kind == kind.value,
        DeskCase.state == DeskState.PROPOSED.value,
    )
    if session.scalars(query).first() is not None:
        raise Refusal(Code.STATE_CHANGED, state=DeskState.PROPOSED.value)


def _conversion(row: DeskCase, owner: Organisation) -> Conversion:
    return Conversion(team_id=owner.id, region_code=owner.region_code, **row.facts)


def _change_representative(session: Session, owner: Organisation, name: str, *, at: datetime) -> None:
    """The new name, and no approver of before any more; what the key of the old one said is no longer so."""
    owner.legal_representative, owner.legal_rep_key = name, None
    grants = session.scalars(
        select(RoleGrant)
        .where(
            RoleGrant.organisation_id == owner.id,
            RoleGrant.role == Role.ENTERPRISE_APPROVER.value,
            valid(business_date(at)),
        )
        .order_by(RoleGrant.id)
        .with_for_update()
    ).all()
    if grants:
        end_grants(session, grants, at=at)
