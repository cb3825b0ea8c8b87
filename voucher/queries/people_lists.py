"""People as the security administrator sees them: who may sign in, with which roles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from voucher.codes import is_uscc, normalise_uscc
from voucher.models.ledger import Book
from voucher.models.parties import Organisation, Platform
from voucher.models.people import Person, RoleGrant
from voucher.models.regions import Region
from voucher.queries.paging import Page, holding, paged
from voucher.queries.people import GrantLine
from voucher.terms import Role


@dataclass(frozen=True, slots=True)
class PersonLine:
    """A person in the list."""

    id: int
    login: str
    name: str
    created_at: datetime
    disabled_at: datetime | None


def people(session: Session, *, text: str = "", page: int = 1) -> Page[PersonLine]:
    """Everybody, by login; login or name holds `text`."""
    columns: tuple[Any, ...] = (Person.id, Person.login, Person.name, Person.created_at, Person.disabled_at)
    query: Select[Any] = select(*columns)
    if text:
        query = query.where(holding(text, Person.login, Person.name))
    return paged(session, query.order_by(Person.login), PersonLine, page=page)


def grants_of(session: Session, ids: Sequence[int]) -> dict[int, list[GrantLine]]:
    """The roles of these people, those that ended too, with what each is for."""
    scope = func.coalesce(Platform.__table__.c.name, Organisation.name, Book.authority, Region.name, "")
    query = (
        select(RoleGrant, scope)
        .outerjoin(Platform.__table__, Platform.__table__.c.id == RoleGrant.platform_id)
        .outerjoin(Organisation, Organisation.id == RoleGrant.organisation_id)
        .outerjoin(Book, Book.book_id == RoleGrant.book_id)
        .outerjoin(Region, Region.code == RoleGrant.region_code)
        .where(RoleGrant.person_id.in_(ids))
        .order_by(RoleGrant.id)
    )
    found: dict[int, list[GrantLine]] = defaultdict(list)
    for grant, name in session.execute(query):
        found[grant.person_id].append(GrantLine(Role(grant.role), name, grant.from_on, grant.to_on))
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """What a role is for: an organisation, a platform, a region or a book."""

    organisation_id: int | None = None
    platform_id: int | None = None
    region_code: str | None = None
    book_id: int | None = None


def place_of(session: Session, role: Role, text: str) -> Place | None:
    """The place that an administrator names for a role; None where there is none.

    Firms and platforms by USCC, an incubator's manager by the base's USCC or a region, reviewers and cosigners by region, finance and auditors by
    book; a programme officer by a code that is both.
    """
    if role in (
        Role.ENTERPRISE_OPERATOR,
        Role.ENTERPRISE_APPROVER,
        Role.BOOKKEEPER,
        Role.PROVIDER_SCANNER,
        Role.PROVIDER_MANAGER,
    ):
        return _organisation(session, text)
    if role is Role.INCUBATOR_MANAGER and is_uscc(text):
        return _organisation(session, text)
    region = session.scalars(select(Region.code).where(Region.code == text)).one_or_none()
    book = session.scalars(select(Book.book_id).where(Book.code == text)).one_or_none()
    if role in (Role.REVIEWER, Role.COSIGNER, Role.INCUBATOR_MANAGER):
        return None if region is None else Place(region_code=region)
    return None if book is None else Place(region_code=region, book_id=book)


def _organisation(session: Session, text: str) -> Place | None:
    query = select(Organisation.id).where(Organisation.uscc == normalise_uscc(text))
    owner = session.scalars(query).one_or_none()
    return None if owner is None else Place(organisation_id=owner)
