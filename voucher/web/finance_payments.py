"""Payments of a batch: the payment file, the bank's answer line by line or as a file, and paying again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Refusal, found
from voucher.operations.outcome import Refused, only
from voucher.operations.pay import RepayRequest, export, pay_again
from voucher.operations.reconcile import BankResult, reconcile
from voucher.queries.batches import batch_file, payee_options
from voucher.reports.bank_answer import bank_results
from voucher.reports.payment_file import as_csv, as_xlsx, file_name
from voucher.reports.sheets import MOST_BYTES, read_table
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.schemas.settlements import BankResultForm, RepayForm
from voucher.terms import LineState
from voucher.web.access import current_actor, permits, require_step_up
from voucher.web.entry import change, database, form_body, form_key, reading, whole_form
from voucher.web.finance_batches import show_batch

blueprint = Blueprint("payments", __name__, url_prefix="/finance/batches")

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.post("/<number>/payment-file.<any('csv', 'xlsx'):form>")
@permits("finance:payment:export")
def payment_file(number: str, form: str) -> ResponseReturnValue:
    """The payments that are still to be made, as a file. Asked for again, it holds what is still unpaid."""
    require_step_up(30)
    actor = current_actor()
    try:
        order = database().transaction(
            lambda session, at: only(export(session, [number], actor=actor, at=at))
        )
    except Refusal as refusal:
        return show_batch(number, {}, whole_form(refusal), refusal.status)
    content = as_csv(order) if form == "csv" else as_xlsx(order)
    answer: Response = make_response(content)
    answer.mimetype = "text/csv" if form == "csv" else _XLSX
    answer.headers["Content-Disposition"] = f'attachment; filename="{file_name(order, form)}"'
    return answer


@blueprint.get("/<number>/bank-answer")
@permits("finance:payment:reconcile")
def bank_answer(number: str) -> ResponseReturnValue:
    """Every line that waits for the bank's answer, and the form for the bank's file."""
    return _bank_page(number, {}, {}, 200)


@blueprint.post("/<number>/bank-answer/line")
@permits("finance:payment:reconcile")
def send_line(number: str) -> ResponseReturnValue:
    """Book the bank's answer on one line."""
    data, errors = load_form(BankResultForm, request.form)
    if errors:
        return _bank_page(number, request.form, errors, 422)
    paid = data["result"] == "paid"
    result = BankResult(number, data["seq"], data["attempt"], paid, data["serial"], data["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"state": only(reconcile(session, [result], actor=current_actor(), at=at)).state.value}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _bank_page(number, request.form, whole_form(refusal), refusal.status)
    flash(f"第 {data['seq']} 笔已登记：{LineState(answer['state']).label}。", "success")
    return redirect(url_for("payments.bank_answer", number=number), 303)


@blueprint.post("/<number>/bank-answer/file")
@permits("finance:payment:reconcile")
def send_file(number: str) -> ResponseReturnValue:
    """Book a bank's file: every readable line of this batch; rows that cannot be read refuse the whole file."""
    upload = request.files.get("file")
    content = upload.stream.read(MOST_BYTES + 1) if upload else b""
    if not content:
        return _bank_page(number, {}, {"file": ["请选择银行回单文件（.xlsx 或 .csv）。"]}, 422)
    try:
        results, faults = bank_results(read_table(content), number)
    except Refusal as refusal:
        return _bank_page(number, {}, {"file": [sentence(refusal)]}, 422)
    if faults or not results:
        sentences = [f"第 {fault.line} 行：{fault.reason}。" for fault in faults[:50]] or ["文件中没有回单。"]
        return _bank_page(number, {}, {"file": sentences}, 422)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        answers = reconcile(session, results, actor=current_actor(), at=at)
        refused = [
            [result.seq, sentence(each)]
            for result, each in zip(results, answers, strict=True)
            if isinstance(each, Refused)
        ]
        return {"done": len(answers) - len(refused), "refused": refused}

    body = {**form_body(), "results": [repr(each) for each in results]}
    answer = change(work, key=form_key(), body=body)
    if answer["refused"]:
        sentences = [f"第 {seq} 笔：{text}" for seq, text in answer["refused"]]
        return _bank_page(number, {}, {"file": [f"已登记 {answer['done']} 笔。", *sentences]}, 409)
    flash(f"已登记 {answer['done']} 笔银行回单。", "success")
    return redirect(url_for("batches.batch_page", number=number), 303)


@blueprint.get("/<number>/lines/<int(max=9223372036854775807):seq>/pay-again")
@permits("finance:payment:repay")
def pay_again_page(number: str, seq: int) -> ResponseReturnValue:
    """The form for paying a returned line again."""
    require_step_up()
    return _again_page(number, seq, {}, 200)


@blueprint.post("/<number>/lines/<int(max=9223372036854775807):seq>/pay-again")
@permits("finance:payment:repay")
def send_pay_again(number: str, seq: int) -> ResponseReturnValue:
    """Put a returned line up for payment again, to the chosen account of the same payee."""
    require_step_up(30)
    data, errors = load_form(RepayForm, {**request.form, "seq": str(seq)})
    if errors:
        return _again_page(number, seq, errors, 422)
    wanted = RepayRequest(number, seq, data["payee_account_id"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"attempt": only(pay_again(session, [wanted], actor=current_actor(), at=at)).attempt}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _again_page(number, seq, whole_form(refusal), refusal.status)
    flash(f"第 {seq} 笔将作为第 {answer['attempt']} 次支付进入下一份支付文件。", "success")
    return redirect(url_for("batches.batch_page", number=number), 303)


def _bank_page(number: str, form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    with reading() as session:
        file = found(batch_file(session, current_actor(), number))
    return render_template(
        "finance/bank_answer.html",
        file=file,
        waiting=[line for line in file.lines if line.state is LineState.PENDING],
        paid=[line for line in file.lines if line.state is LineState.PAID],
        form=form,
        errors=errors,
    ), status


def _again_page(number: str, seq: int, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    with reading() as session:
        file = found(batch_file(session, current_actor(), number))
        line = found(next((line for line in file.lines if line.seq == seq), None))
        options = payee_options(session, line.payee_ref)
    page = render_template(
        "finance/pay_again.html",
        file=file,
        line=line,
        options=[(each.id, f"{each.account_name}，{each.bank}，{each.account_no}") for each in options],
        errors=errors,
        booked_by_me=line.bounced_by == current_actor().person_id,
        chosen=request.form.get("payee_account_id", options[0].id if options else ""),
    )
    return page, status
