"""Who somebody is: the person, the roles valid on a day, and whose things they act for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Date, Row, Select, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.models.ledger import Book
from voucher.models.parties import Organisation, Platform
from voucher.models.people import ApiToken, Person, RoleGrant
from voucher.models.regions import Region
from voucher.models.types import UTCDateTime
from voucher.rules.permissions import (
    COUNTER_WORK,
    MANDATED,
    PERMISSIONS,
    Actor,
    carries,
    person_ref,
)
from voucher.terms import Mandate, Role

_ENTERPRISE = frozenset({Role.ENTERPRISE_OPERATOR, Role.ENTERPRISE_APPROVER, Role.BOOKKEEPER})
_PROVIDER = frozenset({Role.PROVIDER_SCANNER, Role.PROVIDER_MANAGER})
_BASE = frozenset({Role.INCUBATOR_MANAGER})
_BY_REGION = frozenset({Role.REVIEWER, Role.PROGRAMME_OFFICER, Role.COSIGNER, Role.INCUBATOR_MANAGER})


@dataclass(frozen=True, slots=True)
class GrantLine:
    """A role as it is shown: which, for what (an organisation's name, a platform's, ...), and until when."""

    role: Role
    scope: str
    from_on: date
    to_on: date | None


@dataclass(frozen=True, slots=True)
class RoleScope:
    """One role and what it was given for. `mandates` of an authorised operator; none: all that the role carries."""

    role: Role
    platform_ids: frozenset[int]
    region_code: str | None
    book_id: int | None
    function: str | None
    organisation_id: int | None
    mandates: frozenset[Mandate] = frozenset()


@dataclass(frozen=True, slots=True)
class Standing:
    """A person as they stand on a day: the actor, the session version that sessions must carry, the roles."""

    actor: Actor
    login: str
    session_version: int
    grants: tuple[GrantLine, ...]
    scopes: tuple[RoleScope, ...]

    def acting_for(self, permissions: Collection[str]) -> Actor:
        """The actor with the firms, regions, books and platforms of the roles that carry one of these permissions.

        A role counts where it was given: who reviews one county and audits another decides no claim of the latter,
        who may place orders for one firm and only prepares papers for another places none for the latter, and who
        manages a platform does nothing there for a firm that they keep books for. Outside the work of firms and
        platforms what a person has to do with either stays: it bars self-approval.
        """
        given = [
            scope
            for scope in self.scopes
            if any(carries(scope.role, scope.mandates, permission) for permission in permissions)
        ]
        roles = frozenset[Role]().union(*(PERMISSIONS[permission] for permission in permissions))
        platforms = frozenset[int]().union(*(scope.platform_ids for scope in given))
        for_a_side = bool((_ENTERPRISE | _PROVIDER) & roles) or roles == _BASE
        return replace(
            self.actor,
            organisation_ids=_organisations(given) if for_a_side else self.actor.organisation_ids,
            platform_ids=platforms if for_a_side else self.actor.platform_ids,
            region_codes=frozenset(scope.region_code for scope in given if scope.region_code is not None),
            book_ids=frozenset(scope.book_id for scope in given if scope.book_id is not None),
            functions=frozenset(scope.function for scope in given if scope.function is not None),
        )

    def at_counter(self, platform_id: int) -> Standing | None:
        """The same person on a counter device of a platform: its counter work and nothing else.

        None for somebody who does not work at that platform.
        """
        scopes = tuple(
            replace(scope, platform_ids=frozenset({platform_id}))
            for scope in self.scopes
            if scope.role in _PROVIDER and platform_id in scope.platform_ids
        )
        if not scopes:
            return None
        actor = replace(
            self.actor,
            roles=frozenset(scope.role for scope in scopes),
            platform_ids=frozenset({platform_id}),
            region_codes=frozenset(),
            book_ids=frozenset(),
            functions=frozenset(),
            withheld=frozenset(PERMISSIONS.keys() - COUNTER_WORK),
        )
        return replace(self, actor=actor, scopes=scopes)


def standing_of(session: Session, person_id: int, *, on: date, source: str = "") -> Standing | None:
    """The person as of a day; None for one who does not exist or is disabled."""
    rows = session.execute(_people(on).where(Person.id == person_id)).all()
    return _standing(session, rows, source=source)


def standing_of_token(
    session: Session, token_hash: str, *, at: datetime, source: str = ""
) -> Standing | None:
    """The person whose machine shows the bearer token of this hash; None once it or its session version has ended."""
    given = {"on": business_date(at), "token_hash": token_hash, "at": at}
    rows = session.execute(_by_token(), given).all()
    standing = _standing(session, rows, source=source)
    if standing is None or rows[0].counter is None:
        return standing
    return standing.at_counter(rows[0].counter)


def token_made_at(session: Session, token_hash: str) -> datetime | None:
    """When the bearer token of this hash was given for a password; None for one that a PIN was enough for."""
    query = select(ApiToken.created_at).where(
        ApiToken.token_hash == token_hash, ApiToken.platform_id.is_(None)
    )
    return session.scalars(query).one_or_none()


@cache
def _by_token() -> Select[Any]:
    """Built once, for every request of a machine runs it: `on`, `token_hash` and `at` are given each time."""
    return (
        _people(bindparam("on", type_=Date))
        .add_columns(ApiToken.platform_id.label("counter"))
        .join(ApiToken, ApiToken.person_id == Person.id)
        .where(
            ApiToken.token_hash == bindparam("token_hash"),
            ApiToken.session_version == Person.session_version,
            ApiToken.expires_at > bindparam("at", type_=UTCDateTime),
        )
    )


def actor_of_login(session: Session, login: str, *, on: date, source: str = "") -> Actor | None:
    """The person with this login as an actor, for the command line and for telling a demonstration."""
    rows = session.execute(_people(on).where(Person.login == login)).all()
    standing = _standing(session, rows, source=source)
    return standing.actor if standing else None


def _people(on: date | BindParameter[date]) -> Select[Any]:
    """One row for each role valid on the day (one with nulls for a person without roles)."""
    valid = and_(
        RoleGrant.person_id == Person.id,
        RoleGrant.from_on <= on,
        or_(RoleGrant.to_on.is_(None), RoleGrant.to_on > on),
    )
    return (
        select(
            Person.id,
            Person.login,
            Person.name,
            Person.session_version,
            RoleGrant,
            Organisation.name.label("organisation"),
            Platform.__table__.c.name.label("platform"),
            Region.name.label("region"),
            Book.authority.label("authority"),
        )
        .outerjoin(RoleGrant, valid)
        .outerjoin(Organisation, Organisation.id == RoleGrant.organisation_id)
        .outerjoin(Platform.__table__, Platform.__table__.c.id == RoleGrant.platform_id)
        .outerjoin(Region, Region.code == RoleGrant.region_code)
        .outerjoin(Book, Book.book_id == RoleGrant.book_id)
        .where(Person.disabled_at.is_(None))
        .order_by(RoleGrant.id)
    )


def _standing(session: Session, rows: Sequence[Row[Any]], *, source: str) -> Standing | None:
    if not rows:
        return None
    person = rows[0]
    held = [(row, row.RoleGrant) for row in rows if row.RoleGrant is not None]
    grants = [grant for _, grant in held]
    scopes = _scopes(session, grants)
    actor = Actor(
        person_id=person.id,
        ref=person_ref(person.id),
        name=person.name,
        roles=frozenset(Role(grant.role) for grant in grants),
        organisation_ids=_organisations(scopes),
        platform_ids=frozenset[int]().union(*(scope.platform_ids for scope in scopes)),
        region_codes=frozenset(scope.region_code for scope in scopes if scope.region_code is not None),
        book_ids=frozenset(scope.book_id for scope in scopes if scope.book_id is not None),
        source=source,
        functions=frozenset(scope.function for scope in scopes if scope.function is not None),
        withheld=_withheld(scopes),
    )
    return Standing(actor, person.login, person.session_version, tuple(_line(row) for row, _ in held), scopes)


def _scopes(session: Session, grants: Sequence[RoleGrant]) -> tuple[RoleScope, ...]:
    """What each role is for; a provider's role given for an organisation covers all of its platforms."""
    hosts = {grant.organisation_id for grant in grants if _covers_host(grant)}
    of_host: dict[int, set[int]] = {}
    if hosts:
        query = select(Platform.organisation_id, Platform.id).where(Platform.organisation_id.in_(hosts))
        for host_id, platform_id in session.execute(query):
            of_host.setdefault(host_id, set()).add(platform_id)
    scopes = []
    for grant in grants:
        own = {grant.platform_id} if grant.role in _PROVIDER and grant.platform_id is not None else set()
        if _covers_host(grant):
            own |= of_host.get(grant.organisation_id or 0, set())
        scopes.append(
            RoleScope(
                role=Role(grant.role),
                platform_ids=frozenset(own),
                region_code=grant.region_code,
                book_id=grant.book_id,
                function=grant.function,
                organisation_id=grant.organisation_id if grant.role in _ENTERPRISE | _BASE else None,
                mandates=frozenset(Mandate(each) for each in grant.mandates.split(",") if each),
            )
        )
    return tuple(scopes)


def _organisations(scopes: Sequence[RoleScope]) -> frozenset[int]:
    return frozenset(scope.organisation_id for scope in scopes if scope.organisation_id is not None)


def _withheld(scopes: Sequence[RoleScope]) -> frozenset[str]:
    """What the roles carry and no authorisation of this person includes."""
    if not any(scope.mandates for scope in scopes):
        return frozenset()
    return frozenset(
        permission
        for permission in MANDATED
        if not any(carries(scope.role, scope.mandates, permission) for scope in scopes)
    )


def _covers_host(grant: RoleGrant) -> bool:
    return grant.role in _PROVIDER and grant.organisation_id is not None and grant.platform_id is None


def _line(row: Row[Any]) -> GrantLine:
    grant = row.RoleGrant
    role = Role(grant.role)
    place = (row.region or row.authority) if role in _BY_REGION else (row.authority or row.region)
    scope = row.platform or row.organisation or place or ""
    return GrantLine(role, scope, grant.from_on, grant.to_on)
