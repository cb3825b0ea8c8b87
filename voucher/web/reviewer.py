"""Reviewers: the desk, one case on one page, and the decision on it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal, found
from voucher.money import Fen, format_yuan
from voucher.operations.cases import Case
from voucher.operations.decision_basis import Minutes
from voucher.operations.outcome import only
from voucher.operations.recognised import Recognised, recognise_cost
from voucher.operations.review import ReviewRequest, review
from voucher.queries.claims import ClaimFile, claim_file, document_of
from voucher.queries.opinions import report_of
from voucher.queries.review_desk import FIRM, US, DeskFilter, desk, desk_totals, next_case
from voucher.schemas.base import load_form
from voucher.schemas.claims import DecisionForm
from voucher.schemas.messages import sentence
from voucher.schemas.review import DeskSearch
from voucher.terms import ClaimState, Verdict
from voucher.web.access import current_actor, permits
from voucher.web.case_page import case_page
from voucher.web.entry import change, form_body, form_key, now, reading, whole_form
from voucher.web.filtering import filters_of
from voucher.web.uploads import Received, attachment, received

blueprint = Blueprint("reviewer", __name__, url_prefix="/reviewer")

SIDES: Final[Mapping[str, tuple[tuple[ClaimState, ...], str]]] = {
    "us": (US, "等我们办理"),
    "firm": (FIRM, "等申请单位补正或确认"),
    "done": (tuple(state for state in ClaimState if state not in US + FIRM), "已有结论"),
    "all": ((), "全部"),
}
_MINUTES: Final = {"minutes": False}


@blueprint.get("/claims")
@permits("reviewer:claim:read")
def claim_list() -> ResponseReturnValue:
    """The desk by place in the queue: what waits for us, unless something else is asked for in the address."""
    wanted, args = filters_of(DeskSearch)
    side = wanted["side"] if wanted["side"] in SIDES else "us"
    if wanted["state"] is not None:
        side = next(key for key, (states, _) in SIDES.items() if wanted["state"] in states)
    limits = DeskFilter(
        states=(wanted["state"],) if wanted["state"] is not None else SIDES[side][0],
        whose=wanted["whose"],
        overdue=bool(wanted["overdue"]),
        text=wanted["text"],
        from_on=wanted["from_on"],
        to_on=wanted["to_on"],
    )
    at = now()
    with reading() as session:
        return render_template(
            "reviewer/claims.html",
            page=desk(session, current_actor(), limits, at=at, page=wanted["page"]),
            totals=desk_totals(session, current_actor(), at=at),
            args=args,
            side=side,
            sides=[(key, label) for key, (_, label) in SIDES.items()],
            states=ClaimState,
            me=current_actor().person_id,
        )


@blueprint.get("/claims/next")
@permits("reviewer:claim:read")
def next_claim() -> ResponseReturnValue:
    """The case to go on with, from the top of the queue; the desk where none waits."""
    with reading() as session:
        number = next_case(session, current_actor(), after=request.args.get("after", ""), at=now())
    if number is None:
        flash("没有等您办理的申请了。", "success")
        return redirect(url_for("reviewer.claim_list"), 303)
    return redirect(url_for("reviewer.claim_page", number=number), 303)


@blueprint.get("/claims/<number>")
@permits("reviewer:claim:read")
def claim_page(number: str) -> ResponseReturnValue:
    """Everything for one decision."""
    return case_page(number, form={}, errors={})


@blueprint.get("/claims/<number>/documents/<int(max=9223372036854775807):document_id>")
@permits("reviewer:claim:read")
def document(number: str, document_id: int) -> Response:
    """One file of a claim, always as a download."""
    with reading() as session:
        row = found(document_of(session, current_actor(), number, document_id))
    return attachment(row.sha256, file_name=row.file_name, media_type=row.media_type)


@blueprint.get("/claims/<number>/reports/<int(max=9223372036854775807):report_id>")
@permits("reviewer:claim:read")
def report(number: str, report_id: int) -> Response:
    """The file of a third party's report."""
    with reading() as session:
        file = found(claim_file(session, current_actor(), number))
        row = found(report_of(session, file.claim.id, report_id))
    return attachment(row.file_sha256, file_name=row.file_name, media_type="application/octet-stream")


@blueprint.get("/claims/<number>/minutes")
@permits("reviewer:claim:read")
def minutes(number: str) -> Response:
    """The minutes or instruction that the decision cites."""
    with reading() as session:
        row = found(found(claim_file(session, current_actor(), number)).review)
    return attachment(
        found(row.minutes_sha256),
        file_name=row.minutes_name or "",
        media_type="application/octet-stream",
    )


@blueprint.post("/claims/<number>/check")
@permits("reviewer:claim:decide")
def check_decision(number: str) -> ResponseReturnValue:
    """Show the decision once more before it is made; back to the form with everything kept where it is wrong."""
    data, errors, files = _read()
    with reading() as session:
        file = found(claim_file(session, current_actor(), number))
        recognised, unfit = (None, {}) if errors else _recognised(session, file, data)
    if not errors:
        errors = unfit | _above(file, data) | _unpaid(file, data)
    if errors or request.args.get("back"):
        shown = {} if request.args.get("back") else errors
        return case_page(number, form=request.form, errors=shown, kept=files.files)
    approved = _approved(file, data)
    if recognised is not None:
        approved = min(approved, recognised.most_fen)
    return render_template(
        "reviewer/decision.html",
        file=file,
        data=data,
        files=files.files,
        approved_fen=approved,
        recognised=recognised,
        back_fen=max(file.order.captured_fen - approved, 0),
        form=request.form,
    )


@blueprint.post("/claims/<number>/decide")
@permits("reviewer:claim:decide")
def decide(number: str) -> ResponseReturnValue:
    """Decide. A refusal shows the page again with what was filled in."""
    data, errors, files = _read()
    if errors:
        return case_page(number, form=request.form, errors=errors, kept=files.files)
    amount = data["approved"] if data["verdict"] is Verdict.TRIM else None
    wanted = ReviewRequest(
        number,
        data["verdict"],
        amount,
        data["reason"],
        data["cause"],
        _minutes(data, files),
        data["budget_line"],
        data["audited"],
    )

    def work(session: Session, at: datetime) -> dict[str, Any]:
        done = only(review(session, [wanted], actor=current_actor(), at=at))
        return {"verdict": done.verdict.value, "approved_fen": done.approved_fen}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        wrong = whole_form(refusal)
        return case_page(number, form=request.form, errors=wrong, kept=files.files, status=refusal.status)
    verdict = Verdict(answer["verdict"]).label
    flash(f"{number} 已审核：{verdict}，核定 {format_yuan(Fen(answer['approved_fen']))} 元。", "success")
    return redirect(url_for("reviewer.claim_page", number=number), 303)


def _read() -> tuple[dict[str, Any], dict[str, list[str]], Received]:
    """The decision form with its file; minutes are named whole, or not at all."""
    data, errors = load_form(DecisionForm, request.form)
    files = received(_MINUTES)
    errors |= files.errors
    if not errors:
        given = (bool(data["minutes_no"]), data["minutes_on"] is not None, bool(files.files["minutes"]))
        names = ("minutes_no", "minutes_on", "minutes")
        if any(given):
            errors = {
                name: ["请把文号、日期和文件一并填写。"]
                for name, there in zip(names, given, strict=True)
                if not there
            }
        if data["minutes_on"] is not None and data["minutes_on"] > business_date(now()):
            errors["minutes_on"] = ["日期不能晚于今天。"]
    return data, errors, files


def _minutes(data: dict[str, Any], files: Received) -> Minutes | None:
    if not data["minutes_no"]:
        return None
    return Minutes(data["minutes_no"], data["minutes_on"], files.stored("minutes")[0])


def _recognised(
    session: Session, file: ClaimFile, data: dict[str, Any]
) -> tuple[Recognised | None, dict[str, list[str]]]:
    """What a yes would rest on where the policy counts on the audited amount, or what is wrong with it."""
    if data["verdict"] is Verdict.REJECT:
        return None, {}
    case = Case(file.claim, file.order, file.policy, None, "", None, None)
    try:
        found_ = recognise_cost(session, case, data["audited"])
    except Refusal as refusal:
        return None, {"audited": [sentence(refusal)]}
    if found_ is not None and data["verdict"] is Verdict.TRIM and data["approved"] > found_.most_fen:
        most = format_yuan(found_.most_fen)
        return None, {"approved": [f"按审核认定金额计算，最多可核定 {most} 元。"]}
    return found_, {}


def _above(file: ClaimFile, data: dict[str, Any]) -> dict[str, list[str]]:
    if data["verdict"] is not Verdict.TRIM or data["approved"] < file.claim.claimed_fen:
        return {}
    asked = format_yuan(Fen(file.claim.claimed_fen))
    return {"approved": [f"核减后的金额应低于申请金额 {asked} 元；全额请选择“同意”。"]}


def _unpaid(file: ClaimFile, data: dict[str, Any]) -> dict[str, list[str]]:
    """A post-subsidy that is approved names the line that pays it."""
    if file.voucher is not None or data["verdict"] is Verdict.REJECT or data["budget_line"]:
        return {}
    return {"budget_line": ["请选择支出的预算指标。"]}


def _approved(file: ClaimFile, data: dict[str, Any]) -> int:
    if data["verdict"] is Verdict.TRIM:
        return int(data["approved"])
    return file.claim.claimed_fen if data["verdict"] is Verdict.APPROVE else 0
