"""Saying whether firm and provider of an order are related: for both sides."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Refusal
from voucher.operations.outcome import only
from voucher.operations.state_relation import RelationRequest, state_relation
from voucher.queries.findings import unstated_orders
from voucher.schemas.base import load_form
from voucher.schemas.checks import RelationForm
from voucher.terms import AffiliationKind
from voucher.web.access import current_actor, permits
from voucher.web.entry import change, form_body, form_key, reading, whole_form

blueprint = Blueprint("relations", __name__, url_prefix="/relations")


@blueprint.get("/")
@permits("own:relation:state")
def index() -> ResponseReturnValue:
    """Orders under way of which this side has not said yet whether the two are related."""
    return _page({})


@blueprint.post("/<number>")
@permits("own:relation:state")
def state(number: str) -> ResponseReturnValue:
    """Say it, once. A tie stops the order."""
    data, errors = load_form(RelationForm, request.form)
    if errors:
        return _page(errors)
    wanted = RelationRequest(number, data["kind"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"related": only(state_relation(session, [wanted], actor=current_actor(), at=at)).related}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(whole_form(refusal), refusal.status)
    said = "已登记关联关系，该订单不能使用券。" if answer["related"] else "声明已登记。"
    flash(said, "warning" if answer["related"] else "success")
    return redirect(url_for("relations.index"), 303)


def _page(errors: dict[str, list[str]], status: int = 422) -> ResponseReturnValue:
    with reading() as session:
        rows = unstated_orders(session, current_actor())
    page = render_template("account/relations.html", rows=rows, errors=errors, kinds=AffiliationKind)
    return page, status if errors else 200
