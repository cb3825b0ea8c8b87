"""What both sides of an order and its reviewers share: the dispute, and the files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Refusal, found
from voucher.models.disputes import Dispute
from voucher.operations import dispute as disputes
from voucher.operations.dispute import Statement
from voucher.operations.dispute_end import Outcome
from voucher.operations.order_files import Given
from voucher.queries.order_cases import case_of, file_of, seen_order
from voucher.rules.lifecycle import Event, open_to
from voucher.rules.permissions import Actor, permitted
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.schemas.orders import OutcomeForm, StatementForm
from voucher.terms import DisputeOutcome, OrderChannel, OrderFileKind, OrderSide, OrderState
from voucher.web import uploads
from voucher.web.access import current_actor, current_standing, permits
from voucher.web.counter_words import service_names, words
from voucher.web.entry import change, form_body, form_key, reading
from voucher.web.order_forms import plain

blueprint = Blueprint("order_cases", __name__, url_prefix="/orders")
blueprint.context_processor(words)
Files = dict[str, list[uploads.Kept]]


@blueprint.get("/<number>/dispute")
@permits("sides:order:read")
def dispute(number: str) -> ResponseReturnValue:
    """The order under dispute, what was said, and what may be done now."""
    return _page(number, {}, ""), 200


@blueprint.post("/<number>/dispute")
@permits("sides:order:dispute")
def say(number: str) -> ResponseReturnValue:
    """Open the dispute, or say more in the one that is open."""
    files = uploads.received({"files": True})
    data, errors = load_form(StatementForm, plain(files))
    if errors or files.errors:
        return _page(number, errors | files.errors, "say", files.files), 422
    given = tuple(Given(OrderFileKind.STATEMENT, each) for each in files.stored("files"))
    said = Statement(number, data["body"], given)
    with reading() as session:
        order = found(seen_order(session, number, actor=current_actor()))
        is_open = order.state == OrderState.DISPUTED.value

    def act(session: Session, at: datetime) -> None:
        step = disputes.state_case if is_open else disputes.open_dispute
        step(session, said, actor=current_actor(), at=at)

    return _do(number, "say", act, files=files.files, told="已提交，对方和主管部门可以看到。")


@blueprint.post("/<number>/dispute/offer")
@permits("sides:order:dispute")
def offer(number: str) -> ResponseReturnValue:
    """Say how one would end the dispute."""
    data, errors = load_form(OutcomeForm, request.form)
    if errors:
        return _page(number, errors, "offer"), 422
    wanted = Outcome(data["outcome"], data["amount"], data["reason"])
    return _do(
        number,
        "offer",
        lambda session, at: disputes.offer(session, number, wanted, actor=current_actor(), at=at),
        told="已向对方提出，对方同意即办结。",
    )


@blueprint.post("/<number>/dispute/agree")
@permits("sides:order:dispute")
def agree(number: str) -> ResponseReturnValue:
    """Agree to the other side's offer, as it was read."""
    data, errors = load_form(OutcomeForm, request.form)
    if errors:
        return _page(number, errors, "agree"), 422
    wanted = Outcome(data["outcome"], data["amount"])
    return _do(
        number,
        "agree",
        lambda session, at: disputes.agree(session, number, wanted, actor=current_actor(), at=at),
        told="已同意，争议办结。",
    )


@blueprint.post("/<number>/dispute/decide")
@permits("reviewer:dispute:decide")
def decide(number: str) -> ResponseReturnValue:
    """Check the decision, then make it: money moves."""
    data, errors = load_form(OutcomeForm, request.form)
    if not errors and not data["reason"]:
        errors = {"reason": ["请写明理由。"]}
    if errors:
        return _page(number, errors, "decide"), 422
    if data["step"] != "send":
        with reading() as session:
            order = found(seen_order(session, number, actor=current_actor()))
            return render_template("orders/dispute_check.html", order=order, data=data), 200
    wanted = Outcome(data["outcome"], data["amount"], data["reason"])
    return _do(
        number,
        "decide",
        lambda session, at: disputes.decide_dispute(session, number, wanted, actor=current_actor(), at=at),
        told="争议已裁定。",
    )


@blueprint.get("/<number>/files/<int(max=9223372036854775807):file_id>")
@permits("sides:order:read")
def file(number: str, file_id: int) -> Response:
    """One file of a delivery or a dispute."""
    with reading() as session:
        row = found(file_of(session, found(seen_order(session, number, actor=current_actor())), file_id))
        return uploads.attachment(row.sha256, file_name=row.file_name, media_type=row.media_type)


@blueprint.get("/<number>/contract-file")
@permits("sides:order:read")
def contract_file(number: str) -> Response:
    """The contract as it was filed."""
    with reading() as session:
        case = case_of(session, found(seen_order(session, number, actor=current_actor())))
        row = found(case.contract).contract
        return uploads.attachment(found(row.file_sha256), file_name=row.file_name, media_type=row.media_type)


@blueprint.get("/<number>/supplement-file")
@permits("sides:order:read")
def supplement_file(number: str) -> Response:
    """The latest supplement to the contract."""
    with reading() as session:
        case = case_of(session, found(seen_order(session, number, actor=current_actor())))
        row = found(next(iter(reversed(found(case.contract).supplements)), None))
        return uploads.attachment(found(row.file_sha256), file_name=row.file_name, media_type=row.media_type)


def _do(
    number: str,
    name: str,
    act: Callable[[Session, datetime], object],
    *,
    files: Files | None = None,
    told: str,
) -> ResponseReturnValue:
    def work(session: Session, at: datetime) -> dict[str, Any]:
        act(session, at)
        return {"number": number}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(number, {"_schema": [sentence(refusal)]}, name, files), refusal.status
    flash(told, "success")
    return redirect(url_for(".dispute", number=number), 303)


def _page(number: str, errors: dict[str, list[str]], sent: str, files: Files | None = None) -> str:
    actor, standing = current_actor(), current_standing()
    decides = standing is not None and permitted(standing.actor, "reviewer:dispute:decide")
    with reading() as session:
        order = found(seen_order(session, number, actor=actor))
        case = case_of(session, order)
        open_one = case.open_dispute.dispute if case.open_dispute else None
        mine = _side(actor, order.platform_id, order.holder.organisation_id)
        return render_template(
            "orders/dispute.html",
            order=order,
            case=case,
            service=service_names(session, [order])[(order.policy_code, order.service)],
            mine=mine,
            back=_back(mine, number),
            can_open=mine is not None
            and Event.DISPUTE in open_to(OrderState(order.state))
            and order.channel == OrderChannel.REMOTE.value,
            can_say=mine is not None and open_one is not None,
            can_agree=_offered(open_one, mine),
            can_decide=mine is None and open_one is not None and decides,
            outcomes=[(each.value, each.label) for each in DisputeOutcome],
            kept=files or {},
            typed=request.form,
            sent=sent,
            errors=errors,
        )


def _side(actor: Actor, platform_id: int, firm_id: int | None) -> OrderSide | None:
    """On which side the reader stands; None for a reviewer."""
    if platform_id in actor.platform_ids:
        return OrderSide.PLATFORM if permitted(actor, "sides:order:dispute") else None
    return OrderSide.HOLDER if firm_id in actor.organisation_ids else None


def _offered(row: Dispute | None, mine: OrderSide | None) -> bool:
    """Whether the other side has made an offer."""
    return row is not None and mine is not None and row.offer_side not in (None, mine.value)


def _back(mine: OrderSide | None, number: str) -> str:
    if mine is OrderSide.PLATFORM:
        return url_for("provider_orders.page", number=number)
    if mine is OrderSide.HOLDER:
        return url_for("enterprise_orders.page", number=number)
    return url_for("reviewer_orders.listing")
