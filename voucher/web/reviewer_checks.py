"""What the automatic checks found, claim by claim, and settling it; how reviewers decide."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal, found
from voucher.operations.outcome import only
from voucher.operations.settle_finding import SettleRequest, settle_findings
from voucher.queries.after_payment import AGAIN_DAYS, after_payment
from voucher.queries.claims import claim_file
from voucher.queries.findings import findings_of, open_claims, reviewer_paces
from voucher.rules.permissions import permitted
from voucher.schemas.base import TextSearch, load_form
from voucher.schemas.checks import SettleForm
from voucher.schemas.findings import said
from voucher.terms import FindingKind
from voucher.web.access import current_actor, permits
from voucher.web.entry import change, form_body, form_key, now, reading, whole_form
from voucher.web.filtering import filters_of

blueprint = Blueprint("checks", __name__, url_prefix="/reviewer/checks")

_PACE_DAYS = 365


@blueprint.get("/")
@permits("reviewer:claim:read")
def index() -> ResponseReturnValue:
    """Claims with findings that nobody settled, the heaviest first."""
    wanted, args = filters_of(TextSearch)
    with reading() as session:
        page = open_claims(session, current_actor(), page=wanted["page"])
    return render_template("reviewer/checks.html", page=page, args=args)


@blueprint.get("/reviewers")
@permits("reviewer:pace:read")
def paces() -> ResponseReturnValue:
    """How many decisions each reviewer made in the last 365 days, how fast, and against how many findings."""
    with reading() as session:
        rows = reviewer_paces(session, current_actor(), since=now() - timedelta(days=_PACE_DAYS))
    return render_template("reviewer/paces.html", rows=rows)


@blueprint.get("/after-payment")
@permits("reviewer:claim:read")
def paid() -> ResponseReturnValue:
    """Invoices of paid claims that turned red, and those to be looked up again three months later."""
    with reading() as session:
        rows = after_payment(session, current_actor(), on=business_date(now()))
    return render_template("reviewer/after_payment.html", rows=rows, days=AGAIN_DAYS)


@blueprint.get("/<number>")
@permits("reviewer:claim:read")
def claim_page(number: str) -> ResponseReturnValue:
    """The findings of one claim."""
    return _page(number, {}, {})


@blueprint.post("/<number>/settle")
@permits("reviewer:claim:decide")
def settle(number: str) -> ResponseReturnValue:
    """Settle one finding, with the reason."""
    data, errors = load_form(SettleForm, request.form)
    if errors:
        return _page(number, request.form, errors)
    wanted = SettleRequest(number, data["seq"], data["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"row": only(settle_findings(session, [wanted], actor=current_actor(), at=at)).row_no}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(number, request.form, whole_form(refusal), refusal.status)
    flash("处理意见已记录。", "success")
    return redirect(url_for("checks.claim_page", number=number), 303)


def _page(number: str, form: Any, errors: dict[str, list[str]], status: int = 422) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        file = found(claim_file(session, actor, number))
        lines = [
            (line, said(FindingKind(line.row.kind), line.row.weight, line.row.facts))
            for line in findings_of(session, number)
        ]
        page = render_template(
            "reviewer/check_claim.html",
            file=file,
            lines=lines,
            form=form,
            errors=errors,
            may_settle=permitted(actor, "reviewer:claim:decide"),
        )
    return page, status if errors else 200
