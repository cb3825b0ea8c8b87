"""Reminding centres and platforms: reports that are due, orders to put right that run out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from voucher.errors import Fact
from voucher.models.centres import Centre
from voucher.models.evaluations import CentreReport, Evaluation, Rectification
from voucher.models.parties import Certification, Platform
from voucher.models.regions import Region
from voucher.operations.centre_reports import following, reports_due
from voucher.operations.tell import Note
from voucher.operations.tell_centres import CENTRES_PEOPLE
from voucher.rules.eligibility import LIVE
from voucher.rules.working_days import Calendar, add_working_days, working_days_between
from voucher.terms import MessageEvent, RectificationState, Role

_AHEAD: Final = (1, 3)


def report_reminders(session: Session, *, today: date, calendar: Calendar) -> Iterator[Note]:
    """Notes about reports that are open and due within three working days, and within one."""
    query = (
        select(Centre, Region.path)
        .join(Region, Region.code == Centre.certifying_region)
        .where(Centre.state.in_(LIVE))
        .order_by(Centre.id)
    )
    last_on = add_working_days(calendar, today, max(_AHEAD))
    rows = [(centre, path) for centre, path in session.execute(query)]
    near = [
        each
        for each in reports_due(session, rows, (today.year - 1, today.year))
        if following(each.year, each.quarter) <= today <= each.due_on <= last_on
    ]
    ids = {each.centre.id for each in near}
    come = select(CentreReport.centre_id, CentreReport.year, CentreReport.quarter)
    handed_in = {tuple(row) for row in session.execute(come.where(CentreReport.centre_id.in_(ids)))}
    for each in near:
        if (each.centre.id, each.year, each.quarter) in handed_in:
            continue
        mark = next(days for days in _AHEAD if each.due_on <= add_working_days(calendar, today, days))
        facts: dict[str, Fact] = {
            "year": each.year,
            "quarter": each.quarter,
            "due_on": each.due_on.isoformat(),
            "days": working_days_between(calendar, today, each.due_on),
        }
        yield Note(
            MessageEvent.REPORT_NEAR,
            each.centre.name,
            facts,
            organisation_id=each.centre.organisation_id,
            organisation_roles=CENTRES_PEOPLE,
            once=f"{each.centre.id}:{each.year}Q{each.quarter}:{mark}",
        )


def order_reminders(session: Session, *, today: date, calendar: Calendar) -> Iterator[Note]:
    """Notes about orders to put right that nobody answered: three working days before their last day, one, and after it.

    Once it is over the officials of the certifying region are told too.
    """
    last_on = add_working_days(calendar, today, max(_AHEAD))
    for order, subject in _orders(session, last_on):
        name, organisation_id, platform_id, region, evaluation_id = subject
        facts: dict[str, Fact] = {"due_on": order.due_on.isoformat()}
        officials: tuple[Role, ...] = ()
        if order.due_on < today:
            event, mark = MessageEvent.RECTIFY_OVERDUE, "over"
            officials, facts["evaluation"] = (Role.REVIEWER, Role.PROGRAMME_OFFICER), evaluation_id
        else:
            event = MessageEvent.RECTIFY_NEAR
            mark = str(next(n for n in _AHEAD if order.due_on <= add_working_days(calendar, today, n)))
            facts["days"] = working_days_between(calendar, today, order.due_on)
        yield Note(
            event,
            name,
            facts,
            platform_id=platform_id,
            organisation_id=organisation_id,
            organisation_roles=CENTRES_PEOPLE,
            region_code=region if officials else None,
            region_roles=officials,
            once=f"{order.id}:{order.due_on.isoformat()}:{mark}",
        )


_Subject = tuple[str, int | None, int | None, str, int]


def _orders(session: Session, last_on: date) -> Iterator[tuple[Rectification, _Subject]]:
    """Unanswered orders due by a day: name, the centre's organisation or the platform, region, and the evaluation."""
    query = (
        select(
            Rectification,
            func.coalesce(Centre.name, Platform.__table__.c.name),
            Centre.organisation_id,
            Certification.platform_id,
            func.coalesce(Centre.certifying_region, Certification.region_code),
            Evaluation.id,
        )
        .join(Evaluation, Evaluation.id == Rectification.evaluation_id)
        .outerjoin(Centre, Centre.id == Evaluation.centre_id)
        .outerjoin(Certification, Certification.id == Evaluation.certification_id)
        .outerjoin(Platform.__table__, Platform.__table__.c.id == Certification.platform_id)
        .where(Rectification.state == RectificationState.ORDERED.value, Rectification.due_on <= last_on)
        .order_by(Rectification.id)
    )
    for order, *subject in session.execute(query):
        yield order, tuple(subject)  # type: ignore[misc]
