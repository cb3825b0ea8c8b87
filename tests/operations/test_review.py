"""Reviewing a claim: what is not approved goes back where it came from, and nobody judges their own case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.operations.stories import Told
from voucher.clock import business_date
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.balances import free_credits
from voucher.models.claims import Claim, InvoiceUse
from voucher.models.ledger import Book, Posting
from voucher.models.orders import Order
from voucher.models.programmes import BudgetLine
from voucher.models.review import Review
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.outcome import Refused, only
from voucher.operations.review import Reviewed, ReviewRequest, review
from voucher.rules.permissions import Actor
from voucher.terms import ClaimState, OrderState, PostingKind, Verdict, VoucherState

FAMILY = "CN-140000-INNO"


def deciding(
    *requests: ReviewRequest, actor: Actor
) -> Callable[[Session, datetime], list[Reviewed | Refused]]:
    return lambda session, at: review(session, requests, actor=actor, at=at)


def decide(told: Told, number: str, verdict: Verdict, amount: int | None = None) -> Reviewed:
    request = ReviewRequest(number, verdict, None if amount is None else Fen(amount), "与合同不符")
    work = deciding(request, actor=told.world.reviewer)
    return told.do(lambda session, at: only(work(session, at)))


def cap(told: Told) -> Ref:
    return accounts.cap(FAMILY, told.world.firm.holder_ref, told.world.year)


def order_of(told: Told, claim_number: str) -> str:
    query = select(Order.number).join(Claim, Claim.order_id == Order.id).where(Claim.number == claim_number)
    with told.database.read() as session:
        return session.scalars(query).one()


def test_approving_gives_all_that_is_claimed_and_posts_nothing(told: Told) -> None:
    number = told.claimed()
    made = decide(told, number, Verdict.APPROVE)
    assert (made.approved_fen, made.given_back_fen) == (50_000_00, 0)
    assert told.one(Claim, number=number).state == ClaimState.APPROVED.value
    order = told.order(order_of(told, number))
    assert (order.state, order.approved_fen) == (OrderState.APPROVED.value, 50_000_00)
    assert told.balance(accounts.order(order.number)) == 50_000_00


def test_a_trim_gives_money_and_cap_back(told: Told) -> None:
    voucher = told.voucher()
    number = told.claimed(order=told.captured_order(voucher=voucher))
    assert (told.balance(accounts.voucher(voucher)), told.balance(cap(told))) == (150_000_00, 150_000_00)
    made = decide(told, number, Verdict.TRIM, 30_000_00)
    assert (made.approved_fen, made.given_back_fen) == (30_000_00, 20_000_00)
    assert (told.balance(accounts.voucher(voucher)), told.balance(cap(told))) == (170_000_00, 170_000_00)
    assert told.balance(accounts.order(order_of(told, number))) == 30_000_00
    posting = told.one(Posting, kind=PostingKind.TRIM.value)
    assert (posting.fiscal_year, posting.actor_ref) == (told.world.year, told.world.reviewer.ref)
    assert told.one(Review).reason == "与合同不符"


def test_approving_less_than_was_captured_gives_the_difference_back(told: Told) -> None:
    number = told.claimed(paid_fen=Fen(60_000_00))
    made = decide(told, number, Verdict.APPROVE)
    assert (made.approved_fen, made.given_back_fen) == (30_000_00, 20_000_00)
    assert told.balance(cap(told)) == 170_000_00


def test_a_rejection_gives_everything_back_and_frees_the_invoice(told: Told) -> None:
    voucher, invoice = told.voucher(), told.invoice()
    number = told.claimed(order=told.captured_order(voucher=voucher), invoices=(invoice,))
    decide(told, number, Verdict.REJECT)
    assert told.balance(accounts.voucher(voucher)) == told.balance(cap(told)) == 200_000_00
    assert told.order(order_of(told, number)).state == OrderState.DISALLOWED.value
    assert told.one(Posting, kind=PostingKind.DISALLOW.value).event_on == business_date(told.at)
    assert told.one(InvoiceUse).released_at is not None
    assert told.claimed(order=told.captured_order(voucher=voucher), invoices=(invoice,))


@pytest.mark.parametrize("closed", [False, True])
def test_money_of_a_voucher_that_is_no_longer_live_goes_on_to_its_budget_line(
    told: Told, closed: bool
) -> None:
    voucher = told.voucher(face_fen=50_000_00)
    number = told.claimed(order=told.captured_order(voucher=voucher))
    line = accounts.budget(told.world.line_code, told.world.year)
    before = told.balance(line)

    def end(session: Session, at: datetime) -> None:
        session.query(Voucher).filter_by(number=voucher).one().state = VoucherState.EXPIRED.value
        if closed:
            session.get_one(BudgetLine, told.world.line_id).closed_on = business_date(at)

    told.do(end)
    decide(told, number, Verdict.TRIM, 10_000_00)
    assert told.balance(accounts.voucher(voucher)) == 0
    assert told.balance(line) - before == (0 if closed else 40_000_00)
    with told.database.read() as session:
        lapsed = free_credits(session, told.world.book_id, accounts.lapsed(told.world.year))
    assert lapsed == (40_000_00 if closed else 0)


def test_a_review_in_january_gives_decembers_cap_back(told: Told) -> None:
    told.after(days=300)
    assert business_date(told.at).year == told.world.year
    number = told.claimed(order=told.captured_order(voucher=told.voucher()))
    told.after(days=20)
    assert business_date(told.at).year == told.world.year + 1
    decide(told, number, Verdict.TRIM, 10_000_00)
    assert told.balance(cap(told)) == 190_000_00
    assert told.one(Posting, kind=PostingKind.TRIM.value).fiscal_year == told.world.year


@pytest.mark.parametrize("verdict", [Verdict.TRIM, Verdict.REJECT])
@pytest.mark.parametrize("reason", ["", "   "])
def test_a_trim_or_rejection_needs_a_reason(told: Told, verdict: Verdict, reason: str) -> None:
    request = ReviewRequest(told.claimed(), verdict, Fen(1_00), reason)
    told.refuses(Code.REASON_MISSING, deciding(request, actor=told.world.reviewer))


def test_more_than_was_claimed_cannot_be_approved(told: Told) -> None:
    number = told.claimed(paid_fen=Fen(60_000_00))
    request = ReviewRequest(number, Verdict.TRIM, Fen(30_000_01), "多给一分")
    told.refuses(
        Code.APPROVED_ABOVE_CLAIM,
        deciding(request, actor=told.world.reviewer),
        approved_fen=30_000_01,
        claimed_fen=30_000_00,
    )


def test_a_claim_is_decided_once(told: Told) -> None:
    number = told.approved()
    for verdict in Verdict:
        request = ReviewRequest(number, verdict, Fen(1_00), "再审一次")
        told.refuses(Code.STATE_CHANGED, deciding(request, actor=told.world.reviewer), state="approved")


def test_the_same_claim_twice_in_one_sequence_is_decided_once(told: Told) -> None:
    number = told.claimed()
    request = ReviewRequest(number, Verdict.TRIM, Fen(1_00), "核减")
    first, second = told.do(deciding(request, request, actor=told.world.reviewer))
    assert isinstance(first, Reviewed)
    assert isinstance(second, Refused) and second.code is Code.STATE_CHANGED


@pytest.mark.parametrize("side", ["firm", "host", "platform", "author"])
def test_a_reviewer_does_not_decide_on_their_own_house(told: Told, side: str) -> None:
    world, reviewer = told.world, told.world.reviewer
    interested = {
        "firm": replace(reviewer, organisation_ids=frozenset({world.firm.organisation_id})),
        "host": replace(reviewer, organisation_ids=frozenset({world.platform.organisation_id})),
        "platform": replace(reviewer, platform_ids=frozenset({world.platform.platform_id})),
        "author": replace(reviewer, person_id=world.firm.actor.person_id),
    }
    request = ReviewRequest(told.claimed(), Verdict.APPROVE)
    told.refuses(Code.SELF_APPROVAL, deciding(request, actor=interested[side]))


def test_a_reviewer_of_another_region_does_not_find_the_claim(told: Told) -> None:
    elsewhere = replace(told.world.reviewer, region_codes=frozenset({"140500", "610000"}))
    request = ReviewRequest(told.claimed(), Verdict.APPROVE)
    told.refuses(Code.NOT_FOUND, deciding(request, actor=elsewhere))


def test_a_reviewer_of_the_county_decides_on_its_firms(told: Told) -> None:
    county = replace(told.world.reviewer, region_codes=frozenset({"140105"}))
    request = ReviewRequest(told.claimed(), Verdict.APPROVE)
    (answer,) = told.do(deciding(request, actor=county))
    assert isinstance(answer, Reviewed)


def test_a_closed_day_takes_no_trim(told: Told) -> None:
    number = told.claimed()

    def close(session: Session, at: datetime) -> None:
        session.get_one(Book, told.world.book_id).closed_through = business_date(at)

    told.do(close)
    request = ReviewRequest(number, Verdict.TRIM, Fen(1_00), "核减")
    told.refuses(Code.PERIOD_CLOSED, deciding(request, actor=told.world.reviewer))


@pytest.mark.parametrize(
    ("verdict", "amount", "back"), [(Verdict.TRIM, 30_000_00, 20_000_00), (Verdict.REJECT, None, 50_000_00)]
)
def test_what_is_not_approved_leaves_room_under_the_contract_again(
    told: Told, verdict: Verdict, amount: int | None, back: int
) -> None:
    number = told.claimed()
    order = told.order(order_of(told, number))
    assert order.contract_ref
    rooms = [accounts.contract(order.contract_ref, name) for name in (told.world.programme_code, "")]
    before = [told.balance(room) for room in rooms]
    decide(told, number, verdict, amount)
    assert [told.balance(room) for room in rooms] == [left + back for left in before]
