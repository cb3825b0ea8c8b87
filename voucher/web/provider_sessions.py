"""One session on the platform's screen: proposing an amount, waiting for the holder, the verdict."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal, found
from voucher.models.sessions import RedemptionSession
from voucher.operations.cap_room import cap_of_voucher
from voucher.operations.confirm_session import cancel_session
from voucher.operations.outcome import only
from voucher.operations.policies import policy_in_force
from voucher.operations.propose import ProposeRequest, propose
from voucher.operations.quotas import rooms_at
from voucher.queries.platforms import Offer, offers
from voucher.queries.sessions import platforms_session, state_at
from voucher.queries.vouchers import view_of
from voucher.rules.policy import Policy
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.schemas.sessions import EndForm, ProposeForm
from voucher.terms import SessionState
from voucher.web.access import current_actor, permits
from voucher.web.allowances import policy_for
from voucher.web.counter_code import reductions_shown, word_of
from voucher.web.counter_words import rates_shown, service_names, words
from voucher.web.entry import change, form_body, form_key, now, reading
from voucher.web.rates import rates_of

blueprint = Blueprint("provider_sessions", __name__, url_prefix="/provider/sessions")
blueprint.context_processor(words)


@blueprint.get("/<number>")
@permits("provider:session:propose")
def page(number: str) -> ResponseReturnValue:
    """Where a session stands on the platform's screen: the form, waiting, or the verdict."""
    return _page(number, {}, 200)


@blueprint.get("/<number>/state")
@permits("provider:session:propose")
def state_now(number: str) -> ResponseReturnValue:
    """The state as JSON with an ETag, for the page that waits."""
    with reading() as session:
        state = state_at(_own(session, number), now())
    answer = jsonify(state=state.value, url=url_for(".page", number=number))
    answer.set_etag(state.value)
    return answer.make_conditional(request)


@blueprint.post("/<number>/propose")
@permits("provider:session:propose")
def send(number: str) -> ResponseReturnValue:
    """Propose an amount: the voucher's part is computed, clamped and held for ten minutes."""
    actor = current_actor()
    data, errors = load_form(ProposeForm, request.form)
    if errors:
        return _page(number, errors, 422)
    wanted = ProposeRequest(
        session_number=number,
        service=data["service"],
        gross_fen=data["gross"],
        contract_no=data["contract_no"],
        provider_ref=data["provider_ref"],
        description=data["description"],
        whole_fen=data["whole"],
        units=data["units"],
    )

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"held_fen": only(propose(session, [wanted], actor=actor, at=at)).held_fen}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(number, {"_schema": [sentence(refusal)]}, refusal.status)
    return redirect(url_for(".page", number=number), 303)


@blueprint.post("/<number>/cancel")
@permits("provider:session:propose")
def cancel(number: str) -> ResponseReturnValue:
    """Call a session off; what was held is given back."""
    actor = current_actor()
    data, errors = load_form(EndForm, request.form)
    if errors:
        return _page(number, errors, 422)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"state": cancel_session(session, number, reason=data["reason"], actor=actor, at=at).state}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        if refusal.code is not Code.SESSION_CLOSED:
            raise
    return redirect(url_for(".page", number=number), 303)


def _page(number: str, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    at = now()
    with reading() as session:
        row = _own(session, number)
        state, order = state_at(row, at), row.order
        given: dict[str, Any] = {
            "row": row,
            "state": state,
            "word": word_of(number),
            "view": view_of(session, row.voucher),
            "cap": cap_of_voucher(session, row.voucher, at),
            "live": _live(row, state, at),
            "errors": errors,
        }
        if order is not None:
            given["order"] = order
            given["service"] = service_names(session, [order])[(order.policy_code, order.service)]
            given["cuts"] = reductions_shown(order.reductions)
        if state is SessionState.SCANNED:
            policy = policy_for(session, row.voucher, at)
            options = _services(session, row, at)
            codes = [code for code, _ in options]
            given |= {
                "options": options,
                "quotas": rooms_at(session, row.voucher, row.platform_id or 0, codes, at=at)
                if policy
                else [],
                "per_unit_fen": policy.per_unit_cap_fen if policy else None,
                "rates": _rates(session, row, at),
                "typed": request.form,
            }
            return render_template("provider/session_scanned.html", **given), status
        name = "proposed" if state is SessionState.PROPOSED else "verdict"
        return render_template(f"provider/session_{name}.html", **given), status


def _rates(session: Session, row: RedemptionSession, at: datetime) -> list[str]:
    """The rates of this voucher at this platform, service by service; the policy's where the platform is in no list."""
    policy, voucher = policy_for(session, row.voucher, at), row.voucher
    listed = _listed(session, policy, row, at) if policy else None
    if policy is None or listed is None:
        return rates_shown(policy) if policy else []
    given = rates_of(policy, listed, holder_class=voucher.holder_class, region=voucher.holder.region_code)
    said = {each.words for each in given.values()}
    if len(said) == 1 and not listed.agreements:
        return sorted(said)
    names = {each.code: each.label for each in policy.services}
    return [f"{names[code]} {rate.words}（{rate.agreement or rate.clause}）" for code, rate in given.items()]


def _listed(session: Session, policy: Policy, row: RedemptionSession, at: datetime) -> Offer | None:
    listed = offers(session, policy, on=business_date(at))
    return next((each for each in listed if each.platform.id == row.platform_id), None)


def _services(session: Session, row: RedemptionSession, at: datetime) -> list[tuple[str, str]]:
    """The services that this platform may sell for this voucher; all of the policy's where it is in no list."""
    policy = policy_in_force(session, row.voucher.programme_code, at)
    listed = _listed(session, policy, row, at)
    allowed = set(listed.services) if listed else {each.code for each in policy.services}
    return [(each.code, each.label) for each in policy.services if each.code in allowed]


def _live(row: RedemptionSession, state: SessionState, at: datetime) -> dict[str, Any]:
    return {
        "state": state.value,
        "state_url": url_for("provider_sessions.state_now", number=row.number),
        "server_now": at,
        "opens_at": row.proposed_at or row.scanned_at or row.opened_at,
        "closes_at": row.confirm_by or row.closes_at,
    }


def _own(session: Session, number: str) -> RedemptionSession:
    return found(platforms_session(session, number, actor=current_actor()))
