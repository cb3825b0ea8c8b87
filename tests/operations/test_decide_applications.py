"""Deciding applications, the waiting list that moves up by itself, and appeals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from tests import factories
from tests.operations.applying import Applying
from tests.operations.stories import stranger
from voucher.db import Database
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.models.applications import Appeal, Application, ApplicationDecision
from voucher.models.messages import Message
from voucher.models.parties import Qualification
from voucher.models.programmes import BudgetLine
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.appeal import AppealDecision, AppealRequest, decide_appeals, lodge
from voucher.operations.apply import withdraw
from voucher.operations.decide_applications import Decided, DecisionRequest, decide
from voucher.operations.expire import TakeBackRequest, give_back
from voucher.operations.fund import FundRequest, fund
from voucher.operations.move_up import Advanced, advance, queues_in_motion
from voucher.operations.outcome import only
from voucher.operations.review import ReviewRequest, review
from voucher.rules.permissions import Actor
from voucher.terms import (
    AppealChannel,
    AppealState,
    ApplicationState,
    ApplicationVerdict,
    MessageEvent,
    Role,
    Verdict,
)

WAITING, ISSUED = ApplicationState.WAITING, ApplicationState.ISSUED


def deciding(told: Applying, number: str, verdict: ApplicationVerdict, *, by: Actor, **changes: Any) -> Any:
    request = DecisionRequest(number, verdict, **changes)
    return lambda session, at: decide(session, [request], actor=by, at=at)


def moved(told: Applying) -> Advanced:
    return told.do(lambda session, at: advance(session, told.world.programme_code, 2026, at=at))


def money(told: Applying, fen: int, document: str = "晋财教〔2026〕9号") -> None:
    request = FundRequest(told.line_code, document, Fen(fen))
    told.do(lambda session, at: only(fund(session, [request], actor=told.world.maker, at=at)))


def test_an_approval_qualifies_the_firm_and_issues_what_was_approved(database: Database) -> None:
    told = Applying(database)
    firm = told.firm(qualified=False)
    done = told.decide(told.apply(firm).number, fen=30_000_00)
    assert done.state is ISSUED
    assert told.one(Voucher, number=done.voucher_number).face_fen == 30_000_00
    assert told.one(Qualification, holder_id=firm.holder_id).qualified_by == told.world.reviewer.person_id
    assert told.balance(accounts.budget(told.line_code, 2026)) == 10_000_000_00 - 30_000_00


def test_no_more_than_was_wanted_and_no_rejection_without_a_reason(sqlite_database: Database) -> None:
    told = Applying(sqlite_database)
    number, by = told.apply().number, told.world.reviewer
    approve, reject = ApplicationVerdict.APPROVE, ApplicationVerdict.REJECT
    told.refuses(
        Code.APPROVED_ABOVE_CLAIM,
        deciding(told, number, approve, by=by, approved_fen=Fen(50_000_01)),
        claimed_fen=50_000_00,
    )
    told.refuses(
        Code.FACE_OUT_OF_RANGE,
        deciding(told, number, approve, by=by, approved_fen=Fen(99_99)),
        face_fen=99_99,
    )
    told.refuses(Code.REASON_MISSING, deciding(told, number, reject, by=by, reason=" "))
    told.refuses(Code.REASON_MISSING, deciding(told, number, ApplicationVerdict.RETURN, by=by))


def test_nobody_decides_twice_or_on_their_own_or_elsewhere(database: Database) -> None:
    told = Applying(database)
    number, reviewer = told.apply().number, told.world.reviewer
    approve = ApplicationVerdict.APPROVE
    own = replace(reviewer, organisation_ids=frozenset({told.world.firm.organisation_id}))
    author = replace(reviewer, person_id=told.world.firm.actor.person_id)
    told.refuses(Code.SELF_APPROVAL, deciding(told, number, approve, by=own))
    told.refuses(Code.SELF_APPROVAL, deciding(told, number, approve, by=author))
    told.refuses(Code.NOT_FOUND, deciding(told, number, approve, by=stranger(told, like=reviewer)))
    told.decide(number, ApplicationVerdict.REJECT, reason="用途不符")
    told.refuses(Code.STATE_CHANGED, deciding(told, number, approve, by=told.world.officer))


def test_the_database_itself_keeps_applicant_and_decider_apart(database: Database) -> None:
    told = Applying(database)
    told.decide(told.apply().number)
    same = update(ApplicationDecision).values(decided_by=ApplicationDecision.submitted_by)
    with pytest.raises(IntegrityError):
        told.do(lambda session, at: session.execute(same))


def test_many_are_approved_in_queue_order_whatever_the_order_of_ticks(database: Database) -> None:
    told = Applying(database, budget_fen=120_000_00)
    numbers = [told.apply(told.firm()).number for _ in range(3)]
    requests = [DecisionRequest(number, ApplicationVerdict.APPROVE) for number in reversed(numbers)]
    answers = told.do(lambda session, at: decide(session, requests, actor=told.world.reviewer, at=at))
    assert [answer.state for answer in answers if isinstance(answer, Decided)] == [WAITING, ISSUED, ISSUED]
    assert told.states() == [ISSUED, ISSUED, WAITING]


def test_the_waiting_list_moves_up_in_order_when_money_comes(database: Database) -> None:
    told = Applying(database, budget_fen=50_000_00)
    firms = [told.firm() for _ in range(4)]
    wishes = (50_000_00, 60_000_00, 10_000_00, 20_000_00)
    numbers = [told.apply(firm, fen=fen).number for firm, fen in zip(firms, wishes, strict=True)]
    for number in numbers:
        told.decide(number)
    assert told.states() == [ISSUED, WAITING, WAITING, WAITING]
    assert moved(told) == Advanced(0, 0, 0, 3), "without money nobody moves"
    told.after(hours=1)
    money(told, 30_000_00)
    assert moved(told) == Advanced(0, 0, 0, 3), "a smaller one behind does not overtake"
    money(told, 40_000_00, "晋财教〔2026〕10号")
    assert moved(told) == Advanced(2, 0, 0, 1)
    assert told.states() == [ISSUED, ISSUED, ISSUED, WAITING]
    first = told.application(numbers[0]).voucher_id
    back = TakeBackRequest(told.one(Voucher, id=first).number, "不再需要")
    told.do(lambda session, at: only(give_back(session, [back], actor=firms[0].actor, at=at)))
    assert moved(told) == Advanced(1, 0, 0, 0), "what was given back goes to the next"
    assert moved(told) == Advanced(0, 0, 0, 0)
    assert (
        told.one(Message, event="application_moved_up", subject=numbers[3]).facts["approved_fen"] == 20_000_00
    )


def test_a_policy_may_let_smaller_ones_go_first(sqlite_database: Database) -> None:
    told = Applying(sqlite_database, budget_fen=15_000_00, waiting_skips=True)
    for fen in (50_000_00, 10_000_00, 10_000_00):
        told.decide(told.apply(told.firm(), fen=fen).number)
    assert told.states() == [WAITING, ISSUED, WAITING]


def test_who_is_refused_by_another_rule_goes_back_to_review_and_the_next_moves_up(database: Database) -> None:
    told = Applying(database, budget_fen=0)
    numbers = [told.apply(told.firm()).number for _ in range(2)]
    for number in numbers:
        told.decide(number)
    holder = told.application(numbers[0]).holder_id
    gone = select(Qualification).where(Qualification.holder_id == holder)
    told.do(lambda session, at: session.delete(session.scalars(gone).one()))
    money(told, 60_000_00)
    assert moved(told) == Advanced(1, 1, 0, 0)
    assert told.states() == [ApplicationState.SUBMITTED, ISSUED]
    assert told.application(numbers[0]).reason == "not_qualified"
    assert told.decide(numbers[0]).state is WAITING, "and can be decided again"


def test_whoever_is_left_when_the_year_is_over_is_told(database: Database) -> None:
    told = Applying(database, budget_fen=0)
    number = told.apply().number
    told.decide(number)
    told.at = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)
    with told.database.read() as session:
        assert queues_in_motion(session, at=told.at) == [(told.world.programme_code, 2026)]
    assert moved(told) == Advanced(0, 0, 1, 0)
    assert told.states() == [ApplicationState.LAPSED]
    assert told.one(Message, event=MessageEvent.APPLICATION_LAPSED.value).subject == number
    assert moved(told) == Advanced(0, 0, 0, 0)


def test_a_closed_line_moves_nobody(sqlite_database: Database) -> None:
    told = Applying(sqlite_database, budget_fen=0)
    told.decide(told.apply().number)
    money(told, 60_000_00)
    closing = update(BudgetLine).where(BudgetLine.code == told.line_code).values(closed_on=told.at.date())
    told.do(lambda session, at: session.execute(closing))
    assert moved(told) == Advanced(0, 0, 0, 1)


def appealing(told: Applying, subject: str, *, by: Actor | None = None, **changes: Any) -> Any:
    request = AppealRequest(subject, changes.pop("text", "所购服务用于新产品研发，附研发立项书"), **changes)
    return lambda session, at: lodge(session, [request], actor=by or told.world.firm.actor, at=at)


def answering(number: str, by: Actor, *, is_upheld: bool = True, result: str = "经核实，属于研发服务") -> Any:
    request = AppealDecision(number, is_upheld, result)
    return lambda session, at: decide_appeals(session, [request], actor=by, at=at)


def test_an_appeal_that_is_upheld_puts_the_application_back_at_its_place(database: Database) -> None:
    told = Applying(database)
    number = told.rejected()
    later = told.apply(told.firm()).number
    (made,) = told.do(appealing(told, number))
    assert (
        told.one(Message, event="appeal_lodged", person_id=told.world.reviewer.person_id).subject
        == made.number
    )
    told.refuses(Code.APPEAL_MADE, appealing(told, number), appeal=made.number)
    told.refuses(Code.SELF_APPROVAL, answering(made.number, told.world.reviewer))
    told.do(answering(made.number, told.world.officer))
    row = told.application(number)
    assert (row.state, row.queue_no, row.round) == ("submitted", 1, 2)
    assert told.one(Appeal, number=made.number).state == AppealState.UPHELD.value
    assert told.decide(number).state is ISSUED
    assert told.application(later).state == "submitted"


def test_an_appeal_that_is_not_upheld_leaves_the_rejection_and_says_why(sqlite_database: Database) -> None:
    told = Applying(sqlite_database)
    number = told.rejected()
    (made,) = told.do(appealing(told, number))
    told.refuses(Code.REASON_MISSING, answering(made.number, told.world.officer, result=" "))
    told.do(answering(made.number, told.world.officer, is_upheld=False, result="与研发无关"))
    assert told.states() == [ApplicationState.REJECTED]
    assert told.one(Message, event="appeal_decided").facts["result"] == "与研发无关"
    told.refuses(Code.STATE_CHANGED, answering(made.number, told.world.officer))


def test_after_the_policys_working_days_it_is_too_late(sqlite_database: Database) -> None:
    told = Applying(sqlite_database, appeal_days=5)
    number = told.rejected()
    told.at = datetime(2026, 3, 9, 15, 0, tzinfo=UTC)
    assert told.do(appealing(told, number)), "the fifth working day after Monday 2 March is Monday 9 March"
    other = told.firm()
    second = told.rejected(other)
    told.at = datetime(2026, 3, 16, 16, 0, tzinfo=UTC)
    told.refuses(Code.APPEAL_LATE, appealing(told, second, by=other.actor), appeal_by_on="2026-03-16")


def test_an_appeal_by_telephone_is_written_down_by_an_official_of_the_region(database: Database) -> None:
    told = Applying(database)
    number, officer = told.rejected(), told.world.officer
    elsewhere = stranger(told, like=officer)
    told.refuses(Code.NOT_FOUND, appealing(told, number, by=elsewhere, channel=AppealChannel.PHONE))
    told.refuses(Code.NOT_FOUND, appealing(told, number, by=told.firm().actor))
    rejecter = told.world.reviewer
    (made,) = told.do(appealing(told, number, by=rejecter, channel=AppealChannel.PHONE))
    told.refuses(Code.SELF_APPROVAL, answering(made.number, rejecter))
    told.do(answering(made.number, officer))
    assert told.states() == [ApplicationState.SUBMITTED]


def test_only_a_rejection_is_appealed_and_a_text_is_asked_for(sqlite_database: Database) -> None:
    told = Applying(sqlite_database)
    number = told.apply().number
    told.refuses(Code.STATE_CHANGED, appealing(told, number))
    told.decide(number, ApplicationVerdict.REJECT, reason="用途不符")
    told.refuses(Code.REASON_MISSING, appealing(told, number, text=" "))
    told.refuses(Code.NOT_FOUND, appealing(told, "A202600000000"))


def test_a_rejected_claim_is_appealed_by_its_number(database: Database) -> None:
    told = Applying(database)
    claim = told.claimed()
    told.refuses(Code.STATE_CHANGED, appealing(told, claim))
    rejection = ReviewRequest(claim, Verdict.REJECT, None, "合同与服务不符")
    told.do(lambda session, at: only(review(session, [rejection], actor=told.world.reviewer, at=at)))
    (made,) = told.do(appealing(told, claim))
    told.refuses(Code.SELF_APPROVAL, answering(made.number, told.world.reviewer))
    other = told.do(lambda session, at: factories.person(session, Role.REVIEWER, region_code="140000", at=at))
    told.do(answering(made.number, other, is_upheld=False, result="维持原决定"))
    row = told.one(Appeal, subject=claim)
    assert (row.state, row.decided_by, row.against_id) == (
        "dismissed",
        other.person_id,
        told.world.reviewer.person_id,
    )


def test_a_withdrawn_application_leaves_its_money_to_the_next(sqlite_database: Database) -> None:
    told = Applying(sqlite_database, budget_fen=0)
    first, second = told.apply(), told.apply(told.firm())
    told.decide(first.number)
    told.decide(second.number)
    told.do(lambda session, at: only(withdraw(session, [first.number], actor=told.world.firm.actor, at=at)))
    money(told, 50_000_00)
    assert moved(told) == Advanced(1, 0, 0, 0)
    assert told.states() == [ApplicationState.WITHDRAWN, ISSUED]
    with told.database.read() as session:
        assert session.scalars(select(Application.queue_no).order_by(Application.id)).all() == [1, 2]
