"""A budget line when its year is over: carried or lapsed by the decision of two persons, in parts, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event
from time import sleep

import pytest
from sqlalchemy.orm import Session

from tests.operations.stories import Told, snapshot, stranger
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.ledger.balances import free_credits
from voucher.ledger.verify import verify
from voucher.models.programmes import BudgetLine
from voucher.models.vouchers import Voucher
from voucher.models.year_ends import YearEnd, YearEndAnswer
from voucher.money import Fen
from voucher.operations.fund import LineRequest, open_lines
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.outcome import Refused, only
from voucher.operations.sweep import SYSTEM
from voucher.operations.year_end import (
    Ended,
    YearEndReply,
    YearEndRequest,
    answer_year_end,
    apply_year_end,
    approved_year_ends,
    propose_year_end,
)
from voucher.queries.year_ends import carry_table, decisions, expired_rows
from voucher.terms import LiveVouchers, VoucherState, YearEndAction, YearEndState

LAST = datetime(2026, 12, 31, 15, 59, 59, 999_999, tzinfo=UTC)
NEXT = datetime(2027, 1, 5, 2, 0, tzinfo=UTC)


@pytest.fixture
def told(told: Told) -> Told:
    """The world with a line of the next year."""
    request = LineRequest("BL-2027", told.world.programme_code, 2027, "二〇二七年指标")
    told.do(lambda session, at: only(open_lines(session, [request], actor=told.world.maker, at=at)))
    return told


def asked(told: Told, action: YearEndAction, vouchers: LiveVouchers = LiveVouchers.KEEP) -> YearEndRequest:
    to = "BL-2027" if action is YearEndAction.CARRY else ""
    return YearEndRequest(told.world.line_code, action, "晋财〔2027〕1号", vouchers, to)


def proposed(told: Told, request: YearEndRequest) -> None:
    told.at = NEXT
    told.do(lambda session, at: only(propose_year_end(session, [request], actor=told.world.maker, at=at)))


def approved(told: Told, *, said: bool = True) -> None:
    reply = YearEndReply(told.world.line_code, Fen(left(told)), said, latest(told))
    told.do(lambda session, at: only(answer_year_end(session, [reply], actor=told.world.checker, at=at)))


def latest(told: Told) -> int:
    """The proposal that the second person has before them."""
    return max(row.id for row in told.rows(YearEnd))


def applied(told: Told, *, limit: int = 500) -> Ended:
    return told.do(
        lambda session, at: apply_year_end(session, told.world.line_code, actor=SYSTEM, at=at, limit=limit)
    )


def left(told: Told, code: str = "", year: int = 2026) -> int:
    return told.balance(accounts.budget(code or told.world.line_code, year))


def lapsed(told: Told) -> int:
    with told.database.read() as session:
        return free_credits(session, told.world.book_id, accounts.lapsed(2026))


def test_what_is_left_is_carried_to_the_next_year_and_the_line_is_closed(told: Told) -> None:
    told.voucher(face_fen=50_000_00)
    before = left(told)
    proposed(told, asked(told, YearEndAction.CARRY))
    approved(told)
    assert applied(told) == Ended(told.world.line_code, 0, True, Fen(before))
    assert (left(told), left(told, "BL-2027", 2027)) == (0, before)
    assert told.one(BudgetLine, code=told.world.line_code).closed_on is not None
    with told.database.read() as session:
        assert verify(session).faults == ()


def test_what_is_left_lapses_where_that_is_decided(told: Told) -> None:
    before = left(told)
    proposed(told, asked(told, YearEndAction.LAPSE))
    approved(told)
    assert applied(told).moved_fen == before
    assert (left(told), lapsed(told)) == (0, before)


def test_a_voucher_that_keeps_its_line_lapses_when_it_expires_later(told: Told) -> None:
    number = told.voucher(face_fen=50_000_00)
    proposed(told, asked(told, YearEndAction.CARRY))
    approved(told)
    applied(told)
    assert told.one(Voucher, number=number).state == VoucherState.LIVE.value
    assert told.balance(accounts.voucher(number)) == 50_000_00


def test_vouchers_fall_first_where_that_is_decided_and_one_with_a_hold_keeps_its_line(told: Told) -> None:
    before = left(told)
    held = told.voucher(face_fen=60_000_00)
    told.held_order(voucher=held)
    loose = told.voucher(face_fen=50_000_00)
    proposed(told, asked(told, YearEndAction.CARRY, LiveVouchers.FALL))
    approved(told)
    assert applied(told) == Ended(told.world.line_code, 1, True, Fen(before - 60_000_00))
    fallen = told.one(Voucher, number=loose)
    assert (fallen.state, fallen.state_reason) == (VoucherState.EXPIRED.value, "year_end")
    assert told.one(Voucher, number=held).state == VoucherState.LIVE.value
    assert left(told, "BL-2027", 2027) == before - 60_000_00


def test_a_part_may_stop_anywhere_and_the_next_goes_on(told: Told) -> None:
    before = left(told)
    told.held_order(voucher=told.voucher(face_fen=60_000_00))
    for _ in range(3):
        told.voucher(face_fen=10_000_00)
    proposed(told, asked(told, YearEndAction.LAPSE, LiveVouchers.FALL))
    approved(told)
    with told.database.read() as session:
        assert approved_year_ends(session) == [told.world.line_code]
    assert applied(told, limit=1) == Ended(told.world.line_code, 1, False, Fen(0))
    while not applied(told, limit=1).closed:
        assert left(told) > 0
    assert (left(told), lapsed(told)) == (0, before - 60_000_00)
    again = snapshot(told.database)
    assert applied(told) == Ended(told.world.line_code, 0, True, Fen(0))
    assert snapshot(told.database) == again
    with told.database.read() as session:
        assert approved_year_ends(session) == []


def test_two_persons_decide(told: Told) -> None:
    proposed(told, asked(told, YearEndAction.LAPSE))
    reply = YearEndReply(told.world.line_code, Fen(left(told)), True, latest(told))
    told.refuses(
        Code.SELF_APPROVAL,
        lambda session, at: answer_year_end(session, [reply], actor=told.world.maker, at=at),
    )


def test_another_amount_than_the_second_person_saw_is_not_approved(told: Told) -> None:
    proposed(told, asked(told, YearEndAction.LAPSE))
    reply = YearEndReply(told.world.line_code, Fen(left(told) - 1), True, latest(told))
    told.refuses(
        Code.STATE_CHANGED,
        lambda session, at: answer_year_end(session, [reply], actor=told.world.checker, at=at),
        left_fen=left(told),
    )


def test_another_proposal_than_the_second_person_saw_is_not_approved(told: Told) -> None:
    proposed(told, asked(told, YearEndAction.CARRY))
    seen = latest(told)
    approved(told, said=False)
    proposed(told, asked(told, YearEndAction.LAPSE, LiveVouchers.FALL))
    for said in (True, False):
        reply = YearEndReply(told.world.line_code, Fen(left(told)), said, seen)
        told.refuses(
            Code.STATE_CHANGED,
            partial(_reply, told, reply),
        )


def _reply(told: Told, reply: YearEndReply, session: Session, at: datetime) -> list[YearEndAnswer | Refused]:
    return answer_year_end(session, [reply], actor=told.world.checker, at=at)


def test_nothing_is_proposed_before_the_year_is_over_or_twice(told: Told) -> None:
    request = asked(told, YearEndAction.LAPSE)
    ask = lambda session, at: propose_year_end(session, [request], actor=told.world.maker, at=at)  # noqa: E731
    told.refuses(Code.PERIOD_NOT_OVER, ask, through="2026-12-31")
    told.at = LAST
    told.refuses(Code.PERIOD_NOT_OVER, ask, through="2026-12-31")
    told.at = LAST + timedelta(microseconds=1)
    told.do(lambda session, at: only(propose_year_end(session, [request], actor=told.world.maker, at=at)))
    told.refuses(Code.STATE_CHANGED, ask)


def closed_next(told: Told) -> None:
    """The line of 2027 lapses when its year is over."""
    told.at = datetime(2028, 1, 5, tzinfo=UTC)
    request = YearEndRequest("BL-2027", YearEndAction.LAPSE, "晋财〔2028〕1号")
    told.do(lambda s, at: only(propose_year_end(s, [request], actor=told.world.maker, at=at)))
    reply = YearEndReply("BL-2027", Fen(left(told, "BL-2027", 2027)), True, latest(told))
    told.do(lambda s, at: only(answer_year_end(s, [reply], actor=told.world.checker, at=at)))


def closing_next(session: Session, at: datetime) -> Ended:
    return apply_year_end(session, "BL-2027", actor=SYSTEM, at=at)


def test_a_decision_to_carry_to_a_line_that_has_closed_meanwhile_gives_way_to_another(told: Told) -> None:
    before = left(told)
    proposed(told, asked(told, YearEndAction.CARRY))
    approved(told)
    closed_next(told)
    told.do(closing_next)
    with pytest.raises(Refusal) as refused:
        applied(told)
    assert refused.value.code is Code.PERIOD_CLOSED
    with told.database.read() as session:
        (decision,) = decisions(session, told.world.maker, line_code=told.world.line_code)
    assert decision.state is YearEndState.OVERTAKEN
    request = asked(told, YearEndAction.LAPSE)
    told.do(lambda s, at: only(propose_year_end(s, [request], actor=told.world.maker, at=at)))
    with told.database.read() as session:
        assert approved_year_ends(session) == []
    approved(told)
    assert applied(told).moved_fen == before
    assert (left(told), lapsed(told)) == (0, before)


def test_money_is_never_carried_to_a_line_that_closes_at_that_moment(pg_database: Database) -> None:
    """The line of 2027 is closing when that of 2026 is carried to it: it waits, and is refused."""
    told = Told(pg_database)
    request = LineRequest("BL-2027", told.world.programme_code, 2027, "二〇二七年指标")
    told.do(lambda session, at: only(open_lines(session, [request], actor=told.world.maker, at=at)))
    proposed(told, asked(told, YearEndAction.CARRY))
    approved(told)
    closed_next(told)
    closing, go_on = Event(), Event()

    def slowly(session: Session, at: datetime) -> None:
        closing_next(session, at)
        closing.set()
        assert go_on.wait(60)

    def carried() -> str:
        try:
            return applied(told).line_code
        except Refusal as refusal:
            return refusal.code.value

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(told.do, slowly)
        assert closing.wait(60)
        second = pool.submit(carried)
        sleep(0.3)
        go_on.set()
        first.result()
        assert second.result() == Code.PERIOD_CLOSED.value
    assert left(told, "BL-2027", 2027) == 0


def test_money_is_carried_to_an_open_line_of_the_same_programme_and_the_next_year_only(told: Told) -> None:
    told.at = NEXT
    for to in ("", "NOWHERE", told.world.line_code):
        request = YearEndRequest(told.world.line_code, YearEndAction.CARRY, "文", to_code=to)
        told.refuses(Code.NOT_FOUND, partial(_proposal, told, request))


def _proposal(told: Told, request: YearEndRequest, session: Session, at: datetime) -> list[YearEnd | Refused]:
    return propose_year_end(session, [request], actor=told.world.maker, at=at)


def test_nobody_of_another_book_proposes_answers_or_carries_out(told: Told) -> None:
    told.at = NEXT
    request = asked(told, YearEndAction.LAPSE)
    other = stranger(told, like=told.world.maker)
    told.refuses(Code.NOT_FOUND, lambda session, at: propose_year_end(session, [request], actor=other, at=at))
    proposed(told, request)
    reply = YearEndReply(told.world.line_code, Fen(left(told)), True, latest(told))
    told.refuses(Code.NOT_FOUND, lambda session, at: answer_year_end(session, [reply], actor=other, at=at))


def test_a_refused_proposal_stays_on_record_and_another_one_may_follow(told: Told) -> None:
    proposed(told, asked(told, YearEndAction.LAPSE))
    approved(told, said=False)
    proposed(told, asked(told, YearEndAction.CARRY))
    assert len(told.rows(YearEnd)) == 2
    with told.database.read() as session:
        states = [each.state for each in decisions(session, told.world.maker)]
    assert states == [YearEndState.PROPOSED, YearEndState.REFUSED]


def test_nothing_is_issued_from_a_closed_line(told: Told) -> None:
    proposed(told, asked(told, YearEndAction.LAPSE))
    approved(told)
    applied(told)
    request = IssueRequest(told.world.firm.holder_ref, Fen(1_000_00))
    line = told.world.line_code
    with pytest.raises(Refusal) as refusal:
        told.do(lambda session, at: issue(session, line, [request], actor=told.world.officer, at=at))
    assert refusal.value.code is Code.PERIOD_CLOSED


def test_the_carry_over_table_ties_out_and_the_expired_table_names_what_came_back(told: Told) -> None:
    told.approved(
        order=told.captured_order(contract_fen=60_000_00), amount_fen=60_000_00, approved_fen=21_000_00
    )
    told.held_order(contract_fen=20_000_00)
    number = told.voucher(face_fen=50_000_00)
    proposed(told, asked(told, YearEndAction.CARRY, LiveVouchers.FALL))
    approved(told)
    moved = applied(told).moved_fen
    with told.database.read() as session:
        rows = {row.line_code: row for row in carry_table(session, told.world.maker, 2026)}
        row = rows[told.world.line_code]
        (following,) = carry_table(session, told.world.maker, 2027)
        expired = {each.number: each for each in expired_rows(session, told.world.maker, 2027)}
    assert (row.in_fen, row.carried_fen, row.difference_fen) == (10_000_000_00, moved, 0)
    assert (following.opening_fen, following.closing_fen, following.difference_fen) == (moved, moved, 0)
    assert row.expired_fen == sum(each.returned_fen for each in expired.values())
    assert (expired[number].returned_fen, expired[number].used_fen) == (50_000_00, 0)
