"""What a firm's approver lets others do for the firm: operators by mandate, bookkeepers, and their ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal, found
from voucher.models.joining import Authorisation
from voucher.models.parties import Platform
from voucher.models.people import RoleGrant
from voucher.operations.enrol import locked_person
from voucher.operations.join_codes import (
    HAND_LIFE,
    CodeRequest,
    MadeCode,
    end_codes,
    end_codes_about,
    make_codes,
)
from voucher.operations.journal import record
from voucher.operations.keep_files import Care, keep_files
from voucher.operations.outcome import Refused, refused
from voucher.rules.permissions import Actor
from voucher.store import Stored
from voucher.terms import CodePurpose, Mandate, Retention, Role

LONGEST: Final = timedelta(days=3 * 366)
_ROLES: Final = (Role.ENTERPRISE_OPERATOR, Role.BOOKKEEPER)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorisationRequest:
    """Somebody may act for a firm: named, with mandates, half-open days, and the stamped letter.

    A bookkeeper prepares claims and nothing else, whatever the mandates say.
    """

    organisation_id: int
    name: str
    role: Role
    mandates: frozenset[Mandate]
    from_on: date
    to_on: date
    letter: Stored | None


@dataclass(frozen=True, slots=True)
class Authorised:
    """The authorisation, and the code with which the person takes it up."""

    authorisation_id: int
    code: MadeCode


def authorise(
    session: Session,
    requests: Sequence[AuthorisationRequest],
    *,
    key: bytes,
    actor: Actor,
    at: datetime,
) -> list[Authorised | Refused]:
    """Grant authorisations. Each takes effect when the person uses the code.

    Refused one by one: a firm that is not the actor's (`not_found`), another role (`role_scope_missing`), no mandate
    for an operator (`role_scope_missing`), no letter (`file_refused`), days that do not fit (`authorisation_period`).
    """
    answers: list[Authorised | Refused] = []
    for request in requests:
        try:
            mandates = _checked(request, actor=actor, on=business_date(at))
        except Refusal as refusal:
            answers.append(refused(refusal))
            continue
        row = _insert(session, request, mandates, actor=actor, at=at)
        (code,) = make_codes(session, [_code_for(row)], key=key, actor=actor, at=at)
        answers.append(Authorised(row.id, code))
    return answers


def hand_out_again(
    session: Session, authorisation_ids: Sequence[int], *, key: bytes, actor: Actor, at: datetime
) -> list[MadeCode | Refused]:
    """Another code for an authorisation that nobody took up yet; the one from before ends.

    Refused one by one: not the actor's firm's (`not_found`); taken up, ended or over (`state_changed`).
    """
    answers: list[MadeCode | Refused] = []
    for authorisation_id in authorisation_ids:
        row = _own(session, authorisation_id, actor)
        if row is None:
            answers.append(Refused(Code.NOT_FOUND))
        elif row.person_id is not None or row.ended_at is not None or row.to_on <= business_date(at):
            answers.append(Refused(Code.STATE_CHANGED))
        else:
            answers += make_codes(session, [_code_for(row)], key=key, actor=actor, at=at)
    return answers


def end_authorisations(
    session: Session, authorisation_ids: Sequence[int], *, actor: Actor, at: datetime
) -> list[int | Refused]:
    """End authorisations at once: the role, the person's sessions, and a code that was not used yet.

    Ended already: nothing happens. Refused one by one: not the actor's firm's (`not_found`).
    """
    answers: list[int | Refused] = []
    for authorisation_id in authorisation_ids:
        row = _own(session, authorisation_id, actor)
        if row is None:
            answers.append(Refused(Code.NOT_FOUND))
            continue
        if row.ended_at is None:
            end(session, row, actor=actor, at=at)
        answers.append(row.id)
    return answers


def end(session: Session, row: Authorisation, *, actor: Actor, at: datetime) -> None:
    """End one authorisation that is locked."""
    row.ended_at, row.ended_by = at, actor.person_id
    end_codes(session, row.organisation_id, authorisation_id=row.id, at=at)
    if row.grant_id is not None:
        given = session.get_one(RoleGrant, row.grant_id)
        end_grants(session, [given], at=at)
    facts: dict[str, Fact] = {"authorisation": row.id, "person": row.person_id}
    record(session, actor, "authority.end", [(f"organisation:{row.organisation_id}", facts)], at=at)
    session.flush()


def end_grants(session: Session, grants: Sequence[RoleGrant], *, at: datetime) -> None:
    """End roles today, every session and token of those who had them, and the codes that they made there."""
    today, people = business_date(at), sorted({each.person_id for each in grants})
    platforms = [each.platform_id for each in grants]
    hosts = session.scalars(select(Platform.organisation_id).where(Platform.id.in_(platforms)))
    places = {each.organisation_id for each in grants if each.organisation_id} | set(hosts)
    end_codes_about(session, people, made_for=places, at=at)
    for person_id in people:
        found(locked_person(session, person_id)).session_version += 1
    for each in grants:
        each.to_on = min(today, each.to_on or today)
    session.flush()


def _checked(request: AuthorisationRequest, *, actor: Actor, on: date) -> frozenset[Mandate]:
    if request.organisation_id not in actor.organisation_ids:
        raise Refusal(Code.NOT_FOUND)
    mandates = frozenset({Mandate.UPLOAD}) if request.role is Role.BOOKKEEPER else request.mandates
    if request.role not in _ROLES or not mandates:
        raise Refusal(Code.ROLE_SCOPE_MISSING)
    if request.letter is None:
        raise Refusal(Code.FILE_REFUSED, reason="missing")
    if not max(request.from_on, on) < request.to_on <= request.from_on + LONGEST:
        raise Refusal(Code.AUTHORISATION_PERIOD)
    return mandates


def _insert(
    session: Session,
    request: AuthorisationRequest,
    mandates: frozenset[Mandate],
    *,
    actor: Actor,
    at: datetime,
) -> Authorisation:
    letter = found(request.letter)
    keep_files(session, [letter], actor=actor, at=at, care=Care(retention=Retention.STANDING))
    row = Authorisation(
        organisation_id=request.organisation_id,
        role=request.role.value,
        name=request.name,
        mandates=",".join(sorted(mandates)),
        from_on=request.from_on,
        to_on=request.to_on,
        letter_sha256=letter.sha256,
        letter_name=letter.file_name,
        letter_type=letter.media_type,
        granted_by=actor.person_id,
        granted_at=at,
    )
    session.add(row)
    session.flush()
    facts: dict[str, Fact] = {"authorisation": row.id, "role": row.role, "mandates": row.mandates}
    facts |= {"from_on": row.from_on.isoformat(), "to_on": row.to_on.isoformat()}
    record(session, actor, "authority.grant", [(f"organisation:{row.organisation_id}", facts)], at=at)
    return row


def _code_for(row: Authorisation) -> CodeRequest:
    return CodeRequest(
        organisation_id=row.organisation_id,
        purpose=CodePurpose.AUTHORISED,
        life=HAND_LIFE,
        authorisation_id=row.id,
    )


def _own(session: Session, authorisation_id: int, actor: Actor) -> Authorisation | None:
    query = select(Authorisation).where(
        Authorisation.id == authorisation_id, Authorisation.organisation_id.in_(actor.organisation_ids)
    )
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()
