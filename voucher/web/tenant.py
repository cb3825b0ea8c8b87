"""What a tenant sees: what was allotted to it and spent for it; it checks in on the spot, and may object."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.codes import Code20, scan_code
from voucher.errors import Refusal
from voucher.operations.attend import Showing, check_in
from voucher.operations.tenant_objections import object_as_tenant
from voucher.queries.incubator import allotments_to, spent_for
from voucher.rules.permissions import permitted
from voucher.schemas.base import load_form
from voucher.schemas.incubator import ObjectionForm
from voucher.terms import AttendanceProof
from voucher.web.access import current_actor, current_standing, permits, public
from voucher.web.counter_code import give_ticket, keys, presented_at
from voucher.web.counter_words import service_names, words
from voucher.web.entry import change, form_body, form_key, now, reading, whole_form

blueprint = Blueprint("tenant", __name__)
blueprint.context_processor(words)


@blueprint.get("/tenant/")
@permits("tenant:allotment:read")
def index() -> ResponseReturnValue:
    """What was allotted, and what was ordered with it."""
    return _index({}), 200


@blueprint.post("/tenant/orders/<number>/object")
@permits("tenant:objection:make")
def send_objection(number: str) -> ResponseReturnValue:
    """Object to an order that was placed for the actor's firm."""
    actor = current_actor()
    data, errors = load_form(ObjectionForm, request.form)
    if errors:
        return _index({"body": ["请写明异议。"]}, number), 422

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": object_as_tenant(session, number, data["body"], actor=actor, at=at).id}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _index(whole_form(refusal), number), refusal.status
    flash("异议已提交，基地答复后显示在本页，审核人也会看到。", "success")
    return redirect(url_for(".index"), 303)


@blueprint.get("/C/<text>")
@blueprint.get("/c/<text>", endpoint="lower_code")
@public
def scanned(text: str) -> ResponseReturnValue:
    """A check-in code opened by a phone's camera; good on arrival, it stays good for five minutes, through signing in."""
    read = _read(text)
    digits = read.kid + read.number + read.tag
    standing = current_standing()
    if standing is None:
        response = make_response(redirect(url_for("account.sign_in", next=f"/C/{digits}"), 303))
    else:
        may = permitted(standing.actor, "tenant:attendance:confirm")
        page = render_template("attendance/confirm.html", digits=digits, may=may, errors={})
        response = make_response(page)
    at = now()
    return response if presented_at(digits, at) != at else give_ticket(response, digits)


@blueprint.post("/C/<text>")
@permits("tenant:attendance:confirm")
def send_check_in(text: str) -> ResponseReturnValue:
    """Confirm to be there, for the firm that the actor acts for."""
    actor, read = current_actor(), _read(text)
    digits = read.kid + read.number + read.tag
    shown_at = presented_at(digits, now())

    def work(session: Session, at: datetime) -> dict[str, Any]:
        lines = check_in(session, Showing(read, min(shown_at, at)), keys(), actor=actor, at=at)
        return {"tenants": [line.allotment.tenancy.holder.name for line in lines]}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        errors = whole_form(refusal)
        return render_template(
            "attendance/confirm.html", digits=digits, may=True, errors=errors
        ), refusal.status
    return render_template("attendance/confirmed.html", tenants=answer["tenants"])


def _read(text: str) -> Code20:
    read = scan_code(text)
    if read is None:
        abort(404)
    return read


def _index(errors: dict[str, list[str]], sent: str = "") -> str:
    with reading() as session:
        spent = spent_for(session, actor=current_actor())
        return render_template(
            "tenant/index.html",
            lines=allotments_to(session, actor=current_actor()),
            spent=spent,
            services=service_names(session, [order for order, _ in spent]),
            proof=AttendanceProof,
            typed=request.form,
            sent=sent,
            errors=errors,
        )
