"""People of one's own firm or platforms, what was handed over to oneself, and the counter devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from voucher.models.joining import CounterDevice, CounterPin, Departure
from voucher.models.parties import Organisation, Platform
from voucher.models.people import Person, RoleGrant
from voucher.rules.permissions import Actor
from voucher.terms import Mandate, Role

_ENTERPRISE = (Role.ENTERPRISE_APPROVER, Role.ENTERPRISE_OPERATOR, Role.BOOKKEEPER)
_PROVIDER = (Role.PROVIDER_SCANNER, Role.PROVIDER_MANAGER)


@dataclass(frozen=True, slots=True)
class ColleagueLine:
    """One role of a colleague: for which firm or platform, with which mandates, until when."""

    place_id: int
    place: str
    person_id: int
    name: str
    login: str
    role: Role
    mandates: str
    to_on: date | None

    @property
    def said(self) -> str:
        """The mandates, in Chinese; empty where the role carries everything."""
        return "、".join(Mandate(each).label for each in self.mandates.split(",") if each)


@dataclass(frozen=True, slots=True)
class Handover:
    """What a colleague left behind for the actor, by kind."""

    name: str
    left_at: datetime
    open_tasks: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """A counter device."""

    id: int
    platform: str
    name: str
    registered_by: str
    registered_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeviceView:
    """The device that a browser is, and who may enter a PIN on it (person id and name)."""

    id: int
    platform_id: int
    platform: str
    staff: tuple[tuple[int, str], ...]


def colleagues(session: Session, actor: Actor, *, on: date) -> list[ColleagueLine]:
    """Everybody who acts for the actor's firms today or later."""
    return _lines(
        session,
        select(Organisation.id, Organisation.name, *_COLUMNS)
        .join(RoleGrant, RoleGrant.organisation_id == Organisation.id)
        .where(Organisation.id.in_(actor.organisation_ids), _roles(_ENTERPRISE), _valid(on))
        .order_by(Organisation.id, Person.name, RoleGrant.id),
    )


def staff(session: Session, actor: Actor, *, on: date) -> list[ColleagueLine]:
    """Everybody with a role for one of the actor's platforms today or later."""
    platform = Platform.__table__
    return _lines(
        session,
        select(platform.c.id, platform.c.name, *_COLUMNS)
        .select_from(platform)
        .join(RoleGrant, RoleGrant.platform_id == platform.c.id)
        .where(platform.c.id.in_(actor.platform_ids), _roles(_PROVIDER), _valid(on))
        .order_by(platform.c.name, Person.name, RoleGrant.id),
    )


def handovers(session: Session, actor: Actor) -> list[Handover]:
    """What was handed over to the actor, newest first."""
    query = (
        select(Person.name, Departure.left_at, Departure.open_tasks)
        .join(Person, Person.id == Departure.person_id)
        .where(
            Departure.successor_id == actor.person_id,
            Departure.organisation_id.in_(actor.organisation_ids),
        )
        .order_by(Departure.id.desc())
        .limit(20)
    )
    return [Handover(*row) for row in session.execute(query)]


def devices(session: Session, actor: Actor) -> list[DeviceLine]:
    """The devices of the actor's platforms, newest first."""
    platform = Platform.__table__
    query = (
        select(CounterDevice.id, platform.c.name, CounterDevice.name, Person.name)
        .add_columns(CounterDevice.registered_at, CounterDevice.last_used_at, CounterDevice.revoked_at)
        .join(platform, platform.c.id == CounterDevice.platform_id)
        .join(Person, Person.id == CounterDevice.registered_by)
        .where(CounterDevice.platform_id.in_(actor.platform_ids))
        .order_by(CounterDevice.id.desc())
    )
    return [DeviceLine(*row) for row in session.execute(query)]


def device_of(session: Session, token_hash: str, *, on: date) -> DeviceView | None:
    """The device of this token with the people who have a PIN and work there; None once it ended."""
    device = session.scalars(
        select(CounterDevice).where(
            CounterDevice.token_hash == token_hash, CounterDevice.revoked_at.is_(None)
        )
    ).one_or_none()
    if device is None:
        return None
    platform = session.get_one(Platform, device.platform_id)
    here = or_(
        RoleGrant.platform_id == platform.id,
        RoleGrant.platform_id.is_(None) & (RoleGrant.organisation_id == platform.organisation_id),
    )
    query = (
        select(Person.id, Person.name)
        .join(CounterPin, CounterPin.person_id == Person.id)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .where(Person.disabled_at.is_(None), _roles(_PROVIDER), RoleGrant.from_on <= on, _valid(on), here)
        .distinct()
        .order_by(Person.name, Person.id)
    )
    people = tuple((key, name) for key, name in session.execute(query))
    return DeviceView(device.id, platform.id, platform.name, people)


def device_at(session: Session, token_hash: str) -> tuple[int, int] | None:
    """Device and platform of a token; None once the device ended."""
    query = select(CounterDevice.id, CounterDevice.platform_id).where(
        CounterDevice.token_hash == token_hash, CounterDevice.revoked_at.is_(None)
    )
    row = session.execute(query).one_or_none()
    return (row.id, row.platform_id) if row else None


_COLUMNS: tuple[Any, ...] = (
    Person.id, Person.name, Person.login, RoleGrant.role, RoleGrant.mandates, RoleGrant.to_on,
)  # fmt: skip


def _lines(session: Session, query: Any) -> list[ColleagueLine]:
    rows = session.execute(
        query.join(Person, Person.id == RoleGrant.person_id).where(Person.disabled_at.is_(None))
    )
    return [
        ColleagueLine(place_id, place, person_id, name, login, Role(role), mandates, to_on)
        for place_id, place, person_id, name, login, role, mandates, to_on in rows
    ]


def _roles(roles: Sequence[Role]) -> ColumnElement[bool]:
    return RoleGrant.role.in_([role.value for role in roles])


def _valid(on: date) -> ColumnElement[bool]:
    return or_(RoleGrant.to_on.is_(None), RoleGrant.to_on > on)
