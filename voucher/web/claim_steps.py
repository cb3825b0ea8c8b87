"""One claim as either side of its order sees it: how far it is, confirming, withdrawing, mending it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Refusal, found
from voucher.models.orders import Order
from voucher.operations.confirm_claim import ClaimAnswer, confirm_claims
from voucher.operations.outcome import only
from voucher.operations.withdraw_claim import withdraw_claims
from voucher.queries.claims import ClaimFile, ClaimFilter, claim_file, claims, document_of
from voucher.queries.claims_back import defects_of
from voucher.rules.permissions import permitted
from voucher.schemas.claims import ClaimSearch
from voucher.terms import ClaimState, OrderState, Verdict
from voucher.web import uploads
from voucher.web.access import current_actor
from voucher.web.claim_writing import Side
from voucher.web.counter_words import reason_shown
from voucher.web.deeds import of_the_sides, timeline_of
from voucher.web.entry import change, form_body, form_key, reading, whole_form
from voucher.web.filtering import filters_of

_STEPS: Final = (
    ("提交", (ClaimState.SUBMITTED,)),
    ("审核通过", (ClaimState.APPROVED, ClaimState.IN_NOTICE, ClaimState.OBJECTED, ClaimState.CLEARED)),
    ("进入批次", (ClaimState.IN_BATCH,)),
    ("到账", (ClaimState.PAID,)),
)
_OPEN: Final = (ClaimState.AWAITING, ClaimState.SUBMITTED, ClaimState.RETURNED)


def listing(side: Side) -> ResponseReturnValue:
    """The claims of the reader's side, oldest first, with a filter in the address."""
    wanted, args = filters_of(ClaimSearch)
    limits = ClaimFilter(wanted["state"], wanted["text"], wanted["from_on"], wanted["to_on"])
    with reading() as session:
        page = claims(session, current_actor(), limits, page=wanted["page"])
    return render_template("enterprise/claims.html", side=side, page=page, args=args, states=ClaimState), 200


def page(
    side: Side, number: str, errors: Mapping[str, list[str]] | None = None, *, status: int = 200
) -> ResponseReturnValue:
    """One claim: how far it is, what was decided and why, its papers, and what this side can do now."""
    actor = current_actor()
    with reading() as session:
        file = found(claim_file(session, actor, number))
        shown = render_template(
            "enterprise/claim.html",
            side=side,
            file=file,
            closed=reason_shown(file.order.close_reason),
            steps=progress(file.state, file.order),
            happened=timeline_of(of_the_sides(file.history)),
            defects=defects_of(session, file.claim),
            may_answer=file.state is ClaimState.AWAITING and not _claimant(file),
            may_withdraw=file.state in _OPEN and _claimant(file),
            may_appeal=_may_appeal(file),
            may_mend=file.state is ClaimState.RETURNED and _claimant(file),
            errors=errors or {},
            typed=request.form,
        )
    return shown, status


def document(number: str, document_id: int) -> Response:
    """One file of a claim of the reader's side."""
    with reading() as session:
        row = found(document_of(session, current_actor(), number, document_id))
    return uploads.attachment(row.sha256, file_name=row.file_name, media_type=row.media_type)


def answer(side: Side, number: str) -> ResponseReturnValue:
    """Confirm the other side's claim, or deny it with a reason."""
    agreed = request.form.get("answer") == "agree"
    wanted = ClaimAnswer(number, agreed, request.form.get("reason", "")[:500])
    actor = current_actor()

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"state": only(confirm_claims(session, [wanted], actor=actor, at=at)).value}

    return _change(
        side, number, work, "已确认，申请转主管部门审核。" if agreed else "已退回申请，对方会看到原因。"
    )


def withdraw(side: Side, number: str) -> ResponseReturnValue:
    """Withdraw the side's own claim."""
    actor = current_actor()

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"state": only(withdraw_claims(session, [number], actor=actor, at=at)).value}

    return _change(side, number, work, "申请已撤回，订单可以重新申请，发票可以另行使用。")


def progress(state: ClaimState, order: Order) -> list[dict[str, Any]]:
    """The steps of a claim, as the bar shows them."""
    if state in (ClaimState.REJECTED, ClaimState.WITHDRAWN):
        return [{"label": "提交", "state": "done"}, {"label": state.label, "state": "stopped"}]
    if state in (ClaimState.AWAITING, ClaimState.RETURNED):
        first = [{"label": "提交", "state": "done"}, {"label": state.label, "state": "now"}]
        return first + [{"label": label, "state": "todo"} for label, _ in _STEPS[1:]]
    reached = next(place for place, (_, states) in enumerate(_STEPS) if state in states)
    settled = order.state == OrderState.SETTLED.value
    shown = []
    for place, (label, states) in enumerate(_STEPS):
        done = place <= reached
        word = "done" if done else "now" if place == reached + 1 else "todo"
        text = "等待支付" if ClaimState.PAID in states and settled and not done else label
        shown.append({"label": text, "state": word})
    return shown


def _claimant(file: ClaimFile) -> bool:
    actor = current_actor()
    if file.claim.by_platform:
        return file.order.platform_id in actor.platform_ids
    return file.holder.organisation_id in actor.organisation_ids


def _may_appeal(file: ClaimFile) -> bool:
    """Whether the reader's side sent it, a reviewer rejected it, and the reader may appeal."""
    permission = "provider:appeal:lodge" if file.claim.by_platform else "enterprise:appeal:lodge"
    is_no = file.state is ClaimState.REJECTED and file.verdict is Verdict.REJECT
    return is_no and _claimant(file) and permitted(current_actor(), permission)


def _change(side: Side, number: str, work: Any, said: str) -> ResponseReturnValue:
    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return page(side, number, whole_form(refusal), status=refusal.status)
    flash(said, "success")
    return redirect(url_for(f"{side.claims}.page", number=number), 303)
