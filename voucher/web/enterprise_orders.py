"""The firm's remote orders: choosing a service, placing, following, confirming the delivery, calling off."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal, found
from voucher.models.catalogue import CatalogueEntry
from voucher.models.orders import Order
from voucher.operations.cancel_order import CancelRequest, cancel_order
from voucher.operations.cap_room import cap_of_voucher
from voucher.operations.confirm_order import ConfirmRequest, confirm_order
from voucher.operations.outcome import only
from voucher.operations.place_order import PlaceRequest, place_order
from voucher.operations.policies import policy_in_force
from voucher.queries.catalogue import entry
from voucher.queries.claims import ClaimFilter, claims
from voucher.queries.order_cases import OrderCase, case_of
from voucher.queries.order_lines import order_lines
from voucher.queries.orders import holders_order, holders_orders
from voucher.queries.platforms import Offer, offers
from voucher.queries.vouchers import own_voucher, own_vouchers
from voucher.rules.lifecycle import Event, open_to
from voucher.rules.permissions import permitted
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.schemas.orders import CancelForm, ConfirmForm, EntryChoice, PlaceForm
from voucher.terms import EntryState, OrderChannel, OrderState, VoucherState
from voucher.web.access import current_actor, permits, require_step_up
from voucher.web.counter_code import reductions_shown
from voucher.web.counter_words import history, progress, service_names, words
from voucher.web.enterprise_sessions import STEP_UP_FEN
from voucher.web.entry import change, form_body, form_key, now, reading
from voucher.web.order_lists import CANCEL_ASKED, list_page
from voucher.web.rates import rate_of, rates_of

blueprint = Blueprint("enterprise_orders", __name__, url_prefix="/enterprise/orders")
blueprint.context_processor(words)


@blueprint.get("/")
@permits("enterprise:order:read")
def listing() -> ResponseReturnValue:
    """All orders, with filters in the address."""
    return list_page("enterprise/orders.html", holders_orders)


@blueprint.get("/new")
@permits("enterprise:order:place")
def new() -> ResponseReturnValue:
    """Choose the voucher to order with; the only one is chosen already."""
    with reading() as session:
        views = own_vouchers(session, actor=current_actor(), state=VoucherState.LIVE)
    if len(views) == 1:
        return redirect(url_for(".catalogue", voucher=views[0].voucher.number))
    return render_template("enterprise/order_new.html", views=views)


@blueprint.get("/new/<voucher>")
@permits("enterprise:order:place")
def catalogue(voucher: str) -> ResponseReturnValue:
    """The platforms where this voucher buys something, and what."""
    text, service, at = request.args.get("text", "")[:60].strip(), request.args.get("service", "")[:40], now()
    with reading() as session:
        view = found(own_voucher(session, voucher, actor=current_actor()))
        policy, voucher_row = policy_in_force(session, view.voucher.programme_code, at), view.voucher
        given = {"holder_class": voucher_row.holder_class, "region": voucher_row.holder.region_code}
        listed = offers(session, policy, on=business_date(at), text=text, service=service)
        return render_template(
            "enterprise/order_catalogue.html",
            view=view,
            policy=policy,
            offers=[(each, rates_of(policy, each, **given)) for each in listed],
            labels={each.code: each.label for each in policy.services},
            wanted={"text": text, "service": service},
        )


@blueprint.get("/new/<voucher>/<int(max=9223372036854775807):platform_id>/<service>")
@permits("enterprise:order:place")
def describe(voucher: str, platform_id: int, service: str) -> ResponseReturnValue:
    """Say what is wanted."""
    return _describe_page(voucher, platform_id, service, {}, step="describe"), 200


@blueprint.post("/new/<voucher>/<int(max=9223372036854775807):platform_id>/<service>")
@permits("enterprise:order:place")
def send(voucher: str, platform_id: int, service: str) -> ResponseReturnValue:
    """Check the answers, then place the order."""
    actor = current_actor()
    data, errors = load_form(PlaceForm, request.form)
    if errors or data["step"] != "send":
        page = _describe_page(voucher, platform_id, service, errors, step="describe" if errors else "check")
        return page, 422 if errors else 200
    wanted = PlaceRequest(voucher, platform_id, service, data["description"], data["entry"], data["units"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"number": only(place_order(session, [wanted], actor=actor, at=at)).number}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        given = {"_schema": [sentence(refusal)]}
        return _describe_page(voucher, platform_id, service, given, step="describe"), refusal.status
    flash("订单已提交，等待机构接单。额度在机构备案合同时锁定，现在没有扣减。", "success")
    return redirect(url_for(".page", number=answer["number"]), 303)


@blueprint.get("/<number>")
@permits("enterprise:order:read")
def page(number: str) -> ResponseReturnValue:
    """One order: where it stands, its amounts, its history, what can be done."""
    return order_page(number, {}), 200


@blueprint.get("/<number>/confirm")
@permits("enterprise:order:confirm")
def confirm_page(number: str) -> ResponseReturnValue:
    """How much of the hold is taken for what was delivered."""
    return _confirm_page(number, {}, "amount"), 200


@blueprint.post("/<number>/confirm")
@permits("enterprise:order:confirm")
def confirm(number: str) -> ResponseReturnValue:
    """Check the amount, then take it; what is not taken goes back to voucher and cap."""
    actor = current_actor()
    data, errors = load_form(ConfirmForm, request.form)
    with reading() as session:
        share_fen = _share(case_of(session, _own(session, number)))
    if not errors and data["amount"] is None and share_fen:
        errors = {"amount": ["请填写此项。"]}
    if errors:
        return _confirm_page(number, errors, "amount"), 422
    amount_fen = data["amount"] or 0
    if data["step"] != "send":
        return _confirm_page(number, {}, "check", amount_fen), 200
    if amount_fen >= STEP_UP_FEN:
        require_step_up()

    def work(session: Session, at: datetime) -> dict[str, Any]:
        wanted = ConfirmRequest(number, data["amount"], data["part"])
        return {"captured_fen": only(confirm_order(session, [wanted], actor=actor, at=at)).captured_fen}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _confirm_page(number, {"_schema": [sentence(refusal)]}, "amount"), refusal.status
    flash("核销完成。各期都验收后，请备齐合同、发票、付款凭证和成果，申请兑付。", "success")
    return redirect(url_for(".page", number=number), 303)


@blueprint.post("/<number>/cancel")
@permits("enterprise:order:cancel")
def cancel(number: str) -> ResponseReturnValue:
    """Call an order off; a hold comes back at once."""
    actor = current_actor()
    data, errors = load_form(CancelForm, request.form)
    if errors:
        return order_page(number, errors, "cancel"), 422

    def work(session: Session, at: datetime) -> dict[str, Any]:
        wanted = CancelRequest(number, data["reason"])
        return {"asked_by": only(cancel_order(session, [wanted], actor=actor, at=at)).cancel_asked_by}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return order_page(number, {"_schema": [sentence(refusal)]}, "cancel"), refusal.status
    flash(CANCEL_ASKED if answer["asked_by"] else "订单已取消，锁定的额度已退回。", "success")
    return redirect(url_for(".page", number=number), 303)


def _describe_page(
    voucher: str, platform_id: int, service: str, errors: dict[str, list[str]], *, step: str
) -> str:
    at = now()
    with reading() as session:
        view = found(own_voucher(session, voucher, actor=current_actor()))
        policy = policy_in_force(session, view.voucher.programme_code, at)
        offer = found(_offer(offers(session, policy, on=business_date(at), service=service), platform_id))
        row = view.voucher
        given = {"holder_class": row.holder_class, "region": row.holder.region_code}
        return render_template(
            f"enterprise/order_{step}.html",
            view=view,
            offer=offer,
            rate=rate_of(policy, offer, service, **given),
            service=found(policy.service(service)),
            cap=cap_of_voucher(session, view.voucher, at),
            policy=policy,
            description=request.form.get("description", ""),
            units=request.form.get("units", "1"),
            entry=_entry(session, platform_id, service),
            errors=errors,
        )


def _entry(session: Session, platform_id: int, service: str) -> CatalogueEntry | None:
    """The catalogue entry that the order is made from, if the address or the form names a listed one that fits."""
    data, errors = load_form(EntryChoice, {"entry": request.values.get("entry", "")})
    line = entry(session, data["entry"]) if not errors and data["entry"] else None
    if line is None or (line.entry.platform_id, line.entry.service) != (platform_id, service):
        return None
    return line.entry if line.entry.state == EntryState.LISTED.value else None


def _offer(listed: list[Offer], platform_id: int) -> Offer | None:
    return next((offer for offer in listed if offer.platform.id == platform_id), None)


def order_page(number: str, errors: dict[str, list[str]], sent: str = "") -> str:
    """The page of one of the firm's orders; `sent` names the form that the errors belong to."""
    with reading() as session:
        order = _own(session, number)
        events = open_to(OrderState(order.state))
        actor = current_actor()
        may_confirm = permitted(actor, "enterprise:order:confirm")
        may_cancel = permitted(actor, "enterprise:order:cancel") and Event.RESUME not in events
        remote = order.channel == OrderChannel.REMOTE.value
        made = claims(session, actor, ClaimFilter(text=number)).rows
        return render_template(
            "enterprise/order.html",
            order=order,
            case=case_of(session, order),
            service=service_names(session, [order])[(order.policy_code, order.service)],
            steps=progress(order),
            happened=history(order),
            cuts=reductions_shown(order.reductions),
            lines=order_lines(session, order),
            claim=made[-1] if made else None,
            may_confirm=may_confirm,
            can_cancel=may_cancel and bool(events & {Event.CANCEL, Event.RELEASE}),
            can_confirm=may_confirm and order.state == OrderState.DELIVERED.value,
            can_claim=permitted(actor, "enterprise:claim:submit") and Event.CLAIM in events,
            can_dispute=permitted(actor, "sides:order:dispute") and remote and Event.DISPUTE in events,
            typed=request.form,
            sent=sent,
            errors=errors,
        )


def _share(case: OrderCase) -> int:
    """What confirming takes at the most: the share of the delivered instalment, or all that is held."""
    return case.delivered.subsidy_fen if case.delivered else case.order.held_fen


def _confirm_page(number: str, errors: dict[str, list[str]], step: str, amount_fen: int | None = None) -> str:
    with reading() as session:
        order = _own(session, number)
        case = case_of(session, order)
        share_fen = _share(case)
        if max(share_fen, amount_fen or 0) >= STEP_UP_FEN:
            require_step_up()
        return render_template(
            f"enterprise/order_confirm_{step}.html",
            order=order,
            part=case.delivered,
            share_fen=share_fen,
            service=service_names(session, [order])[(order.policy_code, order.service)],
            cuts=reductions_shown(order.reductions),
            amount_fen=amount_fen,
            typed=request.form.get("amount"),
            errors=errors,
        )


def _own(session: Session, number: str) -> Order:
    return found(holders_order(session, number, actor=current_actor()))
