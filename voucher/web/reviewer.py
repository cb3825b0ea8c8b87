"""Reviewers: the queue of claims, one claim on one page, and the decision on it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Refusal, found
from voucher.money import Fen, format_yuan
from voucher.operations.outcome import only
from voucher.operations.review import ReviewRequest, review
from voucher.queries.claims import ClaimFile, ClaimFilter, claim_file, claim_totals, claims, document_of
from voucher.rules.permissions import permitted
from voucher.schemas.base import load_form
from voucher.schemas.claims import ClaimSearch, DecisionForm
from voucher.schemas.messages import sentence
from voucher.terms import ClaimState, Verdict
from voucher.web import uploads
from voucher.web.access import current_actor, permits
from voucher.web.deeds import timeline_of
from voucher.web.entry import change, form_body, form_key, now, reading
from voucher.web.filtering import filters_of

blueprint = Blueprint("reviewer", __name__, url_prefix="/reviewer")


@blueprint.get("/claims")
@permits("reviewer:claim:read")
def claim_list() -> ResponseReturnValue:
    """The queue, oldest first: claims that wait, unless another state is asked for (`state=all`: every one)."""
    wanted, args = filters_of(ClaimSearch)
    state = wanted["state"]
    if state is None and request.args.get("state") != "all":
        state = ClaimState.SUBMITTED
    if request.args.get("state") == "all":
        args["state"] = "all"
    limits = ClaimFilter(state, wanted["text"], wanted["from_on"], wanted["to_on"])
    with reading() as session:
        return render_template(
            "reviewer/claims.html",
            page=claims(session, current_actor(), limits, page=wanted["page"]),
            totals=claim_totals(session, current_actor()),
            args=args,
            state=state,
            states=ClaimState,
            now=now(),
        )


@blueprint.get("/claims/<number>")
@permits("reviewer:claim:read")
def claim_page(number: str) -> ResponseReturnValue:
    """Everything for one decision."""
    return _page(number, form={}, errors={})


@blueprint.get("/claims/<number>/documents/<int(max=9223372036854775807):document_id>")
@permits("reviewer:claim:read")
def document(number: str, document_id: int) -> Response:
    """One file of a claim, always as a download."""
    with reading() as session:
        row = found(document_of(session, current_actor(), number, document_id))
    return uploads.attachment(row.sha256, file_name=row.file_name, media_type=row.media_type)


@blueprint.post("/claims/<number>/check")
@permits("reviewer:claim:decide")
def check_decision(number: str) -> ResponseReturnValue:
    """Show the decision once more before it is made; back to the form with everything kept where it is wrong."""
    data, errors = load_form(DecisionForm, request.form)
    with reading() as session:
        file = found(claim_file(session, current_actor(), number))
    if not errors:
        errors = _above(file, data)
    if errors or request.args.get("back"):
        return _page(number, form=request.form, errors={} if request.args.get("back") else errors)
    approved = _approved(file, data)
    return render_template(
        "reviewer/decision.html",
        file=file,
        verdict=data["verdict"],
        approved_fen=approved,
        back_fen=file.order.captured_fen - approved,
        reason=data["reason"],
        form=request.form,
    )


@blueprint.post("/claims/<number>/decide")
@permits("reviewer:claim:decide")
def decide(number: str) -> ResponseReturnValue:
    """Decide. A refusal shows the page again with what was filled in."""
    data, errors = load_form(DecisionForm, request.form)
    if errors:
        return _page(number, form=request.form, errors=errors)
    amount = data["approved"] if data["verdict"] is Verdict.TRIM else None
    wanted = ReviewRequest(number, data["verdict"], amount, data["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        done = only(review(session, [wanted], actor=current_actor(), at=at))
        return {"verdict": done.verdict.value, "approved_fen": done.approved_fen}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        if refusal.status == 404:
            raise
        return _page(
            number, form=request.form, errors={"_schema": [sentence(refusal)]}, status=refusal.status
        )
    verdict = Verdict(answer["verdict"]).label
    flash(f"{number} 已审核：{verdict}，核定 {format_yuan(Fen(answer['approved_fen']))} 元。", "success")
    return redirect(url_for("reviewer.claim_page", number=number), 303)


def _page(number: str, *, form: Any, errors: dict[str, list[str]], status: int = 422) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        file = found(claim_file(session, actor, number))
    page = render_template(
        "reviewer/claim.html",
        file=file,
        form=form,
        errors=errors,
        verdicts=Verdict,
        history=timeline_of(file.history),
        may_decide=file.state is ClaimState.SUBMITTED and permitted(actor, "reviewer:claim:decide"),
    )
    return page, status if errors else 200


def _above(file: ClaimFile, data: dict[str, Any]) -> dict[str, list[str]]:
    if data["verdict"] is not Verdict.TRIM or data["approved"] < file.claim.claimed_fen:
        return {}
    asked = format_yuan(Fen(file.claim.claimed_fen))
    return {"approved": [f"核减后的金额应低于申请金额 {asked} 元；全额请选择“同意”。"]}


def _approved(file: ClaimFile, data: dict[str, Any]) -> int:
    if data["verdict"] is Verdict.TRIM:
        return int(data["approved"])
    return file.claim.claimed_fen if data["verdict"] is Verdict.APPROVE else 0
