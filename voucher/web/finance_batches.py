"""Settlement batches: made, changed and submitted by one person, approved by another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Refusal, found
from voucher.operations.batch import (
    Batch,
    BatchRequest,
    ChangeRequest,
    content_sha256,
    make,
    send_back,
    submit,
    take_in,
    take_out,
)
from voucher.operations.outcome import Refused, only
from voucher.operations.settle import ApprovalRequest, approve
from voucher.queries.batches import BatchFilter, approved_claims, batch_file, batches, bounced_lines
from voucher.queries.budgets import programmes
from voucher.queries.unfactored import unfactored_claims
from voucher.rules.permissions import permitted
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.schemas.settlements import ApproveForm, BatchSearch, ClaimsForm, NewBatchForm
from voucher.terms import BatchState, LineState
from voucher.web.access import current_actor, permits, require_step_up
from voucher.web.deeds import timeline_of
from voucher.web.entry import change, form_body, form_key, reading, whole_form
from voucher.web.filtering import filters_of

blueprint = Blueprint("batches", __name__, url_prefix="/finance/batches")

Verb = Callable[..., Sequence[Batch | Refused]]
_CHANGES: Final[dict[str, tuple[Verb, str]]] = {"take-in": (take_in, "编入"), "take-out": (take_out, "移出")}


@blueprint.get("/")
@permits("finance:batch:read")
def index() -> ResponseReturnValue:
    """The batches, what waits for one, and what the bank returned."""
    return _index({}, {}, 200)


@blueprint.post("/")
@permits("finance:batch:make")
def send_new() -> ResponseReturnValue:
    """Make a batch of the ticked claims."""
    data, errors = load_form(NewBatchForm, request.form)
    if errors:
        return _index(request.form, errors, 422)
    wanted = BatchRequest(data["programme"], tuple(data["claims"]))

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"number": only(make(session, [wanted], actor=current_actor(), at=at)).number}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _index(request.form, {"_schema": [sentence(refusal)]}, refusal.status)
    flash(f"批次 {answer['number']} 已建立。", "success")
    return redirect(url_for("batches.batch_page", number=answer["number"]), 303)


@blueprint.get("/<number>")
@permits("finance:batch:read")
def batch_page(number: str) -> ResponseReturnValue:
    """One batch, line by line."""
    return show_batch(number, {}, {}, 200)


@blueprint.post("/<number>/<any('take-in', 'take-out'):verb>")
@permits("finance:batch:make")
def send_change(number: str, verb: str) -> ResponseReturnValue:
    """Put approved claims into the batch, or take them out again."""
    operation, word = _CHANGES[verb]
    data, errors = load_form(ClaimsForm, request.form)
    if errors:
        return show_batch(number, request.form, errors, 422)
    wanted = ChangeRequest(number, tuple(data["claims"]))
    refused = _done(number, lambda session, at: operation(session, [wanted], actor=current_actor(), at=at))
    if refused is not None:
        return refused
    flash(f"已{word} {len(data['claims'])} 件申请。", "success")
    return redirect(url_for("batches.batch_page", number=number), 303)


@blueprint.post("/<number>/submit")
@permits("finance:batch:make")
def send_submit(number: str) -> ResponseReturnValue:
    """Hand the batch to the checker."""
    refused = _done(number, lambda session, at: submit(session, [number], actor=current_actor(), at=at))
    if refused is not None:
        return refused
    flash("已提交复核，请另一人复核。", "success")
    return redirect(url_for("batches.batch_page", number=number), 303)


@blueprint.post("/<number>/send-back")
@permits("finance:batch:approve")
def send_send_back(number: str) -> ResponseReturnValue:
    """Give the batch back to its maker."""
    refused = _done(number, lambda session, at: send_back(session, [number], actor=current_actor(), at=at))
    if refused is not None:
        return refused
    flash("已退回经办人修改。", "success")
    return redirect(url_for("batches.batch_page", number=number), 303)


@blueprint.get("/<number>/approve")
@permits("finance:batch:approve")
def approve_page(number: str) -> ResponseReturnValue:
    """What the checker approves: the content as it is now, beside what the maker submitted."""
    require_step_up()
    with reading() as session:
        file = found(batch_file(session, current_actor(), number))
        content = content_sha256(session, file.batch)
    return render_template("finance/approve.html", file=file, content=content, errors={})


@blueprint.post("/<number>/approve")
@permits("finance:batch:approve")
def send_approve(number: str) -> ResponseReturnValue:
    """Approve what was seen: the money of every order becomes payable."""
    require_step_up(30)
    data, errors = load_form(ApproveForm, request.form)
    if errors:
        return redirect(url_for("batches.approve_page", number=number), 303)
    wanted = ApprovalRequest(number, data["content_sha256"])
    refused = _done(number, lambda session, at: approve(session, [wanted], actor=current_actor(), at=at))
    if refused is not None:
        return refused
    flash("复核通过，资金已转为应付。", "success")
    return redirect(url_for("batches.batch_page", number=number), 303)


def show_batch(number: str, form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    """The page of a batch, with the errors of whichever of its forms was sent."""
    actor = current_actor()
    with reading() as session:
        file = found(batch_file(session, actor, number))
        ready = (
            approved_claims(session, actor, file.batch.programme_code)
            if file.state is BatchState.COLLECTING
            else []
        )
        waiting = unfactored_claims(session, actor, file.batch.programme_code)
    page = render_template(
        "finance/batch.html",
        file=file,
        ready=ready,
        unfactored=waiting,
        line_states=LineState,
        is_maker=file.batch.maker_id == actor.person_id,
        may_make=permitted(actor, "finance:batch:make"),
        may_approve=permitted(actor, "finance:batch:approve"),
        may_pay=permitted(actor, "finance:payment:export"),
        may_repay=permitted(actor, "finance:payment:repay"),
        history=timeline_of(file.history),
        form=form,
        chosen=form.getlist("claims") if form else [],
        errors=errors,
    )
    return page, status


def _done(
    number: str, work: Callable[[Session, datetime], Sequence[Batch | Refused]]
) -> ResponseReturnValue | None:
    """Change one batch; a refusal gives the page of the batch with its sentence."""

    def one(session: Session, at: datetime) -> dict[str, Any]:
        return {"state": only(work(session, at)).state.value}

    try:
        change(one, key=form_key(), body=form_body())
    except Refusal as refusal:
        return show_batch(number, request.form, whole_form(refusal), refusal.status)
    return None


def _index(form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    wanted, args = filters_of(BatchSearch)
    actor = current_actor()
    with reading() as session:
        page = render_template(
            "finance/batches.html",
            page=batches(
                session, actor, BatchFilter(wanted["state"], wanted["programme"]), page=wanted["page"]
            ),
            programmes=[(each.code, each.name) for each in programmes(session, actor)],
            ready=approved_claims(session, actor),
            unfactored=unfactored_claims(session, actor),
            bounced=bounced_lines(session, actor),
            states=BatchState,
            may_make=permitted(actor, "finance:batch:make"),
            may_repay=permitted(actor, "finance:payment:repay"),
            args=args,
            form=form,
            chosen=form.getlist("claims") if form else [],
            errors=errors,
        )
    return page, status
