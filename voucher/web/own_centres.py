"""A centre's or platform's own people: state, results and grade, quarterly reports, orders to put right."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.operations.centre_reports import FIGURES, ReportRequest, reports_due, submit_reports
from voucher.operations.outcome import only
from voucher.operations.rectify import AnswerRequest, answer_orders
from voucher.queries.centres import CentreLine, own_centres, reports_of, titles_of
from voucher.queries.certifications import own_certifications
from voucher.queries.evaluations import own_results
from voucher.reports.centre_table import report_state
from voucher.schemas.base import load_form
from voucher.schemas.centres import FIGURE_LABELS, AnswerOrderForm, ReportForm
from voucher.web.access import current_actor, permits
from voucher.web.entry import change, form_body, form_key, now, reading, whole_form

blueprint = Blueprint("own_centres", __name__, url_prefix="/centre")


@blueprint.get("/")
@permits("incubator:centre:read")
def index() -> ResponseReturnValue:
    """The actor's centres: state, grade, what is to be reported until when, orders to put right."""
    return _page({}, {})


@blueprint.get("/<int(max=9223372036854775807):centre_id>/report/<int:year>/<int(max=4):quarter>")
@permits("incubator:report:submit")
def report(centre_id: int, year: int, quarter: int) -> ResponseReturnValue:
    """The form of one quarter, with what was reported before."""
    return _report(centre_id, (year, quarter), {}, {})


@blueprint.post("/<int(max=9223372036854775807):centre_id>/report/<int:year>/<int(max=4):quarter>")
@permits("incubator:report:submit")
def submit(centre_id: int, year: int, quarter: int) -> ResponseReturnValue:
    """Hand the report in, or correct it."""
    data, errors = load_form(ReportForm, {**request.form, "year": str(year), "quarter": str(quarter)})
    if errors:
        return _report(centre_id, (year, quarter), request.form, errors)
    wanted = ReportRequest(
        centre_id=centre_id,
        year=year,
        quarter=quarter,
        figures={name: data[name] for name in FIGURES},
        text=data["text"],
    )

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"late": only(submit_reports(session, [wanted], actor=current_actor(), at=at)).late}

    try:
        done = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _report(centre_id, (year, quarter), request.form, whole_form(refusal), status=refusal.status)
    flash(
        "已报送，但超过了期限，记为逾期。" if done["late"] else "已报送。",
        "warning" if done["late"] else "success",
    )
    return redirect(url_for("own_centres.index"), 303)


@blueprint.get("/platform")
@permits("provider:order:read")
def platform() -> ResponseReturnValue:
    """The certifications of the actor's platforms, their results, orders to put right."""
    return _platform({}, {})


@blueprint.post("/orders/<int(max=9223372036854775807):order_id>")
@permits("own:rectification:answer")
def answer(order_id: int) -> ResponseReturnValue:
    """Say what was done about an order to put right."""
    of_platform = request.form.get("of") == "platform"
    shown = _platform if of_platform else _page
    data, errors = load_form(AnswerOrderForm, {"text": request.form.get("text", "")})
    if errors:
        return shown(request.form, errors)
    wanted = AnswerRequest(order_id, data["text"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"state": only(answer_orders(session, [wanted], actor=current_actor(), at=at)).state}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return shown(request.form, whole_form(refusal), refusal.status)
    flash("整改情况已报告，等待主管部门核验。", "success")
    return redirect(url_for("own_centres.platform" if of_platform else "own_centres.index"), 303)


def _page(form: Any, errors: dict[str, list[str]], status: int = 422) -> ResponseReturnValue:
    actor, today = current_actor(), business_date(now())
    with reading() as session:
        lines = own_centres(session, actor)
        years = (today.year - 1, today.year)
        came = reports_of(session, [line.row.id for line in lines], years)
        owed = reports_due(session, [(line.row, line.path) for line in lines], years)
        page = render_template(
            "centres/own.html",
            lines=lines,
            titles=titles_of(session, [line.row.id for line in lines]),
            reports=[(due, report_state(due, came, today=today)) for due in owed],
            results=[each for each in own_results(session, actor) if each.row.centre_id],
            form=form,
            errors=errors,
        )
    return page, status if errors else 200


def _report(
    centre_id: int, quarter: tuple[int, int], form: Any, errors: dict[str, list[str]], *, status: int = 422
) -> ResponseReturnValue:
    with reading() as session:
        line = _own(own_centres(session, current_actor()), centre_id)
        before = reports_of(session, [centre_id], [quarter[0]]).get((centre_id, *quarter))
        owed = [
            each
            for each in reports_due(session, [(line.row, line.path)], [quarter[0]])
            if each.quarter == quarter[1]
        ]
    page = render_template(
        "centres/report.html",
        line=line,
        year=quarter[0],
        quarter=quarter[1],
        before=before,
        due=owed[0] if owed else None,
        labels=FIGURE_LABELS,
        form=form,
        errors=errors,
    )
    return page, status if errors else 200


def _own(lines: list[CentreLine], centre_id: int) -> CentreLine:
    for line in lines:
        if line.row.id == centre_id:
            return line
    raise Refusal(Code.NOT_FOUND, centre=centre_id)


def _platform(form: Any, errors: dict[str, list[str]], status: int = 422) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        page = render_template(
            "centres/own_platform.html",
            lines=own_certifications(session, actor),
            results=[each for each in own_results(session, actor) if each.row.certification_id],
            form=form,
            errors=errors,
        )
    return page, status if errors else 200
