"""Mending a claim that came back (补正): a form with the items that the defects name, and those alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal, found
from voucher.money import Fen, format_yuan
from voucher.operations.claim_papers import Judged
from voucher.operations.documents import GivenDocument
from voucher.operations.invoices import drafted
from voucher.operations.outcome import only
from voucher.operations.preview_claim import preview_mended
from voucher.operations.resubmit import ITEM_OF, Mended, items_open, resubmit, standing_papers
from voucher.queries.claims import ClaimFile, claim_file
from voucher.queries.claims_back import defects_of
from voucher.rules.invoices import differences
from voucher.rules.matching import accepted_channels
from voucher.schemas.claim_form import Written, invoice_rows, load_claims, payment_rows
from voucher.schemas.messages import sentence
from voucher.terms import ClaimItem, ClaimState, DocumentKind
from voucher.web import claim_files
from voucher.web.access import current_actor
from voucher.web.claim_answers import Answers, labels, requests_of, shorts
from voucher.web.claim_writing import Side, accounts_of
from voucher.web.entry import change, form_body, form_key, now, reading, typed_again, whole_form


def form(side: Side, number: str) -> ResponseReturnValue:
    """The form with what the claim says now; an item that is not open is not on it."""
    with reading() as session:
        file = _returned(session, number)
        rows = _rows(session, file)
    return _page(side, number, Answers([file.order.number], [], *rows), {}), 200


def send(side: Side, number: str) -> ResponseReturnValue:
    """Add a row, check the answers, go back to them, or hand the claim in again; a closed item is refused."""
    files, refused_files = claim_files.received()
    invoices, payments = invoice_rows(request.form), payment_rows(request.form)
    with reading() as session:
        file = _returned(session, number)
        allowed = items_open(session, file.claim)
        before = _rows(session, file)
    given = Answers(
        [file.order.number],
        files,
        invoices if ClaimItem.INVOICES in allowed else before[0],
        payments if ClaimItem.PAYMENT in allowed else before[1],
    )
    closed = _closed(files, allowed)
    if closed is not None:
        errors = {"_schema": [sentence(Refusal(Code.ITEM_NOT_OPEN, item=closed.value))]}
        return _page(side, number, given, errors), 409
    step = request.form.get("step", "check")
    if step == "edit":
        return _page(side, number, given, refused_files), 200
    if step in ("add", "add_payment"):
        more_invoices = [*given.invoices, {}] if step == "add" else given.invoices
        more_payments = [*given.payments, {}] if step == "add_payment" else given.payments
        more = Answers(given.numbers, files, more_invoices, more_payments)
        return _page(side, number, more, refused_files), 200
    written, errors = _read(file, given, allowed)
    errors = {**errors, **refused_files}
    if errors:
        return _page(side, number, given, errors), 422
    wanted = _mended(number, written, given, allowed)
    return _submit(side, number, given, wanted) if step == "send" else _check(side, number, given, wanted)


def _closed(files: Sequence[tuple[str, GivenDocument]], allowed: Collection[ClaimItem]) -> ClaimItem | None:
    """An item that the form says something of although it is not open: no page has it, so nobody is told it was taken."""
    invoices, payments = invoice_rows(request.form), payment_rows(request.form)
    said = {
        ClaimItem.CONTRACT: bool(request.form.get("contract_amount", "").strip()),
        ClaimItem.PAYEE: bool(request.form.get("payee_account_id", "").strip()),
        ClaimItem.INVOICES: any(value.strip() for row in invoices for value in row.values()),
        ClaimItem.PAYMENT: any(value.strip() for row in payments for value in row.values()),
    }
    items = {item for item, given in said.items() if given}
    if ClaimItem.OTHER not in allowed:
        items |= {ITEM_OF[each.kind] for _, each in files}
    return min(items - set(allowed), default=None)


def _read(
    file: ClaimFile, given: Answers, allowed: Collection[ClaimItem]
) -> tuple[Written, dict[str, list[str]]]:
    typed = dict(request.form.items())
    if ClaimItem.CONTRACT not in allowed:
        typed["contract_amount"] = _yuan(file.claim.contract_fen)
    if ClaimItem.PAYEE not in allowed:
        typed["payee_account_id"] = str(file.claim.payee_account_id)
    invoices, payments = [_blank(each) for each in given.invoices], [_blank(each) for each in given.payments]
    return load_claims(typed, invoices, payments, orders=1)


def _mended(number: str, written: Written, given: Answers, allowed: Collection[ClaimItem]) -> Mended:
    (whole,) = requests_of(written, given)
    papers = tuple(
        each for each in whole.documents if ITEM_OF[each.kind] in allowed or ClaimItem.OTHER in allowed
    )
    return Mended(
        claim_number=number,
        contract_fen=whole.contract_fen if ClaimItem.CONTRACT in allowed else None,
        invoices=whole.invoices if ClaimItem.INVOICES in allowed else None,
        payments=whole.payments if ClaimItem.PAYMENT in allowed else None,
        payee_account_id=whole.payee_account_id if ClaimItem.PAYEE in allowed else None,
        documents=papers,
    )


def _check(side: Side, number: str, given: Answers, wanted: Mended) -> ResponseReturnValue:
    """What would be handed in, with the amount that it asks for, before it is sent."""
    with reading() as session:
        file = _returned(session, number)
        sides = (file.order, file.voucher, file.holder, file.platform)
        try:
            judged, claimed_fen = preview_mended(session, file.claim, sides, wanted, at=now())
        except Refusal as refusal:
            return _page(side, number, given, whole_form(refusal)), refusal.status
        accounts = dict(accounts_of(session, file.policy, platform=file.platform, holder=file.holder))
        changed = _changed(session, file, judged)
        short = shorts(session, judged, but=file.claim.id)
    page = render_template(
        "enterprise/claim_mend_check.html",
        side=side,
        file=file,
        judged=judged,
        claimed_fen=claimed_fen,
        account=accounts.get(judged.account.id),
        short=short,
        differences=[
            (each.key, apart) for each in judged.invoices for apart in differences(each.head, each.original)
        ],
        changed=changed,
        files=given.files,
        typed=typed_again(),
    )
    return page, 200


def _changed(session: Session, file: ClaimFile, judged: Judged) -> list[str]:
    """What is otherwise than it stands: an item that is open is not changed by that alone."""
    before, after = standing_papers(session, file.claim), judged.papers
    pairs = {
        ClaimItem.CONTRACT: (before.contract_fen, after.contract_fen),
        ClaimItem.PAYMENT: (before.payments, after.payments),
        ClaimItem.PAYEE: (before.payee_account_id, after.payee_account_id),
        ClaimItem.INVOICES: (
            [(each.key, each.head, each.allocated_fen) for each in drafted(before.invoices)],
            [(each.key, each.head, each.allocated_fen) for each in judged.invoices],
        ),
    }
    return [item.label for item, (was, now_is) in pairs.items() if was != now_is]


def _submit(side: Side, number: str, given: Answers, wanted: Mended) -> ResponseReturnValue:
    actor = current_actor()

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"number": only(resubmit(session, [wanted], actor=actor, at=at)).number}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(side, number, given, whole_form(refusal)), refusal.status
    flash("已重新提交，排队次序不变。", "success")
    return redirect(url_for(f"{side.claims}.page", number=number), 303)


def _page(side: Side, number: str, given: Answers, errors: Mapping[str, list[str]]) -> str:
    with reading() as session:
        file = _returned(session, number)
        allowed = items_open(session, file.claim)
        open_kinds = [kind for kind in DocumentKind if ITEM_OF[kind] in allowed or ClaimItem.OTHER in allowed]
        return render_template(
            "enterprise/claim_mend.html",
            side=side,
            file=file,
            defects=defects_of(session, file.claim),
            allowed=[each.value for each in allowed],
            kinds=open_kinds,
            accounts=accounts_of(session, file.policy, platform=file.platform, holder=file.holder),
            channels=[(each.value, each.label) for each in accepted_channels(file.policy)],
            papers=claim_files.by_field(given.files),
            given=given,
            typed=request.form,
            labels=labels(given),
            errors=errors,
        )


def _returned(session: Session, number: str) -> ClaimFile:
    """The claim of this number, come back to the reader's side."""
    actor = current_actor()
    file = found(claim_file(session, actor, number))
    mine = (
        file.order.platform_id in actor.platform_ids
        if file.claim.by_platform
        else file.holder.organisation_id in actor.organisation_ids
    )
    if not mine:
        raise Refusal(Code.NOT_FOUND, claim=number)
    if file.state is not ClaimState.RETURNED:
        raise Refusal(Code.STATE_CHANGED, state=file.state.value, event="resubmit")
    return file


def _rows(session: Session, file: ClaimFile) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """What the claim says now, as it would be typed."""
    papers = standing_papers(session, file.claim)
    invoices = [
        {
            "number": each.number,
            "code": "",
            "issued_on": each.issued_on.isoformat(),
            "net": _yuan(each.net_fen),
            "buyer_uscc": each.buyer_uscc,
            "seller_uscc": each.seller_uscc,
            "buyer_name": each.buyer_name,
            "seller_name": each.seller_name,
            "share_0": _yuan(each.allocated_fen) if each.allocated_fen != each.net_fen else "",
        }
        for each in papers.invoices
    ]
    payments = [
        {
            "paid_amount": _yuan(each.amount_fen),
            "paid_on": each.paid_on.isoformat(),
            "payer_name": each.payer_name,
            "payer_account": each.payer_account,
            "channel": each.channel.value,
            "serial": each.serial,
        }
        for each in papers.payments
    ]
    return invoices, payments


def _blank(row: Mapping[str, str]) -> dict[str, str]:
    """A row without holes: what it lacks is empty."""
    names: Sequence[str] = (
        "number", "code", "issued_on", "net", "buyer_uscc", "seller_uscc", "buyer_name", "seller_name",
        "share_0", "paid_amount", "paid_on", "payer_name", "payer_account", "channel", "serial", "paid_share_0",
    )  # fmt: skip
    return {**dict.fromkeys(names, ""), **row}


def _yuan(fen: int | None) -> str:
    return format_yuan(Fen(fen)) if fen is not None else ""
