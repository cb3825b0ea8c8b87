"""Duty: interests from which somebody is recused (回避), and who stands in for whom (AB角)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.operations.outcome import only
from voucher.operations.recuse import RecusalRequest, end_recusals, recuse
from voucher.operations.stand_in import StandInRequest, end_stand_ins, name_stand_ins
from voucher.queries.duty import duty
from voucher.rules.permissions import Actor
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.schemas.review import RecusalForm, StandInForm
from voucher.terms import Role
from voucher.web.access import current_actor, permits
from voucher.web.entry import change, form_body, form_key, now, reading

blueprint = Blueprint("duty", __name__, url_prefix="/reviewer/duty")

Work = Callable[[Session, datetime, Actor], list[Any]]


@blueprint.get("/")
@permits("reviewer:duty:write")
def index() -> ResponseReturnValue:
    """Recusals and stand-ins, with their forms."""
    return _page({}, {})


@blueprint.post("/recusals")
@permits("reviewer:duty:write")
def declare() -> ResponseReturnValue:
    """Declare an interest: one's own, or as an officer a colleague's."""
    data, errors = load_form(RecusalForm, request.form)
    if errors:
        return _page(request.form, errors)
    me = current_actor()
    wanted = RecusalRequest(data["person"] or me.person_id, data["uscc"], data["reason"])

    def work(session: Session, at: datetime, actor: Actor) -> list[Any]:
        if wanted.person_id != actor.person_id and Role.PROGRAMME_OFFICER not in actor.roles:
            raise Refusal(Code.NOT_PERMITTED)
        return list(recuse(session, [wanted], actor=actor, at=at))

    return _send(work, done="已登记回避，相关申请不再由其办理。")


@blueprint.post("/recusals/<int(max=9223372036854775807):recusal_id>/end")
@permits("reviewer:duty:write")
def end_recusal(recusal_id: int) -> ResponseReturnValue:
    """End an interest of somebody else."""
    return _send(
        lambda session, at, actor: list(end_recusals(session, [recusal_id], actor=actor, at=at)),
        done="回避已解除。",
    )


@blueprint.post("/stand-ins")
@permits("reviewer:duty:write")
def name() -> ResponseReturnValue:
    """Name who stands in for oneself."""
    data, errors = load_form(StandInForm, request.form)
    if errors:
        return _page(request.form, errors)
    until = data["last_on"] + timedelta(days=1)
    me = current_actor().person_id
    wanted = StandInRequest(me, data["colleague"], data["from_on"], until)
    return _send(
        lambda session, at, actor: list(name_stand_ins(session, [wanted], actor=actor, at=at)),
        done="已指定代办同事。",
    )


@blueprint.post("/stand-ins/<int(max=9223372036854775807):stand_in_id>/end")
@permits("reviewer:duty:write")
def come_back(stand_in_id: int) -> ResponseReturnValue:
    """Come back: the open cases are handed back."""
    return _send(
        lambda session, at, actor: list(end_stand_ins(session, [stand_in_id], actor=actor, at=at)),
        done="代办已结束，未办结的申请已交还。",
    )


def _send(work: Work, *, done: str) -> ResponseReturnValue:
    def one(session: Session, at: datetime) -> dict[str, Any]:
        only(work(session, at, current_actor()))
        return {}

    try:
        change(one, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(request.form, {"_schema": [sentence(refusal)]}, status=refusal.status)
    flash(done, "success")
    return redirect(url_for("duty.index"), 303)


def _page(form: Mapping[str, Any], errors: dict[str, list[str]], *, status: int = 422) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        page = render_template(
            "reviewer/duty.html",
            duty=duty(session, actor, on=business_date(now())),
            form=form,
            errors=errors,
            me=actor.person_id,
            officer=Role.PROGRAMME_OFFICER in actor.roles,
        )
    return page, status if errors else 200
