"""Sending a case back with every defect at once, and the notice of them that is printed (补正告知书)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal, found
from voucher.operations.outcome import only
from voucher.operations.return_claim import Defect, ReturnRequest, return_claims
from voucher.queries.claims import claim_file
from voucher.queries.holidays import calendar
from voucher.queries.review_file import review_file, rounds_of
from voucher.rules.working_days import add_working_days
from voucher.schemas.base import load_form
from voucher.schemas.review import ReturnForm
from voucher.terms import ClaimItem
from voucher.web.access import current_actor, permits
from voucher.web.entry import change, form_body, form_key, now, reading, whole_form

blueprint = Blueprint("returns", __name__, url_prefix="/reviewer/claims/<number>")
paper = Blueprint("defect_notices", __name__)


@blueprint.get("/return")
@permits("reviewer:claim:decide")
def form_page(number: str) -> ResponseReturnValue:
    """The list of items to tick."""
    return _form(number, {}, {})


@blueprint.post("/return/check")
@permits("reviewer:claim:decide")
def check(number: str) -> ResponseReturnValue:
    """The notice as the firm will read it, before it goes out; back with everything kept."""
    data, errors = load_form(ReturnForm, request.form)
    if errors or request.args.get("back"):
        return _form(number, request.form, {} if request.args.get("back") else errors)
    with reading() as session:
        file = found(claim_file(session, current_actor(), number))
        today = business_date(now())
        days = file.policy.defect_days
        table = calendar(session, today.year, today.year + 1)
    return render_template(
        "reviewer/return_check.html",
        file=file,
        data=data,
        defects=_defects(data),
        due_on=None if days is None else add_working_days(table, today, days),
        form=request.form,
    )


@blueprint.post("/return")
@permits("reviewer:claim:decide")
def send_back(number: str) -> ResponseReturnValue:
    """Send it back: one return for this round."""
    data, errors = load_form(ReturnForm, request.form)
    if errors:
        return _form(number, request.form, errors)
    wanted = ReturnRequest(number, _defects(data), data["contact"], data["late_reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        done = only(return_claims(session, [wanted], actor=current_actor(), at=at))
        return {"notice": done.notice_number, "items": len(done.items), "round": done.round}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _form(number, request.form, whole_form(refusal), status=refusal.status)
    flash(f"{number} 已退回补正，共 {answer['items']} 项，告知书编号 {answer['notice']}。", "success")
    return redirect(url_for("reviewer.claim_page", number=number), 303)


@paper.get("/reviewer/claims/<number>/notices/<int(max=99):round_no>")
@permits("reviewer:claim:read")
def reviewers_notice(number: str, round_no: int) -> ResponseReturnValue:
    """The notice, to be printed, for the reviewer."""
    return _notice(number, round_no, back=url_for("reviewer.claim_page", number=number))


@paper.get("/claims/<number>/notices/<int(max=99):round_no>")
@permits("enterprise:claim:submit")
def firms_notice(number: str, round_no: int) -> ResponseReturnValue:
    """The notice, to be printed, for the firm whose claim it is."""
    return _notice(number, round_no, back=url_for("enterprise_claims.page", number=number))


@paper.get("/provider/claims/<number>/notices/<int(max=99):round_no>")
@permits("provider:claim:submit")
def providers_notice(number: str, round_no: int) -> ResponseReturnValue:
    """The notice, to be printed, for the provider that claims."""
    return _notice(number, round_no, back=url_for("provider_claims.page", number=number))


def _notice(number: str, round_no: int, *, back: str) -> ResponseReturnValue:
    with reading() as session:
        file = found(claim_file(session, current_actor(), number))
        told = found(
            next((each for each in rounds_of(session, file.claim.id) if each.notice.round == round_no), None)
        )
    return render_template("reviewer/notice.html", file=file, told=told, back=back)


def _form(
    number: str, form: Mapping[str, Any], errors: dict[str, list[str]], *, status: int = 422
) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        file = found(claim_file(session, actor, number))
        review = review_file(session, actor, file)
    ticked = request.form.getlist("items") if form else []
    page = render_template(
        "reviewer/return.html",
        file=file,
        review=review,
        items=ClaimItem,
        ticked=ticked,
        form=form,
        errors=errors,
    )
    return page, status if errors else 200


def _defects(data: Mapping[str, Any]) -> tuple[Defect, ...]:
    """The ticked items, in the order of the list."""
    ticked = set(data["items"])
    return tuple(Defect(item, data[f"text_{item.value}"]) for item in ClaimItem if item in ticked)
