"""The bureau's side of objections: written down, looked through, answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Refusal, found
from voucher.money import Fen, format_yuan
from voucher.operations.decide_objection import AnswerRequest, decide_objection
from voucher.operations.object_to import ObjectionRequest, record_objection
from voucher.operations.outcome import only
from voucher.queries.notices import objection_file, objections
from voucher.rules.permissions import permitted
from voucher.rules.publicity import lookup_word
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.schemas.notices import AnswerForm, ObjectionSearch, RecordedForm
from voucher.terms import ObjectionState
from voucher.web.access import current_actor, permits, require_step_up
from voucher.web.entry import change, form_body, form_key, reading, settings, whole_form
from voucher.web.filtering import filters_of
from voucher.web.notices import page_of

blueprint = Blueprint("objections", __name__, url_prefix="/programme/objections")


@blueprint.get("/")
@permits("programme:notice:read")
def index() -> ResponseReturnValue:
    """Objections to the notices of the reader's regions."""
    wanted, args = filters_of(ObjectionSearch)
    with reading() as session:
        page = objections(session, current_actor(), state=wanted["state"], page=wanted["page"])
    return render_template("notices/objections.html", page=page, states=ObjectionState, args=args)


@blueprint.post("/notices/<number>")
@permits("programme:objection:record")
def send_record(number: str) -> ResponseReturnValue:
    """Write down an objection made by telephone or at the counter."""
    data, errors = load_form(RecordedForm, request.form)
    if errors:
        return page_of(number, request.form, errors, 422)
    wanted = ObjectionRequest(number, data["subject"], data["objector"], data["contact"], data["body"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        actor = current_actor()
        return {
            "number": only(record_objection(session, [wanted], via=data["via"], actor=actor, at=at)).number
        }

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return page_of(number, request.form, {"_schema": [sentence(refusal)]}, refusal.status)
    flash(f"异议已登记，编号 {answer['number']}。", "success")
    return redirect(url_for("objections.objection_page", number=answer["number"]), 303)


@blueprint.get("/<number>")
@permits("programme:notice:read")
def objection_page(number: str) -> ResponseReturnValue:
    """One objection: who, what, about which claim, and the form for the answer."""
    return _page(number, {}, {}, 200)


@blueprint.post("/<number>/check")
@permits("programme:objection:decide")
def check(number: str) -> ResponseReturnValue:
    """Show the answer once more with what it does to the money."""
    require_step_up()
    data, errors = load_form(AnswerForm, request.form)
    if errors or request.args.get("back"):
        return _page(number, request.form, {} if request.args.get("back") else errors, 422)
    with reading() as session:
        file = found(objection_file(session, current_actor(), number))
    upheld = data["verdict"] is ObjectionState.UPHELD
    return render_template(
        "notices/answer_check.html", file=file, data=data, upheld=upheld, form=request.form
    )


@blueprint.post("/<number>/answer")
@permits("programme:objection:decide")
def send_answer(number: str) -> ResponseReturnValue:
    """Dismiss or uphold the objection; the reason is published."""
    require_step_up(30)
    data, errors = load_form(AnswerForm, request.form)
    if errors:
        return _page(number, request.form, errors, 422)
    wanted = AnswerRequest(number, data["verdict"] is ObjectionState.UPHELD, data["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        done = only(decide_objection(session, [wanted], actor=current_actor(), at=at))
        return {"back_fen": done.given_back_fen, "state": done.claim_state.label}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(number, request.form, whole_form(refusal), refusal.status)
    back = f"，退回 {format_yuan(Fen(answer['back_fen']))} 元" if answer["back_fen"] else ""
    flash(f"异议 {number} 已处理，申请状态：{answer['state']}{back}。", "success")
    return redirect(url_for("objections.objection_page", number=number), 303)


def _page(number: str, form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        file = found(objection_file(session, actor, number))
    page = render_template(
        "notices/objection.html",
        file=file,
        form=form,
        errors=errors,
        word=lookup_word(settings().secret_key, number),
        may_decide=file.state is ObjectionState.LODGED and permitted(actor, "programme:objection:decide"),
    )
    return page, status
