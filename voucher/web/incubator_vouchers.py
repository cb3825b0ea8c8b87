"""A base's startup vouchers: what is left, what each tenant was allotted, allotting in bulk and taking back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal, found
from voucher.money import format_yuan
from voucher.operations.allot import AllotRequest, TakeBackRequest, allot, take_back
from voucher.operations.outcome import Refused, only
from voucher.queries.incubator import TenantLine, allotments_of, tenants
from voucher.queries.vouchers import VoucherView, own_voucher, own_vouchers
from voucher.schemas.messages import sentence
from voucher.terms import HolderClass, TenancyState
from voucher.web.access import current_actor, permits
from voucher.web.counter_words import words
from voucher.web.entry import change, form_body, form_key, now, reading, whole_form
from voucher.web.tenant_amounts import amounts

blueprint = Blueprint("incubator_vouchers", __name__, url_prefix="/incubator/vouchers")
blueprint.context_processor(words)


@blueprint.get("/")
@permits("incubator:tenant:read")
def index() -> ResponseReturnValue:
    """The base's startup vouchers."""
    with reading() as session:
        views = [view for view in own_vouchers(session, actor=current_actor()) if _for_tenants(view)]
        lines = {view.voucher.id: allotments_of(session, view.voucher) for view in views}
        return render_template("incubator/vouchers.html", views=views, lines=lines)


@blueprint.get("/<number>")
@permits("incubator:tenant:read")
def page(number: str) -> ResponseReturnValue:
    """One voucher: its allotments, and a form to allot to every tenant at once."""
    return _page(number, {}), 200


@blueprint.post("/<number>/allot")
@permits("incubator:allotment:write")
def send_allot(number: str) -> ResponseReturnValue:
    """Check what was typed, then move it; never more than the voucher leaves, and all of it or nothing."""
    actor, today = current_actor(), business_date(now())
    with reading() as session:
        view = found(own_voucher(session, number, actor=actor))
        inside = {str(each.tenancy.id): each for each in _inside(session)}
    typed, errors = amounts(list(inside))
    if not typed and not errors:
        errors = {"_schema": ["请至少为一家入驻企业填写金额。"]}
    total = sum(typed.values())
    if not errors and total > view.left_fen:
        short = f"合计 {format_yuan(total)} 元，超过本券未分配的 {format_yuan(view.left_fen)} 元。"
        errors = {"_schema": [short]}
    if errors:
        return _page(number, errors), 422
    if request.form.get("step") != "send":
        rows = [(inside[key].tenancy.holder.name, key, amount) for key, amount in typed.items()]
        return render_template("incubator/allot_check.html", view=view, rows=rows, total=total, today=today)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        asked = [AllotRequest(int(key), amount) for key, amount in typed.items()]
        answers = allot(session, number, asked, actor=actor, at=at)
        return {"moved": [only([answer]).allotment.number for answer in answers]}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(number, whole_form(refusal)), refusal.status
    flash(f"已分配 {format_yuan(total)} 元。", "success")
    return redirect(url_for(".page", number=number), 303)


@blueprint.post("/<number>/take-back")
@permits("incubator:allotment:write")
def send_take_back(number: str) -> ResponseReturnValue:
    """Take back all that one tenant has neither spent nor on hold."""
    actor, chosen = current_actor(), request.form.get("allotment", "")[:40]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        (answer,) = take_back(session, [TakeBackRequest(chosen)], actor=actor, at=at)
        return {"refused": sentence(answer)} if isinstance(answer, Refused) else {"fen": answer.amount_fen}

    answer = change(work, key=form_key(), body=form_body())
    if "refused" in answer:
        return _page(number, {"_schema": [answer["refused"]]}), 409
    flash(f"已收回 {format_yuan(answer['fen'])} 元。", "success")
    return redirect(url_for(".page", number=number), 303)


def _page(number: str, errors: dict[str, list[str]]) -> str:
    with reading() as session:
        view = found(own_voucher(session, number, actor=current_actor()))
        return render_template(
            "incubator/voucher.html",
            view=view,
            lines=allotments_of(session, view.voucher),
            inside=_inside(session),
            typed=request.form,
            errors=errors,
        )


def _inside(session: Session) -> list[TenantLine]:
    listed = tenants(session, actor=current_actor(), on=business_date(now()))
    staying = (TenancyState.INCUBATING, TenancyState.GRADUATED)
    return [each for each in listed if each.state in staying]


def _for_tenants(view: VoucherView) -> bool:
    return view.voucher.holder_class == HolderClass.INCUBATION_BASE.value
