"""People and their roles: enrolling, granting, changing a password, disabling.

Passwords arrive as hashes (`authenticate.hash_password`), because hashing is slow and a transaction holds locks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal, found
from voucher.models.people import Person, RoleGrant
from voucher.operations.join_codes import end_codes_about
from voucher.operations.journal import record
from voucher.operations.outcome import Refused
from voucher.rules.permissions import Actor, person_ref
from voucher.terms import Mandate, Role

SEPARATED: Final = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})
_NEEDS_ORGANISATION: Final = frozenset({Role.ENTERPRISE_OPERATOR, Role.ENTERPRISE_APPROVER, Role.BOOKKEEPER})
_NEEDS_PLACE: Final = frozenset({Role.PROVIDER_SCANNER, Role.PROVIDER_MANAGER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role for an organisation, a platform, a region or a book, from a day until before another one.

    `from_on` None means from today on. A provider's role given for an organisation covers all its platforms.
    `mandates` are those of an authorisation; none: everything that the role carries. A bookkeeper has an end date.
    """

    role: Role
    organisation_id: int | None = None
    platform_id: int | None = None
    region_code: str | None = None
    book_id: int | None = None
    function: str | None = None
    mandates: frozenset[Mandate] = frozenset()
    from_on: date | None = None
    to_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A person to be enrolled, with the hash of the first password and the roles."""

    login: str
    name: str
    password_hash: str
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class GrantRequest:
    """One more role for a person who is enrolled already."""

    person_id: int
    grant: Grant


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The person who was enrolled."""

    person_id: int
    login: str


def enrol(
    session: Session, requests: Sequence[Enrolment], *, actor: Actor, at: datetime
) -> list[Enrolled | Refused]:
    """Enrol people with their roles; one journal row each.

    Refused one by one: `login_taken`, `duties_separated` (two of system, security and audit administrator),
    `role_scope_missing` (an enterprise's role without organisation, a provider's without organisation or
    platform, a cosigner's without region or authority), `authorisation_period` (a bookkeeper without an end).
    """
    answers: list[Enrolled | Refused] = []
    for request in requests:
        refusal = _unfit(request.grants, held=frozenset())
        person_id = None if refusal else _insert(session, request, at)
        if person_id is None:
            answers.append(refusal or Refused(Code.LOGIN_TAKEN, {"login": request.login}))
            continue
        _write(session, person_id, request.grants, at=at)
        roles = ",".join(sorted(grant.role.value for grant in request.grants))
        record(session, actor, "person.enrol", [(person_ref(person_id), {"roles": roles})], at=at)
        answers.append(Enrolled(person_id, request.login))
    return answers


def _insert(session: Session, request: Enrolment, at: datetime) -> int | None:
    """The id of the new person; None where the login is taken, be it by somebody enrolled at the same moment."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    values = {
        "login": request.login,
        "name": request.name,
        "password_hash": request.password_hash,
        "session_version": 1,
        "created_at": at,
    }
    statement = dialect.insert(Person).values(values).on_conflict_do_nothing().returning(Person.id)
    return session.scalars(statement).one_or_none()


def grant(
    session: Session, requests: Sequence[GrantRequest], *, actor: Actor, at: datetime
) -> list[Enrolled | Refused]:
    """Give further roles. Ends the sessions of those who get one, and codes that would reset their passwords.

    Refused like `enrol`, and `not_found`.
    """
    answers: list[Enrolled | Refused] = []
    for request in requests:
        person = locked_person(session, request.person_id)
        if person is None:
            answers.append(Refused(Code.NOT_FOUND))
            continue
        refusal = _unfit((request.grant,), held=_held(session, person.id, business_date(at)))
        if refusal is not None:
            answers.append(refusal)
            continue
        _write(session, person.id, (request.grant,), at=at)
        person.session_version += 1
        end_codes_about(session, [person.id], at=at)
        facts = {"role": request.grant.role.value}
        record(session, actor, "person.grant", [(person_ref(person.id), facts)], at=at)
        answers.append(Enrolled(person.id, person.login))
    return answers


def disable(session: Session, person_ids: Sequence[int], *, actor: Actor, at: datetime) -> None:
    """Shut people out at once: no sign-in, and every session and token of theirs ends. Refused: `not_found`."""
    for person_id in sorted(person_ids):
        person = found(locked_person(session, person_id))
        person.disabled_at = person.disabled_at or at
        person.session_version += 1
        record(session, actor, "person.disable", [(person_ref(person_id), {})], at=at)


def change_password(
    session: Session, person_id: int, *, password_hash: str, actor: Actor, at: datetime
) -> int:
    """Keep a new password's hash. Every session and token ends; gives the session version that is valid now."""
    person = found(locked_person(session, person_id))
    if person.disabled_at is not None:
        raise Refusal(Code.NOT_FOUND)
    person.password_hash = password_hash
    person.session_version += 1
    record(session, actor, "person.change_password", [(person_ref(person_id), {})], at=at)
    return person.session_version


def locked_person(session: Session, person_id: int) -> Person | None:
    """The person, locked for update; None where there is none."""
    return session.scalars(
        select(Person)
        .where(Person.id == person_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def _held(session: Session, person_id: int, on: date) -> frozenset[Role]:
    """The roles that a person has now or will have."""
    rows = session.scalars(
        select(RoleGrant.role).where(
            RoleGrant.person_id == person_id, or_(RoleGrant.to_on.is_(None), RoleGrant.to_on > on)
        )
    )
    return frozenset(Role(role) for role in rows)


def _unfit(grants: Sequence[Grant], *, held: frozenset[Role]) -> Refused | None:
    administrators = SEPARATED & (held | {grant.role for grant in grants})
    if len(administrators) > 1:
        return Refused(
            Code.DUTIES_SEPARATED, {"roles": ",".join(sorted(role.value for role in administrators))}
        )
    for each in grants:
        without_place = each.organisation_id is None and each.platform_id is None
        if (
            (each.role in _NEEDS_ORGANISATION and each.organisation_id is None)
            or (each.role in _NEEDS_PLACE and without_place)
            or (each.role is Role.COSIGNER and not (each.region_code and each.function))
        ):
            return Refused(Code.ROLE_SCOPE_MISSING, {"role": each.role.value})
        if each.role is Role.BOOKKEEPER and each.to_on is None:
            return Refused(Code.AUTHORISATION_PERIOD)
    return None


def _write(session: Session, person_id: int, grants: Sequence[Grant], *, at: datetime) -> None:
    session.add_all(
        RoleGrant(
            person_id=person_id,
            role=each.role.value,
            organisation_id=each.organisation_id,
            platform_id=each.platform_id,
            region_code=each.region_code,
            book_id=each.book_id,
            function=each.function,
            mandates=",".join(sorted(each.mandates)),
            from_on=each.from_on or business_date(at),
            to_on=each.to_on,
        )
        for each in grants
    )
