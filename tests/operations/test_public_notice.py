"""Approved claims lie open to the public, anybody may object, and only what is cleared is paid."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.operations.awards import CAP, PROGRAMME, Awarding
from tests.operations.publicity import Public
from tests.operations.stories import Told
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.ledger.verify import verify
from voucher.models.claims import Claim, InvoiceUse
from voucher.models.messages import Holiday, Message
from voucher.models.notices import Notice, NoticeLine, NoticePlace, Objection
from voucher.models.orders import Order
from voucher.models.programmes import BudgetLine
from voucher.models.settlements import SettlementBatch
from voucher.operations import batch as batches
from voucher.operations.batch import Batch, BatchRequest, ChangeRequest
from voucher.operations.decide_objection import AnswerRequest, decide_objection
from voucher.operations.object_to import (
    MOST_OPEN,
    MOST_PER_SOURCE,
    MOST_WRONG_WORDS,
    ObjectionRequest,
    look_up,
    object_publicly,
    record_objection,
)
from voucher.operations.outcome import Refused, only
from voucher.operations.publicise import NoticeRequest, PlaceRequest, publicise, record_place
from voucher.operations.reverse import ReverseRequest, reverse
from voucher.operations.set_holidays import HolidayRequest, set_holidays
from voucher.terms import ClaimState, DayKind, NoticeOutcome, NoticeState, ObjectionChannel, OrderState

MONDAY = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def taken_in(told: Told, claim: str) -> SettlementBatch:
    """A batch with this claim."""
    request = [BatchRequest(told.world.programme_code, (claim,))]
    made = told.do(lambda session, at: only(batches.make(session, request, actor=told.world.maker, at=at)))
    return told.one(SettlementBatch, number=made.number)


def test_a_notice_of_five_working_days_opened_on_monday_ends_with_the_next_monday(database: Database) -> None:
    told = Public(database, at=MONDAY)
    claim = told.approved()
    notice = told.one(Notice, number=told.published(claim))
    assert (notice.from_on, notice.to_on) == (date(2026, 3, 2), date(2026, 3, 9))
    assert notice.weekends_only == ""
    assert told.state(claim) is ClaimState.IN_NOTICE


def test_a_notice_opened_on_30_december_2026_says_that_2027_is_unknown_until_it_is_entered(
    database: Database,
) -> None:
    told = Public(database, at=datetime(2026, 12, 30, 2, 0, tzinfo=UTC))
    first = told.one(Notice, number=told.published())
    assert (first.to_on, first.weekends_only) == (date(2027, 1, 6), "2027")
    off = [
        HolidayRequest(date(2027, 1, day), DayKind.REST, "元旦", "国办发明电〔2026〕1号") for day in (1, 2, 3)
    ]
    worked = HolidayRequest(date(2027, 1, 9), DayKind.WORK, "元旦调休", "国办发明电〔2026〕1号")
    told.do(lambda session, at: set_holidays(session, [*off, worked], actor=told.world.officer, at=at))
    second = told.one(Notice, number=told.published())
    assert (second.to_on, second.weekends_only) == (date(2027, 1, 7), "")


def test_a_weekday_needs_no_entry_to_be_worked(sqlite_database: Database) -> None:
    told = Public(sqlite_database)
    asked = [HolidayRequest(date(2027, 1, 4), DayKind.WORK, "元旦调休", "国办发明电〔2026〕1号")]
    told.refuses(
        Code.HOLIDAY_NEEDLESS,
        lambda session, at: set_holidays(session, asked, actor=told.world.officer, at=at),
    )
    before = told.do(lambda session, _: session.execute(select(Holiday.day)).all())
    assert date(2027, 1, 4) not in {row.day for row in before}


def test_a_published_line_holds_no_code_telephone_or_account(database: Database) -> None:
    told = Public(database)
    told.published()
    line = told.one(NoticeLine)
    shown = " ".join(str(value) for value in (line.enterprise, line.provider, line.service, line.subject))
    assert told.world.firm.name in line.enterprise
    assert told.world.firm.uscc not in shown
    assert told.world.platform.uscc not in shown
    assert (line.contract_fen, line.subsidy_fen) == (100_000_00, 50_000_00)


def test_a_claim_goes_into_a_batch_only_after_its_notice(database: Database) -> None:
    told = Public(database)
    claim = told.approved()
    asked = [BatchRequest(told.world.programme_code, (claim,))]

    def make(session: Session, at: datetime) -> list[Batch | Refused]:
        return batches.make(session, asked, actor=told.world.maker, at=at)

    told.refuses(Code.NOTICE_REQUIRED, make, claim=claim, working_days=5)
    told.published(claim)
    told.refuses(Code.STATE_CHANGED, make)
    told.after(days=7)
    assert told.closed() == 0, "the last day is not over"
    told.after(days=1)
    assert told.closed() == 1
    assert told.one(Notice).state == NoticeState.CLOSED.value
    batch = taken_in(told, claim)
    assert told.state(claim) is ClaimState.IN_BATCH
    out = [ChangeRequest(batch.number, (claim,))]
    told.do(lambda session, at: only(batches.take_out(session, out, actor=told.world.maker, at=at)))
    assert told.state(claim) is ClaimState.CLEARED
    assert told.sound()


def test_without_a_notice_asked_for_an_approved_claim_is_taken_and_put_back_as_it_was(
    sqlite_database: Database,
) -> None:
    told = Told(sqlite_database)
    claim = told.approved()
    batch = taken_in(told, claim)
    out = [ChangeRequest(batch.number, (claim,))]
    told.do(lambda session, at: only(batches.take_out(session, out, actor=told.world.maker, at=at)))
    assert told.one(Claim, number=claim).state == ClaimState.APPROVED.value


def test_an_objection_that_is_dismissed_leaves_the_claim_in_notice_and_then_cleared(
    database: Database,
) -> None:
    told = Public(database)
    claim = told.approved()
    notice = told.published(claim)
    objection = told.objected(notice)
    assert objection == f"{notice}-001"
    assert told.state(claim) is ClaimState.OBJECTED
    told.after(days=8)
    assert told.closed() == 0
    assert told.one(Notice).state == NoticeState.OPEN.value
    done = told.answered(objection, upheld=False)
    assert (done.claim_state, done.given_back_fen) == (ClaimState.CLEARED, 0)
    assert told.one(NoticeLine).outcome == NoticeOutcome.CLEARED.value
    assert told.closed() == 0
    assert told.one(Notice).state == NoticeState.CLOSED.value


def test_an_objection_dismissed_in_time_puts_the_claim_back_into_the_notice(database: Database) -> None:
    told = Public(database)
    claim = told.approved()
    notice = told.published(claim)
    first, second = told.objected(notice), told.objected(notice)
    assert told.answered(first, upheld=False).claim_state is ClaimState.OBJECTED
    assert told.answered(second, upheld=False).claim_state is ClaimState.IN_NOTICE
    told.after(days=8)
    assert told.closed() == 1


@pytest.mark.parametrize("approved_fen", [None, 30_000_00])
def test_an_upheld_objection_rejects_the_claim_and_all_its_money_goes_back(
    database: Database, approved_fen: int | None
) -> None:
    told = Public(database)
    voucher = told.voucher()
    order = told.captured_order(voucher=voucher)
    claim = told.approved(order=order, approved_fen=approved_fen)
    cap = accounts.cap("CN-140000-INNO", told.world.firm.holder_ref, 2026)
    notice = told.published(claim)
    first, second = told.objected(notice), told.objected(notice)
    done = told.answered(first, upheld=True)
    assert (done.claim_state, done.given_back_fen) == (ClaimState.REJECTED, approved_fen or 50_000_00)
    assert told.balance(accounts.voucher(voucher)) == 200_000_00
    assert told.balance(accounts.order(order)) == 0
    assert told.balance(cap) == 200_000_00
    assert told.order(order).state == OrderState.DISALLOWED.value
    assert told.one(InvoiceUse).released_at is not None
    assert told.one(Objection, number=second).state == "upheld", "one decision answers all that say the same"
    assert told.one(NoticeLine).outcome == NoticeOutcome.UPHELD.value
    told.after(days=8)
    assert told.closed() == 0
    assert told.one(Notice).state == NoticeState.CLOSED.value
    assert told.sound()


def test_an_objection_is_answered_once_and_with_a_reason(database: Database) -> None:
    told = Public(database)
    objection = told.objected(told.published())
    officer = told.world.officer
    dumb = [AnswerRequest(objection, True, " ")]
    told.refuses(
        Code.REASON_MISSING, lambda session, at: decide_objection(session, dumb, actor=officer, at=at)
    )
    told.answered(objection, upheld=True)
    again = [AnswerRequest(objection, False, "再议")]
    told.refuses(
        Code.STATE_CHANGED, lambda session, at: decide_objection(session, again, actor=officer, at=at)
    )


def test_another_regions_officer_finds_neither_programme_nor_notice_nor_objection(database: Database) -> None:
    told = Public(database)
    elsewhere = replace(told.world.officer, region_codes=frozenset({"610000"}))
    asked = [told.request([told.approved()])]
    told.refuses(Code.NOT_FOUND, lambda session, at: publicise(session, asked, actor=elsewhere, at=at))
    notice = told.published(asked[0].claim_numbers[0])
    objection = told.objected(notice)
    answer = [AnswerRequest(objection, True, "属实")]
    told.refuses(
        Code.NOT_FOUND, lambda session, at: decide_objection(session, answer, actor=elsewhere, at=at)
    )
    place = [PlaceRequest(notice, "https://kjt.example.gov.cn/1.html", date(2026, 3, 3))]
    told.refuses(Code.NOT_FOUND, lambda session, at: record_place(session, place, actor=elsewhere, at=at))


def test_a_claim_is_published_once_and_only_when_approved(database: Database) -> None:
    told = Public(database)
    claim = told.approved()
    told.published(claim)
    asked = [told.request([claim])]
    officer = told.world.officer
    told.refuses(Code.STATE_CHANGED, lambda session, at: publicise(session, asked, actor=officer, at=at))


def test_nobody_objects_after_the_last_day(database: Database) -> None:
    told = Public(database)
    notice = told.published()
    told.after(days=8)
    with pytest.raises(Refusal) as refused:
        told.objected(notice)
    assert refused.value.code is Code.NOTICE_OVER


def test_an_official_writes_down_a_telephone_call(database: Database) -> None:
    told = Public(database)
    notice = told.published()
    asked = [ObjectionRequest(notice, told.subjects(notice)[0], "王某", "13800000000", "与中标公告不一致。")]
    reviewer = told.world.reviewer
    made = told.do(
        lambda session, at: (
            only(
                record_objection(session, asked, via=ObjectionChannel.TELEPHONE, actor=reviewer, at=at)
            ).number
        )
    )
    row = told.one(Objection, number=made)
    assert (row.via, row.recorded_by) == ("telephone", reviewer.person_id)


def test_one_address_objects_five_times_an_hour_and_a_wrong_word_counts(database: Database) -> None:
    told = Public(database)
    claims = [told.approved() for _ in range(3)]
    notice = told.published(*claims)
    for place in range(MOST_PER_SOURCE):
        number = told.objected(notice, claims[place % 2])
    with pytest.raises(Refusal) as refused:
        told.objected(notice, claims[2])
    assert refused.value.code is Code.OBJECTION_LIMITED
    assert 0 < int(refused.value.facts["minutes"] or 0) <= 60
    told.objected(notice, claims[2], source="203.0.113.8")
    told.after(hours=1)
    told.objected(notice, claims[2])

    def looked(right: bool) -> Objection | Refused:
        return told.do(
            lambda session, at: look_up(session, number, right_word=right, source="203.0.113.9", at=at)
        )

    for _ in range(MOST_WRONG_WORDS):
        answer = looked(False)
        assert isinstance(answer, Refused) and answer.code is Code.NOT_FOUND
    limited = looked(True)
    assert isinstance(limited, Refused) and limited.code is Code.OBJECTION_LIMITED
    told.after(hours=1, minutes=1)
    assert not isinstance(looked(True), Refused)


def test_a_line_takes_three_objections_by_page_at_a_time_and_the_counter_takes_more(
    database: Database,
) -> None:
    told = Public(database)
    notice = told.published()
    made = [told.objected(notice, source=f"203.0.113.{place}") for place in range(MOST_OPEN)]
    with pytest.raises(Refusal) as refused:
        told.objected(notice, source="203.0.113.99")
    assert (refused.value.code, refused.value.facts) == (Code.OBJECTION_LIMITED, {"waiting": MOST_OPEN})
    called = ObjectionRequest(notice, told.subjects(notice)[0], "李某", "电话", "另有新证据。")
    told.do(
        lambda session, at: only(
            record_objection(
                session, [called], via=ObjectionChannel.TELEPHONE, actor=told.world.officer, at=at
            )
        )
    )
    told.answered(made[0], upheld=False)
    told.objected(notice, source="203.0.113.99")


def test_where_a_notice_hangs_is_recorded_for_several_places_each_once(database: Database) -> None:
    told = Public(database)
    notice = told.published()
    asked = [
        PlaceRequest(notice, "https://kjt.example.gov.cn/1.html", date(2026, 3, 3)),
        PlaceRequest(notice, "省科技厅一楼公告栏", date(2026, 3, 4)),
        PlaceRequest(notice, "https://kjt.example.gov.cn/1.html", date(2026, 3, 9)),
    ]
    told.do(lambda session, at: record_place(session, asked, actor=told.world.officer, at=at))
    with told.database.read() as session:
        days = {row.address: row.placed_on for row in session.scalars(select(NoticePlace))}
    assert sorted(days.values()) == [date(2026, 3, 3), date(2026, 3, 4)]


def test_the_firm_is_told_of_notice_objection_and_clearing_and_the_officer_of_the_objection(
    database: Database,
) -> None:
    told = Public(database)
    objection = told.objected(told.published())
    told.answered(objection, upheld=False)
    told.after(days=8)
    told.closed()
    firm, officer = told.world.firm.actor.person_id, told.world.officer.person_id
    with told.database.read() as session:
        rows = session.execute(select(Message.event, Message.person_id)).all()
    known = {(row.event, row.person_id) for row in rows}
    assert {
        ("notice_opened", firm),
        ("objection_made", officer),
        ("objection_decided", firm),
        ("claim_cleared", firm),
    } <= known
    assert ("objection_made", firm) not in known


def test_an_order_reversed_during_its_notice_leaves_the_notice(database: Database) -> None:
    told = Public(database)
    order = told.captured_order()
    claim = told.approved(order=order)
    notice = told.published(claim)
    objection = told.objected(notice)
    asked = [ReverseRequest(order, "服务未做")]
    manager = told.world.platform.manager
    told.do(lambda session, at: only(reverse(session, asked, actor=manager, at=at)))
    done = told.answered(objection, upheld=True)
    assert (done.claim_state, done.given_back_fen) == (ClaimState.REJECTED, 0)
    told.after(days=8)
    told.closed()
    assert told.one(NoticeLine).outcome == NoticeOutcome.WITHDRAWN.value
    assert told.one(Notice).state == NoticeState.CLOSED.value
    assert told.sound()


def test_an_upheld_objection_to_a_post_subsidy_gives_its_money_back_to_the_budget_line(
    database: Database,
) -> None:
    told = Awarding(database, fill=f"{CAP}\n[notice_days]\nvalue = 5\n")
    claim = told.applied(100_000_00).number
    told.decided(claim)
    officer = told.world.officer
    asked = NoticeRequest(PROGRAMME, (claim,), "后补助公示", "泽州县教育局", "0356-0000000")
    notice = told.do(lambda session, at: only(publicise(session, [asked], actor=officer, at=at)).number)
    order = told.order(told.one(Order, holder_id=told.world.firm.holder_id).number)
    assert told.balance(accounts.order(order.number)) == 30_000_00
    line = told.one(NoticeLine, subject=claim)
    assert (line.provider, line.subsidy_fen) == ("", 30_000_00)
    said = ObjectionRequest(notice, claim, "李某", "0356-1234567", "该成果并未投产，请核实。")
    made = told.do(lambda session, at: object_publicly(session, said, source="203.0.113.7", at=at).number)
    answer = [AnswerRequest(made, True, "经核实未投产。")]
    done = told.do(lambda session, at: only(decide_objection(session, answer, actor=officer, at=at)))
    assert (done.claim_state, done.given_back_fen) == (ClaimState.REJECTED, 30_000_00)
    assert told.balance(accounts.order(order.number)) == 0
    budget = told.one(BudgetLine, code=told.line)
    assert told.balance(accounts.budget(budget.code, budget.year)) == 10_000_000_00
    with told.database.read() as session:
        assert verify(session).faults == ()
