"""The firm gives an unused voucher back: what it is, why, once more, done."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Refusal, found
from voucher.money import Fen, format_yuan
from voucher.operations.expire import TakeBackRequest, give_back
from voucher.operations.outcome import only
from voucher.queries.vouchers import own_voucher
from voucher.schemas.base import ReasonForm, load_form
from voucher.web.access import current_actor, permits
from voucher.web.entry import change, form_body, form_key, reading, whole_form

blueprint = Blueprint("giving_back", __name__, url_prefix="/enterprise/vouchers")


@blueprint.get("/<number>/give-back")
@permits("enterprise:voucher:give_back")
def form_page(number: str) -> ResponseReturnValue:
    """What would be given back, and the reason."""
    return _page(number, {}, {}, 200)


@blueprint.post("/<number>/give-back")
@permits("enterprise:voucher:give_back")
def send(number: str) -> ResponseReturnValue:
    """Give it back; the money goes to those who wait."""
    data, errors = load_form(ReasonForm, request.form)
    if errors:
        return _page(number, request.form, errors, 422)
    wanted = TakeBackRequest(number, data["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"fen": only(give_back(session, [wanted], actor=current_actor(), at=at)).amount_fen}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(number, request.form, whole_form(refusal), refusal.status)
    flash(f"券 {number} 已退回，{format_yuan(Fen(answer['fen']))} 元退回预算。", "success")
    return redirect(url_for("enterprise.voucher_page", number=number), 303)


def _page(number: str, form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    with reading() as session:
        view = found(own_voucher(session, number, actor=current_actor()))
        page = render_template("enterprise/give_back.html", view=view, form=form, errors=errors)
    return page, status
