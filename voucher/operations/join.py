"""Somebody uses a one-time code: a new account, one more role for an account, or a new password."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal, found
from voucher.models.joining import Authorisation, JoinCode
from voucher.models.people import Person, RoleGrant
from voucher.operations.enrol import (
    Enrolled,
    Enrolment,
    Grant,
    GrantRequest,
    change_password,
    enrol,
    grant,
    locked_person,
)
from voucher.operations.join_codes import Presentation, present, use
from voucher.operations.journal import record
from voucher.operations.outcome import Refused, only
from voucher.rules.permissions import Actor
from voucher.terms import CodePurpose, Mandate, Role

_JOINING: Final = (CodePurpose.ACCOUNT, CodePurpose.AUTHORISED, CodePurpose.STAFF)
_OF_ACCOUNT: Final = (Role.ENTERPRISE_APPROVER, Role.ENTERPRISE_OPERATOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """Somebody without an account: the login they chose, and the hash of their password."""

    login: str
    name: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class Joiner:
    """Who joins: a newcomer, or somebody who is signed in.

    `roles` counts for a code that opens an organisation's account: approver, operator, or both in a one-person firm.
    """

    who: Newcomer | Actor
    roles: tuple[Role, ...] = (Role.ENTERPRISE_APPROVER,)


@dataclass(frozen=True, slots=True)
class Joined:
    """Who acts for the organisation now, and the session version that a session of theirs is bound to."""

    person_id: int
    session_version: int
    organisation_id: int


def join(
    session: Session, given: Presentation, joiner: Joiner, *, key: bytes, at: datetime
) -> Joined | Refused:
    """Use a code up and give what it gives.

    Returned, to be committed: what `present` refuses. Refused by exception, with the code still good: `login_taken`,
    `role_scope_missing` for other roles than an account has, `self_approval` for an approver who would take up their
    own authorisation, `name_differs` for anybody but the one whom it names, `authorisation_period` for one that is over,
    `duties_separated`.
    """
    row = present(session, given, _JOINING, key=key, at=at)
    if isinstance(row, Refused):
        return row
    grants = _grants(session, row, joiner, at)
    actor = _actor(row, joiner, given)
    if isinstance(joiner.who, Newcomer):
        new = joiner.who
        wanted = Enrolment(login=new.login, name=new.name, password_hash=new.password_hash, grants=grants)
        person = only(enrol(session, [wanted], actor=actor, at=at))
    else:
        person = _given(session, joiner.who, grants, at=at)
    use(row, person.person_id, at=at)
    session.flush()
    if row.authorisation_id is not None:
        _take_up(session, row.authorisation_id, person.person_id)
    facts: dict[str, Fact] = {"code": row.id, "purpose": row.purpose, "person": person.person_id}
    record(session, actor, "join.use_code", [(f"organisation:{row.organisation_id}", facts)], at=at)
    session.flush()
    version = session.get_one(Person, person.person_id).session_version
    return Joined(person.person_id, version, row.organisation_id)


def reset_password(
    session: Session, given: Presentation, *, password_hash: str, key: bytes, at: datetime
) -> Joined | Refused:
    """Use up a code for a lost password or telephone: the new password counts, every session of before ends.

    Returned, to be committed: what `present` refuses.
    """
    row = present(session, given, (CodePurpose.RESET,), key=key, at=at)
    if isinstance(row, Refused):
        return row
    person_id = found(row.person_id)
    actor = Actor(person_id, f"join_code:{row.id}", "", frozenset(), source=given.source)
    version = change_password(session, person_id, password_hash=password_hash, actor=actor, at=at)
    use(row, person_id, at=at)
    session.flush()
    return Joined(person_id, version, row.organisation_id)


def _actor(row: JoinCode, joiner: Joiner, given: Presentation) -> Actor:
    """Who acts: the person who is signed in, or for a newcomer the code itself."""
    if isinstance(joiner.who, Actor):
        return joiner.who
    return Actor(0, f"join_code:{row.id}", joiner.who.name, frozenset(), source=given.source)


def _grants(session: Session, row: JoinCode, joiner: Joiner, at: datetime) -> tuple[Grant, ...]:
    if row.purpose == CodePurpose.ACCOUNT.value:
        roles = dict.fromkeys(joiner.roles)
        if not roles or not set(roles) <= set(_OF_ACCOUNT):
            raise Refusal(Code.ROLE_SCOPE_MISSING)
        return tuple(Grant(role=role, organisation_id=row.organisation_id) for role in roles)
    if row.purpose == CodePurpose.STAFF.value:
        return (Grant(role=Role(found(row.role)), platform_id=row.platform_id),)
    letter = session.scalars(
        select(Authorisation).where(Authorisation.id == row.authorisation_id).with_for_update()
    ).one()
    if letter.ended_at is not None or letter.to_on <= business_date(at):
        raise Refusal(Code.AUTHORISATION_PERIOD)
    if isinstance(joiner.who, Actor) and joiner.who.person_id == letter.granted_by:
        raise Refusal(Code.SELF_APPROVAL)
    if _plain(joiner.who.name) != _plain(letter.name):
        raise Refusal(Code.NAME_DIFFERS)
    return (
        Grant(
            role=Role(letter.role),
            organisation_id=row.organisation_id,
            mandates=frozenset(Mandate(each) for each in letter.mandates.split(",") if each),
            from_on=max(letter.from_on, business_date(at)),
            to_on=letter.to_on,
        ),
    )


def _given(session: Session, actor: Actor, grants: tuple[Grant, ...], *, at: datetime) -> Enrolled:
    """One more role, or two, for somebody who is signed in."""
    person = found(locked_person(session, actor.person_id))
    for each in grants:
        only(grant(session, [GrantRequest(person.id, each)], actor=actor, at=at))
    return Enrolled(person.id, person.login)


def _take_up(session: Session, authorisation_id: int, person_id: int) -> None:
    """Bind the authorisation to the person and to the role that was just given."""
    letter = session.get_one(Authorisation, authorisation_id)
    letter.person_id = person_id
    letter.grant_id = session.scalars(
        select(RoleGrant.id).where(RoleGrant.person_id == person_id).order_by(RoleGrant.id.desc()).limit(1)
    ).one()


def _plain(name: str) -> str:
    """A name as it is compared: without spaces, full-width letters as their ASCII twins, in one case."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()
