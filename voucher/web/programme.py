"""Programme officers: the vouchers that were issued."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Refusal, found
from voucher.money import Fen, format_yuan
from voucher.operations.expire import TakeBackRequest, revoke
from voucher.operations.outcome import only
from voucher.queries.issued import VoucherFilter, issued_file, issued_vouchers
from voucher.rules.permissions import permitted
from voucher.schemas.base import ReasonForm, load_form
from voucher.schemas.programme import VoucherSearch
from voucher.terms import VoucherState
from voucher.web.access import current_actor, permits
from voucher.web.counter_words import reason_shown
from voucher.web.deeds import timeline_of
from voucher.web.entry import change, form_body, form_key, reading, whole_form
from voucher.web.filtering import filters_of

blueprint = Blueprint("vouchers", __name__, url_prefix="/programme/vouchers")


@blueprint.get("/", endpoint="index")
@permits("programme:voucher:read")
def voucher_list() -> ResponseReturnValue:
    """The vouchers of the reader's books and regions, newest first."""
    wanted, args = filters_of(VoucherSearch)
    limits = VoucherFilter(wanted["state"], wanted["text"], wanted["line"])
    actor = current_actor()
    with reading() as session:
        return render_template(
            "programme/vouchers.html",
            page=issued_vouchers(session, actor, limits, page=wanted["page"]),
            args=args,
            states=VoucherState,
            may_issue=permitted(actor, "programme:voucher:issue"),
        )


@blueprint.get("/<number>")
@permits("programme:voucher:read")
def voucher_page(number: str) -> ResponseReturnValue:
    """One voucher: figures, orders, history."""
    return _page(number, {}, {}, 200)


@blueprint.post("/<number>/revoke")
@permits("programme:voucher:revoke")
def send_revoke(number: str) -> ResponseReturnValue:
    """Revoke a voucher with a reason: what is left goes back to its budget line."""
    data, errors = load_form(ReasonForm, request.form)
    if errors:
        return _page(number, request.form, errors, 422)
    wanted = TakeBackRequest(number, data["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"fen": only(revoke(session, [wanted], actor=current_actor(), at=at)).amount_fen}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(number, request.form, whole_form(refusal), refusal.status)
    flash(f"{number} 已撤销，{format_yuan(Fen(answer['fen']))} 元退回预算。", "success")
    return redirect(url_for("vouchers.voucher_page", number=number), 303)


def _page(number: str, form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        file = found(issued_file(session, actor, number))
    page = render_template(
        "programme/voucher.html",
        file=file,
        state_reason=reason_shown(file.voucher.state_reason),
        form=form,
        errors=errors,
        history=timeline_of(file.history),
        may_revoke=file.state is VoucherState.LIVE and permitted(actor, "programme:voucher:revoke"),
        may_read_ledger=permitted(actor, "ledger:posting:read"),
    )
    return page, status
