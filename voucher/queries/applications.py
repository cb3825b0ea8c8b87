"""Applications as the firm, the reviewers and the public read them: the queue, and everything on one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from voucher.models.applications import Appeal, Application, ApplicationDecision, Undertaking
from voucher.models.parties import Holder
from voucher.models.people import Person
from voucher.models.programmes import Programme
from voucher.models.regions import Region
from voucher.models.vouchers import Voucher
from voucher.queries.claims import Deed, history
from voucher.queries.paging import Page, as_term, holding, in_regions, paged
from voucher.rules.masking import masked
from voucher.rules.permissions import Actor
from voucher.terms import AppealState, ApplicationState, ApplicationVerdict, HolderClass

_AHEAD = (ApplicationState.SUBMITTED.value, ApplicationState.WAITING.value)


@dataclass(frozen=True, slots=True)
class ApplicationFilter:
    """Which applications: of a programme, in a state, naming this text."""

    programme_code: str = ""
    state: ApplicationState | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class ApplicationLine:
    """An application in a list. Amounts in fen."""

    number: str
    queue_no: int
    year: int
    state: ApplicationState
    submitted_at: datetime
    programme_code: str
    programme_name: str
    holder_name: str
    holder_ref: str
    region_name: str
    wanted_fen: int
    approved_fen: int | None


@dataclass(frozen=True, slots=True)
class PublicLine:
    """An application in the public queue: no number, no code, the name covered."""

    queue_no: int
    name: str
    region_name: str
    state: ApplicationState
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """One decision with the name of who made it."""

    round: int
    verdict: ApplicationVerdict
    approved_fen: int | None
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationFile:
    """Everything on one application. `ahead`: how many with a smaller number still wait in its queue."""

    application: Application
    state: ApplicationState
    holder_class: HolderClass
    programme_name: str
    region_name: str
    submitter: str
    undertaking: Undertaking | None
    voucher_number: str
    ahead: int
    decisions: Sequence[Made]
    appeals: Sequence[tuple[Appeal, AppealState]]
    history: Sequence[Deed]


def applications(
    session: Session, actor: Actor, wanted: ApplicationFilter, *, page: int = 1, size: int = 50
) -> Page[ApplicationLine]:
    """The applications in the actor's regions, in queue order, the oldest year first."""
    query = _lines().where(in_regions(actor), *_conditions(wanted))
    return paged(session, query, ApplicationLine, page=page, size=size)


def own_applications(session: Session, actor: Actor) -> list[ApplicationLine]:
    """Those of the actor's organisations, newest first."""
    query = _lines().where(Holder.organisation_id.in_(actor.organisation_ids))
    rows = session.execute(query.order_by(None).order_by(Application.id.desc()).limit(200))
    return [ApplicationLine(*row) for row in rows]


def application_totals(session: Session, actor: Actor) -> list[tuple[ApplicationState, int, int]]:
    """How many applications of each state are in the actor's regions, and what they ask for, in fen."""
    query = (
        _joined(as_term(Application.state, ApplicationState), func.count(), func.sum(Application.wanted_fen))
        .where(in_regions(actor))
        .group_by(Application.state)
    )
    found = [(state, count, int(fen)) for state, count, fen in session.execute(query)]
    order = list(ApplicationState)
    return sorted(found, key=lambda each: order.index(each[0]))


def application_file(session: Session, actor: Actor, number: str) -> ApplicationFile | None:
    """One application in the actor's regions, or of their organisations; None for any other."""
    seen = or_(in_regions(actor), Holder.organisation_id.in_(actor.organisation_ids))
    row = session.execute(
        _joined(Application, Programme.name, Region.name, Undertaking, Voucher.number, Person.name)
        .outerjoin(Undertaking, Undertaking.id == Application.undertaking_id)
        .outerjoin(Voucher, Voucher.id == Application.voucher_id)
        .join(Person, Person.id == Application.submitted_by)
        .where(Application.number == number, seen)
    ).one_or_none()
    if row is None:
        return None
    application, programme_name, region_name, undertaking, voucher_number, submitter = row
    appeals = session.scalars(
        select(Appeal).where(Appeal.application_id == application.id).order_by(Appeal.id)
    ).all()
    return ApplicationFile(
        application=application,
        state=ApplicationState(application.state),
        holder_class=HolderClass(application.holder_class),
        programme_name=programme_name,
        region_name=region_name,
        submitter=submitter,
        undertaking=undertaking,
        voucher_number=voucher_number or "",
        ahead=_ahead(session, application),
        decisions=_decisions(session, application.id),
        appeals=[(each, AppealState(each.state)) for each in appeals],
        history=history(session, [application.number, *(each.number for each in appeals)]),
    )


def public_queue(session: Session, programme_code: str, year: int, *, page: int = 1) -> Page[PublicLine]:
    """The queue of a programme and year as anybody may read it, in its order."""
    query = (
        _joined(
            Application.queue_no,
            Holder.name,
            Region.name,
            as_term(Application.state, ApplicationState),
            Application.submitted_at,
        )
        .where(Application.programme_code == programme_code, Application.year == year)
        .order_by(Application.queue_no)
    )
    found = paged(session, query, PublicLine, page=page)
    rows = [
        PublicLine(each.queue_no, masked(each.name), each.region_name, each.state, each.submitted_at)
        for each in found.rows
    ]
    return Page(rows, found.page, found.pages, found.total)


def _lines() -> Select[Any]:
    return _joined(
        Application.number,
        Application.queue_no,
        Application.year,
        as_term(Application.state, ApplicationState),
        Application.submitted_at,
        Programme.code,
        Programme.name,
        Holder.name,
        Holder.ref,
        Region.name,
        Application.wanted_fen,
        Application.approved_fen,
    ).order_by(Application.year, Application.programme_code, Application.queue_no)


def _joined(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(Application)
        .join(Holder, Holder.id == Application.holder_id)
        .join(Region, Region.code == Holder.region_code)
        .join(Programme, Programme.code == Application.programme_code)
    )


def _conditions(wanted: ApplicationFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.programme_code:
        found.append(Application.programme_code == wanted.programme_code)
    if wanted.state is not None:
        found.append(Application.state == wanted.state.value)
    if wanted.text:
        found.append(holding(wanted.text, Application.number, Holder.name, Holder.ref))
    return found


def _ahead(session: Session, application: Application) -> int:
    query = select(func.count()).where(
        Application.programme_code == application.programme_code,
        Application.year == application.year,
        Application.queue_no < application.queue_no,
        Application.state.in_(_AHEAD),
    )
    return session.execute(query).scalar_one()


def _decisions(session: Session, application_id: int) -> list[Made]:
    query = (
        select(ApplicationDecision, Person.name)
        .join(Person, Person.id == ApplicationDecision.decided_by)
        .where(ApplicationDecision.application_id == application_id)
        .order_by(ApplicationDecision.round)
    )
    return [
        Made(row.round, ApplicationVerdict(row.verdict), row.approved_fen, row.reason, name, row.decided_at)
        for row, name in session.execute(query)
    ]
