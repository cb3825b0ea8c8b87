"""Applications before those who decide: one list in queue order, one page each, and one decision for one or many."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Refusal, found
from voucher.operations.decide_applications import Decided, DecisionRequest, decide
from voucher.operations.outcome import Refused
from voucher.queries.appeals import all_programmes
from voucher.queries.applications import (
    ApplicationFilter,
    application_file,
    application_totals,
    applications,
)
from voucher.rules.permissions import permitted
from voucher.schemas.applying import ApplicationSearch, DecideForm
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.terms import ApplicationState, ApplicationVerdict
from voucher.web.access import current_actor, permits, require_step_up
from voucher.web.deeds import timeline_of
from voucher.web.entry import change, form_body, form_key, now, reading
from voucher.web.filtering import filters_of

blueprint = Blueprint("applications", __name__, url_prefix="/reviewer/applications")


@blueprint.get("/")
@permits("reviewer:application:read")
def index() -> ResponseReturnValue:
    """The queue: what waits for review unless another state is asked for (`state=all`: everything)."""
    return _index({}, 200)


@blueprint.get("/<number>")
@permits("reviewer:application:read")
def page(number: str) -> ResponseReturnValue:
    """One application with the form of its decision."""
    return _page(number, {}, {}, 200)


@blueprint.post("/check")
@permits("reviewer:application:decide")
def check() -> ResponseReturnValue:
    """The decision once more before it is made: how many, which, and how much."""
    require_step_up()
    data, errors = load_form(DecideForm, request.form)
    if errors or request.args.get("back"):
        return _again({} if request.args.get("back") else errors)
    with reading() as session:
        files = [found(application_file(session, current_actor(), number)) for number in data["numbers"]]
    files.sort(key=lambda file: (file.application.programme_code, file.application.queue_no))
    amounts = [data["approved"] or file.application.wanted_fen for file in files]
    return render_template(
        "reviewer/application_check.html",
        rows=list(zip(files, amounts, strict=True)),
        total=sum(amounts) if data["verdict"] is ApplicationVerdict.APPROVE else None,
        data=data,
        form=request.form,
    )


@blueprint.post("/decide")
@permits("reviewer:application:decide")
def send() -> ResponseReturnValue:
    """Decide; each refusal is listed with its reason, the others stand."""
    require_step_up(30)
    data, errors = load_form(DecideForm, request.form)
    if errors:
        return _again(errors)
    requests = [
        DecisionRequest(number, data["verdict"], data["approved"], data["reason"])
        for number in data["numbers"]
    ]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        answers = decide(session, requests, actor=current_actor(), at=at)
        return {"rows": [_row(each.number, answer) for each, answer in zip(requests, answers, strict=True)]}

    try:
        rows = change(work, key=form_key(), body=form_body())["rows"]
    except Refusal as refusal:
        return _again({"_schema": [sentence(refusal)]}, refusal.status)
    if len(rows) == 1 and not rows[0][3]:
        flash(f"{rows[0][0]}：{ApplicationState(rows[0][1]).label} {rows[0][2]}", "success")
        return redirect(url_for("applications.page", number=rows[0][0]), 303)
    return render_template("reviewer/application_results.html", rows=rows, states=ApplicationState)


def _row(number: str, answer: Decided | Refused) -> list[str]:
    """Number, state after it, voucher, and why not."""
    if isinstance(answer, Refused):
        return [number, "", "", sentence(answer)]
    why = sentence(answer.sent_back) if answer.sent_back else ""
    return [number, answer.state.value, answer.voucher_number, why]


def _again(errors: dict[str, list[str]], status: int = 422) -> ResponseReturnValue:
    """Back to the page that the form stood on, with everything kept."""
    numbers = request.form.getlist("numbers")
    if len(numbers) == 1 and request.form.get("single"):
        return _page(numbers[0], request.form, errors, status if errors else 200)
    return _index(errors, status if errors else 200)


def _index(errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    wanted, args = filters_of(ApplicationSearch)
    actor, state = current_actor(), wanted["state"]
    if state is None and request.args.get("state") != "all":
        state = ApplicationState.SUBMITTED
    if request.args.get("state") == "all":
        args["state"] = "all"
    limits = ApplicationFilter(wanted["programme"], state, wanted["text"])
    with reading() as session:
        page = render_template(
            "reviewer/applications.html",
            page=applications(session, actor, limits, page=wanted["page"]),
            totals=application_totals(session, actor),
            programmes=all_programmes(session),
            args=args,
            state=state,
            states=ApplicationState,
            verdicts=ApplicationVerdict,
            form=request.form,
            errors=errors,
            now=now(),
            may_decide=permitted(actor, "reviewer:application:decide"),
        )
    return page, status


def _page(number: str, form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        file = found(application_file(session, actor, number))
        page = render_template(
            "reviewer/application.html",
            file=file,
            form=form,
            errors=errors,
            verdicts=ApplicationVerdict,
            history=timeline_of(file.history),
            may_decide=file.state is ApplicationState.SUBMITTED
            and permitted(actor, "reviewer:application:decide"),
        )
    return page, status
