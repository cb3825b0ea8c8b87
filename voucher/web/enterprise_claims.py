"""Claiming the money for a redeemed order, and following the claim to its payment (兑付申请)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Refusal, found
from voucher.models.orders import Order
from voucher.operations.claim import ClaimRequest, claim
from voucher.operations.invoices import GivenInvoice
from voucher.operations.outcome import only
from voucher.operations.policies import policy_of
from voucher.queries.claims import claim_file, document_of
from voucher.queries.orders import holders_order, payee_accounts
from voucher.rules.policy import Policy
from voucher.schemas.base import load_form
from voucher.schemas.claim_form import ClaimForm, invoice_rows, load_invoices
from voucher.schemas.messages import sentence
from voucher.terms import ClaimState, DocumentKind, OrderState, PayoutMode
from voucher.web import claim_files, uploads
from voucher.web.access import current_actor, permits
from voucher.web.counter_words import service_names, words
from voucher.web.deeds import timeline_of
from voucher.web.entry import change, form_body, form_key, reading

blueprint = Blueprint("enterprise_claims", __name__, url_prefix="/enterprise")
blueprint.context_processor(words)

_LABELS: Final = {
    "contract_amount": "合同金额",
    "paid_amount": "实际支付金额",
    "paid_on": "付款日期",
    "payer_account": "付款账号",
    "payee_account_id": "收款账户",
}
_INVOICE_LABELS: Final = {
    "number": "号码",
    "code": "代码",
    "issued_on": "开票日期",
    "net": "不含税金额",
    "buyer_uscc": "购买方",
    "seller_uscc": "销售方",
}
_STEPS: Final = (
    ("提交", ClaimState.SUBMITTED),
    ("审核通过", ClaimState.APPROVED),
    ("进入批次", ClaimState.IN_BATCH),
    ("到账", ClaimState.PAID),
)


@blueprint.get("/orders/<number>/claim")
@permits("enterprise:claim:submit")
def new(number: str) -> ResponseReturnValue:
    """The form of a claim, with everything filled in that the order knows."""
    with reading() as session:
        order = _own(session, number)
        given = {
            "contract_amount": order.contract_fen,
            "invoices": [{"buyer_uscc": order.holder.ref, "seller_uscc": order.platform.organisation.uscc}],
        }
    return _form_page(number, {}, [], given), 200


@blueprint.post("/orders/<number>/claim")
@permits("enterprise:claim:submit")
def send(number: str) -> ResponseReturnValue:
    """Add an invoice, check the answers, go back to them, or send; files given once are kept throughout."""
    with reading() as session:
        order = _own(session, number)
        policy = policy_of(session, order.policy_code)
    step, rows = request.form.get("step", "check"), invoice_rows(request.form)
    files, refused_files = claim_files.received()
    if step in ("add", "edit"):
        blank = {"buyer_uscc": order.holder.ref, "seller_uscc": order.platform.organisation.uscc}
        more = [*rows, blank] if step == "add" else rows
        return _form_page(number, refused_files, files, {"invoices": more}), 422 if refused_files else 200
    data, errors = load_form(ClaimForm, request.form)
    invoices, wrong = load_invoices(rows)
    errors = {**errors, **wrong, **_lacking(policy, files), **refused_files}
    if errors:
        return _form_page(number, errors, files, {"invoices": rows}), 422
    if step != "send":
        return _check_page(number, data, invoices, files), 200
    return _submit(number, _request(number, data, invoices, files), files, rows)


@blueprint.get("/claims/<number>")
@permits("enterprise:order:read")
def page(number: str) -> ResponseReturnValue:
    """One claim: how far it is, what was decided and why, its papers."""
    with reading() as session:
        file = found(claim_file(session, current_actor(), number))
        return render_template(
            "enterprise/claim.html",
            file=file,
            steps=_progress(file.state, file.order),
            happened=timeline_of(file.history),
        )


@blueprint.get("/claims/<number>/documents/<int(max=9223372036854775807):document_id>")
@permits("enterprise:order:read")
def document(number: str, document_id: int) -> Response:
    """One file of the firm's own claim."""
    with reading() as session:
        row = document_of(session, current_actor(), number, document_id)
        paper = found(row)
    return uploads.attachment(paper.sha256, file_name=paper.file_name, media_type=paper.media_type)


def _submit(
    number: str, wanted: ClaimRequest, files: list[tuple[str, Any]], rows: list[dict[str, str]]
) -> ResponseReturnValue:
    actor = current_actor()

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"number": only(claim(session, [wanted], actor=actor, at=at)).number}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        errors = {"_schema": [sentence(refusal)]}
        return _form_page(number, errors, files, {"invoices": rows}), refusal.status
    flash("兑付申请已提交，等待主管部门审核。", "success")
    return redirect(url_for(".page", number=answer["number"]), 303)


def _request(
    number: str, data: dict[str, Any], invoices: list[dict[str, Any]], files: list[tuple[str, Any]]
) -> ClaimRequest:
    return ClaimRequest(
        order_number=number,
        contract_fen=data["contract_amount"],
        invoices=tuple(
            GivenInvoice(
                number=each["number"],
                code=each["code"],
                issued_on=each["issued_on"],
                net_fen=each["net"],
                buyer_uscc=each["buyer_uscc"],
                seller_uscc=each["seller_uscc"],
            )
            for each in invoices
        ),
        paid_fen=data["paid_amount"],
        paid_on=data["paid_on"],
        payer_account=data["payer_account"],
        documents=tuple(given for _, given in files),
        payee_account_id=data["payee_account_id"],
    )


def _lacking(policy: Policy, files: list[tuple[str, Any]]) -> dict[str, list[str]]:
    """A sentence at each kind of paper that the policy asks for and the form lacks."""
    given = {each.kind for _, each in files}
    return {f"file_{kind.value}": [f"请上传{kind.label}。"] for kind in policy.evidence if kind not in given}


def _form_page(
    number: str, errors: dict[str, list[str]], files: list[tuple[str, Any]], given: dict[str, Any]
) -> str:
    with reading() as session:
        order = _own(session, number)
        policy = policy_of(session, order.policy_code)
        return render_template(
            "enterprise/claim_form.html",
            order=order,
            service=service_names(session, [order])[(order.policy_code, order.service)],
            policy=policy,
            open=order.state == OrderState.CAPTURED.value,
            accounts=_accounts(session, order, policy),
            kinds=policy.evidence or tuple(DocumentKind),
            papers=claim_files.by_field(files),
            given=given,
            typed=request.form,
            labels=_labels(len(given["invoices"])),
            errors=errors,
        )


def _labels(invoices: int) -> dict[str, str]:
    """The names of all fields, for the summary of errors."""
    return _LABELS | {
        f"invoice_{name}_{place}": f"发票 {place + 1} {label}"
        for place in range(invoices)
        for name, label in _INVOICE_LABELS.items()
    }


def _check_page(
    number: str, data: dict[str, Any], invoices: list[dict[str, Any]], files: list[tuple[str, Any]]
) -> str:
    with reading() as session:
        order = _own(session, number)
        policy = policy_of(session, order.policy_code)
        accounts = dict(_accounts(session, order, policy))
    return render_template(
        "enterprise/claim_check.html",
        order=order,
        policy=policy,
        data=data,
        account=accounts.get(data["payee_account_id"]),
        invoices=invoices,
        net_fen=sum(each["net"] for each in invoices),
        files=files,
        typed={
            name: value
            for name, value in request.form.items()
            if name not in ("csrf_token", "key", "step") and not name.startswith("kept_")
        },
    )


def _accounts(session: Session, order: Order, policy: Policy) -> list[tuple[int, str]]:
    """The accounts that the policy may pay this order to, as they are shown."""
    to_provider = policy.payout_mode is PayoutMode.PAY_PROVIDER
    payee = order.platform.organisation_id if to_provider else order.holder.organisation_id
    rows = payee_accounts(session, payee) if payee is not None else []
    return [(row.id, f"{row.account_name}，{row.bank}，尾号 {row.account_no[-4:]}") for row in rows]


def _progress(state: ClaimState, order: Order) -> list[dict[str, Any]]:
    if state is ClaimState.REJECTED:
        return [{"label": "提交", "state": "done"}, {"label": state.label, "state": "stopped"}]
    reached = [each for _, each in _STEPS].index(state)
    settled = order.state == OrderState.SETTLED.value
    shown = []
    for place, (label, each) in enumerate(_STEPS):
        done = place <= reached
        word = "done" if done else "now" if place == reached + 1 else "todo"
        text = "等待支付" if each is ClaimState.PAID and settled and not done else label
        shown.append({"label": text, "state": word})
    return shown


def _own(session: Session, number: str) -> Order:
    return found(holders_order(session, number, actor=current_actor()))
