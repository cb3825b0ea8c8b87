"""Invoices are looked up before money moves: the list goes out, verdicts come back, and dead ones stop a batch."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from tests.operations.claiming import made, small_orders
from tests.operations.reviewing import asks
from tests.operations.stories import Told, stranger
from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.models.claims import Invoice, TaxCheck
from voucher.money import Fen
from voucher.operations.batch import BatchRequest, make
from voucher.operations.invoices import GivenInvoice
from voucher.operations.outcome import only
from voucher.operations.tax_checks import TaxResult, record_tax_checks
from voucher.queries.claims import claim_file
from voucher.queries.tax_list import TaxLine, TaxListFilter, tax_list
from voucher.terms import TaxVerdict


def looked_up(told: Told, key: str, verdict: TaxVerdict, *, on: date | None = None) -> None:
    result = [TaxResult(key, verdict, on or business_date(told.at), "")]
    told.do(lambda session, at: record_tax_checks(session, result, actor=told.world.maker, at=at))


def listed(told: Told, wanted: TaxListFilter | None = None) -> list[TaxLine]:
    with told.database.read() as session:
        return tax_list(session, told.world.maker, wanted or TaxListFilter())


def taken_in(told: Told, *numbers: str) -> None:
    wanted = [BatchRequest(told.world.programme_code, numbers)]
    told.do(lambda session, at: only(make(session, wanted, actor=told.world.maker, at=at)).number)


def not_taken_in(told: Told, code: Code, *numbers: str, **facts: object) -> None:
    wanted = [BatchRequest(told.world.programme_code, numbers)]
    told.refuses(code, lambda session, at: make(session, wanted, actor=told.world.maker, at=at), **facts)


def test_the_list_has_each_invoice_of_approved_claims_once_with_the_claims_that_use_it(told: Told) -> None:
    shared = told.invoice(net_fen=40_000_00)
    for order in small_orders(told, 2):
        told.approved(order=order, amount_fen=10_000_00, invoices=(part(shared, 10_000_00),))
    waiting = told.invoice(net_fen=10_000_00)
    (order,) = small_orders(told, 1)
    made(told, told.claim_request(order, amount_fen=10_000_00, invoices=(waiting,)))
    (line,) = listed(told)
    assert (line.key, line.claims, line.verdict, line.checked_on) == (shared.number, 2, None, None)
    everything = listed(told, TaxListFilter(approved_only=False))
    assert {each.key for each in everything} == {shared.number, waiting.number}


def part(invoice: GivenInvoice, fen: int) -> GivenInvoice:
    return replace(invoice, allocated_fen=Fen(fen))


def test_only_invoices_not_looked_up_lately_are_listed_and_strangers_see_none(told: Told) -> None:
    invoice = told.invoice()
    told.approved(invoices=(invoice,))
    looked_up(told, invoice.number, TaxVerdict.NORMAL)
    today = business_date(told.at)
    assert listed(told, TaxListFilter(not_since=today)) == []
    told.after(days=10)
    (line,) = listed(told, TaxListFilter(not_since=business_date(told.at) - timedelta(days=5)))
    assert (line.verdict, line.checked_on) == (TaxVerdict.NORMAL, today)
    with told.database.read() as session:
        assert tax_list(session, stranger(told, like=told.world.maker), TaxListFilter()) == []


def test_row_11_invoice_red_lettered_after_the_claim_stops_the_batch_and_shows_to_the_reviewer(
    told: Told,
) -> None:
    invoice = told.invoice()
    number = told.approved(invoices=(invoice,))
    looked_up(told, invoice.number, TaxVerdict.RED)
    not_taken_in(told, Code.INVOICE_VOID, number, invoice=invoice.number, tax_verdict="red")
    with told.database.read() as session:
        file = claim_file(session, told.world.reviewer, number)
        assert file is not None
        (check,) = [each for each in file.checks if each.label == "发票没有红冲或作废"]
        assert not check.passed
        assert invoice.number in check.found


def test_a_policy_without_days_asks_for_no_look_up(told: Told) -> None:
    taken_in(told, told.approved())


def test_where_the_policy_asks_an_invoice_not_looked_up_lately_keeps_its_claim_out(told: Told) -> None:
    asks(told, invoice_recheck_days=7)
    invoice = told.invoice()
    number = told.approved(invoices=(invoice,))
    not_taken_in(told, Code.INVOICE_UNCHECKED, number, invoice=invoice.number, days=7)
    looked_up(told, invoice.number, TaxVerdict.UNKNOWN)
    not_taken_in(told, Code.INVOICE_UNCHECKED, number)
    looked_up(told, invoice.number, TaxVerdict.NORMAL)
    told.after(days=8)
    not_taken_in(told, Code.INVOICE_UNCHECKED, number)
    told.after(days=-1)
    taken_in(told, number)


def test_the_latest_day_counts_whatever_comes_in_later(told: Told) -> None:
    invoice = told.invoice()
    told.approved(invoices=(invoice,))
    told.after(days=5)
    looked_up(told, invoice.number, TaxVerdict.VOID)
    looked_up(told, invoice.number, TaxVerdict.NORMAL, on=business_date(told.at) - timedelta(days=3))
    row = told.one(Invoice, key=invoice.number)
    assert (row.verdict, row.checked_on) == ("void", business_date(told.at))
    with told.database.read() as session:
        assert len(session.scalars(select(TaxCheck)).all()) == 2


@pytest.mark.parametrize("fault", ["unknown invoice", "day to come"])
def test_nothing_is_half_recorded(told: Told, fault: str) -> None:
    invoice = told.invoice()
    told.approved(invoices=(invoice,))
    today = business_date(told.at)
    good = TaxResult(invoice.number, TaxVerdict.RED, today)
    bad = (
        TaxResult("26140000000099999999", TaxVerdict.NORMAL, today)
        if fault == "unknown invoice"
        else TaxResult(invoice.number, TaxVerdict.NORMAL, today + timedelta(days=1))
    )
    with pytest.raises(Refusal) as raised:
        told.do(lambda session, at: record_tax_checks(session, [good, bad], actor=told.world.maker, at=at))
    expected = Code.NOT_FOUND if fault == "unknown invoice" else Code.INVOICE_MISMATCH
    assert raised.value.code is expected
    assert told.one(Invoice, key=invoice.number).verdict is None
    with told.database.read() as session:
        assert session.scalars(select(TaxCheck)).all() == []


def test_a_check_is_never_changed(told: Told) -> None:
    invoice = told.invoice()
    told.approved(invoices=(invoice,))
    looked_up(told, invoice.number, TaxVerdict.NORMAL)
    with pytest.raises(DBAPIError, match="append-only"):
        told.do(lambda session, at: session.execute(update(TaxCheck).values(verdict="red")))
