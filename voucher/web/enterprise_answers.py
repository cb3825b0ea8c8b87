"""The firm's answers about an order: a delivery sent back, an extension, a supplement to the contract."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import Schema
from sqlalchemy.orm import Session

from voucher.errors import Refusal
from voucher.operations.deliver import SendBackRequest
from voucher.operations.deliver import send_back as send_delivery_back
from voucher.operations.extend_order import ExtensionAnswer, answer_extension
from voucher.operations.outcome import only
from voucher.operations.supplement import SupplementAnswer, answer_supplement
from voucher.schemas.base import ReasonForm, load_form
from voucher.schemas.messages import sentence
from voucher.schemas.orders import AnswerForm, YesNo
from voucher.web.access import current_actor, permits
from voucher.web.counter_words import words
from voucher.web.enterprise_orders import order_page
from voucher.web.entry import change, form_body, form_key

blueprint = Blueprint("enterprise_answers", __name__, url_prefix="/enterprise/orders")
blueprint.context_processor(words)
Act = Callable[[Session, datetime, dict[str, Any]], str]


@blueprint.post("/<number>/send-back")
@permits("enterprise:order:confirm")
def send_back(number: str) -> ResponseReturnValue:
    """The delivery is not accepted: done again, with what is missing."""

    def act(session: Session, at: datetime, data: dict[str, Any]) -> str:
        wanted = SendBackRequest(number, data["reason"])
        return only(send_delivery_back(session, [wanted], actor=current_actor(), at=at)).state

    return _do(number, "send_back", ReasonForm, act, said="已退回机构重做，额度保持锁定。")


@blueprint.post("/<number>/extension")
@permits("enterprise:order:confirm")
def extension(number: str) -> ResponseReturnValue:
    """Grant or refuse a later complete-by day."""

    def act(session: Session, at: datetime, data: dict[str, Any]) -> str:
        said = ExtensionAnswer(number, data["granted"] is YesNo.YES, data["reason"])
        return answer_extension(session, said, actor=current_actor(), at=at).state

    return _do(number, "extension", AnswerForm, act, said="已答复延期申请。")


@blueprint.post("/<number>/supplement")
@permits("enterprise:order:confirm")
def supplement(number: str) -> ResponseReturnValue:
    """Confirm or refuse the contract's new amount."""

    def act(session: Session, at: datetime, data: dict[str, Any]) -> str:
        said = SupplementAnswer(number, data["granted"] is YesNo.YES, data["reason"])
        return answer_supplement(session, said, actor=current_actor(), at=at).state

    return _do(number, "supplement", AnswerForm, act, said="已答复补充协议。")


def _do(number: str, name: str, form: type[Schema], act: Act, *, said: str) -> ResponseReturnValue:
    data, errors = load_form(form, request.form)
    if errors:
        return order_page(number, errors, name), 422

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"state": act(session, at, data)}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return order_page(number, {"_schema": [sentence(refusal)]}, name), refusal.status
    flash(said, "success")
    return redirect(url_for("enterprise_orders.page", number=number), 303)
