"""Recusals and stand-ins as lists; reviewers, experts, and for whom somebody stands in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, aliased

from voucher.models.parties import Organisation
from voucher.models.people import Person, RoleGrant
from voucher.models.regions import Region
from voucher.models.review import Recusal, StandIn
from voucher.rules.permissions import Actor
from voucher.terms import Role


@dataclass(frozen=True, slots=True)
class RecusalLine:
    """Somebody's interest in an organisation."""

    row: Recusal
    person: str
    organisation: str
    uscc: str


@dataclass(frozen=True, slots=True)
class StandInLine:
    """Who stands in for whom."""

    row: StandIn
    person: str
    colleague: str

    @property
    def last_on(self) -> date:
        """The last day."""
        return self.row.to_on - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Duty:
    """What holds now in the actor's regions, and the reviewers there."""

    recusals: Sequence[RecusalLine]
    stand_ins: Sequence[StandInLine]
    colleagues: Sequence[tuple[int, str]]


def duty(session: Session, actor: Actor, *, on: date) -> Duty:
    """The recusals and stand-ins of the actor and of the reviewers in the actor's regions."""
    people = _reviewers(session, actor, on)
    ids = {person_id for person_id, _ in people} | {actor.person_id}
    recusals = (
        select(Recusal, Person.name, Organisation.name, Organisation.uscc)
        .join(Person, Person.id == Recusal.person_id)
        .join(Organisation, Organisation.id == Recusal.organisation_id)
        .where(Recusal.person_id.in_(ids), Recusal.ended_at.is_(None))
        .order_by(Recusal.declared_at, Recusal.id)
    )
    colleague = aliased(Person)
    standing = (
        select(StandIn, Person.name, colleague.name)
        .join(Person, Person.id == StandIn.person_id)
        .join(colleague, colleague.id == StandIn.colleague_id)
        .where(
            or_(StandIn.person_id.in_(ids), StandIn.colleague_id.in_(ids)),
            StandIn.to_on > on,
            StandIn.ended_at.is_(None),
        )
        .order_by(StandIn.from_on, StandIn.id)
    )
    return Duty(
        [RecusalLine(row, person, name, uscc) for row, person, name, uscc in session.execute(recusals)],
        [StandInLine(row, person, name) for row, person, name in session.execute(standing)],
        [(person_id, name) for person_id, name in people if person_id != actor.person_id],
    )


def _reviewers(session: Session, actor: Actor, on: date) -> list[tuple[int, str]]:
    """The reviewers of the actor's regions, of those above them, and of those below."""
    paths = session.scalars(select(Region.path).where(Region.code.in_(actor.region_codes))).all()
    above = {code for path in paths for code in path.split("/") if code}
    below = or_(*(Region.path.startswith(path, autoescape=True) for path in paths)) if paths else None
    near = RoleGrant.region_code.in_(above)
    query = (
        select(Person.id, Person.name)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .join(Region, Region.code == RoleGrant.region_code)
        .where(
            RoleGrant.role == Role.REVIEWER.value,
            RoleGrant.from_on <= on,
            or_(RoleGrant.to_on.is_(None), RoleGrant.to_on > on),
            Person.disabled_at.is_(None),
            near if below is None else or_(near, below),
        )
        .order_by(Person.name, Person.id)
        .distinct()
    )
    return [(person_id, name) for person_id, name in session.execute(query)]


def experts(session: Session, *, on: date) -> list[tuple[int, str]]:
    """Everybody who may be asked for an opinion on this day, by name."""
    query = _holding(Role.EXPERT, on).order_by(Person.name, Person.id)
    return [(person_id, name) for person_id, name in session.execute(query.distinct())]


def colleagues(session: Session, actor: Actor, *, region_path: str, on: date) -> list[tuple[int, str]]:
    """Reviewers of a region (by its path), without the actor."""
    codes = [code for code in region_path.split("/") if code]
    query = _holding(Role.REVIEWER, on).where(RoleGrant.region_code.in_(codes), Person.id != actor.person_id)
    rows = session.execute(query.order_by(Person.name, Person.id).distinct())
    return [(person_id, name) for person_id, name in rows]


def path_of(session: Session, region_code: str) -> str:
    """The path of a region."""
    return session.scalars(select(Region.path).where(Region.code == region_code)).one()


def stands_in_for(session: Session, actor: Actor, *, on: date) -> frozenset[int]:
    """Everybody for whom the actor stands in on a day."""
    query = select(StandIn.person_id).where(
        StandIn.colleague_id == actor.person_id, StandIn.from_on <= on, StandIn.to_on > on
    )
    return frozenset(session.scalars(query.where(StandIn.ended_at.is_(None))))


def _holding(role: Role, on: date) -> Select[int, str]:
    return (
        select(Person.id, Person.name)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .where(
            RoleGrant.role == role.value,
            RoleGrant.from_on <= on,
            or_(RoleGrant.to_on.is_(None), RoleGrant.to_on > on),
            Person.disabled_at.is_(None),
        )
    )
