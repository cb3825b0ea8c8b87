"""The table of holidays that working days are counted with, kept by the document of each year."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import fiscal_year
from voucher.errors import Refusal
from voucher.operations.outcome import only
from voucher.operations.set_holidays import HolidayRequest, remove_holidays, set_holidays
from voucher.queries.holidays import holidays_of
from voucher.rules.permissions import permitted
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.schemas.notices import DayForm, HolidayForm, YearSearch
from voucher.terms import DayKind
from voucher.web.access import current_actor, permits
from voucher.web.entry import change, form_body, form_key, now, reading
from voucher.web.filtering import filters_of

blueprint = Blueprint("holidays", __name__, url_prefix="/programme/holidays")


@blueprint.get("/")
@permits("programme:holiday:read")
def index() -> ResponseReturnValue:
    """The days of one year that differ from the plain week."""
    wanted, _ = filters_of(YearSearch)
    return _page(wanted["year"] or fiscal_year(now()), {}, {}, 200)


@blueprint.post("/")
@permits("programme:holiday:write")
def send() -> ResponseReturnValue:
    """Enter a day, or a run of days."""
    data, errors = load_form(HolidayForm, request.form)
    if errors:
        return _page(fiscal_year(now()), request.form, errors, 422)
    first, last = data["day"], data["until"] or data["day"]
    requests = [
        HolidayRequest(first + timedelta(days=n), data["kind"], data["name"], data["document_no"])
        for n in range((last - first).days + 1)
    ]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        for answer in set_holidays(session, requests, actor=current_actor(), at=at):
            only([answer])
        return {}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(first.year, request.form, {"_schema": [sentence(refusal)]}, refusal.status)
    flash(f"已登记 {len(requests)} 天。", "success")
    return redirect(url_for("holidays.index", year=first.year), 303)


@blueprint.post("/remove")
@permits("programme:holiday:write")
def send_remove() -> ResponseReturnValue:
    """Take a day out that was entered by mistake."""
    data, errors = load_form(DayForm, request.form)
    if errors:
        return _page(fiscal_year(now()), request.form, errors, 422)
    day: date = data["day"]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"gone": remove_holidays(session, [day], actor=current_actor(), at=at)}

    change(work, key=form_key(), body=form_body())
    flash(f"已删除 {day.isoformat()}。", "success")
    return redirect(url_for("holidays.index", year=day.year), 303)


def _page(year: int, form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    with reading() as session:
        known = holidays_of(session, year)
    page = render_template(
        "notices/holidays.html",
        known=known,
        kinds=DayKind,
        form=form,
        errors=errors,
        may_write=permitted(current_actor(), "programme:holiday:write"),
    )
    return page, status
