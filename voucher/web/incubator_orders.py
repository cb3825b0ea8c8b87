"""Orders that a base places for its tenants: one or a group, followed and confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal, found
from voucher.operations.confirm_order import ConfirmRequest, confirm_order
from voucher.operations.group_order import Line, TenantOrderRequest, place_for_tenants
from voucher.operations.outcome import only
from voucher.operations.place_order import PlaceRequest
from voucher.operations.policies import policy_in_force, policy_of
from voucher.operations.tenant_objections import answer_tenant
from voucher.queries.incubator import allotments_of, beneficiaries, group_of, tenant_orders
from voucher.queries.platforms import offers
from voucher.queries.vouchers import own_voucher, own_vouchers
from voucher.schemas.base import load_form
from voucher.schemas.incubator import GroupOrderForm, ObjectionForm
from voucher.schemas.messages import sentence
from voucher.terms import AllotmentState, AttendanceProof, HolderClass, OrderState, VoucherState
from voucher.web.access import current_actor, permits, require_step_up
from voucher.web.counter_code import reductions_shown
from voucher.web.counter_words import history, progress, service_names, words
from voucher.web.enterprise_sessions import STEP_UP_FEN
from voucher.web.entry import change, form_body, form_key, now, reading, whole_form
from voucher.web.tenant_amounts import amounts, rest_of_form

blueprint = Blueprint("incubator_orders", __name__, url_prefix="/incubator/orders")
blueprint.context_processor(words)


@blueprint.get("/")
@permits("incubator:order:read")
def listing() -> ResponseReturnValue:
    """Every order for tenants."""
    page = request.args.get("page", 1, type=int)
    with reading() as session:
        found_page = tenant_orders(session, actor=current_actor(), page=page)
        services = service_names(session, found_page.rows)
        return render_template("incubator/orders.html", page=found_page, services=services)


@blueprint.get("/new")
@permits("incubator:order:place")
def new() -> ResponseReturnValue:
    """Choose the voucher, the platform and the service."""
    at = now()
    with reading() as session:
        live = own_vouchers(session, actor=current_actor(), state=VoucherState.LIVE)
        views = [view for view in live if view.voucher.holder_class == HolderClass.INCUBATION_BASE.value]
        choices = []
        for view in views:
            policy = policy_in_force(session, view.voucher.programme_code, at)
            listed = offers(session, policy, on=business_date(at))
            allotted_fen = sum(each.free_fen for each in allotments_of(session, view.voucher))
            choices.append((view, policy, listed, allotted_fen))
        return render_template("incubator/order_new.html", choices=choices)


@blueprint.get("/new/<voucher>/<int(max=9223372036854775807):platform_id>/<service>")
@permits("incubator:order:place")
def lines(voucher: str, platform_id: int, service: str) -> ResponseReturnValue:
    """Say what is wanted, and for which tenants, each with its part of the price."""
    return _lines_page(voucher, platform_id, service, {}), 200


@blueprint.post("/new/<voucher>/<int(max=9223372036854775807):platform_id>/<service>")
@permits("incubator:order:place")
def send(voucher: str, platform_id: int, service: str) -> ResponseReturnValue:
    """Check the answers, then place the order."""
    actor = current_actor()
    data, errors = load_form(GroupOrderForm, rest_of_form())
    with reading() as session:
        view = found(own_voucher(session, voucher, actor=actor))
        names = {each.allotment.number: each for each in allotments_of(session, view.voucher)}
    typed, wrong = amounts(list(names))
    errors |= wrong
    if not typed and not errors:
        errors["_schema"] = ["请至少为一家入驻企业填写金额。"]
    if errors:
        return _lines_page(voucher, platform_id, service, errors), 422
    if data["step"] != "send":
        rows = [(names[key].allotment.tenancy.holder.name, key, fen) for key, fen in typed.items()]
        return _lines_page(voucher, platform_id, service, {}, rows=rows), 200
    place = PlaceRequest(voucher, platform_id, service, data["description"])
    wanted = TenantOrderRequest(place, tuple(Line(key, fen) for key, fen in typed.items()))

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"number": only(place_for_tenants(session, [wanted], actor=actor, at=at)).number}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        given = {"_schema": [sentence(refusal)]}
        return _lines_page(voucher, platform_id, service, given), refusal.status
    flash("订单已提交，等待机构接单。机构备案合同时从各家的分配额度中锁定。", "success")
    return redirect(url_for(".page", number=answer["number"]), 303)


@blueprint.get("/<number>")
@permits("incubator:order:read")
def page(number: str) -> ResponseReturnValue:
    """One order with its lines, who attended, and what tenants object."""
    return _order_page(number, {}), 200


@blueprint.post("/<number>/confirm")
@permits("incubator:order:confirm")
def confirm(number: str) -> ResponseReturnValue:
    """Confirm the delivery: the parts of those who attended are captured, the others go back."""
    actor = current_actor()
    with reading() as session:
        order = found(group_of(session, number, actor=actor))
    if order.held_fen >= STEP_UP_FEN:
        require_step_up()

    def work(session: Session, at: datetime) -> dict[str, Any]:
        asked = [ConfirmRequest(number)]
        return {"captured_fen": only(confirm_order(session, asked, actor=actor, at=at)).captured_fen}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _order_page(number, whole_form(refusal)), refusal.status
    done = "核销完成，未到场的部分已退回各家的分配额度。"
    flash(done if answer["captured_fen"] else "没有入驻企业到场，额度已全部退回。", "success")
    return redirect(url_for(".page", number=number), 303)


@blueprint.post("/<number>/objections/<int(max=9223372036854775807):objection_id>")
@permits("incubator:order:confirm")
def send_answer(number: str, objection_id: int) -> ResponseReturnValue:
    """Answer a tenant's objection."""
    actor = current_actor()
    data, errors = load_form(ObjectionForm, request.form)
    if errors:
        return _order_page(number, {"_schema": ["请写明答复。"]}), 422

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": answer_tenant(session, objection_id, data["body"], actor=actor, at=at).id}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _order_page(number, whole_form(refusal)), refusal.status
    flash("已答复。", "success")
    return redirect(url_for(".page", number=number), 303)


def _order_page(number: str, errors: dict[str, list[str]]) -> str:
    with reading() as session:
        order = found(group_of(session, number, actor=current_actor()))
        return render_template(
            "incubator/order.html",
            order=order,
            lines=beneficiaries(session, order),
            proof=AttendanceProof,
            service=service_names(session, [order])[(order.policy_code, order.service)],
            document_no=policy_of(session, order.policy_code).document_no,
            steps=progress(order),
            happened=history(order),
            cuts=reductions_shown(order.reductions),
            can_confirm=order.state == OrderState.DELIVERED.value,
            can_attend=order.state in (OrderState.HELD.value, OrderState.DELIVERED.value),
            errors=errors,
        )


def _lines_page(
    voucher: str,
    platform_id: int,
    service: str,
    errors: dict[str, list[str]],
    *,
    rows: Sequence[tuple[str, str, int]] | None = None,
) -> str:
    at = now()
    with reading() as session:
        view = found(own_voucher(session, voucher, actor=current_actor()))
        policy = policy_in_force(session, view.voucher.programme_code, at)
        listed = offers(session, policy, on=business_date(at), service=service)
        offer = found(next((each for each in listed if each.platform.id == platform_id), None))
        living = AllotmentState.LIVE.value
        return render_template(
            "incubator/order_check.html" if rows else "incubator/order_lines.html",
            view=view,
            offer=offer,
            service=found(policy.service(service)),
            lines=[each for each in allotments_of(session, view.voucher) if each.allotment.state == living],
            rows=rows or [],
            typed=request.form,
            errors=errors,
        )
