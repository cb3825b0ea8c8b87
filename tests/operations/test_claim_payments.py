"""What was paid, by whom, how and when: contract, invoices and payments must tell one story (domain 4, item 12)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.operations.claiming import made, refused
from tests.operations.reviewing import asks
from tests.operations.stories import Told
from voucher.clock import business_date
from voucher.errors import Code
from voucher.models.claims import Claim, ClaimPayment
from voucher.terms import PaymentChannel


def test_row_12_invoice_contract_payment_an_account_in_another_name_is_no_payment_of_the_firm(
    told: Told,
) -> None:
    request = told.claim_request(told.captured_order(), payments=(told.payment(payer_name="王小明"),))
    refused(told, Code.PAYER_MISMATCH, request, payer="王小明", expected=told.world.firm.name)


def test_the_name_on_the_account_is_compared_without_blanks_and_widths(told: Told) -> None:
    name = told.world.firm.name.replace("公司", " 公司 ")
    assert made(told, told.claim_request(told.captured_order(), payments=(told.payment(payer_name=name),)))


def test_row_12_cash_is_refused_even_where_the_policy_names_no_channels(told: Told) -> None:
    paid = told.payment(channel=PaymentChannel.CASH)
    request = told.claim_request(told.captured_order(), payments=(paid,))
    refused(told, Code.CHANNEL_NOT_ACCEPTED, request, channel="cash")


def test_only_the_channels_that_the_policy_names_are_accepted(told: Told) -> None:
    asks(told, payment_channels=["bank_transfer", "digital_yuan"])
    order = told.captured_order()
    card = told.claim_request(order, payments=(told.payment(channel=PaymentChannel.CARD),))
    refused(told, Code.CHANNEL_NOT_ACCEPTED, card, channel="card", accepted="bank_transfer,digital_yuan")
    assert made(
        told, told.claim_request(order, payments=(told.payment(channel=PaymentChannel.DIGITAL_YUAN),))
    )


def test_several_payments_add_up_and_each_is_kept(told: Told) -> None:
    order = told.captured_order()
    told.after(days=10)
    first = told.payment(
        amount_fen=30_000_00, paid_on=business_date(told.at) - timedelta(days=5), serial="A1"
    )
    second = told.payment(amount_fen=60_000_00, channel=PaymentChannel.CARD)
    number = made(told, told.claim_request(order, payments=(first, second)))
    claim = told.one(Claim, number=number)
    assert (claim.paid_fen, claim.base_fen, claim.paid_on) == (90_000_00, 90_000_00, business_date(told.at))
    with told.database.read() as session:
        rows = session.scalars(select(ClaimPayment).order_by(ClaimPayment.id)).all()
        assert [(row.amount_fen, row.channel, row.serial) for row in rows] == [
            (30_000_00, "bank_transfer", "A1"),
            (60_000_00, "card", ""),
        ]


def test_a_claim_without_a_payment_is_refused(told: Told) -> None:
    request = told.claim_request(told.captured_order(), payments=())
    refused(told, Code.INVOICE_MISMATCH, request, field="payment")


@pytest.mark.parametrize("days", [-1, 1])
def test_one_of_several_payments_outside_the_window_refuses_the_claim(told: Told, days: int) -> None:
    wrong = told.payment(amount_fen=1_00, paid_on=business_date(told.at) + timedelta(days=days))
    request = told.claim_request(told.captured_order(), payments=(told.payment(), wrong))
    refused(told, Code.INVOICE_MISMATCH, request, field="paid_on")
