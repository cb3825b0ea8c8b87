"""Contract, invoices and payments tell one story, or the claim says which of them does not (domain 4, item 12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.rules.policies import policy
from voucher.errors import Code
from voucher.rules.invoices import Invoice
from voucher.rules.matching import Deal, Payment, accepted_channels, papers, three_ways
from voucher.terms import DocumentKind, PaymentChannel

FIRM, TEAM, HOST = "91140100A", "T1", "91140100B"
DAY, TODAY = date(2026, 5, 1), date(2026, 6, 1)
DEAL = Deal(enterprise_uscc=FIRM, enterprise_name="太原（甲）公司", host_uscc=HOST, since_on=DAY, today=TODAY)
INVOICE = Invoice(buyer_uscc=FIRM, seller_uscc=HOST, issued_on=DAY)
PAYMENT = Payment(paid_on=DAY, payer_name="太原(甲)公司", channel=PaymentChannel.BANK_TRANSFER)


def found(deal: Deal = DEAL, invoice: Invoice = INVOICE, *payments: Payment) -> tuple[Code, object] | None:
    finding = three_ways(policy(), deal, [invoice], payments)
    return None if finding is None else (finding[0], finding[1].get("field"))


def test_papers_that_agree_pass_however_brackets_are_written() -> None:
    assert found(DEAL, INVOICE, PAYMENT) is None
    anybody = replace(DEAL, host_uscc=None, since_on=None)
    assert (
        found(anybody, replace(INVOICE, seller_uscc="X"), replace(PAYMENT, paid_on=date(2020, 1, 1))) is None
    )


def test_what_the_policy_asks_for_and_the_claim_lacks_is_listed() -> None:
    assert papers(policy(), list(DocumentKind)) is None
    lacking = papers(policy(), [DocumentKind.CONTRACT])
    assert lacking == (Code.EVIDENCE_MISSING, {"missing": "invoice,payment_proof"})


@pytest.mark.parametrize(
    ("invoice", "field"),
    [
        (replace(INVOICE, buyer_uscc="X"), "buyer"),
        (replace(INVOICE, seller_uscc="X"), "seller"),
        (replace(INVOICE, issued_on=date(2026, 4, 30)), "date"),
        (replace(INVOICE, issued_on=date(2026, 6, 2)), "date"),
    ],
)
def test_an_invoice_that_does_not_fit_is_named_by_its_field(invoice: Invoice, field: str) -> None:
    assert found(DEAL, invoice, PAYMENT) == (Code.INVOICE_MISMATCH, field)


@pytest.mark.parametrize(
    ("payments", "expected"),
    [
        ((), (Code.INVOICE_MISMATCH, "payment")),
        ((replace(PAYMENT, payer_name="别人"),), (Code.PAYER_MISMATCH, None)),
        ((replace(PAYMENT, channel=PaymentChannel.CASH),), (Code.CHANNEL_NOT_ACCEPTED, None)),
        ((PAYMENT, replace(PAYMENT, paid_on=date(2026, 4, 30))), (Code.INVOICE_MISMATCH, "paid_on")),
        ((replace(PAYMENT, paid_on=date(2026, 6, 2)),), (Code.INVOICE_MISMATCH, "paid_on")),
    ],
)
def test_a_payment_that_does_not_fit_says_why(
    payments: tuple[Payment, ...], expected: tuple[Code, object]
) -> None:
    assert found(DEAL, INVOICE, *payments) == expected


def test_a_team_that_became_the_firm_may_have_bought_and_paid_in_its_own_name() -> None:
    deal = replace(DEAL, former_uscc=TEAM, former_name="创客团队")
    assert found(deal, replace(INVOICE, buyer_uscc=TEAM), replace(PAYMENT, payer_name="创客团队")) is None
    assert found(deal, INVOICE, PAYMENT) is None


def test_channels_that_the_policy_names_are_the_only_ones() -> None:
    assert PaymentChannel.CASH not in accepted_channels(policy())
    assert accepted_channels(policy(payment_channels=(PaymentChannel.CASH,))) == (PaymentChannel.CASH,)
