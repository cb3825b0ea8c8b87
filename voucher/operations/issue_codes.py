"""Who gets a one-time code: firms without an account by letter, colleagues who lost their password."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.models.parties import Holder, Organisation, Platform
from voucher.models.people import Person, RoleGrant
from voucher.models.regions import Region
from voucher.operations.join_codes import HAND_LIFE, LETTER_LIFE, CodeRequest, MadeCode, make_codes
from voucher.operations.outcome import Refused, refused
from voucher.rules.permissions import Actor, covers_region
from voucher.terms import CodePurpose, Role

ENTERPRISE = (Role.ENTERPRISE_APPROVER.value, Role.ENTERPRISE_OPERATOR.value, Role.BOOKKEEPER.value)
OUTSIDE = (*ENTERPRISE, Role.PROVIDER_SCANNER.value, Role.PROVIDER_MANAGER.value)
"""Roles of people outside the bureau: theirs are the only passwords that a code can reset."""


def issue_letters(
    session: Session, organisation_ids: Sequence[int], *, key: bytes, actor: Actor, at: datetime
) -> list[MadeCode | Refused]:
    """A code for each of these firms and teams without an account, to be printed on a letter; good for 30 days.

    Refused as `account_codes` refuses.
    """
    return account_codes(session, organisation_ids, (key, LETTER_LIFE), actor=actor, at=at)


def account_codes(
    session: Session,
    organisation_ids: Sequence[int],
    keyed: tuple[bytes, timedelta],
    *,
    actor: Actor,
    at: datetime,
) -> list[MadeCode | Refused]:
    """A code for each of these firms and teams without an account; `keyed`: the key of its hash, and how long it lives.

    Refused one by one: not there, not a holder of vouchers, converted, or outside the actor's regions (`not_found`),
    one whose account is open (`account_exists`).
    """
    key, life = keyed
    answers = not_to_open(session, organisation_ids, actor=actor, at=at)
    wanted = [
        CodeRequest(organisation_id=each, purpose=CodePurpose.ACCOUNT, life=life)
        for each in dict.fromkeys(organisation_ids)
        if each not in answers
    ]
    made = {code.organisation_id: code for code in make_codes(session, wanted, key=key, actor=actor, at=at)}
    return [answers.get(each) or made[each] for each in organisation_ids]


def not_to_open(
    session: Session, organisation_ids: Sequence[int], *, actor: Actor, at: datetime
) -> dict[int, Refused]:
    """Those of these organisations that get no code from this actor, with what `account_codes` refuses them for."""
    known = _holders(session, organisation_ids)
    taken = approvers(session, organisation_ids, on=business_date(at))
    answers: dict[int, Refused] = {}
    for organisation_id in organisation_ids:
        path = known.get(organisation_id)
        if path is None or not covers_region(actor, path):
            answers[organisation_id] = Refused(Code.NOT_FOUND, {"organisation": organisation_id})
        elif taken.get(organisation_id):
            answers[organisation_id] = Refused(Code.ACCOUNT_EXISTS)
    return answers


def issue_resets(
    session: Session, person_ids: Sequence[int], *, key: bytes, actor: Actor, at: datetime
) -> list[MadeCode | Refused]:
    """A code for each of these colleagues of an approver, for a new password; good for 48 hours.

    Refused one by one: nobody of the actor's firms, or the actor (`not_found`); somebody who has roles beyond these
    firms (`other_duties`), whose password is no firm's business.
    """
    answers: list[MadeCode | Refused] = []
    for person_id in person_ids:
        try:
            organisation_id = _colleague(session, person_id, actor=actor, on=business_date(at))
        except Refusal as refusal:
            answers.append(refused(refusal))
            continue
        wanted = CodeRequest(
            organisation_id=organisation_id, purpose=CodePurpose.RESET, life=HAND_LIFE, person_id=person_id
        )
        answers += make_codes(session, [wanted], key=key, actor=actor, at=at)
    return answers


def approvers(session: Session, organisation_ids: Collection[int], *, on: date) -> dict[int, list[int]]:
    """The people who are approvers of these organisations on a day, by organisation."""
    query = select(RoleGrant.organisation_id, RoleGrant.person_id).where(
        RoleGrant.organisation_id.in_(organisation_ids),
        RoleGrant.role == Role.ENTERPRISE_APPROVER.value,
        valid(on),
    )
    found: dict[int, list[int]] = {}
    for organisation_id, person_id in session.execute(query.join(Person).where(Person.disabled_at.is_(None))):
        found.setdefault(organisation_id or 0, []).append(person_id)
    return found


def valid(on: date) -> ColumnElement[bool]:
    """Grants that are not over on a day."""
    return or_(RoleGrant.to_on.is_(None), RoleGrant.to_on > on)


def check_outsider(session: Session, person_id: int, *, on: date) -> None:
    """Refused (`other_duties`) for somebody with a role of the bureau: the counter resets no official's password."""
    roles = session.scalars(select(RoleGrant.role).where(RoleGrant.person_id == person_id, valid(on)))
    if not set(roles) <= set(OUTSIDE):
        raise Refusal(Code.OTHER_DUTIES)


def works_for(session: Session, person_id: int, organisation_id: int, *, on: date) -> bool:
    """Whether somebody has a role for an organisation or one of its platforms, and an account that is not shut."""
    places = select(Platform.id).where(Platform.organisation_id == organisation_id)
    query = (
        select(RoleGrant.id)
        .join(Person)
        .where(
            RoleGrant.person_id == person_id,
            Person.disabled_at.is_(None),
            or_(RoleGrant.organisation_id == organisation_id, RoleGrant.platform_id.in_(places)),
            valid(on),
        )
    )
    return session.scalars(query.limit(1)).first() is not None


def _colleague(session: Session, person_id: int, *, actor: Actor, on: date) -> int:
    rows = session.execute(
        select(RoleGrant.organisation_id, RoleGrant.role)
        .join(Person)
        .where(RoleGrant.person_id == person_id, Person.disabled_at.is_(None), valid(on))
    ).all()
    mine = [row.organisation_id for row in rows if row.organisation_id in actor.organisation_ids]
    if not mine or person_id == actor.person_id:
        raise Refusal(Code.NOT_FOUND, person=person_id)
    if any(row.role not in ENTERPRISE or row.organisation_id not in actor.organisation_ids for row in rows):
        raise Refusal(Code.OTHER_DUTIES)
    return int(mine[0])


def _holders(session: Session, organisation_ids: Sequence[int]) -> dict[int, str]:
    """Those of these organisations that hold vouchers, with the path of their region."""
    query = (
        select(Organisation.id, Region.path)
        .join(Holder, Holder.organisation_id == Organisation.id)
        .join(Region, Region.code == Organisation.region_code)
        .where(Organisation.id.in_(organisation_ids), Holder.converted_into.is_(None))
    )
    return dict(session.execute(query).all())
