"""Writing a redemption claim, for the side that the policy pays: the form, the check of the answers, the sending."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal, found
from voucher.models.orders import Order
from voucher.models.parties import Holder, Platform
from voucher.money import Fen, format_yuan
from voucher.operations.claim import ClaimRequest, claim
from voucher.operations.order_papers import order_papers
from voucher.operations.outcome import only
from voucher.operations.policies import policy_of
from voucher.queries.claim_orders import claimable_beside, last_payer_account
from voucher.queries.orders import payee_accounts
from voucher.rules.matching import accepted_channels
from voucher.rules.policy import Policy
from voucher.schemas.claim_form import Written, invoice_rows, load_claims, payment_rows
from voucher.schemas.messages import sentence
from voucher.terms import DocumentKind, OrderState, PayoutMode
from voucher.web import claim_files
from voucher.web.access import current_actor
from voucher.web.claim_answers import Answers, labels, previews, requests_of
from voucher.web.claim_fill import filled
from voucher.web.counter_words import service_names
from voucher.web.entry import change, form_body, form_key, now, reading, typed_again

SHOWN_AGAIN: Final = ("add", "add_payment", "read", "orders", "edit")


@dataclass(frozen=True, slots=True)
class Side:
    """The side that writes: the prefix of its endpoints, and how it finds its own orders."""

    claims: str
    orders: str
    appeals: str
    order: Callable[..., Order | None]


def blank(side: Side, number: str) -> ResponseReturnValue:
    """The form of a claim, with everything filled in that the system knows."""
    return _form_page(side, Answers([number], [], [{}], [{}]), {}), 200


def send(side: Side, number: str) -> ResponseReturnValue:
    """Add a row, read an original, check the answers, go back to them, or send; files given once are kept."""
    numbers = [number, *(each for each in request.form.getlist("also") if each != number)]
    files, refused_files = claim_files.received()
    invoices = invoice_rows(request.form, len(numbers))
    payments = payment_rows(request.form, len(numbers))
    step = request.form.get("step", "check")
    given = Answers(numbers, files, filled(invoices, files), payments or [{}])
    if step in SHOWN_AGAIN:
        return _form_page(side, more_rows(given, step), refused_files), 422 if refused_files else 200
    written, errors = load_claims(request.form, invoices, payments, orders=len(numbers))
    errors = {**errors, **_lacking(side, given), **refused_files}
    if errors:
        return _form_page(side, given, errors), 422
    wanted = requests_of(written, given)
    if step != "send":
        return _check(side, given, written, wanted)
    return _submit(side, given, wanted)


def more_rows(given: Answers, step: str) -> Answers:
    """The form with an empty row more, where the step asks for one."""
    return Answers(
        given.numbers,
        given.files,
        [*given.invoices, {}] if step == "add" else given.invoices,
        [*given.payments, {}] if step == "add_payment" else given.payments,
    )


def _check(
    side: Side, given: Answers, written: Written, wanted: Sequence[ClaimRequest]
) -> ResponseReturnValue:
    with reading() as session:
        orders = [_own(session, side, each) for each in given.numbers]
        try:
            shown = previews(session, orders, wanted, at=now())
        except Refusal as refusal:
            return _form_page(side, given, {"_schema": [sentence(refusal)]}), refusal.status
        policy = policy_of(session, orders[0].rule_code)
        accounts = dict(accounts_of(session, policy, platform=orders[0].platform, holder=orders[0].holder))
    page = render_template(
        "enterprise/claim_check.html",
        side=side,
        number=given.numbers[0],
        order=orders[0],
        orders=orders,
        policy=policy,
        written=written,
        previews=shown,
        account=accounts.get(written.payee_account_id),
        files=given.files,
        typed=typed_again(),
    )
    return page, 200


def _submit(side: Side, given: Answers, wanted: Sequence[ClaimRequest]) -> ResponseReturnValue:
    actor = current_actor()

    def work(session: Session, at: datetime) -> dict[str, Any]:
        made = [only([each]) for each in claim(session, wanted, actor=actor, at=at)]
        return {"numbers": [each.number for each in made]}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _form_page(side, given, {"_schema": [sentence(refusal)]}), refusal.status
    numbers = answer["numbers"]
    flash(f"兑付申请已提交：{'、'.join(numbers)}。", "success")
    return redirect(url_for(f"{side.claims}.page", number=numbers[0]), 303)


def _lacking(side: Side, given: Answers) -> dict[str, list[str]]:
    """A sentence at each kind of paper that the policy asks for, and neither form nor orders have."""
    with reading() as session:
        orders = [_own(session, side, number) for number in given.numbers]
        policy = policy_of(session, orders[0].rule_code)
        known = order_papers(session, orders)
    kinds = {each.kind for _, each in given.files}
    shared = set.intersection(*({each.kind for each in known[order.id]} for order in orders))
    lacking = [kind for kind in policy.evidence if kind not in kinds | shared]
    return {f"file_{kind.value}": [f"请上传{kind.label}。"] for kind in lacking}


def _form_page(side: Side, given: Answers, errors: Mapping[str, list[str]]) -> str:
    with reading() as session:
        orders = [_own(session, side, number) for number in given.numbers]
        order = orders[0]
        policy = policy_of(session, order.rule_code)
        known = order_papers(session, orders)
        return render_template(
            "enterprise/claim_form.html",
            side=side,
            order=order,
            orders=orders,
            beside=_beside(session, side, order),
            service=service_names(session, [order])[(order.policy_code, order.service)],
            policy=policy,
            open=all(each.state == OrderState.CAPTURED.value for each in orders),
            mine=_claimant(policy, order),
            accounts=accounts_of(session, policy, platform=order.platform, holder=order.holder),
            kinds=policy.evidence or tuple(DocumentKind),
            known={kind: _names(known[order.id], kind) for kind in DocumentKind},
            papers=claim_files.by_field(given.files),
            channels=[(each.value, each.label) for each in accepted_channels(policy)],
            payer_account=last_payer_account(session, order.holder_id),
            today=business_date(now()),
            given=given,
            typed=request.form,
            labels=labels(given),
            errors=errors,
        )


def _beside(session: Session, side: Side, order: Order) -> list[tuple[str, str]]:
    """Other orders that this side can claim together with it, as they are offered."""
    actor = current_actor()
    return [
        (each.number, f"{each.number}，已核销 {format_yuan(Fen(each.captured_fen))} 元")
        for each in claimable_beside(session, order)
        if side.order(session, each.number, actor=actor) is not None
    ]


def _names(known: Sequence[Any], kind: DocumentKind) -> list[str]:
    return [each.file_name for each in known if each.kind is kind]


def _claimant(policy: Policy, order: Order) -> bool:
    """Whether the reader is on the side that claims."""
    if policy.payout_mode is PayoutMode.PAY_PROVIDER:
        return order.platform_id in current_actor().platform_ids
    return order.holder.organisation_id in current_actor().organisation_ids


def accounts_of(
    session: Session, policy: Policy, *, platform: Platform | None, holder: Holder
) -> list[tuple[int, str]]:
    """The accounts that the policy may pay this order to, as they are shown."""
    to_provider = policy.payout_mode is PayoutMode.PAY_PROVIDER and platform is not None
    payee = platform.organisation_id if to_provider and platform is not None else holder.organisation_id
    rows = payee_accounts(session, payee) if payee is not None else []
    return [(row.id, f"{row.account_name}，{row.bank}，尾号 {row.account_no[-4:]}") for row in rows]


def _own(session: Session, side: Side, number: str) -> Order:
    return found(side.order(session, number, actor=current_actor()))
