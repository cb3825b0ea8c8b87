"""Quarterly reports of centres (季度数据报送): handed in by their own managers, late or not, corrected until evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.centres import Centre
from voucher.models.evaluations import CentreReport
from voucher.operations.deadlines import calendar_from
from voucher.operations.evaluated import Evaluated, SubjectKey, line_of, lock_own
from voucher.operations.evaluation_rules import rules_for
from voucher.operations.journal import record
from voucher.operations.outcome import Refused, refused
from voucher.rules.evaluation import QUARTERS, EvaluationRules, quarter_begins, report_due
from voucher.rules.permissions import Actor
from voucher.terms import CertificationState, EvaluationState, EvaluationSubject

FIGURES: Final = (
    "filed_tenants",
    "in_incubation",
    "graduated",
    "exited",
    "services",
    "financing_fen",
    "activities",
)
"""What a quarter is reported in (domain, section 6, R8): the first two as of its last day, the others within it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest:
    """The figures of one quarter, every one of FIGURES, and a text."""

    centre_id: int
    year: int
    quarter: int
    figures: Mapping[str, int]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """A report that is to come of a centre: which quarter, and its last day."""

    centre: Centre
    year: int
    quarter: int
    due_on: date

    @property
    def opens_on(self) -> date:
        """The first day on which it can be handed in."""
        return following(self.year, self.quarter)


def submit_reports(
    session: Session, requests: Sequence[ReportRequest], *, actor: Actor, at: datetime
) -> list[CentreReport | Refused]:
    """Hand reports in, or correct them. Late is who comes after the last day; a correction stays what it was.

    Refused one by one: another's centre (`not_found`); a quarter that is not over, of a year without rules, before or
    after the certification, of a centre that was struck off, or of a year that is evaluated by now (`report_not_open`).
    Raises ValueError for other figures than FIGURES, or one below zero.
    """
    answers: list[CentreReport | Refused] = []
    for request in requests:
        if request.figures.keys() != set(FIGURES) or min(request.figures.values()) < 0:
            raise ValueError("a report has every figure, none below zero")
        try:
            answers.append(_submit(session, request, actor=actor, at=at))
        except Refusal as refusal:
            answers.append(refused(refusal))
    return answers


def _submit(session: Session, request: ReportRequest, *, actor: Actor, at: datetime) -> CentreReport:
    what = lock_own(session, SubjectKey(EvaluationSubject.CENTRE, request.centre_id), actor=actor)
    due_on = _due_on(session, what, request, today=business_date(at))
    query = select(CentreReport).where(
        CentreReport.centre_id == request.centre_id,
        CentreReport.year == request.year,
        CentreReport.quarter == request.quarter,
    )
    row = session.scalars(query.with_for_update()).one_or_none()
    if row is None:
        row = CentreReport(
            centre_id=request.centre_id,
            year=request.year,
            quarter=request.quarter,
            due_on=due_on,
            late=business_date(at) > due_on,
            submitted_by=actor.person_id,
            submitted_at=at,
        )
        session.add(row)
    else:
        row.corrected_at = at
    row.figures, row.text = dict(request.figures), request.text.strip()
    session.flush()
    facts: dict[str, Fact] = {"year": row.year, "quarter": row.quarter, "late": row.late, **row.figures}
    record(session, actor, "centre.report", [(what.ref, facts)], at=at)
    return row


def _due_on(session: Session, what: Evaluated, request: ReportRequest, *, today: date) -> date:
    """Refused as `report_not_open`, with the reason."""
    row, year, quarter = what.row, request.year, request.quarter
    rules = rules_for(session, what.path, EvaluationSubject.CENTRE, year)
    begins, after = quarter_begins(year, quarter), following(year, quarter)
    evaluated = any(
        each.year == year and each.state != EvaluationState.RETURNED.value for each in line_of(session, what)
    )
    reasons = {
        "no_rules": rules is None,
        "revoked": row.state == CertificationState.REVOKED.value,
        "not_then": row.from_on >= after or (row.to_on is not None and row.to_on <= begins),
        "quarter_running": today < after,
        "evaluated": evaluated,
    }
    reason = next((each for each, holds in reasons.items() if holds), None)
    if rules is None or reason is not None:
        raise Refusal(Code.REPORT_NOT_OPEN, reason=reason)
    return report_due(rules, calendar_from(session, begins), year, quarter)


def following(year: int, quarter: int) -> date:
    """The first day after a quarter."""
    return quarter_begins(year, quarter + 1) if quarter < max(QUARTERS) else quarter_begins(year + 1, 1)


def reports_due(session: Session, centres: Sequence[tuple[Centre, str]], years: Sequence[int]) -> list[Due]:
    """Every report that these centres (with the path of the certifying region) owe for the years, by due day."""
    found: list[Due] = []
    known: dict[tuple[str, int], EvaluationRules | None] = {}
    for year in sorted(set(years)):
        calendar = calendar_from(session, date(year, 1, 1))
        for centre, path in centres:
            if (path, year) not in known:
                known[path, year] = rules_for(session, path, EvaluationSubject.CENTRE, year)
            rules = known[path, year]
            if rules is None:
                continue
            for quarter in QUARTERS:
                ends = [day for day in (centre.to_on, centre.revoked_on) if day is not None]
                over = bool(ends) and min(ends) <= quarter_begins(year, quarter)
                if not over and centre.from_on < following(year, quarter):
                    due_on = report_due(rules, calendar, year, quarter)
                    found.append(Due(centre, year, quarter, due_on))
    return sorted(found, key=lambda each: (each.due_on, each.centre.id))
