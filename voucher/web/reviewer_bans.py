"""Parties that are shut out by a decision: the list, entering one, lifting one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal
from voucher.operations.ban import BanRequest, LiftRequest, ban, lift
from voucher.operations.outcome import only
from voucher.queries.findings import bans
from voucher.schemas.base import ReasonForm, TextSearch, load_form
from voucher.schemas.checks import BanForm
from voucher.schemas.messages import sentence
from voucher.terms import BanKind, Measure
from voucher.web.access import current_actor, permits
from voucher.web.entry import change, form_body, form_key, now, reading
from voucher.web.filtering import filters_of

blueprint = Blueprint("bans", __name__, url_prefix="/reviewer/bans")


@blueprint.get("/")
@permits("reviewer:ban:write")
def index() -> ResponseReturnValue:
    """Every ban, the latest first, and the form for another one."""
    return _page({}, {})


@blueprint.post("/")
@permits("reviewer:ban:write")
def enter() -> ResponseReturnValue:
    """Enter a ban; it holds from its first day on, for what is under way too."""
    data, errors = load_form(BanForm, request.form)
    if errors:
        return _page(request.form, errors)
    last = data.pop("to_on")
    wanted = BanRequest(**data, to_on=last + timedelta(days=1) if last else None)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(ban(session, [wanted], actor=current_actor(), at=at)).id}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(request.form, {"_schema": [sentence(refusal)]}, refusal.status)
    flash("限制决定已登记；在办事项将停在下一个环节，已办理的记录不变。", "success")
    return redirect(url_for("bans.index"), 303)


@blueprint.post("/<int(max=9223372036854775807):ban_id>/lift")
@permits("reviewer:ban:write")
def send_lift(ban_id: int) -> ResponseReturnValue:
    """Lift a ban, with the reason."""
    data, errors = load_form(ReasonForm, request.form)
    if errors:
        return _page({}, errors)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        wanted = LiftRequest(ban_id, data["reason"])
        return {"id": only(lift(session, [wanted], actor=current_actor(), at=at)).id}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page({}, {"_schema": [sentence(refusal)]}, refusal.status)
    flash("限制已解除。", "success")
    return redirect(url_for("bans.index"), 303)


def _page(form: Any, errors: dict[str, list[str]], status: int = 422) -> ResponseReturnValue:
    wanted, args = filters_of(TextSearch)
    with reading() as session:
        page = bans(session, text=wanted["text"], page=wanted["page"])
    answer = render_template(
        "reviewer/bans.html",
        page=page,
        args=args,
        form=form,
        errors=errors,
        kinds=BanKind,
        measures=[each for each in Measure if each is not Measure.REVOKE_CERT],
        today=business_date(now()),
    )
    return answer, status if errors else 200
