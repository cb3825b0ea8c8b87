"""Centres for their authority: the register, certifying, changing states, reports that are due, the yearly table R8."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal, found
from voucher.operations.centre_reports import reports_due
from voucher.operations.centre_states import CHANGES, CentreChange, change_centres
from voucher.operations.centres import CentreRequest, register_centres
from voucher.operations.outcome import only
from voucher.operations.register import organisation_ids
from voucher.queries.centres import (
    CentreFilter,
    centre_file,
    centres,
    centres_of_authority,
    locked_until,
    reports_of,
)
from voucher.queries.evaluations import results_about
from voucher.reports.centre_table import as_csv, as_xlsx, cells, centre_table, report_state
from voucher.rules.lifecycle import Event
from voucher.rules.permissions import permitted
from voucher.schemas.base import ReasonForm, load_form
from voucher.schemas.centres import CentreForm, CentreSearch, YearSearch
from voucher.terms import CentreKind, CertificationState, Certifier, TitleKind
from voucher.web.access import current_actor, permits
from voucher.web.deeds import timeline_of
from voucher.web.entry import change, form_body, form_key, now, reading, whole_form
from voucher.web.filtering import filters_of

blueprint = Blueprint("centres", __name__, url_prefix="/reviewer/centres")

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WORDS: Final = {Event.SUSPEND: "暂停", Event.RESTORE: "恢复", Event.REVOKE: "摘牌"}


@blueprint.get("/")
@permits("reviewer:centre:read")
def index() -> ResponseReturnValue:
    """The register, and the form for another centre."""
    return _list({}, {})


@blueprint.post("/")
@permits("reviewer:centre:certify")
def register() -> ResponseReturnValue:
    """Certify a centre."""
    data, errors = load_form(CentreForm, request.form)
    if errors:
        return _list(request.form, errors)
    uscc, last, titles = data.pop("uscc"), data.pop("to_on"), data.pop("titles")

    def work(session: Session, at: datetime) -> dict[str, Any]:
        known = organisation_ids(session, [uscc])
        if uscc not in known:
            raise Refusal(Code.NOT_FOUND, uscc=uscc)
        wanted = CentreRequest(
            **data,
            organisation_id=known[uscc],
            to_on=last + timedelta(days=1) if last else None,
            titles=tuple((kind, "") for kind in titles),
        )
        return {"id": only(register_centres(session, [wanted], actor=current_actor(), at=at)).centre_id}

    try:
        made = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        if refusal.code is Code.NOT_FOUND:
            field = "uscc" if "uscc" in refusal.facts else "certifying_region"
            said = (
                "没有登记这家单位，请先登记。" if field == "uscc" else "没有这个地区，或不在您的管辖范围内。"
            )
            return _list(request.form, {field: [said]})
        return _list(request.form, whole_form(refusal), refusal.status)
    flash("载体认定已登记。", "success")
    return redirect(url_for("centres.page", centre_id=made["id"]), 303)


@blueprint.get("/<int(max=9223372036854775807):centre_id>")
@permits("reviewer:centre:read")
def page(centre_id: int) -> ResponseReturnValue:
    """One centre: its certification, titles, years, locks, history."""
    return _page(centre_id, {}, {})


@blueprint.post("/<int(max=9223372036854775807):centre_id>/<any(suspend, restore, revoke):verb>")
@permits("reviewer:centre:certify")
def send_change(centre_id: int, verb: str) -> ResponseReturnValue:
    """Suspend, reinstate or strike off, with the reason."""
    data, errors = load_form(ReasonForm, request.form)
    if errors:
        return _page(centre_id, request.form, errors)
    wanted = CentreChange(centre_id, next(each for each in CHANGES if each.value == verb), data["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"state": only(change_centres(session, [wanted], actor=current_actor(), at=at)).state.value}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(centre_id, request.form, whole_form(refusal), refusal.status)
    flash(f"已{_WORDS[wanted.event]}。", "success")
    return redirect(url_for("centres.page", centre_id=centre_id), 303)


@blueprint.get("/reports")
@permits("reviewer:centre:read")
def reports() -> ResponseReturnValue:
    """Every report that is owed for a year: when it is due, whether it came, and late or not."""
    today = business_date(now())
    wanted, args = filters_of(YearSearch)
    year = wanted["year"] or today.year
    with reading() as session:
        lines = centres_of_authority(session, current_actor())
        owed = reports_due(session, [(line.row, line.path) for line in lines], [year])
        came = reports_of(session, [line.row.id for line in lines], [year])
        rows = [
            (due, report_state(due, came, today=today), came.get((due.centre.id, due.year, due.quarter)))
            for due in owed
        ]
    return render_template("centres/reports_due.html", rows=rows, year=year, args=args)


@blueprint.get("/table")
@permits("reviewer:centre:read")
def table() -> ResponseReturnValue:
    """R8, the yearly table."""
    today = business_date(now())
    wanted, args = filters_of(YearSearch)
    year = wanted["year"] or today.year
    with reading() as session:
        rows = centre_table(session, current_actor(), year, today=today)
        shown = [(row, cells(row)) for row in rows]
    return render_template("centres/table.html", rows=shown, year=year, args=args)


@blueprint.get("/table-<int:year>.<any('csv', 'xlsx'):form>")
@permits("reviewer:centre:read")
def table_file(year: int, form: str) -> ResponseReturnValue:
    """R8 as a file."""
    with reading() as session:
        rows = centre_table(session, current_actor(), min(max(year, 2015), 2100), today=business_date(now()))
        content = as_csv(rows) if form == "csv" else as_xlsx(rows)
    answer: Response = make_response(content)
    answer.mimetype = "text/csv" if form == "csv" else _XLSX
    answer.headers["Content-Disposition"] = f"attachment; filename=centres-{year}.{form}"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _list(form: Any, errors: dict[str, list[str]], status: int = 422) -> ResponseReturnValue:
    wanted, args = filters_of(CentreSearch)
    sought = CentreFilter(wanted["text"], wanted["kind"], wanted["state"])
    actor = current_actor()
    with reading() as session:
        answer = render_template(
            "centres/list.html",
            page=centres(session, sought, page=wanted["page"]),
            args=args,
            form=form,
            errors=errors,
            kinds=CentreKind,
            states=CertificationState,
            certifiers=Certifier,
            titles=TitleKind,
            chosen=form.getlist("titles") if form else [],
            regions=sorted(actor.region_codes),
            may_certify=permitted(actor, "reviewer:centre:certify"),
        )
    return answer, status if errors else 200


def _page(centre_id: int, form: Any, errors: dict[str, list[str]], status: int = 422) -> ResponseReturnValue:
    actor, today = current_actor(), business_date(now())
    with reading() as session:
        file = found(centre_file(session, actor, centre_id))
        answer = render_template(
            "centres/centre.html",
            file=file,
            results=results_about(session, centre_id=centre_id),
            locked_until=locked_until(file.locks, today),
            form=form,
            errors=errors,
            history=timeline_of(file.history),
            year=today.year,
            may_certify=file.is_own and permitted(actor, "reviewer:centre:certify"),
            may_evaluate=file.is_own and permitted(actor, "reviewer:centre:evaluate"),
        )
    return answer, status if errors else 200
