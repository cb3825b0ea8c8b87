"""Who attended a group order: the signed list, or a rotating code that attendees scan; for either side of the order."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import micros
from voucher.codes import STEP_SECONDS, make_code
from voucher.errors import Code, Refusal, found
from voucher.models.orders import Order
from voucher.models.tenancies import CheckIn
from voucher.operations.attend import CHECK_IN, AttendanceList, close_check_in, open_check_in, record_list
from voucher.qr import svg
from voucher.queries import incubator
from voucher.queries.incubator import beneficiaries, group_of
from voucher.terms import AttendanceProof, OrderState
from voucher.web.access import current_actor, permits
from voucher.web.counter_code import keys, payload
from voucher.web.counter_words import service_names, words
from voucher.web.entry import change, form_body, form_key, now, reading, whole_form
from voucher.web.uploads import received

blueprint = Blueprint("attendance", __name__, url_prefix="/attendance")
blueprint.context_processor(words)


@blueprint.get("/<number>")
@permits("sides:attendance:write")
def page(number: str) -> ResponseReturnValue:
    """The lines of a group order, and both ways of showing who attended."""
    return _page(number, {}), 200


@blueprint.post("/<number>/list")
@permits("sides:attendance:write")
def send_list(number: str) -> ResponseReturnValue:
    """Mark the lines by a signed list, which is kept with the order."""
    actor, kept = current_actor(), received({"file": False})
    present = frozenset(
        int(each) for each in request.form.getlist("present") if each.isdecimal() and len(each) < 6
    )
    files = kept.stored("file")
    errors = kept.errors if files else {"file": ["请上传签到表。"], **kept.errors}
    if errors:
        return _page(number, errors, present), 422
    given = AttendanceList(number, present, files[0])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"number": record_list(session, given, actor=actor, at=at).number}

    body = {**form_body(), "sha256": files[0].sha256}
    try:
        change(work, key=form_key(), body=body)
    except Refusal as refusal:
        return _page(number, whole_form(refusal), present), refusal.status
    flash(f"已按签到表登记：{len(present)} 家到场。", "success")
    return redirect(url_for(".page", number=number), 303)


@blueprint.post("/<number>/check-in")
@permits("sides:attendance:write")
def send_open(number: str) -> ResponseReturnValue:
    """Open the check-in and show its code."""
    actor = current_actor()

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"number": open_check_in(session, number, actor=actor, at=at).number}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(number, whole_form(refusal)), refusal.status
    return redirect(url_for(".show", number=number), 303)


@blueprint.get("/<number>/check-in")
@permits("sides:attendance:write")
def show(number: str) -> ResponseReturnValue:
    """The code that attendees scan, and who is there already."""
    at = now()
    with reading() as session:
        order, row = _open(session, number)
        if row is None:
            return redirect(url_for(".page", number=number), 303)
        lines = beneficiaries(session, order)
        there = sum(each.line.attended is True for each in lines)
        live = {
            "state": str(there),
            "state_url": url_for(".state_now", number=number),
            "server_now": at,
            "opens_at": row.opened_at,
            "closes_at": row.closes_at,
            "code_url": url_for(".code", number=number),
            **_code(row.number, at),
        }
        return render_template(
            "attendance/check_in.html",
            order=order,
            lines=lines,
            there=there,
            live=live,
            proof=AttendanceProof,
        )


@blueprint.get("/<number>/check-in/state")
@permits("sides:attendance:write")
def state_now(number: str) -> ResponseReturnValue:
    """How many are there, as JSON with an ETag, for the page that waits."""
    with reading() as session:
        order, row = _open(session, number)
        there = sum(each.line.attended is True for each in beneficiaries(session, order))
    page_url = url_for(".show" if row else ".page", number=number)
    answer = jsonify(state=str(there) if row else "closed", url=page_url)
    answer.set_etag(f"{there}{bool(row)}")
    return answer.make_conditional(request)


@blueprint.get("/<number>/check-in/code")
@permits("sides:attendance:write")
def code(number: str) -> ResponseReturnValue:
    """The code of this instant as JSON; refused (`check_in_over`) unless the check-in is open."""
    at = now()
    with reading() as session:
        _, row = _open(session, number)
    if row is None or at >= row.closes_at:
        raise Refusal(Code.CHECK_IN_OVER)
    return jsonify(_code(row.number, at))


@blueprint.post("/<number>/check-in/close")
@permits("sides:attendance:write")
def send_close(number: str) -> ResponseReturnValue:
    """End the check-in: whoever has not checked in was absent."""
    actor = current_actor()

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"present": close_check_in(session, number, actor=actor, at=at)}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(number, whole_form(refusal)), refusal.status
    flash(f"签到已结束：{answer['present']} 家到场，其余登记为未到场。", "success")
    return redirect(url_for(".page", number=number), 303)


def _code(check_in_number: str, at: datetime) -> dict[str, Any]:
    digits = make_code(keys().of(CHECK_IN), check_in_number, at)
    step = STEP_SECONDS * 1_000_000
    return {
        "svg": svg(payload(f"/C/{digits}"), level="M"),
        "digits": digits,
        "next_in_ms": (step - micros(at) % step) // 1000 + 1,
    }


def _open(session: Session, number: str) -> tuple[Order, CheckIn | None]:
    order = found(group_of(session, number, actor=current_actor()))
    return order, incubator.open_check_in(session, order)


def _page(number: str, errors: dict[str, list[str]], present: frozenset[int] | None = None) -> str:
    with reading() as session:
        order, row = _open(session, number)
        lines = beneficiaries(session, order)
        shown = {each.line.position for each in lines if each.line.attended}
        return render_template(
            "attendance/page.html",
            order=order,
            lines=lines,
            proof=AttendanceProof,
            service=service_names(session, [order])[(order.policy_code, order.service)],
            check_in=row,
            ours=order.holder.organisation_id in current_actor().organisation_ids,
            open_to_marks=order.state in (OrderState.HELD.value, OrderState.DELIVERED.value),
            present=shown if present is None else present,
            errors=errors,
        )
