"""One invoice for several orders, several for one: what is counted of an invoice is never more than its net amount."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.operations.claiming import claiming, made, refused, small_orders, withdrawing
from tests.operations.reviewing import asks
from tests.operations.stories import Told, document
from voucher.clock import business_date
from voucher.errors import Code
from voucher.models.claims import Claim, Invoice, InvoiceUse
from voucher.models.orders import Order
from voucher.models.programmes import Programme
from voucher.money import Fen
from voucher.operations.claim import Claimed, ClaimRequest
from voucher.operations.invoices import GivenInvoice
from voucher.operations.outcome import only
from voucher.operations.reverse import ReverseRequest, reverse
from voucher.operations.review import ReviewRequest, review
from voucher.operations.tax_checks import TaxResult, record_tax_checks
from voucher.queries.claims import claim_file
from voucher.terms import DocumentKind, OrderState, TaxVerdict, Verdict


def share(told: Told, order: str, invoice: GivenInvoice, fen: int | None, **changes: Any) -> ClaimRequest:
    part = replace(invoice, allocated_fen=None if fen is None else Fen(fen))
    return told.claim_request(order, amount_fen=10_000_00, invoices=(part,), **changes)


def live_fen(told: Told, key: str) -> int:
    with told.database.read() as session:
        query = (
            select(func.coalesce(func.sum(InvoiceUse.allocated_fen), 0))
            .join(Invoice, Invoice.id == InvoiceUse.invoice_id)
            .where(Invoice.key == key, InvoiceUse.released_at.is_(None))
        )
        return int(session.execute(query).scalar_one())


def test_a_laboratorys_one_monthly_invoice_stands_for_five_orders(told: Told) -> None:
    invoice = told.invoice(net_fen=50_000_00)
    account = told.account(told.world.firm.organisation_id)
    requests = [
        share(told, order, invoice, 10_000_00, payee_account_id=account) for order in small_orders(told, 5)
    ]
    results = told.do(claiming(*requests, actor=told.world.firm.actor))
    assert [each.claimed_fen for each in results if isinstance(each, Claimed)] == [5_000_00] * 5
    assert live_fen(told, invoice.number) == 50_000_00
    assert told.one(Invoice, key=invoice.number).net_fen == 50_000_00


def test_the_base_counts_only_the_part_of_the_invoice(told: Told) -> None:
    (order,) = small_orders(told, 1)
    number = made(told, share(told, order, told.invoice(net_fen=50_000_00), 8_000_00))
    claim = told.one(Claim, number=number)
    assert (claim.invoice_net_fen, claim.base_fen, claim.claimed_fen) == (8_000_00, 8_000_00, 4_000_00)


def test_more_than_the_net_amount_is_refused_with_what_is_used_and_left(told: Told) -> None:
    first, second = small_orders(told, 2)
    invoice = told.invoice(net_fen=15_000_00)
    made(told, share(told, first, invoice, 9_000_00))
    facts = {"invoice": invoice.number, "net_fen": 15_000_00, "used_fen": 9_000_00, "left_fen": 6_000_00}
    refused(told, Code.INVOICE_EXCEEDED, share(told, second, invoice, 6_000_01), **facts)
    refused(told, Code.INVOICE_EXCEEDED, share(told, second, invoice, None), **facts)
    made(told, share(told, second, invoice, 6_000_00))
    assert live_fen(told, invoice.number) == 15_000_00


def test_a_used_up_invoice_names_the_firms_own_claim(told: Told) -> None:
    first, second = small_orders(told, 2)
    invoice = told.invoice(net_fen=9_000_00)
    number = made(told, share(told, first, invoice, None))
    refused(told, Code.INVOICE_USED, share(told, second, invoice, 1_00), claim=number)


@pytest.mark.parametrize("fen", [0, -1, 15_000_01])
def test_a_part_outside_the_invoice_is_refused(told: Told, fen: int) -> None:
    (order,) = small_orders(told, 1)
    invoice = told.invoice(net_fen=15_000_00)
    refused(told, Code.INVOICE_MISMATCH, share(told, order, invoice, fen), field="amount")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"net_fen": Fen(15_000_01)}, "recorded_net"),
        ({"issued_on": None}, "recorded_date"),
    ],
)
def test_two_claims_must_describe_one_invoice_alike(told: Told, changes: dict[str, Any], field: str) -> None:
    first, second = small_orders(told, 2)
    invoice = told.invoice(net_fen=15_000_00)
    made(told, share(told, first, invoice, 5_000_00))
    told.after(days=1)
    other = {**changes, **({"issued_on": business_date(told.at)} if "issued_on" in changes else {})}
    refused(told, Code.INVOICE_MISMATCH, share(told, second, replace(invoice, **other), 1_00), field=field)


def test_an_invoice_that_nobody_uses_any_more_may_be_described_anew(told: Told) -> None:
    first, second = small_orders(told, 2)
    invoice = told.invoice(net_fen=15_000_00)
    number = made(told, share(told, first, invoice, 5_000_00))
    told.do(withdrawing(number, actor=told.world.firm.actor))
    made(told, share(told, second, replace(invoice, net_fen=Fen(16_000_00)), None))
    assert told.one(Invoice, key=invoice.number).net_fen == 16_000_00


SPELLINGS = (
    "26 1400 0000 0000 0900 01", "2614-0000-0000-0009-0001", "２６１４０００００００００００９０００１", "No. 26140000000000090001",
    "No:26140000000000090001", "号26140000000000090001", " 26140000000000090001 ", "2614000000\t0000090001",
    "26140000000000–090001", "no.2614 0000 0000 0009 0001",
)  # fmt: skip


def test_ten_spellings_of_one_number_are_one_invoice(told: Told) -> None:
    invoice = told.invoice(net_fen=11_000_00, number="26140000000000090001")
    account = told.account(told.world.firm.organisation_id)
    requests = [
        share(told, order, replace(invoice, number=written), 1_000_00, payee_account_id=account)
        for order, written in zip(small_orders(told, 10, contract_fen=1_000_00), SPELLINGS, strict=True)
    ]
    results = told.do(claiming(*requests, actor=told.world.firm.actor))
    assert all(isinstance(each, Claimed) for each in results), results
    with told.database.read() as session:
        assert session.scalars(select(Invoice.key)).all() == ["26140000000000090001"]


def move_to_other_programme(told: Told, number: str) -> None:
    """The claim's order belongs to another programme of the same installation."""

    def work(session: Session, at: datetime) -> None:
        session.add(
            Programme(
                code="CN-140100-INNO",
                name="太原市科技创新券",
                kind="innovation_voucher",
                region_code="140100",
                book_id=told.world.book_id,
            )
        )
        session.flush()
        claim = session.scalars(select(Claim).where(Claim.number == number)).one()
        session.get_one(Order, claim.order_id).programme_code = "CN-140100-INNO"

    told.do(work)


def test_one_invoice_serves_one_programme_even_where_some_of_it_is_left(told: Told) -> None:
    first, second = small_orders(told, 2)
    invoice = told.invoice(net_fen=50_000_00)
    move_to_other_programme(told, made(told, share(told, first, invoice, 5_000_00)))
    refused(told, Code.INVOICE_USED, share(told, second, invoice, 5_000_00), invoice=invoice.number)


def test_a_version_that_names_the_other_programme_may_share_up_to_the_net_amount(told: Told) -> None:
    first, second = small_orders(told, 2)
    invoice = told.invoice(net_fen=12_000_00)
    move_to_other_programme(told, made(told, share(told, first, invoice, 5_000_00)))
    asks(told, stacking=["CN-140100-INNO"])
    refused(told, Code.INVOICE_EXCEEDED, share(told, second, invoice, 7_000_01), left_fen=7_000_00)
    made(told, share(told, second, invoice, 7_000_00))


def test_rejecting_and_reversing_free_the_invoice(told: Told) -> None:
    first, second, third = small_orders(told, 3)
    invoice = told.invoice(net_fen=10_000_00)
    number = made(told, share(told, first, invoice, None))
    decision = ReviewRequest(number, Verdict.REJECT, None, "不在范围内")
    told.do(lambda session, at: only(review(session, [decision], actor=told.world.reviewer, at=at)))
    assert live_fen(told, invoice.number) == 0
    made(told, share(told, second, invoice, None))
    wrong = [ReverseRequest(second, "登记错误")]
    told.do(
        lambda session, at: only(reverse(session, wrong, actor=told.world.platform.manager, at=at)).number
    )
    made(told, share(told, third, invoice, None))
    assert told.order(second).state == OrderState.REVERSED.value


@pytest.mark.parametrize("verdict", [TaxVerdict.RED, TaxVerdict.VOID])
def test_an_invoice_that_the_tax_bureau_calls_dead_is_not_claimed_again(
    told: Told, verdict: TaxVerdict
) -> None:
    first, second = small_orders(told, 2)
    invoice = told.invoice(net_fen=20_000_00)
    made(told, share(told, first, invoice, 5_000_00))
    result = [TaxResult(invoice.number, verdict, business_date(told.at))]
    told.do(lambda session, at: record_tax_checks(session, result, actor=told.world.maker, at=at))
    wanted = share(told, second, invoice, 5_000_00)
    refused(told, Code.INVOICE_VOID, wanted, invoice=invoice.number, tax_verdict=verdict.value)


def original(told: Told, invoice: GivenInvoice, **changes: Any) -> tuple[Any, ...]:
    """All papers, the invoice's with what was read from it."""
    read = {
        "number": invoice.number,
        "code": "",
        "issued_on": invoice.issued_on.isoformat(),
        "net_fen": invoice.net_fen,
        "buyer_uscc": invoice.buyer_uscc,
        "seller_uscc": invoice.seller_uscc,
        "red": False,
        **changes,
    }
    papers = [document(kind) for kind in DocumentKind if kind is not DocumentKind.INVOICE]
    return (*papers, replace(document(DocumentKind.INVOICE), facts={"invoice": read}))


def test_a_red_letter_original_is_refused(told: Told) -> None:
    (order,) = small_orders(told, 1)
    invoice = told.invoice(net_fen=10_000_00)
    wanted = share(told, order, invoice, None, documents=original(told, invoice, red=True))
    refused(told, Code.INVOICE_VOID, wanted, invoice=invoice.number, tax_verdict="red")


def test_an_amount_party_or_date_that_differs_from_the_original_is_flagged_for_the_reviewer(
    told: Told,
) -> None:
    from_file = {
        "net_fen": 9_000_00,
        "seller_uscc": "91140100MA0KABCD1X",
        "issued_on": (business_date(told.at) - timedelta(days=3)).isoformat(),
    }
    (order,) = small_orders(told, 1)
    invoice = told.invoice(net_fen=10_000_00)
    number = made(told, share(told, order, invoice, None, documents=original(told, invoice, **from_file)))
    with told.database.read() as session:
        file = claim_file(session, told.world.reviewer, number)
        assert file is not None
        (line,) = file.invoices
        found = {each.field: (each.said, each.original) for each in line.differences}
        assert found == {
            "net_fen": (10_000_00, 9_000_00),
            "seller_uscc": (invoice.seller_uscc, "91140100MA0KABCD1X"),
            "issued_on": (invoice.issued_on.isoformat(), from_file["issued_on"]),
        }
        (check,) = [each for each in file.checks if each.label == "填写内容与发票原件一致"]
        assert not check.passed
        assert invoice.number in check.found


def test_an_original_that_agrees_is_not_flagged(told: Told) -> None:
    (order,) = small_orders(told, 1)
    invoice = told.invoice(net_fen=10_000_00)
    number = made(told, share(told, order, invoice, None, documents=original(told, invoice)))
    with told.database.read() as session:
        file = claim_file(session, told.world.reviewer, number)
        assert file is not None and not file.invoices[0].differences
        assert file.invoices[0].invoice.original is not None
