"""Officers publish when applications are taken, and the undertaking's text."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import fiscal_year
from voucher.errors import Refusal
from voucher.operations.outcome import only
from voucher.operations.windows import (
    CloseRequest,
    UndertakingRequest,
    WindowRequest,
    close_windows,
    publish_undertakings,
    publish_windows,
)
from voucher.queries.appeals import undertakings, windows
from voucher.queries.budgets import budget_lines, programmes
from voucher.schemas.applying import CloseWindowForm, UndertakingForm, WindowForm
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.web.access import current_actor, permits
from voucher.web.entry import Work, change, form_body, form_key, now, reading

blueprint = Blueprint("windows", __name__, url_prefix="/programme/windows")


@blueprint.get("/")
@permits("programme:window:publish")
def index() -> ResponseReturnValue:
    """Every window and undertaking of the officer's programmes, and the forms for new ones."""
    return _page({}, 200)


@blueprint.post("/")
@permits("programme:window:publish")
def publish() -> ResponseReturnValue:
    """Publish a window."""
    data, errors = load_form(WindowForm, request.form)
    if errors:
        return _page(errors, 422)
    wanted = WindowRequest(data["line_code"], data["opens"], data["closes"], data["document_no"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(publish_windows(session, [wanted], actor=current_actor(), at=at)).id}

    return _done(work, "申领期已公布。")


@blueprint.post("/<int(max=9223372036854775807):window_id>/close")
@permits("programme:window:publish")
def close(window_id: int) -> ResponseReturnValue:
    """Set the end of a window."""
    data, errors = load_form(CloseWindowForm, request.form)
    if errors:
        return _page({"_schema": [each for said in errors.values() for each in said]}, 422)
    wanted = CloseRequest(window_id, data["closes"], data["document_no"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(close_windows(session, [wanted], actor=current_actor(), at=at)).id}

    return _done(work, "申领期的截止时间已更新。")


@blueprint.post("/undertakings")
@permits("programme:window:publish")
def publish_text() -> ResponseReturnValue:
    """Publish a new version of an undertaking."""
    data, errors = load_form(UndertakingForm, request.form)
    if errors:
        return _page(errors, 422)
    wanted = UndertakingRequest(data["programme"], data["text"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        made = only(publish_undertakings(session, [wanted], actor=current_actor(), at=at))
        return {"version": made.version}

    return _done(work, "承诺书已公布，此后的申领须签署新版本。")


def _done(work: Work, said: str) -> ResponseReturnValue:
    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page({"_schema": [sentence(refusal)]}, refusal.status)
    flash(said, "success")
    return redirect(url_for("windows.index"), 303)


def _page(errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    actor, at = current_actor(), now()
    with reading() as session:
        lines = budget_lines(session, actor)
        page = render_template(
            "programme/windows.html",
            windows=windows(session, actor),
            undertakings=undertakings(session, actor),
            lines=[line for line in lines if line.closed_on is None and line.year >= fiscal_year(at)],
            programmes=programmes(session, actor),
            form=request.form,
            errors=errors,
            now=at,
        )
    return page, status
