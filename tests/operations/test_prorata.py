"""The factor of a year whose applications are all in (福建: 实际比例根据预算及申请情况确定; domain 3.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from tests.operations.reviewing import deciding
from tests.operations.shapes import PRORATA, WINDOW, WINDOW_START, shaped, sound
from tests.operations.stories import Told, stranger
from voucher.cli.factor import apply_all
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.models.claims import Claim, InvoiceUse
from voucher.models.ledger import Posting
from voucher.models.messages import Message
from voucher.models.orders import Order
from voucher.models.prorata import Factor
from voucher.money import Fen
from voucher.operations.apply_factor import apply_factor, approved_factors
from voucher.operations.batch import BatchRequest, make
from voucher.operations.outcome import Refused, only
from voucher.operations.prorata import FactorAnswer, FactorRequest, answer_factor, demands, propose_factor
from voucher.operations.publicise import NoticeRequest, publicise
from voucher.queries.claims import claim_file
from voucher.rules.permissions import Actor
from voucher.schemas import notes
from voucher.terms import ClaimState, MessageEvent, OrderState, PostingKind, Verdict

YEAR = 2026
Work = Callable[[Session, datetime], Sequence[Factor | Refused]]


@pytest.fixture
def fujian(told: Told) -> Told:
    shaped(told, more=PRORATA)
    return told


def approved(told: Told, *contracts: int) -> list[str]:
    """Approved claims of these contracts, half of each."""
    voucher = told.voucher()
    return [
        told.approved(order=told.captured_order(voucher=voucher, contract_fen=each), amount_fen=each)
        for each in contracts
    ]


def next_year(told: Told) -> None:
    told.at = datetime.fromisoformat("2027-01-01T00:30+08:00")


def proposing(told: Told, factor_bp: int, budget_fen: int, *, year: int = YEAR) -> Work:
    request = FactorRequest(told.world.programme_code, year, factor_bp, Fen(budget_fen), "闽科〔2027〕1号")
    return lambda session, at: propose_factor(session, [request], actor=told.world.maker, at=at)


def answering(
    told: Told,
    *,
    seen: int | None = None,
    actor: Actor | None = None,
    approved: bool = True,
    year: int = YEAR,
) -> Work:
    last = max(row.id for row in told.rows(Factor))
    request = FactorAnswer(told.world.programme_code, year, seen or last, approved)
    who = actor or told.world.checker
    return lambda session, at: answer_factor(session, [request], actor=who, at=at)


def fixed(told: Told, factor_bp: int, budget_fen: int, *, year: int = YEAR) -> None:
    told.do(lambda s, at: only(proposing(told, factor_bp, budget_fen, year=year)(s, at)))
    told.do(lambda s, at: only(answering(told, year=year)(s, at)))


def applied(told: Told, *, limit: int = 500) -> int:
    def work(session: Session, at: datetime) -> int:
        (factor,) = approved_factors(session)
        return apply_factor(session, factor, actor=told.world.checker, at=at, limit=limit)

    return told.do(work)


def batching(told: Told, *numbers: str) -> Callable[[Session, datetime], Sequence[object]]:
    request = BatchRequest(told.world.programme_code, numbers)
    return lambda session, at: make(session, [request], actor=told.world.maker, at=at)


def test_all_claims_of_the_year_are_trimmed_to_whole_yuan_and_only_then_enter_a_batch(fujian: Told) -> None:
    first, second = approved(fujian, 99_999_50, 60_000_00)
    next_year(fujian)
    fujian.refuses(Code.FACTOR_REQUIRED, batching(fujian, first, second), claim=first, year=YEAR)
    (demand,) = fujian.do(lambda s, at: demands(s, [fujian.world.programme_code], at=at))
    assert (demand.year, demand.waiting, demand.undecided) == (YEAR, (49_999_75, 30_000_00), ())
    assert demand.over
    most = demand.largest(Fen(66_000_00))
    assert demand.left(most) <= 66_000_00 < demand.left(most + 1)
    fixed(fujian, most, 66_000_00)
    assert applied(fujian) == 2
    assert applied(fujian) == 0
    claims = [fujian.one(Claim, number=each) for each in (first, second)]
    left = [49_999_75 * most // 10_000 // 100 * 100, 30_000_00 * most // 10_000 // 100 * 100]
    assert [claim.approved_fen for claim in claims] == left
    assert [claim.factor_bp for claim in claims] == [most, most]
    for claim, amount in zip(claims, left, strict=True):
        order = fujian.one(Order, id=claim.order_id)
        assert order.approved_fen == amount == fujian.balance(accounts.order(order.number))
    cap = accounts.cap(fujian.world.programme_code, fujian.world.firm.holder_ref, YEAR)
    assert fujian.balance(cap) == 200_000_00 - sum(left)
    trims = [row for row in fujian.rows(Posting) if row.kind == PostingKind.TRIM.value]
    assert len(trims) == 2
    made = fujian.do(lambda s, at: only(make(s, [BatchRequest(fujian.world.programme_code, (first, second))],
                                             actor=fujian.world.maker, at=at)))  # fmt: skip
    assert made.total_fen == sum(left)
    assert sound(fujian)


def test_the_firm_is_told_and_sees_the_line_with_its_clause(fujian: Told) -> None:
    (number,) = approved(fujian, 99_999_50)
    next_year(fujian)
    fixed(fujian, 8_333, 50_000_00)
    applied(fujian)
    with fujian.database.read() as session:
        file = claim_file(session, fujian.world.firm.actor, number)
    assert file is not None
    factor, left = file.lines[-2:]
    assert (factor.value, factor.unit, left.value) == (8_333, "bp", 41_664_00)
    assert factor.clause == left.clause == "演示主管部门：演示填写，非文件规定"
    (said,) = {
        notes.told(MessageEvent(row.event), row.subject, row.facts).text
        for row in fujian.rows(Message)
        if row.event == MessageEvent.CLAIM_FACTORED.value
    }
    assert "83.33%" in said
    assert "41,664.00 元" in said


def test_a_factor_waits_for_the_end_of_the_year_and_stays_within_the_money(fujian: Told) -> None:
    approved(fujian, 100_000_00)
    fujian.refuses(Code.FACTOR_EARLY, proposing(fujian, 5_000, 25_000_00), year=YEAR)
    fujian.at = datetime.fromisoformat("2026-12-31T23:59:59.999999+08:00")
    fujian.refuses(Code.FACTOR_EARLY, proposing(fujian, 5_000, 25_000_00), year=YEAR)
    next_year(fujian)
    fujian.refuses(Code.FACTOR_TOO_HIGH, proposing(fujian, 5_001, 25_000_00), most_bp=5_000)
    fujian.refuses(Code.NOT_FOUND, proposing(fujian, 5_000, 25_000_00, year=2025))
    fixed(fujian, 5_000, 25_000_00)
    fujian.refuses(Code.STATE_CHANGED, proposing(fujian, 4_000, 25_000_00), state="approved")


def test_two_persons_fix_a_factor_and_the_second_approves_what_they_saw(fujian: Told) -> None:
    approved(fujian, 100_000_00)
    next_year(fujian)
    fujian.do(lambda s, at: only(proposing(fujian, 5_000, 25_000_00)(s, at)))
    fujian.refuses(Code.SELF_APPROVAL, answering(fujian, actor=fujian.world.maker))
    first = fujian.one(Factor).id
    fujian.refuses(Code.STATE_CHANGED, answering(fujian, seen=first + 1))
    assert fujian.do(lambda s, at: approved_factors(s)) == []
    fujian.do(lambda s, at: only(answering(fujian, approved=False)(s, at)))
    fujian.refuses(Code.NOT_FOUND, answering(fujian))
    fujian.do(lambda s, at: only(proposing(fujian, 5_000, 26_000_00)(s, at)))
    fujian.refuses(Code.STATE_CHANGED, answering(fujian, seen=first))
    fujian.do(lambda s, at: only(answering(fujian, approved=False)(s, at)))
    fixed(fujian, 4_000, 25_000_00)
    assert applied(fujian) == 1


def test_claims_that_come_between_proposal_and_approval_count(fujian: Told) -> None:
    approved(fujian, 100_000_00)
    late = fujian.claimed(order=fujian.captured_order(contract_fen=50_000_00), amount_fen=50_000_00)
    next_year(fujian)
    fujian.refuses(Code.FACTOR_TOO_HIGH, proposing(fujian, 10_000, 50_000_00), most_bp=6_666)
    fujian.do(lambda s, at: only(proposing(fujian, 6_666, 50_000_00)(s, at)))

    def more(session: Session, at: datetime) -> None:
        row = session.get_one(Factor, 1)
        row.budget_fen = 49_000_00

    fujian.do(more)
    fujian.refuses(Code.FACTOR_TOO_HIGH, answering(fujian))
    assert fujian.one(Claim, number=late).factor_bp is None


def test_a_large_year_is_trimmed_in_parts_and_a_claim_approved_later_by_the_next_run(fujian: Told) -> None:
    numbers = approved(fujian, 20_000_00, 30_000_00, 40_000_00)
    order = fujian.captured_order(contract_fen=10_000_00)
    open_ = fujian.claimed(order=order, amount_fen=10_000_00)
    next_year(fujian)
    fixed(fujian, 9_000, 50_000_00)
    assert [applied(fujian, limit=2), applied(fujian, limit=2), applied(fujian, limit=2)] == [2, 1, 0]
    assert [fujian.one(Claim, number=each).approved_fen for each in numbers] == [
        9_000_00,
        13_500_00,
        18_000_00,
    ]
    yes = deciding(open_, Verdict.APPROVE, actor=fujian.world.reviewer)
    fujian.do(lambda s, at: only(yes(s, at)))
    assert apply_all(fujian.database) == 1
    assert fujian.one(Claim, number=open_).approved_fen == 4_500_00


def test_a_claim_of_which_no_yuan_is_left_is_closed_and_its_invoice_is_free(fujian: Told) -> None:
    small, large = approved(fujian, 2_00, 100_000_00)
    next_year(fujian)
    fixed(fujian, 5_000, 30_000_00)
    assert applied(fujian) == 2
    claim = fujian.one(Claim, number=small)
    order = fujian.one(Order, id=claim.order_id)
    assert (claim.state, order.state) == (ClaimState.REJECTED.value, OrderState.DISALLOWED.value)
    assert fujian.balance(accounts.order(order.number)) == 0
    assert fujian.one(InvoiceUse, claim_id=claim.id).released_at is not None
    assert fujian.one(Claim, number=large).state == ClaimState.APPROVED.value


def test_a_claim_is_published_with_the_amount_that_the_factor_left(fujian: Told) -> None:
    shaped(fujian, ("[notice_days]\nvalue = 0", "[notice_days]\nvalue = 5"))
    (number,) = approved(fujian, 100_000_00)
    request = NoticeRequest(fujian.world.programme_code, (number,), "拟兑付名单", "省科技厅", "0351-1")

    def publishing(session: Session, at: datetime) -> Sequence[object]:
        return publicise(session, [request], actor=fujian.world.officer, at=at)

    fujian.refuses(Code.FACTOR_REQUIRED, publishing, claim=number)
    next_year(fujian)
    fixed(fujian, 5_000, 25_000_00)
    applied(fujian)
    fujian.do(lambda s, at: only(publishing(s, at)))
    assert fujian.one(Claim, number=number).state == ClaimState.IN_NOTICE.value


def test_a_window_of_twelve_months_is_a_year_of_its_own(told: Told) -> None:
    shaped(told, WINDOW, more=PRORATA + WINDOW_START)
    approved(told, 100_000_00)
    told.at = datetime.fromisoformat("2026-06-30T10:00+08:00")
    told.refuses(Code.FACTOR_EARLY, proposing(told, 5_000, 25_000_00), year=2026)
    told.at = datetime.fromisoformat("2026-07-01T00:00+08:00")
    fixed(told, 5_000, 25_000_00)
    assert applied(told) == 1


def test_another_book_sees_nothing_of_it(fujian: Told) -> None:
    approved(fujian, 100_000_00)
    next_year(fujian)
    request = FactorRequest(fujian.world.programme_code, YEAR, 5_000, Fen(25_000_00), "x")
    other = stranger(fujian, like=fujian.world.maker)
    fujian.refuses(Code.NOT_FOUND, lambda s, at: propose_factor(s, [request], actor=other, at=at))


def test_other_policies_wait_for_no_factor(told: Told) -> None:
    (number,) = approved(told, 100_000_00)
    told.do(lambda s, at: only(batching(told, number)(s, at)))
    assert told.do(lambda s, at: demands(s, [told.world.programme_code], at=at)) == []
