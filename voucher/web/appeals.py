"""Appeals: the page of the side that applied or claimed, to lodge one and follow it, and the officials' list, entry by telephone, and decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Refusal, found
from voucher.operations.appeal import AppealDecision, AppealRequest, decide_appeals, lodge
from voucher.operations.outcome import only
from voucher.operations.policies import policy_of
from voucher.queries.appeals import AppealFile, appeal_file, appeals
from voucher.rules.permissions import Actor, permitted, runs
from voucher.schemas.applying import AppealDecisionForm, AppealForm, AppealSearch
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.terms import AppealChannel, AppealState
from voucher.web.access import current_actor, permits
from voucher.web.deeds import timeline_of
from voucher.web.entry import change, form_body, form_key, reading, whole_form
from voucher.web.filtering import filters_of

blueprint = Blueprint("appeals", __name__, url_prefix="/reviewer/appeals")
own = Blueprint("own_appeals", __name__, url_prefix="/enterprise/appeals")

providers = Blueprint("provider_appeals", __name__, url_prefix="/provider/appeals")


@dataclass(frozen=True, slots=True)
class _Side:
    """The side that appeals: the prefix of its endpoints, and the list that its pages lead back to."""

    appeals: str
    claims: str
    home: str
    home_label: str


_FIRM: Final = _Side("own_appeals", "enterprise_claims", "applying.index", "我的申领")
_PROVIDER: Final = _Side("provider_appeals", "provider_claims", "provider_claims.listing", "兑付申请")
_ENTERED: Final = (AppealChannel.PHONE, AppealChannel.COUNTER)


@own.get("/new")
@permits("enterprise:appeal:lodge")
def new() -> ResponseReturnValue:
    """The form, with the number of what was rejected."""
    return _own_form(_FIRM, request.args, {}, 200)


@own.post("/")
@permits("enterprise:appeal:lodge")
def send() -> ResponseReturnValue:
    """Lodge an appeal of the firm's own."""
    return _send(_FIRM)


@own.get("/<number>")
@permits("enterprise:application:read")
def page(number: str) -> ResponseReturnValue:
    """One of the firm's appeals, and its result."""
    return _own_page(_FIRM, number)


@providers.get("/new", endpoint="new")
@permits("provider:appeal:lodge")
def providers_new() -> ResponseReturnValue:
    """The form, with the number of the claim that was rejected."""
    return _own_form(_PROVIDER, request.args, {}, 200)


@providers.post("/", endpoint="send")
@permits("provider:appeal:lodge")
def providers_send() -> ResponseReturnValue:
    """Lodge an appeal against the rejection of a claim that the provider sent."""
    return _send(_PROVIDER)


@providers.get("/<number>", endpoint="page")
@permits("provider:order:read")
def providers_page(number: str) -> ResponseReturnValue:
    """One appeal of the provider's, and its result."""
    return _own_page(_PROVIDER, number)


@blueprint.get("/")
@permits("reviewer:appeal:read")
def index() -> ResponseReturnValue:
    """The appeals of the actor's regions, and the form for those that came by telephone or at the counter."""
    return _index({}, {}, 200)


@blueprint.post("/")
@permits("reviewer:appeal:decide")
def enter() -> ResponseReturnValue:
    """Write an appeal down for a firm that called or came."""
    data, errors = load_form(AppealForm, request.form)
    if not errors and data["channel"] is AppealChannel.PAGE:
        errors = {"channel": ["请选择电话或窗口。"]}
    if errors:
        return _index(request.form, errors, 422)
    try:
        number = _lodged(AppealRequest(data["subject"], data["text"], data["channel"]))
    except Refusal as refusal:
        field = "subject" if refusal.status == 404 else "_schema"
        return _index(request.form, {field: [sentence(refusal)]}, refusal.status)
    flash(f"申诉 {number} 已登记。", "success")
    return redirect(url_for("appeals.appeal_page", number=number), 303)


@blueprint.get("/<number>")
@permits("reviewer:appeal:read")
def appeal_page(number: str) -> ResponseReturnValue:
    """One appeal with the form of its decision."""
    return _page(number, {}, {}, 200)


@blueprint.post("/<number>/decide")
@permits("reviewer:appeal:decide")
def decide(number: str) -> ResponseReturnValue:
    """Decide; never by whoever rejected."""
    data, errors = load_form(AppealDecisionForm, request.form)
    if errors:
        return _page(number, request.form, errors, 422)
    wanted = AppealDecision(number, data["outcome"] is AppealState.UPHELD, data["result"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"state": only(decide_appeals(session, [wanted], actor=current_actor(), at=at)).state.value}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(number, request.form, whole_form(refusal), refusal.status)
    flash(f"{number}：{AppealState(answer['state']).label}，已告知申诉方。", "success")
    return redirect(url_for("appeals.appeal_page", number=number), 303)


def _lodged(wanted: AppealRequest) -> str:
    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"number": only(lodge(session, [wanted], actor=current_actor(), at=at)).number}

    return str(change(work, key=form_key(), body=form_body())["number"])


def _send(side: _Side) -> ResponseReturnValue:
    data, errors = load_form(AppealForm, request.form)
    if errors:
        return _own_form(side, request.form, errors, 422)
    try:
        number = _lodged(AppealRequest(data["subject"], data["text"]))
    except Refusal as refusal:
        field = "subject" if refusal.status == 404 else "_schema"
        return _own_form(side, request.form, {field: [sentence(refusal)]}, refusal.status)
    flash(f"申诉 {number} 已提出，将由原决定人以外的人处理。", "success")
    return redirect(url_for(f"{side.appeals}.page", number=number), 303)


def _own_form(side: _Side, form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    return render_template("enterprise/appeal_new.html", side=side, form=form, errors=errors), status


def _own_page(side: _Side, number: str) -> ResponseReturnValue:
    with reading() as session:
        file = found(appeal_file(session, current_actor(), number))
        history = timeline_of(file.history)
        return render_template("enterprise/appeal.html", side=side, file=file, history=history)


def _index(form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    wanted, args = filters_of(AppealSearch)
    with reading() as session:
        page = render_template(
            "reviewer/appeals.html",
            page=appeals(session, current_actor(), state=wanted["state"], page=wanted["page"]),
            args=args,
            states=AppealState,
            channels=[(each.value, each.label) for each in _ENTERED],
            form=form,
            errors=errors,
        )
    return page, status


def _page(number: str, form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        file = found(appeal_file(session, actor, number))
        page = render_template(
            "reviewer/appeal.html",
            file=file,
            form=form,
            errors=errors,
            outcomes=[(each.value, each.label) for each in (AppealState.UPHELD, AppealState.DISMISSED)],
            history=timeline_of(file.history),
            may_decide=permitted(actor, "reviewer:appeal:decide") and file.state is AppealState.LODGED,
            others=_others(session, file, actor),
        )
    return page, status


def _others(session: Session, file: AppealFile, actor: Actor) -> str:
    """Why somebody else has to decide; empty where the actor may."""
    if file.appeal.against_id == actor.person_id:
        return "原决定由您作出，须由其他人处理。"
    if file.is_claim and not runs(actor, policy_of(session, file.policy_code).owner_region):
        return "该申请属于其他主管部门的项目，由其处理。"
    return ""
