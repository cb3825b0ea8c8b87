"""Centres and evaluations in JSON: what goes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from voucher.clock import iso
from voucher.models.evaluations import CentreReport, Evaluation, Rectification
from voucher.operations.centre_reports import FIGURES, Due
from voucher.queries.centres import CentreLine
from voucher.queries.evaluations import ResultLine
from voucher.schemas.api_fields import PageAnswer, amount, day, moment, state
from voucher.schemas.base import Body
from voucher.terms import (
    CentreKind,
    CertificationState,
    Certifier,
    EvaluationState,
    EvaluationSubject,
    RectificationState,
    ReportState,
)


class CentreAnswer(Body):
    """A centre."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    organisation = fields.String(required=True)
    kind = state(CentreKind)
    authority = state(Certifier)
    certifying_region = fields.String(required=True)
    location_region = fields.String(required=True)
    grade = fields.String(required=True)
    document_no = fields.String(required=True)
    from_on = day()
    to_on = day(none=True)
    state = state(CertificationState)
    state_reason = fields.String(required=True)


class CentresAnswer(PageAnswer):
    """A page of centres."""

    centres = fields.List(fields.Nested(CentreAnswer), required=True)


class CentreStateAnswer(Body):
    """A centre and its state now."""

    id = fields.Integer(required=True)
    state = state(CertificationState)


class ReportAnswer(Body):
    """A report as it stands."""

    id = fields.Integer(required=True)
    centre_id = fields.Integer(required=True)
    year = fields.Integer(required=True)
    quarter = fields.Integer(required=True)
    due_on = day()
    late = fields.Boolean(required=True)


class DueAnswer(Body):
    """A report that is owed."""

    centre_id = fields.Integer(required=True)
    centre = fields.String(required=True)
    year = fields.Integer(required=True)
    quarter = fields.Integer(required=True)
    due_on = day()
    state = state(ReportState)


class DuesAnswer(Body):
    """Reports that are owed for a year."""

    reports = fields.List(fields.Nested(DueAnswer), required=True)


class EvaluationAnswer(Body):
    """A year of a centre or platform."""

    id = fields.Integer(required=True)
    year = fields.Integer(required=True)
    total = fields.Integer(required=True)
    passed = fields.Boolean(required=True)
    grade = fields.String(required=True)
    state = state(EvaluationState)
    fails_in_row = fields.Integer(required=True)


class EvaluationPublishedAnswer(EvaluationAnswer):
    """What publishing brought."""

    revoked = fields.Boolean(required=True)


class RectificationAnswer(Body):
    """An order to put right."""

    id = fields.Integer(required=True)
    demand = fields.String(required=True)
    ordered_on = day()
    due_on = day()
    state = state(RectificationState)


class ResultAnswer(EvaluationAnswer):
    """A result with what it is of."""

    subject = state(EvaluationSubject)
    name = fields.String(required=True)
    organisation = fields.String(required=True)
    document_no = fields.String(required=True)
    scored_at = moment()
    order = fields.Nested(RectificationAnswer, required=True, allow_none=True)


class ResultsAnswer(PageAnswer):
    """A page of results."""

    results = fields.List(fields.Nested(ResultAnswer), required=True)


class OpenResultAnswer(Body):
    """A published result, as anybody may read it."""

    name = fields.String(required=True)
    organisation = fields.String(required=True)
    year = fields.Integer(required=True)
    grade = fields.String(required=True)
    passed = fields.Boolean(required=True)
    document_no = fields.String(required=True)


class OpenResultsAnswer(PageAnswer):
    """A page of published results."""

    results = fields.List(fields.Nested(OpenResultAnswer), required=True)


class TableRowAnswer(Body):
    """One centre's year (R8)."""

    centre_id = fields.Integer(required=True)
    centre = fields.String(required=True)
    grade_of_centre = fields.String(required=True)
    filed_tenants = fields.Integer(required=True)
    in_incubation = fields.Integer(required=True)
    graduated = fields.Integer(required=True)
    exited = fields.Integer(required=True)
    services = fields.Integer(required=True)
    reports_due = fields.Integer(required=True)
    reports_late = fields.Integer(required=True)
    financing_fen = amount("投融资")
    activities = fields.Integer(required=True)
    score = fields.Integer(required=True, allow_none=True)
    grade = fields.String(required=True, allow_none=True)
    fails_in_row = fields.Integer(required=True, allow_none=True)
    sanction = fields.String(required=True)


class TableAnswer(Body):
    """R8."""

    rows = fields.List(fields.Nested(TableRowAnswer), required=True)


class RulesCodeAnswer(Body):
    """Which rules."""

    code = fields.String(required=True)


def centre_answer(line: CentreLine) -> dict[str, Any]:
    """A centre for JSON."""
    row = line.row
    names = (
        "id", "name", "kind", "authority", "certifying_region", "location_region", "grade", "document_no",
        "state", "state_reason",
    )  # fmt: skip
    said = {name: getattr(row, name) for name in names}
    to_on = row.to_on.isoformat() if row.to_on else None
    return {**said, "organisation": line.organisation, "from_on": row.from_on.isoformat(), "to_on": to_on}


def report_answer(row: CentreReport) -> dict[str, Any]:
    """A report for JSON."""
    names = ("id", "centre_id", "year", "quarter", "late")
    return {**{name: getattr(row, name) for name in names}, "due_on": row.due_on.isoformat()}


def figures_of(body: Mapping[str, Any]) -> dict[str, int]:
    """The figures of a report's body."""
    return {name: body[name] for name in FIGURES}


def due_answer(due: Due, how: ReportState) -> dict[str, Any]:
    """A report that is owed, for JSON."""
    return {
        "centre_id": due.centre.id,
        "centre": due.centre.name,
        "year": due.year,
        "quarter": due.quarter,
        "due_on": due.due_on.isoformat(),
        "state": how.value,
    }


def evaluation_answer(row: Evaluation) -> dict[str, Any]:
    """A year for JSON."""
    names = ("id", "year", "total", "passed", "grade", "state", "fails_in_row")
    return {name: getattr(row, name) for name in names}


def order_answer(row: Rectification) -> dict[str, Any]:
    """An order to put right, for JSON."""
    return {
        "id": row.id,
        "demand": row.demand,
        "ordered_on": row.ordered_on.isoformat(),
        "due_on": row.due_on.isoformat(),
        "state": row.state,
    }


def result_answer(line: ResultLine) -> dict[str, Any]:
    """A result for JSON."""
    return {
        **evaluation_answer(line.row),
        "subject": line.subject.value,
        "name": line.name,
        "organisation": line.organisation,
        "document_no": line.row.document_no,
        "scored_at": iso(line.row.scored_at),
        "order": order_answer(line.order) if line.order else None,
    }


def open_result_answer(line: ResultLine) -> dict[str, Any]:
    """A published result for everybody."""
    row = line.row
    names = ("year", "grade", "passed", "document_no")
    return {
        "name": line.name,
        "organisation": line.organisation,
        **{name: getattr(row, name) for name in names},
    }
