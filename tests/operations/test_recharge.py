"""The year of the invoices: charged to the window of the order, moved at approval (上海、四川：按发票日期; design 2.2)."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from tests import factories
from tests.operations.awards import CAP, Awarding
from tests.operations.counter import standing
from tests.operations.reviewing import deciding
from tests.operations.shapes import PRORATA, WINDOW_START, shaped, sound
from tests.operations.stories import Told
from tests.operations.test_group_and_carry import GROUP, sister
from tests.operations.test_prorata import applied, fixed
from tests.published import rewrite
from voucher.clock import business_date
from voucher.db import Database
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.models.claims import Claim
from voucher.models.ledger import Posting
from voucher.models.programmes import PolicyVersion
from voucher.operations.outcome import only
from voucher.queries.claims import claim_file
from voucher.terms import ClaimState, PostingKind, Verdict

BY_INVOICE = ('value = "calendar"', 'value = "invoice_window"')
USED = ('basis = "redeemed"', 'basis = "used"')


@pytest.fixture
def june(told: Told) -> Told:
    """A window from July to June by the invoices' date; an order that was captured on the last day of June."""
    shaped(told, BY_INVOICE, more=WINDOW_START)
    told.at = datetime.fromisoformat("2026-06-30T23:59+08:00")
    return told


def on(told: Told, moment: str) -> None:
    told.at = datetime.fromisoformat(moment)


def left(told: Told, year: int) -> int:
    ref = accounts.cap(factories.PROGRAMME, told.world.firm.holder_ref, year)
    found = standing(told, ref)
    return found.available_fen if found.opened_fen else 200_000_00


def recharged(told: Told) -> int:
    return sum(row.kind == PostingKind.RECHARGE.value for row in told.rows(Posting))


def decide(told: Told, number: str, verdict: Verdict = Verdict.APPROVE, amount: int | None = None) -> None:
    work = deciding(number, verdict, actor=told.world.reviewer, amount=amount)
    told.do(lambda s, at: only(work(s, at)))


def test_an_invoice_of_the_last_day_of_june_stays_in_the_orders_year(june: Told) -> None:
    order = june.captured_order()
    on(june, "2026-07-02T10:00+08:00")
    number = june.claimed(order=order, invoices=(june.invoice(on=date(2026, 6, 30)),))
    decide(june, number)
    assert (left(june, 2026), left(june, 2027), recharged(june)) == (150_000_00, 200_000_00, 0)


def test_an_invoice_of_the_first_day_of_july_moves_what_is_approved_to_the_next_year(june: Told) -> None:
    order = june.captured_order()
    assert left(june, 2026) == 150_000_00
    on(june, "2026-07-01T00:00+08:00")
    number = june.claimed(order=order)
    decide(june, number, Verdict.TRIM, 40_000_00)
    assert (left(june, 2026), left(june, 2027), recharged(june)) == (200_000_00, 160_000_00, 1)
    assert sound(june)
    with june.database.read() as session:
        file = claim_file(session, june.world.firm.actor, number)
    assert file is not None
    assert file.lines[-1].label == "发票日期在 2027 年度，计入该年度的限额（下单时计入 2026 年度）"
    assert (file.lines[-1].value, file.lines[-1].clause is not None) == (40_000_00, True)


def test_an_order_of_july_with_an_invoice_of_july_moves_nothing(june: Told) -> None:
    on(june, "2026-07-01T00:00+08:00")
    decide(june, june.claimed(order=june.captured_order()))
    assert (left(june, 2026), left(june, 2027), recharged(june)) == (200_000_00, 150_000_00, 0)


def test_where_the_invoices_year_leaves_too_little_the_decision_is_refused_whole(june: Told) -> None:
    order = june.captured_order()
    on(june, "2026-07-03T10:00+08:00")
    for _ in range(3):
        june.captured_order()
    june.captured_order(contract_fen=20_000_00)
    assert left(june, 2027) == 40_000_00
    number = june.claimed(order=order)
    facts = {"cap_fen": 200_000_00, "left_fen": 40_000_00, "needed_fen": 50_000_00, "year": 2027}
    june.refuses(Code.CAP_EXCEEDED, deciding(number, Verdict.APPROVE, actor=june.world.reviewer), **facts)
    assert june.one(Claim, number=number).state == ClaimState.SUBMITTED.value
    decide(june, number, Verdict.TRIM, 40_000_00)
    assert (left(june, 2026), left(june, 2027)) == (200_000_00, 0)


def test_what_goes_back_later_goes_back_to_the_year_it_was_moved_to(june: Told) -> None:
    shaped(june, more=PRORATA)
    order = june.captured_order()
    on(june, "2026-07-01T10:00+08:00")
    june.approved(order=order)
    assert left(june, 2027) == 150_000_00
    on(june, "2027-07-01T10:00+08:00")
    fixed(june, 5_000, 25_000_00, year=2027)
    assert applied(june) == 1
    assert (left(june, 2026), left(june, 2027)) == (200_000_00, 175_000_00)
    assert sound(june)


def test_a_cap_that_counts_what_is_used_moves_all_that_was_held(told: Told) -> None:
    shaped(told, BY_INVOICE, USED, more=WINDOW_START)
    on(told, "2026-06-30T10:00+08:00")
    order = told.captured_order()
    on(told, "2026-07-01T10:00+08:00")
    decide(told, told.claimed(order=order), Verdict.TRIM, 40_000_00)
    assert (left(told, 2026), left(told, 2027)) == (200_000_00, 150_000_00)


def test_the_groups_cap_moves_with_the_holders(told: Told) -> None:
    shaped(told, BY_INVOICE, GROUP, more=WINDOW_START)
    sister(told)
    on(told, "2026-06-30T10:00+08:00")
    order = told.captured_order()
    on(told, "2026-07-01T10:00+08:00")
    decide(told, told.claimed(order=order))
    group = [accounts.cap(factories.PROGRAMME, "group:K1", year) for year in (2026, 2027)]
    assert [standing(told, ref).available_fen for ref in group] == [200_000_00, 150_000_00]


def test_a_rejection_moves_nothing(june: Told) -> None:
    order = june.captured_order()
    on(june, "2026-07-01T10:00+08:00")
    decide(june, june.claimed(order=order), Verdict.REJECT)
    assert (left(june, 2026), left(june, 2027), recharged(june)) == (200_000_00, 200_000_00, 0)


def test_a_post_subsidy_is_charged_to_the_year_of_its_invoices_at_once(database: Database) -> None:
    fill = CAP + "\n" + WINDOW_START
    told = Awarding(database, fill=fill)
    row = told.one(PolicyVersion, programme_code="CN-140525-POSTSUB")
    by_invoice = [row.fills[0].replace(*BY_INVOICE)]
    told.do(lambda session, _: rewrite(session, by_invoice, code=row.code))
    told.at = datetime.fromisoformat("2026-07-02T10:00+08:00")
    invoice = told.invoice(on=date(2026, 6, 30), net_fen=1_000_000_00, seller_uscc="91140100MA0KABCD1X")
    made = told.applied(1_000_000_00, invoices=(invoice,))
    told.decided(made.number)
    caps = [accounts.cap("CN-140525-POSTSUB", told.world.firm.holder_ref, year) for year in (2026, 2027)]
    assert [standing(told, ref).opened_fen for ref in caps] == [550_000_00, 0]
    assert standing(told, caps[0]).available_fen == 250_000_00
    assert business_date(told.at) == date(2026, 7, 2)
    assert sound(told)
