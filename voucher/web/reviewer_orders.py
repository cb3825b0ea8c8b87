"""Orders in a reviewer's regions: looked for by any number, state and day; each with all that hangs on it."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from voucher.errors import found
from voucher.queries.order_cases import case_of
from voucher.queries.orders import regions_order, regions_orders
from voucher.web.access import current_actor, permits
from voucher.web.counter_code import reductions_shown
from voucher.web.counter_words import history, progress, service_names, words
from voucher.web.entry import reading
from voucher.web.order_lists import list_page

blueprint = Blueprint("reviewer_orders", __name__, url_prefix="/reviewer/orders")
blueprint.context_processor(words)


@blueprint.get("/")
@permits("reviewer:order:read")
def listing() -> ResponseReturnValue:
    """All orders of the regions, with filters in the address."""
    return list_page("reviewer/orders.html", regions_orders)


@blueprint.get("/<number>")
@permits("reviewer:order:read")
def page(number: str) -> ResponseReturnValue:
    """One order: contract, instalments, deliveries, extensions; its dispute is a page of its own."""
    with reading() as session:
        order = found(regions_order(session, number, actor=current_actor()))
        return render_template(
            "reviewer/order.html",
            order=order,
            case=case_of(session, order),
            service=service_names(session, [order])[(order.policy_code, order.service)],
            steps=progress(order),
            happened=history(order),
            cuts=reductions_shown(order.reductions),
        )
