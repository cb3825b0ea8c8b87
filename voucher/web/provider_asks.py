"""What a platform asks of the firm about an order: more time, another contract amount."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Refusal
from voucher.operations.extend_order import ExtensionRequest, ask_extension
from voucher.operations.supplement import SupplementRequest, file_supplement
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.schemas.orders import ExtensionForm, SupplementForm
from voucher.web import uploads
from voucher.web.access import current_actor, permits
from voucher.web.counter_words import words
from voucher.web.entry import change, form_body, form_key
from voucher.web.order_forms import plain
from voucher.web.provider_orders import Files, order_page

blueprint = Blueprint("provider_asks", __name__, url_prefix="/provider/orders")
blueprint.context_processor(words)


@blueprint.post("/<number>/extend")
@permits("provider:order:accept")
def extend(number: str) -> ResponseReturnValue:
    """Ask for a later complete-by day."""
    data, errors = load_form(ExtensionForm, request.form)
    if errors:
        return order_page(number, errors, "extend"), 422
    wanted = ExtensionRequest(number, data["until"], data["reason"])
    return _do(
        number,
        "extend",
        lambda session, at: ask_extension(session, wanted, actor=current_actor(), at=at).state,
    )


@blueprint.post("/<number>/supplement")
@permits("provider:order:file_contract")
def supplement(number: str) -> ResponseReturnValue:
    """File a supplement that changes the contract's amount."""
    files = uploads.received({"file": False})
    data, errors = load_form(SupplementForm, plain(files))
    if errors or files.errors:
        return order_page(number, errors | files.errors, "supplement", files.files), 422
    stored = files.stored("file")
    wanted = SupplementRequest(
        number,
        data["number"],
        data["signed_on"],
        data["amount"],
        data["reason"],
        stored[0] if stored else None,
    )
    return _do(
        number,
        "supplement",
        lambda session, at: file_supplement(session, wanted, actor=current_actor(), at=at).state,
        files.files,
    )


def _do(
    number: str, name: str, act: Callable[[Session, datetime], str], files: Files | None = None
) -> ResponseReturnValue:
    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"state": act(session, at)}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return order_page(number, {"_schema": [sentence(refusal)]}, name, files), refusal.status
    flash("已发给企业，等待答复。", "success")
    return redirect(url_for("provider_orders.page", number=number), 303)
