"""The page of one case: everything for a decision, with the forms of whoever looks at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal, found
from voucher.operations.cap_room import cap_of_order
from voucher.operations.outcome import only
from voucher.queries import review_desk
from voucher.queries.claims import ClaimFile, claim_file
from voucher.queries.duty import colleagues, experts, path_of, stands_in_for
from voucher.queries.findings import findings_of
from voucher.queries.incubator import beneficiaries
from voucher.queries.review_file import ReviewFile, open_lines, review_file
from voucher.rules.permissions import Actor, permitted
from voucher.schemas.findings import said as finding_said
from voucher.terms import AttendanceProof, ClaimState, FindingKind, TrimCause, Verdict
from voucher.web.access import current_actor
from voucher.web.deeds import timeline_of
from voucher.web.entry import change, form_body, form_key, now, reading, whole_form
from voucher.web.uploads import Kept

LABELS = {
    "verdict": "审核意见",
    "approved": "核定金额",
    "audited": "审核认定金额",
    "cause": "核减原因",
    "reason": "理由",
    "budget_line": "预算指标",
    "minutes_no": "纪要或批示文号",
    "minutes_on": "纪要或批示日期",
    "minutes": "纪要或批示文件",
    "expert": "专家",
    "due_on": "期限",
    "colleague": "同事",
    "note": "附言",
    "agreed": "会签意见",
    "sign_text": "会签理由",
    "function": "会签单位",
    "revoke_reason": "撤销原因",
    "report_organisation": "出具单位",
    "report_no": "报告编号",
    "reported_on": "报告日期",
    "report_amount": "审定金额",
    "report": "报告文件",
}
_OPEN = (ClaimState.AWAITING, ClaimState.SUBMITTED, ClaimState.RETURNED)


def case_page(
    number: str,
    *,
    form: Mapping[str, Any],
    errors: dict[str, list[str]],
    kept: Mapping[str, list[Kept]] | None = None,
    status: int = 422,
) -> ResponseReturnValue:
    """The page, with a form that came back. Refused (`not_found`) where the actor does not see the claim."""
    actor, at = current_actor(), now()
    with reading() as session:
        file = found(claim_file(session, actor, number))
        review = review_file(session, actor, file)
        return _rendered(session, file, review, at=at, said=(form, errors, kept or {})), (
            status if errors else 200
        )


def send(
    number: str, work: Callable[[Session, datetime, Actor], list[Any]], *, done: str, form: Any
) -> ResponseReturnValue:
    """Run one operation on one case and come back to its page; a refusal keeps what the form said."""
    actor = current_actor()

    def one(session: Session, at: datetime) -> dict[str, Any]:
        only(work(session, at, actor))
        return {}

    try:
        change(one, key=form_key(), body=form_body())
    except Refusal as refusal:
        return case_page(number, form=form, errors=whole_form(refusal), status=refusal.status)
    flash(done, "success")
    return redirect(url_for("reviewer.claim_page", number=number), 303)


def _rendered(
    session: Session,
    file: ClaimFile,
    review: ReviewFile,
    *,
    at: datetime,
    said: tuple[Mapping[str, Any], dict[str, list[str]], Mapping[str, list[Kept]]],
) -> str:
    actor, on = current_actor(), business_date(at)
    form, errors, kept = said
    mine = review.taking is not None and review.taking.person_id == actor.person_id
    covered = review.taking is not None and review.taking.person_id in stands_in_for(session, actor, on=on)
    decides = permitted(actor, "reviewer:claim:decide") and not review.barred
    due_on = review.open_round.notice.due_on if review.open_round is not None else None
    overdue = due_on is not None and due_on < on
    free = mine or review.taking is None
    return render_template(
        "reviewer/claim.html",
        file=file,
        review=review,
        cap=cap_of_order(session, file.order, file.voucher),
        form=form,
        errors=errors,
        kept=kept,
        labels=LABELS,
        verdicts=Verdict,
        causes=TrimCause,
        history=timeline_of(file.history),
        findings=[
            (line, finding_said(FindingKind(line.row.kind), line.row.weight, line.row.facts))
            for line in findings_of(session, file.claim.number)
        ],
        beneficiaries=beneficiaries(session, file.order),
        proof=AttendanceProof,
        clock=review_desk.clock_of(session, file.claim, at=at),
        open=file.state in _OPEN,
        lines=open_lines(session, file.order.programme_code) if file.voucher is None else [],
        mine=mine,
        covered=covered,
        overdue=overdue,
        decides=decides,
        may_decide=decides and free and (file.state is ClaimState.SUBMITTED or overdue),
        may_return=decides and free and file.state is ClaimState.SUBMITTED,
        may_revoke=_may_revoke(file, actor),
        signs=sorted(actor.functions & set(file.policy.cosigners)),
        experts=experts(session, on=on),
        colleagues=colleagues(session, actor, region_path=path_of(session, file.holder.region_code), on=on),
        next_number=review_desk.next_case(session, actor, after=file.claim.number, at=at),
    )


def _may_revoke(file: ClaimFile, actor: Actor) -> bool:
    """Whether an award may be taken back: it is approved and not in a batch yet."""
    decided = file.state in (ClaimState.APPROVED, ClaimState.CLEARED)
    return file.voucher is None and decided and permitted(actor, "reviewer:award:revoke")
