"""Lists of orders for either side: the filters are the address."""

from __future__ import annotations

from typing import Any, Final, Protocol

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.models.orders import Order
from voucher.queries.orders import OrderFilter
from voucher.queries.paging import Page
from voucher.queries.platforms import own_platforms
from voucher.rules.permissions import Actor
from voucher.schemas.base import load_form
from voucher.schemas.orders import OrderListForm
from voucher.terms import OrderState
from voucher.web.access import current_actor
from voucher.web.counter_words import service_names
from voucher.web.entry import reading

CANCEL_ASKED: Final = "按政策，取消已接单的订单须双方同意。已向对方发出请求，对方同意后额度退回。"


class Lister(Protocol):
    """One side's list of orders."""

    def __call__(
        self, session: Session, *, actor: Actor, wanted: OrderFilter, page: int = 1, per_page: int = 20
    ) -> Page[Order]: ...


def list_page(template: str, lister: Lister) -> ResponseReturnValue:
    """The page of a list as its address asks; a filter that does not fit is named, and nothing is narrowed."""
    data, errors = load_form(OrderListForm, request.args)
    wanted = OrderFilter(
        state=data["state"].value if data.get("state") else "",
        text=data.get("text", ""),
        voucher=data.get("voucher", "").upper(),
        since_on=data.get("since"),
        until_on=data.get("until"),
    )
    actor = current_actor()
    with reading() as session:
        page = lister(session, actor=actor, wanted=wanted, page=data.get("page", 1))
        given: dict[str, Any] = {
            "page": page,
            "services": service_names(session, page.rows),
            "platforms": own_platforms(session, actor=actor),
            "states": [(state.value, state.label) for state in OrderState],
            "asked": {name: value for name, value in request.args.items() if name != "page" and value},
            "errors": errors,
        }
        return render_template(template, **given), 422 if errors else 200
