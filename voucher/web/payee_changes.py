"""Changing the bank account that is paid to: an organisation asks, a second officer confirms after the cooling days."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal
from voucher.operations.affiliate import PayeeRequest
from voucher.operations.change_payee import COOLING_DAYS, DecideRequest, ask_changes, decide_changes
from voucher.operations.outcome import only
from voucher.queries.findings import changes, own_changes, own_organisations
from voucher.schemas.base import TextSearch, load_form
from voucher.schemas.checks import DecideChangeForm, PayeeForm
from voucher.schemas.messages import sentence
from voucher.web.access import current_actor, permits, require_step_up
from voucher.web.entry import change, form_body, form_key, now, reading
from voucher.web.filtering import filters_of

blueprint = Blueprint("payees", __name__, url_prefix="/payees")


@blueprint.get("/")
@permits("own:payee:change")
def own() -> ResponseReturnValue:
    """The organisation's own changes, and the form for one; the password is asked for once more."""
    require_step_up()
    return _own({}, {})


@blueprint.post("/")
@permits("own:payee:change")
def ask() -> ResponseReturnValue:
    """Ask for another account. The one in force stays until an officer confirms the change."""
    require_step_up(30)
    data, errors = load_form(PayeeForm, request.form)
    if errors:
        return _own(request.form, errors)
    wanted = PayeeRequest(**data)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(ask_changes(session, [wanted], actor=current_actor(), at=at)).id}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _own(request.form, {"_schema": [sentence(refusal)]}, refusal.status)
    flash(f"已提交，{COOLING_DAYS} 天后由主管部门复核生效；已有账户的，此前仍付到原账户。", "success")
    return redirect(url_for("payees.own"), 303)


@blueprint.get("/waiting")
@permits("reviewer:payee:confirm")
def waiting() -> ResponseReturnValue:
    """Changes in the officer's regions, those that wait first."""
    return _waiting({})


@blueprint.post("/waiting/<int(max=9223372036854775807):change_id>")
@permits("reviewer:payee:confirm")
def decide(change_id: int) -> ResponseReturnValue:
    """Put a change in force, or decline it with the reason; the password is asked for once more."""
    require_step_up()
    data, errors = load_form(DecideChangeForm, request.form)
    if errors:
        return _waiting(errors)
    wanted = DecideRequest(change_id, data["agreed"] == "yes", data["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"state": only(decide_changes(session, [wanted], actor=current_actor(), at=at)).state}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _waiting({"_schema": [sentence(refusal)]}, refusal.status)
    flash("已复核，新账户生效。" if wanted.agreed else "已退回，仍付到原账户。", "success")
    return redirect(url_for("payees.waiting"), 303)


def _own(form: Any, errors: dict[str, list[str]], status: int = 422) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        organisations = own_organisations(session, actor)
        lines = own_changes(session, [each.id for each in organisations])
    page = render_template(
        "account/payees.html",
        lines=lines,
        organisations=organisations,
        form=form,
        errors=errors,
        days=COOLING_DAYS,
    )
    return page, status if errors else 200


def _waiting(errors: dict[str, list[str]], status: int = 422) -> ResponseReturnValue:
    wanted, args = filters_of(TextSearch)
    with reading() as session:
        page = changes(session, current_actor(), page=wanted["page"])
    answer = render_template(
        "reviewer/payee_changes.html",
        page=page,
        args=args,
        errors=errors,
        today=business_date(now()),
        me=current_actor().person_id,
    )
    return answer, status if errors else 200
