"""The firm applies for a voucher: what stands in the way, the form, the undertaking in full, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Refusal, found
from voucher.operations.applicant import Applicant, applicant_of, own_holder, own_holders
from voucher.operations.apply import ApplyRequest, MendRequest, apply, mend, withdraw
from voucher.operations.outcome import only
from voucher.queries.appeals import all_programmes
from voucher.queries.applications import ApplicationFile, application_file, own_applications
from voucher.rules.lifecycle import Event, open_to
from voucher.schemas.applying import ApplyForm, MendForm
from voucher.schemas.base import load_form
from voucher.schemas.conditions import said
from voucher.schemas.messages import sentence
from voucher.terms import ApplicationState
from voucher.web.access import current_actor, permits
from voucher.web.application_words import reason_shown
from voucher.web.deeds import timeline_of
from voucher.web.entry import change, form_body, form_key, now, reading, whole_form

blueprint = Blueprint("applying", __name__, url_prefix="/enterprise/applications")
blueprint.app_template_filter("application_reason")(reason_shown)


@blueprint.get("/")
@permits("enterprise:application:read")
def index() -> ResponseReturnValue:
    """The firm's applications, and the programmes it may ask about."""
    with reading() as session:
        return render_template(
            "enterprise/applications.html",
            rows=own_applications(session, current_actor()),
            programmes=all_programmes(session),
        )


@blueprint.get("/new")
@permits("enterprise:application:submit")
def new() -> ResponseReturnValue:
    """Every condition before anything is filled in; the form only where all are met."""
    return _form(request.args, {}, 200)


@blueprint.post("/check")
@permits("enterprise:application:submit")
def check() -> ResponseReturnValue:
    """The wish once more, with the undertaking in full to be signed; back to the form where something is wrong."""
    data, errors = load_form(ApplyForm, request.form)
    if errors or request.args.get("back"):
        return _form(request.form, {} if request.args.get("back") else errors, 422)
    return _check(data, {}, 200)


@blueprint.post("/")
@permits("enterprise:application:submit")
def send() -> ResponseReturnValue:
    """Submit. A refusal shows the page again with everything that was filled in."""
    data, errors = load_form(ApplyForm, request.form)
    if errors:
        return _form(request.form, errors, 422)
    wanted = ApplyRequest(
        programme_code=data["programme"],
        wanted_fen=data["wanted"],
        purpose=data["purpose"],
        holder_ref=data["holder_ref"],
        holder_class=data["holder_class"],
        undertaking_version=data["undertaking"],
        signed_name=data["signed_name"],
    )

    def work(session: Session, at: datetime) -> dict[str, Any]:
        made = only(apply(session, [wanted], actor=current_actor(), at=at))
        return {"number": made.number, "queue_no": made.queue_no, "voucher": made.voucher_number}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _check(data, {"_schema": [sentence(refusal)]}, refusal.status)
    issued = f"，已发放券 {answer['voucher']}" if answer["voucher"] else ""
    flash(f"申领 {answer['number']} 已受理，排队号 {answer['queue_no']}{issued}。", "success")
    return redirect(url_for("applying.page", number=answer["number"]), 303)


@blueprint.get("/<number>")
@permits("enterprise:application:read")
def page(number: str) -> ResponseReturnValue:
    """One application: its place, what was decided and why, and what the firm may do now."""
    return _page(number, {}, {}, 200)


@blueprint.post("/<number>/withdraw")
@permits("enterprise:application:submit")
def send_withdraw(number: str) -> ResponseReturnValue:
    """Take the application back."""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"number": only(withdraw(session, [number], actor=current_actor(), at=at)).number}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _again(number, refusal)
    flash(f"申领 {number} 已撤回。", "success")
    return redirect(url_for("applying.page", number=number), 303)


@blueprint.post("/<number>/mend")
@permits("enterprise:application:submit")
def send_mend(number: str) -> ResponseReturnValue:
    """Send a returned application in again."""
    data, errors = load_form(MendForm, request.form)
    if errors:
        return _page(number, request.form, errors, 422)
    mended = MendRequest(number, data["wanted"], data["purpose"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"queue_no": only(mend(session, [mended], actor=current_actor(), at=at)).queue_no}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _again(number, refusal)
    flash(f"申领 {number} 已重新提交，排队号仍为 {answer['queue_no']}。", "success")
    return redirect(url_for("applying.page", number=number), 303)


def _again(number: str, refusal: Refusal) -> ResponseReturnValue:
    return _page(number, request.form, whole_form(refusal), refusal.status)


def _form(form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    actor, at = current_actor(), now()
    with reading() as session:
        holders = own_holders(session, actor=actor)
        chosen = form.get("holder_ref") or (holders[0].ref if holders else "")
        asking, problem = _asking(session, form.get("programme", ""), chosen, at)
        answer = render_template(
            "enterprise/application_new.html",
            asking=asking,
            problem=problem,
            conditions=[said(each) for each in asking.conditions] if asking else [],
            programmes=all_programmes(session),
            holders=holders,
            chosen=chosen,
            form=form,
            errors=errors,
        )
    return answer, status if errors else 200


def _asking(session: Session, programme: str, ref: str, at: datetime) -> tuple[Applicant | None, str]:
    """Where the holder stands before the programme; else nobody, and why."""
    if not programme:
        return None, ""
    try:
        holder = own_holder(session, ref, actor=current_actor())
        return applicant_of(session, programme, holder, at=at), ""
    except Refusal as refusal:
        if refusal.status == 404:
            raise
        return None, sentence(refusal)


def _check(data: dict[str, Any], errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    with reading() as session:
        holder = own_holder(session, data["holder_ref"], actor=current_actor())
        try:
            asking = applicant_of(
                session, data["programme"], holder, at=now(), wanted_class=data["holder_class"]
            )
            asking.require(data["wanted"])
        except Refusal as refusal:
            return _form(request.form, whole_form(refusal), refusal.status)
        page = render_template(
            "enterprise/application_check.html",
            asking=asking,
            data=data,
            form=request.form,
            errors=errors,
        )
    return page, status


def _page(number: str, form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    with reading() as session:
        file = found(application_file(session, current_actor(), number))
        page = render_template(
            "enterprise/application.html",
            file=file,
            form=form,
            errors=errors,
            steps=_steps(file),
            history=timeline_of(file.history),
            may_withdraw=Event.WITHDRAW in open_to(file.state),
            may_mend=Event.RESUBMIT in open_to(file.state),
            may_appeal=_may_appeal(file),
        )
    return page, status


def _may_appeal(file: ApplicationFile) -> bool:
    """Against a rejection, once a round."""
    made = any(appeal.round == file.application.round for appeal, _ in file.appeals)
    return file.state is ApplicationState.REJECTED and not made


def _steps(file: ApplicationFile) -> list[dict[str, Any]]:
    """Received, reviewed, waiting for money, issued; a bad end in place of what would have followed."""
    row, state = file.application, file.state
    steps: list[dict[str, Any]] = [{"label": "受理", "state": "done", "at": row.submitted_at}]
    if state in (ApplicationState.SUBMITTED, ApplicationState.RETURNED):
        ahead = [("审核" if state is ApplicationState.SUBMITTED else state.label, "now")]
        ahead += [("等候发券", "todo"), ("发券", "todo")]
        return steps + [{"label": label, "state": step, "at": None} for label, step in ahead]
    if state is ApplicationState.WAITING:
        steps.append({"label": "审核通过", "state": "done", "at": row.decided_at})
        return [
            *steps,
            {"label": "等候发券", "state": "now", "at": None},
            {"label": "发券", "state": "todo", "at": None},
        ]
    if state is ApplicationState.ISSUED:
        steps.append({"label": "审核通过", "state": "done", "at": row.decided_at})
        return [*steps, {"label": "发券", "state": "done", "at": row.closed_at}]
    return [*steps, {"label": state.label, "state": "stopped", "at": row.closed_at}]
