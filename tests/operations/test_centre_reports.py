"""Quarterly reports: by the centre's own manager, in time or late, until the year is evaluated; and the reminders."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.operations import evaluating
from tests.operations.evaluating import GOOD, base, centre_key, registered, scored, with_rules
from tests.operations.stories import Told
from voucher.errors import Code
from voucher.models.centres import Centre
from voucher.models.evaluations import CentreReport
from voucher.models.messages import Holiday, Message
from voucher.operations.centre_reports import FIGURES, ReportRequest, reports_due, submit_reports
from voucher.operations.outcome import Refused, only
from voucher.operations.remind import remind
from voucher.rules.permissions import Actor
from voucher.terms import CertificationState, DayKind


def report(centre_id: int, quarter: int = 1, year: int = 2026, **figures: int) -> ReportRequest:
    """A quarter with a few figures."""
    given = {**dict.fromkeys(FIGURES, 0), "filed_tenants": 30, "in_incubation": 24, **figures}
    return ReportRequest(centre_id=centre_id, year=year, quarter=quarter, figures=given)


def on(year: int, month: int, day: int) -> datetime:
    """Ten in the morning of a day."""
    return datetime(year, month, day, 2, tzinfo=UTC)


def handed_in(told: Told, actor: Actor, wish: ReportRequest) -> CentreReport | Refused:
    return told.do(lambda s, at: submit_reports(s, [wish], actor=actor, at=at))[0]


def reason(answer: CentreReport | Refused) -> object:
    return answer.facts.get("reason", answer.code) if isinstance(answer, Refused) else None


def test_a_report_is_late_after_its_last_day_and_a_correction_stays_what_the_first_was(told: Told) -> None:
    with_rules(told)
    closed = Holiday(day=date(2026, 4, 15), kind=DayKind.REST.value, name="测试假日", document_no="测试")
    told.do(lambda s, _at: s.add(closed))
    request = base(told)
    centre_id = registered(told, request).centre_id
    runs = evaluating.manager(told, request.organisation_id)
    told.at = on(2026, 4, 16)
    first = handed_in(told, runs, report(centre_id))
    assert isinstance(first, CentreReport)
    assert (first.due_on, first.late) == (date(2026, 4, 16), False)
    told.at = on(2026, 7, 16)
    late = handed_in(told, runs, report(centre_id, 2))
    again = handed_in(told, runs, report(centre_id, 1, graduated=2))
    assert isinstance(late, CentreReport) and isinstance(again, CentreReport)
    assert (late.due_on, late.late, again.late, again.id) == (date(2026, 7, 15), True, False, first.id)
    assert again.figures["graduated"] == 2 and again.corrected_at is not None


def test_reports_that_cannot_be_handed_in_say_why(told: Told) -> None:
    request = base(told, from_on=date(2026, 4, 1))
    centre_id = registered(told, request).centre_id
    runs = evaluating.manager(told, request.organisation_id)
    told.at = on(2026, 7, 2)
    assert reason(handed_in(told, runs, report(centre_id, 2))) == "no_rules"
    with_rules(told)
    assert reason(handed_in(told, told.world.firm.actor, report(centre_id, 2))) is Code.NOT_FOUND
    assert reason(handed_in(told, runs, report(centre_id, 1))) == "not_then"
    assert reason(handed_in(told, runs, report(centre_id, 3))) == "quarter_running"
    assert reason(handed_in(told, runs, report(centre_id, 2))) is None
    with pytest.raises(ValueError, match="every figure"):
        handed_in(told, runs, report(centre_id, 2, financing_fen=-1))
    scored(told, centre_key(centre_id), 2026, GOOD)
    assert reason(handed_in(told, runs, report(centre_id, 4))) == "evaluated"

    def strike(session: Session, _at: datetime) -> None:
        session.get_one(Centre, centre_id).state = CertificationState.REVOKED.value

    told.do(strike)
    assert reason(handed_in(told, runs, report(centre_id, 4))) == "revoked"


def test_the_list_of_reports_due_names_every_quarter_of_the_certification(told: Told) -> None:
    with_rules(told)
    request = base(told, from_on=date(2026, 5, 1), to_on=date(2027, 4, 1))
    centre_id = registered(told, request).centre_id
    with told.database.read() as session:
        centre = session.get_one(Centre, centre_id)
        due = reports_due(session, [(centre, "/000000/140000/140100/"), (centre, "/999/")], [2027, 2026])
    assert [(each.year, each.quarter) for each in due] == [(2026, 2), (2026, 3), (2026, 4), (2027, 1)]
    assert due[0].due_on == date(2026, 7, 15)


def test_managers_are_reminded_of_reports_and_orders_before_their_last_day_and_once_only(told: Told) -> None:
    with_rules(told)
    request = base(told)
    made = registered(told, request)
    runs = evaluating.manager(told, request.organisation_id)
    other = replace(base(told), name="已报送基地")
    done = registered(told, other)
    their = evaluating.manager(told, other.organisation_id)
    failed = evaluating.judged(told, centre_key(made.centre_id), 2025, passed=False)
    assert evaluating.order_of(told, failed.evaluation).due_on == date(2026, 5, 28)
    told.at = on(2026, 4, 10)
    only([handed_in(told, their, report(done.centre_id))])
    for _ in range(2):
        told.do(lambda s, at: remind(s, at=at))
    told.at = on(2026, 4, 15)
    told.do(lambda s, at: remind(s, at=at))
    told.at = on(2026, 5, 25)
    told.do(lambda s, at: remind(s, at=at))

    def events(actor: Actor) -> list[tuple[str, object]]:
        with told.database.read() as session:
            query = select(Message).where(Message.person_id == actor.person_id).order_by(Message.id)
            return [(each.event, each.facts.get("days")) for each in session.scalars(query)]

    assert events(runs) == [
        ("evaluation_published", None),
        ("report_near", 3),
        ("report_near", 0),
        ("rectify_near", 3),
    ]
    assert events(their) == []
