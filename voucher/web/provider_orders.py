"""The platform's orders: the list, one order, and everything the platform does with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import Schema
from sqlalchemy.orm import Session

from voucher.errors import Refusal, found
from voucher.models.orders import Order
from voucher.operations.answer_order import AcceptRequest, DeclineRequest, accept_order, decline_order
from voucher.operations.cancel_order import CancelRequest, cancel_order
from voucher.operations.cap_room import cap_of_voucher
from voucher.operations.deliver import DeliverRequest, deliver
from voucher.operations.extend_order import latest_day
from voucher.operations.file_contract import ContractRequest, file_contract
from voucher.operations.outcome import only
from voucher.operations.policies import policies_of
from voucher.operations.quotas import rooms_of_order
from voucher.operations.reverse import ReverseRequest, reverse
from voucher.queries.order_cases import case_of
from voucher.queries.orders import platforms_order, platforms_orders
from voucher.queries.vouchers import view_of
from voucher.rules.lifecycle import Event, open_to
from voucher.rules.permissions import permitted
from voucher.rules.policy import Policy
from voucher.schemas.base import ReasonForm, load_form
from voucher.schemas.messages import sentence
from voucher.schemas.orders import AcceptForm, CancelForm
from voucher.terms import OrderChannel, OrderState, PayoutMode
from voucher.web.access import current_actor, permits
from voucher.web.counter_code import reductions_shown
from voucher.web.counter_words import history, progress, service_names, words
from voucher.web.entry import change, form_body, form_key, now, reading
from voucher.web.order_forms import MOST_PARTS, Filled, contract_form, delivery_form
from voucher.web.order_lists import CANCEL_ASKED, list_page
from voucher.web.uploads import Kept

blueprint = Blueprint("provider_orders", __name__, url_prefix="/provider/orders")
blueprint.context_processor(words)

Act = Callable[[Session, datetime, dict[str, Any]], Order]
Files = dict[str, list[Kept]]


@blueprint.get("/")
@permits("provider:order:read")
def listing() -> ResponseReturnValue:
    """All orders, with filters in the address; the platform's own number is looked for too."""
    return list_page("provider/orders.html", platforms_orders)


@blueprint.get("/<number>")
@permits("provider:order:read")
def page(number: str) -> ResponseReturnValue:
    """One order: where it stands, its amounts, its history, what can be done."""
    return order_page(number, {}, ""), 200


@blueprint.post("/<number>/accept")
@permits("provider:order:accept")
def accept(number: str) -> ResponseReturnValue:
    """Accept with a quote."""

    def act(session: Session, at: datetime, data: dict[str, Any]) -> Order:
        wanted = AcceptRequest(number, data["quote"])
        return only(accept_order(session, [wanted], actor=current_actor(), at=at))

    return _do(number, "accept", AcceptForm, act, said="已接单。签订合同后请备案，备案时锁定企业的额度。")


@blueprint.post("/<number>/decline")
@permits("provider:order:accept")
def decline(number: str) -> ResponseReturnValue:
    """Decline, with the reason that the firm will read."""

    def act(session: Session, at: datetime, data: dict[str, Any]) -> Order:
        wanted = DeclineRequest(number, data["reason"])
        return only(decline_order(session, [wanted], actor=current_actor(), at=at))

    return _do(number, "decline", ReasonForm, act, said="已告知企业不接单。")


@blueprint.post("/<number>/contract")
@permits("provider:order:file_contract")
def contract(number: str) -> ResponseReturnValue:
    """Check the contract, then file it: the subsidy is computed, clamped and held."""
    form = contract_form()
    if form.errors:
        return order_page(number, form.errors, "contract", form.files), 422
    if form.data["step"] != "send":
        return _check_contract(number, form), 200

    def act(session: Session, at: datetime) -> Order:
        stored = [each for _, each in form.files["file"]]
        wanted = ContractRequest(
            number,
            form.data["contract_no"],
            form.data["contract_on"],
            form.data["contract_amount"],
            whole_fen=form.data["whole_amount"],
            file=stored[0] if stored else None,
            parts=tuple(form.parts),
        )
        return only(file_contract(session, [wanted], actor=current_actor(), at=at)).order

    return _done(number, "contract", act, files=form.files, said="合同已备案，额度已锁定。")


@blueprint.post("/<number>/deliver")
@permits("provider:order:deliver")
def send_delivery(number: str) -> ResponseReturnValue:
    """The work, or its next instalment, is done; the firm confirms next."""
    form, given = delivery_form()
    if form.errors:
        return order_page(number, form.errors, "deliver", form.files), 422
    data = form.data
    wanted = DeliverRequest(number, data["provider_ref"], data["note"], data["report_sha256"], given)

    def act(session: Session, at: datetime) -> Order:
        return only(deliver(session, [wanted], actor=current_actor(), at=at))

    return _done(number, "deliver", act, files=form.files, said="已交付，等待企业验收确认。")


@blueprint.post("/<number>/cancel")
@permits("provider:order:accept")
def cancel(number: str) -> ResponseReturnValue:
    """Call an order off; a hold comes back at once. With consent asked for, the first call is a request."""
    data, errors = load_form(CancelForm, request.form)
    if errors:
        return order_page(number, errors, "cancel"), 422
    wanted = CancelRequest(number, data["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        order = only(cancel_order(session, [wanted], actor=current_actor(), at=at))
        return {"asked_by": order.cancel_asked_by}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return order_page(number, {"_schema": [sentence(refusal)]}, "cancel"), refusal.status
    flash(CANCEL_ASKED if answer["asked_by"] else "订单已取消，锁定的额度已退回企业。", "success")
    return redirect(url_for(".page", number=number), 303)


@blueprint.get("/<number>/reverse")
@permits("provider:order:reverse")
def reverse_page(number: str) -> ResponseReturnValue:
    """What reversing would give back, and the reason for it."""
    return _reverse_page(number, {}), 200


@blueprint.post("/<number>/reverse")
@permits("provider:order:reverse")
def send_reversal(number: str) -> ResponseReturnValue:
    """Reverse: money and allowance go back where they came from."""
    data, errors = load_form(ReasonForm, request.form)
    if errors:
        return _reverse_page(number, errors), 422

    def work(session: Session, at: datetime) -> dict[str, Any]:
        wanted = ReverseRequest(number, data["reason"])
        return {"state": only(reverse(session, [wanted], actor=current_actor(), at=at)).state}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _reverse_page(number, {"_schema": [sentence(refusal)]}), refusal.status
    flash("已冲正，金额和年度额度已退回企业。", "success")
    return redirect(url_for(".page", number=number), 303)


def _do(number: str, name: str, form: type[Schema], act: Act, *, said: str) -> ResponseReturnValue:
    """Read a form of the order's page, act, and go back to it; errors show at the form that was sent."""
    data, errors = load_form(form, request.form)
    if errors:
        return order_page(number, errors, name), 422
    return _done(number, name, lambda session, at: act(session, at, data), said=said)


def _done(
    number: str,
    name: str,
    act: Callable[[Session, datetime], Order],
    *,
    files: Files | None = None,
    said: str,
) -> ResponseReturnValue:
    """Act, and go back to the order's page; a refusal shows at the form that was sent, which keeps its files."""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"state": act(session, at).state}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return order_page(number, {"_schema": [sentence(refusal)]}, name, files), refusal.status
    flash(said, "success")
    return redirect(url_for(".page", number=number), 303)


def order_page(number: str, errors: dict[str, list[str]], sent: str, files: Files | None = None) -> str:
    """The page of one of the platform's orders; `sent` names the form that errors and files belong to."""
    actor = current_actor()
    with reading() as session:
        order = _own(session, number)
        events = open_to(OrderState(order.state))
        manages = permitted(actor, "provider:order:accept")
        policy = policies_of(session, [order.rule_code])[order.rule_code]
        return render_template(
            "provider/order.html",
            order=order,
            case=case_of(session, order),
            policy=policy,
            part_rows=min(policy.instalments_max or 0, MOST_PARTS),
            latest_on=latest_day(policy, order),
            kept=files or {},
            service=service_names(session, [order])[(order.policy_code, order.service)],
            steps=progress(order),
            happened=history(order),
            cuts=reductions_shown(order.reductions),
            can=_can(order, events, manages) | {"claim": manages and _claims(policy, order)},
            typed=request.form,
            sent=sent,
            errors=errors,
        )


def _claims(policy: Policy, order: Order) -> bool:
    """Whether the platform claims the money of this order itself (通兑), and may now."""
    provider = policy.payout_mode is PayoutMode.PAY_PROVIDER
    return provider and order.state == OrderState.CAPTURED.value


def _can(order: Order, events: frozenset[Event], manages: bool) -> dict[str, bool]:
    """Which forms the page has."""
    held = order.state in (OrderState.HELD.value, OrderState.DELIVERED.value)
    return {
        "accept": manages and Event.ACCEPT in events,
        "contract": manages and Event.HOLD in events,
        "deliver": Event.DELIVER in events and order.channel == OrderChannel.REMOTE.value,
        "cancel": manages
        and order.state != OrderState.DISPUTED.value
        and bool(events & {Event.CANCEL, Event.RELEASE})
        and Event.ACCEPT not in events,
        "extend": manages and held,
        "supplement": manages and bool(order.contract_ref),
        "dispute": manages and Event.DISPUTE in events and order.channel == OrderChannel.REMOTE.value,
        "reverse": manages and Event.REVERSE in events,
    }


def _check_contract(number: str, form: Filled) -> str:
    with reading() as session:
        order = _own(session, number)
        return render_template(
            "provider/contract_check.html",
            order=order,
            service=service_names(session, [order])[(order.policy_code, order.service)],
            view=view_of(session, order.voucher),
            cap=cap_of_voucher(session, order.voucher, now()),
            quotas=rooms_of_order(session, order, order.voucher),
            data=form.data,
            parts=form.parts,
            files=form.files,
        )


def _reverse_page(number: str, errors: dict[str, list[str]]) -> str:
    with reading() as session:
        order = _own(session, number)
        return render_template(
            "provider/reverse.html",
            order=order,
            service=service_names(session, [order])[(order.policy_code, order.service)],
            reason=request.form.get("reason", ""),
            errors=errors,
        )


def _own(session: Session, number: str) -> Order:
    return found(platforms_order(session, number, actor=current_actor()))
