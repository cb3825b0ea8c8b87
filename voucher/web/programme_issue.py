"""Issuing vouchers: to holders that are ticked or pasted, checked once more, with a result for each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import fiscal_year
from voucher.errors import Code, Refusal, found
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.outcome import Refused
from voucher.queries.budgets import LineStanding, budget_file, budget_lines
from voucher.queries.holders import HolderFilter, holders
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.schemas.programme import MOST_AT_ONCE, IssueForm, holders_of
from voucher.web.access import current_actor, permits, require_step_up
from voucher.web.entry import change, form_body, form_key, now, reading

blueprint = Blueprint("issuing", __name__, url_prefix="/programme/issue")


@blueprint.get("/")
@permits("programme:voucher:issue")
def form_page() -> ResponseReturnValue:
    """The form."""
    require_step_up()
    return _form({}, {}, 200)


@blueprint.post("/check")
@permits("programme:voucher:issue")
def check() -> ResponseReturnValue:
    """Show whom and how much once more; back to the form where something is wrong."""
    data, errors = load_form(IssueForm, request.form)
    if errors or request.args.get("back"):
        return _form(request.form, {} if request.args.get("back") else errors, 422)
    refs = holders_of(data)
    with reading() as session:
        line = found(budget_file(session, current_actor(), data["line_code"])).standing
        wanted = HolderFilter(line.programme_code, fiscal_year(now()), standing="qualified")
        names = {row.ref: row.name for row in holders(session, current_actor(), wanted, size=100_000).rows}
    return render_template(
        "programme/issue_check.html",
        line=line,
        face=data["face"],
        chosen=[(ref, names.get(ref, "")) for ref in refs],
        total=data["face"] * len(refs),
        form=request.form,
    )


@blueprint.post("/")
@permits("programme:voucher:issue")
def send() -> ResponseReturnValue:
    """Issue; every refusal is listed with its reason, the others stand."""
    require_step_up(30)
    data, errors = load_form(IssueForm, request.form)
    if errors:
        return _form(request.form, errors, 422)
    refs = holders_of(data)
    requests = [IssueRequest(ref, data["face"]) for ref in refs]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        answers = issue(session, data["line_code"], requests, actor=current_actor(), at=at)
        return {
            "rows": [
                [ref, "", sentence(answer)] if isinstance(answer, Refused) else [ref, answer.number, ""]
                for ref, answer in zip(refs, answers, strict=True)
            ]
        }

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        field = "line_code" if refusal.code is Code.NOT_FOUND else "_schema"
        return _form(request.form, {field: [sentence(refusal)]}, refusal.status)
    rows = answer["rows"]
    issued = [row for row in rows if row[1]]
    return render_template(
        "programme/issued.html",
        issued=issued,
        refused=[row for row in rows if not row[1]],
        face=data["face"],
        total=data["face"] * len(issued),
    )


def _form(form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    actor, year = current_actor(), fiscal_year(now())
    with reading() as session:
        lines = [line for line in budget_lines(session, actor, year=year) if line.closed_on is None]
        chosen_line = _chosen(lines, form.get("line_code") or request.args.get("line", ""))
        ready = []
        if chosen_line is not None:
            wanted = HolderFilter(chosen_line.programme_code, year, standing="qualified")
            ready = list(holders(session, actor, wanted, size=MOST_AT_ONCE).rows)
    page = render_template(
        "programme/issue.html",
        lines=lines,
        line=chosen_line,
        ready=ready,
        chosen=form.getlist("holders") if form else [],
        form=form,
        errors=errors,
        year=year,
    )
    return page, status if errors else 200


def _chosen(lines: list[LineStanding], code: str) -> LineStanding | None:
    return next((line for line in lines if line.code == code), lines[0] if lines else None)
