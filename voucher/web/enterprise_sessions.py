"""Showing a code at the counter, and the firm's answer to what the platform proposes (出示券码, 确认核销)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal, found
from voucher.models.sessions import RedemptionSession
from voucher.operations.cap_room import cap_of_voucher
from voucher.operations.confirm_session import cancel_session, confirm_session, reject_session
from voucher.operations.open_session import open_session
from voucher.operations.outcome import only
from voucher.queries.sessions import holders_session, state_at
from voucher.queries.vouchers import own_voucher, own_vouchers
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.schemas.sessions import EndForm, OpenForm
from voucher.terms import SessionState, VoucherState
from voucher.web.access import current_actor, permits, require_step_up
from voucher.web.counter_code import code_now, reductions_shown, word_of
from voucher.web.counter_words import service_names, words
from voucher.web.entry import change, form_body, form_key, now, reading

blueprint = Blueprint("enterprise_sessions", __name__, url_prefix="/enterprise/sessions")
blueprint.context_processor(words)

STEP_UP_FEN: Final = 50_000_00
"""From this amount on, confirming asks for the password again."""


@blueprint.get("/new")
@permits("enterprise:session:open")
def new() -> ResponseReturnValue:
    """Choose the voucher whose code is to be shown."""
    return _new_page({}, request.args.get("voucher", "")), 200


@blueprint.post("/new")
@permits("enterprise:session:open")
def send_new() -> ResponseReturnValue:
    """Open a session and go to its code."""
    actor = current_actor()
    data, errors = load_form(OpenForm, request.form)
    if errors:
        return _new_page({"voucher": ["请选择一张券。"]}, request.form.get("voucher", "")), 422

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"number": open_session(session, data["voucher"], actor=actor, at=at).number}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _new_page({"_schema": [sentence(refusal)]}, data["voucher"]), refusal.status
    return redirect(url_for(".page", number=answer["number"]), 303)


@blueprint.get("/<number>")
@permits("enterprise:session:open")
def page(number: str) -> ResponseReturnValue:
    """Where a session stands on the firm's screen: the code, waiting for the amount, the amount, or the result."""
    at = now()
    with reading() as session:
        row = _own(session, number)
        state = state_at(row, at)
        if state is SessionState.PROPOSED:
            return redirect(url_for(".proposal", number=number), 303)
        given: dict[str, Any] = {
            "row": row,
            "state": state,
            "view": _view(session, row),
            "word": word_of(number),
        }
        if state in (SessionState.OPEN, SessionState.SCANNED):
            given["live"] = _live(row, state, at)
            return render_template(f"enterprise/session_{state.value}.html", **given)
        given["cap"] = cap_of_voucher(session, row.voucher, at)
        return render_template("enterprise/session_result.html", **given)


@blueprint.get("/<number>/state")
@permits("enterprise:session:open")
def state_now(number: str) -> ResponseReturnValue:
    """The state as JSON with an ETag, for the page that waits."""
    with reading() as session:
        state = state_at(_own(session, number), now())
    urls = {SessionState.PROPOSED: url_for(".proposal", number=number)}
    answer = jsonify(state=state.value, url=urls.get(state, url_for(".page", number=number)))
    answer.set_etag(state.value)
    return answer.make_conditional(request)


@blueprint.get("/<number>/code")
@permits("enterprise:session:open")
def code(number: str) -> ResponseReturnValue:
    """The code of this instant as JSON; refused (`session_closed`) unless the session is open."""
    at = now()
    with reading() as session:
        state = state_at(_own(session, number), at)
    if state is not SessionState.OPEN:
        raise Refusal(Code.SESSION_CLOSED, state=state.value)
    return jsonify(code_now(number, at))


@blueprint.get("/<number>/proposal")
@permits("enterprise:session:confirm")
def proposal(number: str) -> ResponseReturnValue:
    """What the platform proposes: amounts, what remains, why less, the check word; to confirm or to reject."""
    return _proposal_page(number, {}, 200)


@blueprint.post("/<number>/confirm")
@permits("enterprise:session:confirm")
def confirm(number: str) -> ResponseReturnValue:
    """Confirm: the held amount is captured. A second press answers like the first."""
    actor = current_actor()
    with reading() as session:
        row = _own(session, number)
    if row.order is not None and row.state == SessionState.PROPOSED.value:
        _step_up(row)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        taken = only(confirm_session(session, [number], actor=actor, at=at))
        return {"captured_fen": taken.captured_fen}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        if refusal.code is Code.SESSION_CLOSED:
            return redirect(url_for(".page", number=number), 303)
        return _proposal_page(number, {"_schema": [sentence(refusal)]}, refusal.status)
    return redirect(url_for(".page", number=number), 303)


@blueprint.post("/<number>/reject")
@permits("enterprise:session:confirm")
def reject(number: str) -> ResponseReturnValue:
    """Say no to what is proposed: the hold is given back."""
    return _end(number, refuse=True)


@blueprint.post("/<number>/cancel")
@permits("enterprise:session:open")
def cancel(number: str) -> ResponseReturnValue:
    """Take the code back."""
    return _end(number, refuse=False)


def _end(number: str, *, refuse: bool) -> ResponseReturnValue:
    actor = current_actor()
    data, errors = load_form(EndForm, request.form)
    if errors:
        return _proposal_page(number, errors, 422)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        end = reject_session if refuse else cancel_session
        return {"state": end(session, number, reason=data["reason"], actor=actor, at=at).state}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        if refusal.code is not Code.SESSION_CLOSED:
            raise
    return redirect(url_for(".page", number=number), 303)


def _proposal_page(number: str, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    at = now()
    with reading() as session:
        row = _own(session, number)
        order, state = row.order, state_at(row, at)
        if order is None or state is not SessionState.PROPOSED:
            return redirect(url_for(".page", number=number), 303)
        _step_up(row)
        given = {
            "row": row,
            "order": order,
            "view": _view(session, row),
            "cap": cap_of_voucher(session, row.voucher, at),
            "service": service_names(session, [order])[(order.policy_code, order.service)],
            "cuts": reductions_shown(order.reductions),
            "word": word_of(number),
            "live": _live(row, state, at),
            "errors": errors,
        }
        return render_template("enterprise/session_proposed.html", **given), status


def _step_up(row: RedemptionSession) -> None:
    if row.order is not None and row.order.held_fen >= STEP_UP_FEN:
        require_step_up()


def _live(row: RedemptionSession, state: SessionState, at: datetime) -> dict[str, Any]:
    proposed = state is SessionState.PROPOSED
    live: dict[str, Any] = {
        "state": state.value,
        "state_url": url_for("enterprise_sessions.state_now", number=row.number),
        "server_now": at,
        "opens_at": (row.proposed_at if proposed else row.scanned_at) or row.opened_at,
        "closes_at": (row.confirm_by if proposed else None) or row.closes_at,
    }
    if state is SessionState.OPEN:
        live |= {
            "code_url": url_for("enterprise_sessions.code", number=row.number),
            **code_now(row.number, at),
        }
    return live


def _own(session: Session, number: str) -> RedemptionSession:
    return found(holders_session(session, number, actor=current_actor()))


def _view(session: Session, row: RedemptionSession) -> Any:
    return found(own_voucher(session, row.voucher.number, actor=current_actor()))


def _new_page(errors: dict[str, list[str]], chosen: str) -> str:
    with reading() as session:
        views = own_vouchers(session, actor=current_actor(), state=VoucherState.LIVE)
    usable = [view for view in views if view.left_fen > 0]
    if len(usable) == 1 and not chosen:
        chosen = usable[0].voucher.number
    return render_template("enterprise/session_new.html", views=usable, chosen=chosen, errors=errors)
