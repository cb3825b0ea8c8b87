"""An appeal against a rejected claim that is upheld: money held again, another reviewer, the old place in the queue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from tests import factories
from tests.operations.awards import Awarding
from tests.operations.cofunding_world import Shared
from tests.operations.stories import Told
from voucher.db import Database
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.verify import verify
from voucher.models.claims import Claim, InvoiceUse
from voucher.models.ledger import Posting
from voucher.models.orders import Order
from voucher.models.programmes import BudgetLine
from voucher.models.review import Review
from voucher.models.vouchers import Voucher
from voucher.operations.appeal import AppealDecision, Appealed, AppealRequest, decide_appeals, lodge
from voucher.operations.outcome import Refused, only
from voucher.operations.review import ReviewRequest, review
from voucher.operations.take_case import HandOver, hand_over, take_cases
from voucher.queries.claims import claim_file
from voucher.queries.review_desk import DeskFilter, clock_of, desk
from voucher.rules.permissions import Actor
from voucher.terms import ClaimState, OrderState, PostingKind, Role, Verdict, VoucherState

Appeals = Callable[[Session, datetime], list[Appealed | Refused]]


@pytest.fixture
def told(sqlite_database: Database) -> Told:
    return Told(sqlite_database)


def second_reviewer(told: Told) -> Actor:
    return told.do(lambda session, at: factories.person(session, Role.REVIEWER, region_code="140000", at=at))


def deciding(number: str, verdict: Verdict, by: Actor) -> Callable[[Session, datetime], list[object]]:
    request = ReviewRequest(number, verdict, None, "合同与服务不符")
    return lambda session, at: list(review(session, [request], actor=by, at=at))


def rejected(told: Told, number: str) -> str:
    """The appeal against the rejection of this claim."""
    told.do(lambda session, at: only(deciding(number, Verdict.REJECT, told.world.reviewer)(session, at)))
    return appealed(told, number)


def appealed(told: Told, number: str) -> str:
    request = AppealRequest(number, "合同附件写明了服务内容")
    return told.do(
        lambda session, at: only(lodge(session, [request], actor=told.world.firm.actor, at=at)).number
    )


def upholding(number: str, by: Actor) -> Appeals:
    wanted = AppealDecision(number, True, "服务内容与合同附件一致")
    return lambda session, at: decide_appeals(session, [wanted], actor=by, at=at)


def upheld(told: Told, appeal: str, by: Actor | None = None) -> Appealed:
    work = upholding(appeal, by or told.world.officer)
    return told.do(lambda session, at: only(work(session, at)))


def cap(told: Told) -> Ref:
    return accounts.cap("CN-140000-INNO", told.world.firm.holder_ref, told.world.year)


def order_of(told: Told, number: str) -> Order:
    return told.one(Order, id=told.one(Claim, number=number).order_id)


def faults(told: Told) -> object:
    with told.database.read() as session:
        return verify(session).faults


def test_an_upheld_appeal_holds_the_money_again_and_another_reviewer_decides(database: Database) -> None:
    told = Told(database)
    voucher = told.voucher()
    number = told.claimed(order=told.captured_order(voucher=voucher))
    queued_at = told.one(Claim, number=number).queued_at
    appeal = rejected(told, number)
    assert told.balance(accounts.voucher(voucher)) == told.balance(cap(told)) == 200_000_00
    told.after(days=30)
    made = upheld(told, appeal)
    assert made.held_fen == 50_000_00
    claim, order = told.one(Claim, number=number), order_of(told, number)
    assert (claim.state, claim.hearing, claim.approved_fen) == (ClaimState.SUBMITTED.value, 2, None)
    assert (claim.queued_at, order.state) == (queued_at, OrderState.CLAIMED.value)
    assert told.balance(accounts.order(order.number)) == 50_000_00
    assert told.balance(accounts.voucher(voucher)) == told.balance(cap(told)) == 150_000_00
    assert [use.released_at is None for use in told.rows(InvoiceUse)] == [False, True]
    back = told.one(Posting, kind=PostingKind.DISALLOW.value)
    assert told.one(Posting, kind=PostingKind.REINSTATE.value).reverses == back.id
    assert faults(told) == ()
    other = second_reviewer(told)
    told.refuses(Code.SELF_APPROVAL, deciding(number, Verdict.APPROVE, told.world.reviewer))
    told.do(lambda session, at: only(deciding(number, Verdict.APPROVE, other)(session, at)))
    rows = [(row.hearing, row.verdict, row.reviewer_id) for row in told.rows(Review)]
    assert rows == [(1, "reject", told.world.reviewer.person_id), (2, "approve", other.person_id)]
    told.refuses(Code.STATE_CHANGED, deciding(number, Verdict.APPROVE, second_reviewer(told)))
    assert order_of(told, number).approved_fen == 50_000_00
    assert faults(told) == ()


def test_the_second_hearing_may_reject_again_and_be_appealed_again(told: Told) -> None:
    number = told.claimed()
    upheld(told, rejected(told, number))
    other = second_reviewer(told)
    told.do(lambda session, at: only(deciding(number, Verdict.REJECT, other)(session, at)))
    assert told.balance(cap(told)) == 200_000_00
    second = appealed(told, number)
    assert second == f"{number}-S2"
    told.refuses(Code.SELF_APPROVAL, upholding(second, other))
    upheld(told, second)
    assert told.one(Claim, number=number).hearing == 3
    for by in (told.world.reviewer, other):
        told.refuses(Code.SELF_APPROVAL, deciding(number, Verdict.APPROVE, by))
    assert faults(told) == ()


def test_whoever_rejected_neither_takes_the_case_nor_is_handed_it(told: Told) -> None:
    number, first = told.claimed(), told.world.reviewer
    upheld(told, rejected(told, number))
    told.refuses(Code.SELF_APPROVAL, lambda s, at: take_cases(s, [number], actor=first, at=at))
    other = second_reviewer(told)
    over = HandOver(number, first.person_id)
    told.refuses(
        Code.COLLEAGUE_UNFIT, lambda s, at: hand_over(s, [over], actor=other, at=at), reason="decided"
    )
    told.do(lambda session, at: only(take_cases(session, [number], actor=other, at=at)))


def test_a_voucher_that_was_spent_meanwhile_keeps_the_claim_rejected_and_says_what_is_missing(
    told: Told,
) -> None:
    voucher = told.voucher(face_fen=50_000_00)
    number = told.claimed(order=told.captured_order(voucher=voucher))
    appeal = rejected(told, number)
    told.held_order(voucher=voucher, contract_fen=60_000_00)
    told.refuses(
        Code.VOUCHER_EXHAUSTED,
        upholding(appeal, told.world.officer),
        needed_fen=50_000_00,
        left_fen=20_000_00,
    )


@pytest.mark.parametrize("ended", ["before", "after"])
def test_the_money_of_a_voucher_that_ended_comes_from_its_budget_line(told: Told, ended: str) -> None:
    voucher = told.voucher(face_fen=50_000_00)
    number = told.claimed(order=told.captured_order(voucher=voucher))
    line = accounts.budget(told.world.line_code, told.world.year)
    before = told.balance(line)

    def end(session: Session, at: datetime) -> None:
        session.query(Voucher).filter_by(number=voucher).one().state = VoucherState.EXPIRED.value

    if ended == "before":
        told.do(end)
    appeal = rejected(told, number)
    if ended == "before":
        assert told.balance(line) == before + 50_000_00
        upheld(told, appeal)
        assert told.balance(line) == before
        assert told.balance(accounts.order(order_of(told, number).number)) == 50_000_00
        return
    told.do(end)
    told.do(
        lambda session, at: setattr(session.get_one(BudgetLine, told.world.line_id), "closed_on", at.date())
    )
    told.refuses(
        Code.BUDGET_EXCEEDED, upholding(appeal, told.world.officer), needed_fen=50_000_00, left_fen=0
    )


def test_an_invoice_that_another_claim_took_meanwhile_keeps_the_claim_rejected(told: Told) -> None:
    voucher, invoice = told.voucher(), told.invoice()
    number = told.claimed(order=told.captured_order(voucher=voucher), invoices=(invoice,))
    appeal = rejected(told, number)
    told.claimed(order=told.captured_order(voucher=voucher), invoices=(invoice,))
    told.refuses(Code.INVOICE_USED, upholding(appeal, told.world.officer))


def test_co_funders_take_their_parts_of_their_pledges_again(sqlite_database: Database) -> None:
    told = Shared(sqlite_database)
    number = told.claimed()
    pledge, share = (
        accounts.pledge(told.world.programme_code, told.world.year),
        accounts.share(order_of(told, number).number),
    )
    held = (told.posted(pledge, told.other), told.posted(share, told.other))
    appeal = rejected(told, number)
    assert told.posted(share, told.other) == 0
    upheld(told, appeal)
    assert (told.posted(pledge, told.other), told.posted(share, told.other)) == held
    other = second_reviewer(told)
    told.do(lambda session, at: only(deciding(number, Verdict.REJECT, other)(session, at)))
    assert faults(told) == ()


def test_a_rejected_post_subsidy_goes_back_to_review_and_is_awarded_by_another(
    sqlite_database: Database,
) -> None:
    told = Awarding(sqlite_database)
    number = told.applied(1_000_000_00).number
    assert upheld(told, rejected(told, number)).held_fen == 0
    assert told.one(Claim, number=number).state == ClaimState.SUBMITTED.value
    told.refuses(Code.SELF_APPROVAL, told.deciding(number))
    request = ReviewRequest(number, Verdict.APPROVE, budget_line=told.line)
    other = second_reviewer(told)
    told.do(lambda session, at: only(review(session, [request], actor=other, at=at)))
    assert told.balance(accounts.order(order_of(told, number).number)) == 300_000_00
    assert faults(told) == ()


def test_the_clock_of_review_does_not_count_the_days_of_the_appeal(told: Told) -> None:
    number = told.claimed()
    told.after(days=2)
    appeal = rejected(told, number)
    told.after(days=60)
    upheld(told, appeal)
    with told.database.read() as session:
        claim = told.one(Claim, number=number)
        assert clock_of(session, claim, at=told.at).used <= 2
        assert [
            line.case.number
            for line in desk(session, told.world.reviewer, DeskFilter(whose="free"), at=told.at).rows
        ] == [number]
        file = claim_file(session, told.world.reviewer, number)
    assert file is not None
    assert file.review is None
    assert [row.reason for row, _ in file.overturned] == ["合同与服务不符"]
