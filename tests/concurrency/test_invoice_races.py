"""Many claims want one invoice at once: what is counted of it is never more than its net amount."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import func, select

from tests.operations.claiming import small_orders
from tests.operations.stories import Told
from voucher.db import Database
from voucher.errors import Code
from voucher.models.claims import Invoice, InvoiceUse
from voucher.money import Fen
from voucher.operations.claim import Claimed, ClaimRequest, claim
from voucher.operations.outcome import Refused


@pytest.fixture
def told(pg_database: Database) -> Told:
    """The Shanxi world on PostgreSQL."""
    return Told(pg_database)


def all_at_once(told: Told, requests: list[ClaimRequest]) -> list[Claimed | Refused]:
    start = Barrier(len(requests))

    def one(request: ClaimRequest) -> Claimed | Refused:
        start.wait(30)
        (answer,) = told.do(lambda session, at: claim(session, [request], actor=told.world.firm.actor, at=at))
        return answer

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(one, requests))


@pytest.mark.parametrize(("net_fen", "fits"), [(30_000_00, 3), (35_000_00, 3), (9_999_99, 0)])
def test_claims_that_race_for_one_invoice_share_no_more_than_it_has(
    told: Told, net_fen: int, fits: int
) -> None:
    account = told.account(told.world.firm.organisation_id)
    orders = small_orders(told, 8)
    part = Fen(min(10_000_00, net_fen) if fits else net_fen)
    invoice = replace(told.invoice(net_fen=net_fen), allocated_fen=part)
    requests = [
        told.claim_request(each, amount_fen=10_000_00, invoices=(invoice,), payee_account_id=account)
        for each in orders
    ]
    answers = all_at_once(told, requests)
    made = [each for each in answers if isinstance(each, Claimed)]
    refused = [each for each in answers if isinstance(each, Refused)]
    assert len(made) == (fits or 1)
    assert {each.code for each in refused} <= {Code.INVOICE_EXCEEDED, Code.INVOICE_USED}
    with told.database.read() as session:
        used = session.execute(
            select(func.sum(InvoiceUse.allocated_fen)).where(InvoiceUse.released_at.is_(None))
        ).scalar_one()
        assert used == len(made) * part
        assert used <= session.scalars(select(Invoice.net_fen)).one()


def test_claims_that_take_two_invoices_in_opposite_order_do_not_lock_each_other_out(told: Told) -> None:
    account = told.account(told.world.firm.organisation_id)
    orders = small_orders(told, 8)
    one, two = (replace(told.invoice(net_fen=40_000_00), allocated_fen=Fen(5_000_00)) for _ in range(2))
    requests = [
        told.claim_request(
            each,
            amount_fen=10_000_00,
            invoices=(one, two) if place % 2 else (two, one),
            payee_account_id=account,
        )
        for place, each in enumerate(orders)
    ]
    assert all(isinstance(each, Claimed) for each in all_at_once(told, requests))
