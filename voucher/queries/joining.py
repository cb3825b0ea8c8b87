"""Who may act for whom: those without an account, authorisations, the counter's cases, teams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ScalarSelect, Select, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from voucher.models.joining import Authorisation, DeskCase, DeskPaper, JoinCode, TeamMember
from voucher.models.parties import Holder, Organisation, RosterEntry, near_its_roster_row
from voucher.models.people import Person, RoleGrant
from voucher.models.regions import Region
from voucher.queries.paging import Page, as_term, holding, in_regions, paged
from voucher.rules.permissions import Actor
from voucher.terms import CodePurpose, DeskKind, DeskState, HolderKind, Mandate, Role


@dataclass(frozen=True, slots=True)
class UnjoinedLine:
    """A holder without an account; `code_until` of a code that is under way, address where its roster says that it is reached."""

    organisation_id: int
    ref: str
    name: str
    kind: HolderKind
    region_name: str
    code_until: datetime | None
    mobile: str | None
    email: str | None

    @property
    def reached(self) -> tuple[str, ...]:
        """The ends of the addresses: enough to tell them apart, no more."""
        mail = self.email.partition("@")[2] if self.email else ""
        return (
            *([f"手机尾号 {self.mobile[-4:]}"] if self.mobile else []),
            *([f"邮箱 @{mail}"] if mail else []),
        )


@dataclass(frozen=True, slots=True)
class AuthorisationLine:
    """An authorisation as it is shown. `login` is empty until it was taken up."""

    id: int
    organisation: str
    ref: str
    name: str
    login: str | None
    role: Role
    mandates: str
    from_on: date
    to_on: date
    granted_by: str
    granted_at: datetime
    ended_at: datetime | None
    letter_name: str

    @property
    def said(self) -> str:
        """What it includes, in Chinese."""
        return "、".join(Mandate(each).label for each in self.mandates.split(",") if each)


@dataclass(frozen=True, slots=True)
class DeskLine:
    """A case of the counter in the list."""

    id: int
    kind: DeskKind
    state: DeskState
    ref: str
    organisation: str
    made_by: str
    made_at: datetime
    checked_by: str | None
    checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeskFile:
    """A case with everything that the second person looks at."""

    case: DeskCase
    organisation: Organisation
    login: str | None
    made_by: str
    papers: Sequence[DeskPaper]


@dataclass(frozen=True, slots=True)
class TeamLine:
    """A team or founder; `became` is the firm's USCC once it is one."""

    organisation_id: int
    ref: str
    name: str
    kind: HolderKind
    region_name: str
    members: int
    created_at: datetime
    became: str | None


def unjoined(
    session: Session, actor: Actor, *, on: date, text: str = "", page: int = 1
) -> Page[UnjoinedLine]:
    """Holders in the actor's regions for whom nobody is an approver, by reference."""
    approver = exists().where(
        RoleGrant.organisation_id == Organisation.id,
        RoleGrant.role == Role.ENTERPRISE_APPROVER.value,
        or_(RoleGrant.to_on.is_(None), RoleGrant.to_on > on),
    )
    until = (
        select(func.max(JoinCode.expires_at))
        .where(
            JoinCode.organisation_id == Organisation.id,
            JoinCode.purpose == CodePurpose.ACCOUNT.value,
            JoinCode.ended_at.is_(None),
        )
        .scalar_subquery()
    )
    query = (
        select(
            Organisation.id,
            Organisation.uscc,
            Organisation.name,
            as_term(Holder.kind, HolderKind),
            Region.name,
            until,
            _on_roster(RosterEntry.mobile),
            _on_roster(RosterEntry.email),
        )
        .join(Holder, Holder.organisation_id == Organisation.id)
        .join(Region, Region.code == Organisation.region_code)
        .where(in_regions(actor), Holder.converted_into.is_(None), ~approver)
        .order_by(Organisation.uscc)
    )
    if text:
        query = query.where(holding(text, Organisation.uscc, Organisation.name))
    return paged(session, query, UnjoinedLine, page=page)


def _on_roster(column: InstrumentedAttribute[str | None]) -> ScalarSelect[str | None]:
    """The column of the firm's latest roster row of its region that has it."""
    own = RosterEntry.uscc == Organisation.uscc, near_its_roster_row()
    query = select(column).where(*own, column.is_not(None))
    return query.order_by(RosterEntry.year.desc(), RosterEntry.id.desc()).limit(1).scalar_subquery()


def organisations(session: Session, ids: Sequence[int]) -> dict[int, Organisation]:
    """Organisations by id."""
    return {row.id: row for row in session.scalars(select(Organisation).where(Organisation.id.in_(ids)))}


def authorisations(
    session: Session, actor: Actor, *, page: int = 1, organisation_id: int | None = None
) -> Page[AuthorisationLine]:
    """Authorisations of the actor's firms, or of firms in the actor's regions, newest first."""
    query = _authorisations().where(or_(in_regions(actor), Organisation.id.in_(actor.organisation_ids)))
    if organisation_id is not None:
        query = query.where(Organisation.id == organisation_id)
    return paged(session, query, AuthorisationLine, page=page)


def letter_of(session: Session, actor: Actor, authorisation_id: int) -> Authorisation | None:
    """An authorisation that the actor may see, for its letter; None for another's."""
    query = (
        select(Authorisation)
        .join(Organisation, Organisation.id == Authorisation.organisation_id)
        .join(Region, Region.code == Organisation.region_code)
        .where(
            Authorisation.id == authorisation_id,
            or_(in_regions(actor), Organisation.id.in_(actor.organisation_ids)),
        )
    )
    return session.scalars(query).one_or_none()


def desk_cases(
    session: Session, actor: Actor, *, state: DeskState | None = None, page: int = 1
) -> Page[DeskLine]:
    """Cases of the counter in the actor's regions, newest first."""
    maker, checker = aliased(Person), aliased(Person)
    query: Select[Any] = (
        select(
            DeskCase.id,
            as_term(DeskCase.kind, DeskKind),
            as_term(DeskCase.state, DeskState),
            Organisation.uscc,
        )
        .add_columns(Organisation.name, maker.name, DeskCase.made_at, checker.name, DeskCase.checked_at)
        .join(Organisation, Organisation.id == DeskCase.organisation_id)
        .join(Region, Region.code == Organisation.region_code)
        .join(maker, maker.id == DeskCase.made_by)
        .outerjoin(checker, checker.id == DeskCase.checked_by)
        .where(in_regions(actor))
        .order_by(DeskCase.id.desc())
    )
    if state is not None:
        query = query.where(DeskCase.state == state.value)
    return paged(session, query, DeskLine, page=page)


def desk_file(session: Session, actor: Actor, case_id: int) -> DeskFile | None:
    """One case with its papers; None for one outside the actor's regions."""
    maker, whose = aliased(Person), aliased(Person)
    query = (
        select(DeskCase, Organisation, whose.login, maker.name)
        .join(Organisation, Organisation.id == DeskCase.organisation_id)
        .join(Region, Region.code == Organisation.region_code)
        .join(maker, maker.id == DeskCase.made_by)
        .outerjoin(whose, whose.id == DeskCase.person_id)
        .where(DeskCase.id == case_id, in_regions(actor))
    )
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    papers = session.scalars(
        select(DeskPaper).where(DeskPaper.case_id == case_id).order_by(DeskPaper.id)
    ).all()
    return DeskFile(*row, papers)


def teams(session: Session, actor: Actor, *, text: str = "", page: int = 1) -> Page[TeamLine]:
    """Teams and founders in the actor's regions, newest first."""
    firm = aliased(Holder)
    members = select(func.count()).where(TeamMember.organisation_id == Organisation.id).scalar_subquery()
    query: Select[Any] = (
        select(
            Organisation.id,
            Organisation.uscc,
            Organisation.name,
            as_term(Holder.kind, HolderKind),
        )
        .add_columns(Region.name, members, Holder.created_at, firm.ref)
        .join(Holder, Holder.organisation_id == Organisation.id)
        .join(Region, Region.code == Organisation.region_code)
        .outerjoin(firm, firm.id == Holder.converted_into)
        .where(
            in_regions(actor),
            Holder.kind.in_([HolderKind.TEAM.value, HolderKind.FOUNDER.value]),
        )
        .order_by(Organisation.id.desc())
    )
    if text:
        query = query.where(holding(text, Organisation.uscc, Organisation.name))
    return paged(session, query, TeamLine, page=page)


def _authorisations() -> Select[Any]:
    granter, taker = aliased(Person), aliased(Person)
    return (
        select(Authorisation.id, Organisation.name, Organisation.uscc, Authorisation.name)
        .add_columns(taker.login, as_term(Authorisation.role, Role), Authorisation.mandates)
        .add_columns(Authorisation.from_on, Authorisation.to_on, granter.name)
        .add_columns(Authorisation.granted_at, Authorisation.ended_at, Authorisation.letter_name)
        .join(Organisation, Organisation.id == Authorisation.organisation_id)
        .join(Region, Region.code == Organisation.region_code)
        .join(granter, granter.id == Authorisation.granted_by)
        .outerjoin(taker, taker.id == Authorisation.person_id)
        .order_by(Authorisation.id.desc())
    )
