"""Finance: what two books owe each other, money between them by two persons on each side (区域清算)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Refusal, found
from voucher.models.cofunding import Remittance
from voucher.operations import remit
from voucher.operations.outcome import Refused, only
from voucher.operations.remit import NoteRequest, RemitRequest
from voucher.queries.clearing import Statement, pairs, remittance_file, statement
from voucher.reports.clearing import as_csv
from voucher.rules.permissions import permitted
from voucher.schemas.base import load_form
from voucher.schemas.clearing import ReceiptForm, RemitForm
from voucher.terms import RemittanceState
from voucher.web.access import current_actor, permits, require_step_up
from voucher.web.entry import change, form_body, form_key, reading, whole_form

blueprint = Blueprint("clearing", __name__, url_prefix="/finance/clearing")


@blueprint.get("/")
@permits("finance:clearing:read")
def index() -> ResponseReturnValue:
    """Every book that one of the reader's books has something to settle with."""
    actor = current_actor()
    with reading() as session:
        found_ = [statement(session, actor, own.code, other.code) for own, other in pairs(session, actor)]
    return render_template("finance/clearing.html", statements=[each for each in found_ if each is not None])


@blueprint.get("/<own>/<other>")
@permits("finance:clearing:read")
def page(own: str, other: str) -> ResponseReturnValue:
    """The statement of two books."""
    return render_template(
        "finance/statement.html",
        told=_statement(own, other),
        states=RemittanceState,
        may_prepare=permitted(current_actor(), "finance:clearing:prepare"),
    )


@blueprint.get("/<own>/<other>/statement.csv")
@permits("finance:clearing:read")
def file(own: str, other: str) -> ResponseReturnValue:
    """The statement as a table."""
    answer: Response = make_response(as_csv(_statement(own, other)))
    answer.mimetype = "text/csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="clearing-{own}-{other}.csv"'
    return answer


@blueprint.get("/<own>/<other>/remit")
@permits("finance:clearing:prepare")
def new(own: str, other: str) -> ResponseReturnValue:
    """The form for a remittance."""
    return _form(own, other, {}, {}), 200


@blueprint.post("/<own>/<other>/remit")
@permits("finance:clearing:prepare")
def prepare(own: str, other: str) -> ResponseReturnValue:
    """Show the remittance once more, then prepare it; back to the form where something is wrong."""
    data, errors = load_form(RemitForm, request.form)
    if errors or data["step"] == "edit":
        return _form(own, other, request.form, errors), 422 if errors else 200
    if data["step"] != "send":
        told = _statement(own, other)
        return render_template("finance/remit_check.html", told=told, data=data, form=request.form)
    asked = RemitRequest(own, other, data["amount"], data["document_no"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"number": only(remit.prepare(session, [asked], actor=current_actor(), at=at)).number}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _form(own, other, request.form, whole_form(refusal)), refusal.status
    flash("汇款单已制作，等待另一人复核汇出。", "success")
    return redirect(url_for("clearing.remittance", number=answer["number"]), 303)


@blueprint.get("/remittances/<number>")
@permits("finance:clearing:read")
def remittance(number: str) -> ResponseReturnValue:
    """A remittance, and what may be done with it now."""
    return _remittance(number, {}, {}), 200


@blueprint.post("/remittances/<number>/send")
@permits("finance:clearing:approve")
def send(number: str) -> ResponseReturnValue:
    """A second person sends it."""
    require_step_up(30)
    return _act(number, remit.send, [number], "已复核汇出，款项在途。")


@blueprint.post("/remittances/<number>/withdraw")
@permits("finance:clearing:prepare")
def withdraw(number: str) -> ResponseReturnValue:
    """It is not to be sent after all."""
    return _act(number, remit.withdraw, [number], "汇款单已撤回。")


@blueprint.post("/remittances/<number>/note")
@permits("finance:clearing:prepare")
def note(number: str) -> ResponseReturnValue:
    """The receiving book has found the money at its bank."""
    data, errors = load_form(ReceiptForm, request.form)
    if errors:
        return _remittance(number, request.form, errors), 422
    asked = NoteRequest(number, data["receipt_no"])
    return _act(number, remit.note, [asked], "收款已登记，等待另一人确认。")


@blueprint.post("/remittances/<number>/receive")
@permits("finance:clearing:approve")
def receive(number: str) -> ResponseReturnValue:
    """A second person of the receiving book confirms the receipt."""
    require_step_up(30)
    return _act(number, remit.receive, [number], "收款已确认入账。")


def _act(
    number: str, operation: Callable[..., list[Remittance | Refused]], asked: Sequence[Any], done: str
) -> ResponseReturnValue:
    """One step of a remittance; its page again where it is refused."""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"state": only(operation(session, asked, actor=current_actor(), at=at)).state}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        if refusal.status == 404:
            raise
        return _remittance(number, request.form, whole_form(refusal)), refusal.status
    flash(done, "success")
    return redirect(url_for("clearing.remittance", number=number), 303)


def _statement(own: str, other: str) -> Statement:
    with reading() as session:
        return found(statement(session, current_actor(), own, other))


def _form(own: str, other: str, form: Any, errors: dict[str, list[str]]) -> str:
    return render_template("finance/remit.html", told=_statement(own, other), form=form, errors=errors)


def _remittance(number: str, form: Any, errors: dict[str, list[str]]) -> str:
    actor = current_actor()
    with reading() as session:
        told = found(remittance_file(session, actor, number))
    return render_template(
        "finance/remittance.html",
        told=told,
        state=RemittanceState(told.row.state),
        states=RemittanceState,
        may_prepare=permitted(actor, "finance:clearing:prepare"),
        may_approve=permitted(actor, "finance:clearing:approve"),
        own_work=actor.person_id
        in (told.row.prepared_by if not told.row.sent_by else 0, told.row.noted_by or 0),
        form=form,
        errors=errors,
    )
