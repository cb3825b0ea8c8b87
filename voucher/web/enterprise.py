"""The firm's own pages: what it has, what waits for it, one voucher, and the voucher on paper."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import found
from voucher.operations.cap_room import CapRoom, cap_of_voucher
from voucher.qr import svg
from voucher.queries.batches import own_bounced
from voucher.queries.claims import ClaimFilter, claims
from voucher.queries.orders import OrderFilter, counts, holders_orders
from voucher.queries.sessions import waiting_for_holder
from voucher.queries.vouchers import (
    VoucherView,
    movements,
    own_voucher,
    own_vouchers,
)
from voucher.terms import ClaimState, OrderState, VoucherState
from voucher.web.access import current_actor, permits
from voucher.web.allowances import policy_for
from voucher.web.counter_code import payload
from voucher.web.counter_words import rates_shown, service_names, words
from voucher.web.entry import now, reading

blueprint = Blueprint("enterprise", __name__, url_prefix="/enterprise")
blueprint.context_processor(words)

_LAST: Final = 10**9
"""Beyond the end of any list: its last page, which holds the newest."""


@blueprint.get("/")
@permits("enterprise:voucher:read")
def home() -> ResponseReturnValue:
    """The firm's front page: vouchers, what the year still allows, what waits for an answer, the last orders."""
    actor, at = current_actor(), now()
    with reading() as session:
        views = own_vouchers(session, actor=actor)
        orders = holders_orders(session, actor=actor, wanted=OrderFilter(), per_page=5).rows
        return render_template(
            "enterprise/home.html",
            views=[view for view in views if view.voucher.state == VoucherState.LIVE.value],
            ended=[view for view in views if view.voucher.state != VoucherState.LIVE.value],
            caps=_caps(session, views, at),
            sessions=waiting_for_holder(session, actor=actor, at=at),
            delivered=holders_orders(
                session, actor=actor, wanted=OrderFilter(state=OrderState.DELIVERED.value)
            ).rows,
            captured=counts(session, actor=actor, as_holder=True).get(OrderState.CAPTURED, 0),
            returned=claims(session, actor, ClaimFilter(state=ClaimState.RETURNED)).rows,
            bounced=own_bounced(session, actor),
            orders=orders,
            services=service_names(session, orders),
            claims=list(reversed(claims(session, actor, ClaimFilter(), page=_LAST).rows))[:5],
        )


@blueprint.get("/vouchers/<number>")
@permits("enterprise:voucher:read")
def voucher_page(number: str) -> ResponseReturnValue:
    """One voucher: its balance, what it buys, what redeeming and claiming will ask for, every movement."""
    actor, at = current_actor(), now()
    with reading() as session:
        view = found(own_voucher(session, number, actor=actor))
        policy = policy_for(session, view.voucher, at)
        return render_template(
            "enterprise/voucher.html",
            view=view,
            policy=policy,
            rates=rates_shown(policy) if policy else [],
            cap=cap_of_voucher(session, view.voucher, at),
            moved=list(reversed(movements(session, view.voucher))),
        )


@blueprint.get("/vouchers/<number>/print")
@permits("enterprise:voucher:read")
def paper(number: str) -> ResponseReturnValue:
    """The voucher on paper: it is looked up by its picture, and worth nothing without the firm's own screen."""
    with reading() as session:
        view = found(own_voucher(session, number, actor=current_actor()))
        return render_template(
            "enterprise/paper.html",
            view=view,
            policy=policy_for(session, view.voucher, now()),
            picture=svg(payload(f"/V/{number}"), level="Q"),
            printed_at=now(),
        )


def _caps(session: Session, views: list[VoucherView], at: datetime) -> list[tuple[VoucherView, CapRoom]]:
    """One standing for each programme and holder among the vouchers."""
    first = {
        (view.voucher.programme_code, view.voucher.holder_id, view.voucher.holder_class): view
        for view in reversed(views)
    }
    standings = [(view, cap_of_voucher(session, view.voucher, at)) for view in first.values()]
    return [(view, standing) for view, standing in standings if standing is not None]
