"""Defects are told at once, mended alone, and never become a rejection by time."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.operations.reviewing import asks, deciding, mended, returning, reviewer, sent_back
from tests.operations.stories import Told
from voucher.errors import Code
from voucher.models.claims import Claim
from voucher.models.messages import Message
from voucher.models.review import ClaimDefect, ClaimReturn, Review
from voucher.operations.defects import open_items
from voucher.operations.outcome import only
from voucher.operations.return_claim import mark_overdue
from voucher.terms import ClaimItem, ClaimState, MessageEvent, Verdict

THREE = (ClaimItem.CONTRACT, ClaimItem.INVOICES, ClaimItem.RESULT)


def opened(told: Told, number: str) -> frozenset[ClaimItem]:
    claim = told.one(Claim, number=number)
    with told.database.read() as session:
        return open_items(session, [claim.id]).get(claim.id, frozenset())


def told_of(told: Told, event: MessageEvent) -> list[str]:
    with told.database.read() as session:
        return list(session.scalars(select(Message.subject).where(Message.event == event.value)))


def test_three_defects_go_out_in_one_notice_and_only_these_items_open(told: Told) -> None:
    asks(told, defect_days=10)
    number = told.claimed()
    before = told.one(Claim, number=number)
    notice = sent_back(told, number, *THREE)
    assert (notice.notice_number, notice.round, notice.items) == (f"{number}-1", 1, THREE)
    assert opened(told, number) == frozenset(THREE)
    claim = told.one(Claim, number=number)
    assert (claim.state, claim.round, claim.queued_at) == (ClaimState.RETURNED.value, 1, before.queued_at)
    assert set(told_of(told, MessageEvent.CLAIM_RETURNED)) == {number}
    mended(told, number)
    assert opened(told, number) == frozenset()
    assert told.one(Claim, number=number).queued_at == before.queued_at


def test_the_last_day_is_counted_in_working_days_over_a_holiday(told: Told) -> None:
    asks(told, defect_days=5)
    number = told.claimed()
    told.after(days=30)
    # From Wednesday 2026-04-01: 2, 3, 7, 8, 9; Monday the 6th belongs to 清明节.
    assert sent_back(told, number, ClaimItem.OTHER).due_on == date(2026, 4, 9)


def test_a_policy_without_days_sets_no_last_day(told: Told) -> None:
    assert sent_back(told, told.claimed(), ClaimItem.OTHER).due_on is None


def test_a_second_round_names_only_what_was_open_unless_it_says_why(told: Told) -> None:
    number = told.claimed()
    sent_back(told, number, ClaimItem.CONTRACT, ClaimItem.INVOICES)
    mended(told, number)
    late = returning(number, ClaimItem.INVOICES, ClaimItem.PAYEE, actor=told.world.reviewer)
    told.refuses(Code.TOLD_LATE, late, items="payee")
    assert sent_back(told, number, ClaimItem.INVOICES).round == 2
    mended(told, number)
    told.refuses(Code.TOLD_LATE, returning(number, ClaimItem.CONTRACT, actor=told.world.reviewer))
    sent_back(told, number, ClaimItem.PAYEE, late_reason="银行 3 月 5 日来函称账户已冻结")
    assert told.one(ClaimReturn, round=3).late_reason == "银行 3 月 5 日来函称账户已冻结"


def test_a_returned_claim_is_not_returned_again_nor_decided(told: Told) -> None:
    asks(told, defect_days=10)
    number = told.claimed()
    sent_back(told, number, ClaimItem.OTHER)
    told.refuses(Code.STATE_CHANGED, returning(number, ClaimItem.OTHER, actor=told.world.reviewer))
    for verdict in Verdict:
        told.refuses(Code.STATE_CHANGED, deciding(number, verdict, actor=told.world.reviewer, amount=1_00))


def test_a_defect_without_a_text_is_refused(told: Told) -> None:
    number = told.claimed()
    work = returning(number, ClaimItem.OTHER, actor=told.world.reviewer, text="  ")
    told.refuses(Code.REASON_MISSING, work)


@pytest.mark.parametrize("items", [(), (ClaimItem.OTHER, ClaimItem.OTHER)])
def test_nothing_or_one_item_twice_is_no_round(told: Told, items: tuple[ClaimItem, ...]) -> None:
    number = told.claimed()
    with pytest.raises(ValueError, match="at least one item"):
        told.do(returning(number, *items, actor=told.world.reviewer))


def test_a_reviewer_elsewhere_does_not_find_the_claim_to_return(told: Told) -> None:
    elsewhere = reviewer(told, region_code="610000")
    told.refuses(Code.NOT_FOUND, returning(told.claimed(), ClaimItem.OTHER, actor=elsewhere))


def test_time_reminds_once_and_rejects_nothing(told: Told) -> None:
    asks(told, defect_days=2)
    number = told.claimed()
    sent_back(told, number, ClaimItem.OTHER)
    assert told.do(lambda session, at: mark_overdue(session, at=at, limit=10)) == 0
    told.after(days=3)
    assert told.do(lambda session, at: mark_overdue(session, at=at, limit=10)) == 1
    assert told.do(lambda session, at: mark_overdue(session, at=at, limit=10)) == 0
    assert set(told_of(told, MessageEvent.CLAIM_OVERDUE)) == {number}
    assert told.one(Claim, number=number).state == ClaimState.RETURNED.value


def test_an_overdue_claim_may_be_rejected_by_a_person_but_not_approved(told: Told) -> None:
    asks(told, defect_days=2)
    number = told.claimed()
    sent_back(told, number, ClaimItem.OTHER)
    told.after(days=3)
    told.refuses(Code.STATE_CHANGED, deciding(number, Verdict.APPROVE, actor=told.world.reviewer))
    reject = deciding(number, Verdict.REJECT, actor=told.world.reviewer)
    assert told.do(lambda session, at: only(reject(session, at))).approved_fen == 0


def test_the_decision_keeps_what_was_told(told: Told) -> None:
    number = told.claimed()
    sent_back(told, number, ClaimItem.CONTRACT)
    mended(told, number)
    told.do(deciding(number, Verdict.APPROVE, actor=told.world.reviewer))
    facts = told.one(Review).facts
    assert facts is not None
    assert facts["returns"] == [{"notice": f"{number}-1", "item": "contract", "text": "请补正"}]
    assert facts["computed"]["amount_fen"] == 50_000_00
    assert facts["computed"]["steps"]


def test_a_round_is_written_whole_or_not_at_all(told: Told) -> None:
    number = told.claimed()

    def work(session: Session, at: datetime) -> None:
        returning(number, *THREE, actor=told.world.reviewer)(session, at)
        raise RuntimeError("the process dies")

    with pytest.raises(RuntimeError):
        told.do(work)
    with told.database.read() as session:
        assert not session.scalars(select(ClaimDefect)).all()
