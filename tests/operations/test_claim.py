"""Claiming the money of a captured order: what is counted, and what is refused without a trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.operations.stories import Told, document, stranger
from voucher.clock import business_date
from voucher.errors import Code, Fact
from voucher.ledger import accounts
from voucher.models.claims import Claim, Document, Invoice
from voucher.money import Fen
from voucher.operations.claim import Claimed, ClaimRequest, claim
from voucher.operations.invoices import Ask, book, drafted
from voucher.operations.outcome import Refused, only
from voucher.rules.permissions import Actor
from voucher.terms import ClaimState, DocumentKind, OrderState


def claiming(*requests: ClaimRequest, actor: Actor) -> Callable[[Session, datetime], list[Claimed | Refused]]:
    return lambda session, at: claim(session, requests, actor=actor, at=at)


def refused(told: Told, code: Code, request: ClaimRequest, **facts: object) -> None:
    told.refuses(code, claiming(request, actor=told.world.firm.actor), **facts)


def test_a_claim_asks_for_what_was_captured_and_posts_nothing(told: Told) -> None:
    order = told.captured_order(contract_fen=100_000_00)
    request = told.claim_request(order)
    made = told.do(lambda session, at: only(claim(session, [request], actor=told.world.firm.actor, at=at)))
    assert (made.base_fen, made.claimed_fen) == (100_000_00, 50_000_00)
    row = told.one(Claim, number=made.number)
    assert (row.state, row.approved_fen) == (ClaimState.SUBMITTED.value, None)
    assert told.order(order).state == OrderState.CLAIMED.value
    assert told.balance(accounts.order(order)) == 50_000_00


@pytest.mark.parametrize(
    ("contract_fen", "net_fen", "paid_fen", "base_fen"),
    [
        (100_000_00, 90_000_00, 95_000_00, 90_000_00),
        (80_000_00, 90_000_00, 95_000_00, 80_000_00),
        (100_000_00, 90_000_00, 70_000_01, 70_000_01),
        (999_000_00, 999_000_00, 999_000_00, 100_000_00),
    ],
)
def test_the_base_is_the_least_of_contract_invoices_and_payment(
    told: Told, contract_fen: int, net_fen: int, paid_fen: int, base_fen: int
) -> None:
    request = told.claim_request(
        told.captured_order(),
        contract_fen=Fen(contract_fen),
        invoices=(told.invoice(net_fen=net_fen - 1), told.invoice(net_fen=1)),
        paid_fen=Fen(paid_fen),
    )
    made = told.do(lambda session, at: only(claim(session, [request], actor=told.world.firm.actor, at=at)))
    assert made.base_fen == base_fen
    assert made.claimed_fen == min(50_000_00, base_fen // 2)


def test_the_subsidy_claimed_is_never_more_than_was_captured(told: Told) -> None:
    number = told.voucher(face_fen=20_000_00)
    order = told.captured_order(voucher=number, contract_fen=100_000_00)
    assert told.one(Claim, number=told.claimed(order=order)).claimed_fen == 20_000_00


def test_the_papers_are_kept_with_their_hashes(told: Told) -> None:
    number = told.claimed()
    with told.database.read() as session:
        kept = session.query(Document).join(Claim, Claim.id == Document.claim_id).filter_by(number=number)
        assert {row.kind for row in kept} == {kind.value for kind in DocumentKind}
        assert all(len(row.sha256) == 64 for row in kept)


@pytest.mark.parametrize("lacking", list(DocumentKind))
def test_a_paper_that_the_policy_asks_for_is_missed_by_name(told: Told, lacking: DocumentKind) -> None:
    papers = tuple(document(kind) for kind in DocumentKind if kind is not lacking)
    request = told.claim_request(told.captured_order(), documents=papers)
    refused(told, Code.EVIDENCE_MISSING, request, missing=lacking.value)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"buyer_uscc": "91140100MA0KABCD1X"}, "buyer"),
        ({"seller_uscc": "91140100MA0KABCD1X"}, "seller"),
        ({"days": -1}, "date"),
        ({"days": 1}, "date"),
        ({"number": "一二三"}, "number"),
    ],
)
def test_an_invoice_that_tells_another_story_is_refused(
    told: Told, changes: dict[str, Any], field: str
) -> None:
    days = changes.pop("days", 0)
    invoice = told.invoice(on=business_date(told.at) + timedelta(days=days), **changes)
    changes["days"] = days
    request = told.claim_request(told.captured_order(), invoices=(invoice,))
    refused(told, Code.INVOICE_MISMATCH, request, field=field)


@pytest.mark.parametrize("days", [-1, 1])
def test_a_payment_before_the_contract_or_after_today_is_refused(told: Told, days: int) -> None:
    paid_on = business_date(told.at) + timedelta(days=days)
    refused(
        told,
        Code.INVOICE_MISMATCH,
        told.claim_request(told.captured_order(), paid_on=paid_on),
        field="paid_on",
    )


def test_a_claim_without_an_invoice_or_with_one_twice_is_refused(told: Told) -> None:
    order, invoice = told.captured_order(), told.invoice()
    refused(told, Code.INVOICE_MISMATCH, told.claim_request(order, invoices=()), field="number")
    twice = told.claim_request(order, invoices=(invoice, invoice))
    refused(told, Code.INVOICE_MISMATCH, twice, field="repeated")


def test_papers_so_small_that_no_subsidy_is_left_are_refused(told: Told) -> None:
    request = told.claim_request(told.captured_order(), paid_fen=Fen(1))
    refused(told, Code.INVOICE_MISMATCH, request, field="amount")


def test_an_invoice_is_used_once_whatever_its_spelling(told: Told) -> None:
    invoice = told.invoice()
    first = told.claimed(invoices=(invoice,))
    respelt = replace(invoice, number=f"No. {invoice.number[:8]} {invoice.number[8:]}")
    request = told.claim_request(told.captured_order(), invoices=(told.invoice(), respelt))
    refused(told, Code.INVOICE_USED, request, claim=first)


def test_the_claim_of_another_firm_that_uses_an_invoice_is_not_named(told: Told) -> None:
    invoice = told.invoice()
    number = told.claimed(invoices=(invoice,))
    ask = Ask(0, 0, told.world.programme_code, (), drafted([invoice]))
    other = stranger(told, like=told.world.firm.actor)
    (theirs,) = told.do(lambda session, at: book(session, [ask], other))
    (ours,) = told.do(lambda session, at: book(session, [ask], told.world.firm.actor))
    used: dict[str, Fact] = {"net_fen": 100_000_00, "used_fen": 100_000_00, "left_fen": 0}
    assert theirs == Refused(Code.INVOICE_USED, {"invoice": invoice.number, "claim": "", **used})
    assert ours == Refused(Code.INVOICE_USED, {"invoice": invoice.number, "claim": number, **used})


def test_of_two_claims_in_one_sequence_with_one_invoice_the_first_stands(told: Told) -> None:
    number, invoice = told.voucher(), told.invoice(net_fen=20_000_00)
    orders = [told.captured_order(voucher=number, contract_fen=20_000_00) for _ in range(3)]
    requests = [
        told.claim_request(orders[0], invoices=(invoice,)),
        told.claim_request(orders[1], invoices=(told.invoice(), invoice)),
        told.claim_request(orders[2], invoices=(told.invoice(),)),
    ]
    first, second, third = told.do(claiming(*requests, actor=told.world.firm.actor))
    assert isinstance(first, Claimed) and isinstance(third, Claimed)
    assert isinstance(second, Refused) and second.code is Code.INVOICE_USED
    assert told.order(orders[1]).state == OrderState.CAPTURED.value
    assert len(told_rows(told, Invoice)) == 2


def told_rows(told: Told, table: type[Any]) -> Sequence[Any]:
    with told.database.read() as session:
        return session.query(table).all()


def test_an_order_is_claimed_once(told: Told) -> None:
    order = told.captured_order()
    told.claimed(order=order)
    refused(told, Code.STATE_CHANGED, told.claim_request(order), state="claimed")
    other = told.captured_order(voucher=told.voucher(face_fen=1_000_00))
    twice = (told.claim_request(other), told.claim_request(other))
    made, again = told.do(claiming(*twice, actor=told.world.firm.actor))
    assert isinstance(made, Claimed) and isinstance(again, Refused)


def test_an_order_that_is_only_held_cannot_be_claimed(told: Told) -> None:
    refused(told, Code.STATE_CHANGED, told.claim_request(told.held_order()), state="held")


def test_another_firm_does_not_find_the_order(told: Told) -> None:
    request = told.claim_request(told.captured_order())
    other = stranger(told, like=told.world.firm.actor)
    told.refuses(Code.NOT_FOUND, claiming(request, actor=other))


def test_a_claim_after_its_last_day_is_late_and_one_on_it_is_not(told: Told) -> None:
    order = told.captured_order()
    told.after(days=181)
    refused(told, Code.CLAIM_LATE, told.claim_request(order), redeem_by_on="2026-08-29")
    told.after(days=-1)
    assert told.claimed(order=order)


@pytest.mark.parametrize("changes", [{"active": False}, {"account_name": "山西某某有限公司"}])
def test_money_goes_only_to_an_open_account_in_the_payees_own_name(
    told: Told, changes: dict[str, Any]
) -> None:
    account = told.account(told.world.firm.organisation_id, **changes)
    request = told.claim_request(told.captured_order(), payee_account_id=account)
    refused(told, Code.PAYEE_MISSING, request, payee=told.world.firm.uscc)


def test_money_does_not_go_to_an_account_of_somebody_else(told: Told) -> None:
    account = told.account(told.world.platform.organisation_id, account_name=told.world.firm.name)
    request = told.claim_request(told.captured_order(), payee_account_id=account)
    refused(told, Code.PAYEE_MISSING, request, payee=told.world.firm.uscc)
