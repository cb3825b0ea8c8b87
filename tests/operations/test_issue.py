"""Issuing vouchers, one and a thousand: budget, qualification, face and the cap on what is claimed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from threading import Barrier

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from tests import factories
from tests.operations import counter
from tests.operations.counter import cap_of, refuses
from tests.operations.shapes import shaped
from tests.operations.stories import Told
from voucher.codes import make_uscc, read_number
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.models.journal import Journal
from voucher.models.ledger import Posting
from voucher.models.parties import Holder, Qualification
from voucher.models.programmes import BudgetLine, Programme
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.issue import Issued, IssueRequest, issue
from voucher.operations.outcome import Refused, only
from voucher.rules.permissions import Actor
from voucher.terms import PostingKind

CLAIMED = ('basis = "redeemed"', 'basis = "claimed"')


def issuing(
    told: Told, *requests: IssueRequest, line: str = "", actor: Actor | None = None
) -> Callable[[Session, datetime], Sequence[Issued | Refused]]:
    code, officer = line or told.world.line_code, actor or told.world.officer
    return lambda session, at: issue(session, code, requests, actor=officer, at=at)


def one(told: Told, request: IssueRequest) -> Callable[[Session, datetime], Issued]:
    return lambda session, at: only(issuing(told, request)(session, at))


def wanted(told: Told, face_fen: int, holder_ref: str = "") -> IssueRequest:
    return IssueRequest(holder_ref or told.world.firm.holder_ref, Fen(face_fen))


def line_with(told: Told, funded_fen: int) -> str:
    def work(session: Session, at: datetime) -> str:
        programme = Programme(code=told.world.programme_code, book_id=told.world.book_id)
        return factories.budget_line(
            session, programme, maker=told.world.maker, funded_fen=funded_fen, at=at
        ).code

    return told.do(work)


def test_a_voucher_is_issued_from_the_budget_to_its_holder(told: Told) -> None:
    made = told.do(one(told, wanted(told, 50_000_00)))
    row = told.one(Voucher, number=made.number)
    assert read_number(row.number) == row.number
    assert (row.state, row.face_fen, row.use_by) == ("live", 50_000_00, date(2027, 3, 2))
    assert (row.holder_class, row.policy_code, row.holder_id) == (
        "tech_sme",
        factories.POLICY,
        told.world.firm.holder_id,
    )
    assert told.balance(accounts.voucher(made.number)) == 50_000_00
    assert told.balance(accounts.budget(told.world.line_code, 2026)) == 10_000_000_00 - 50_000_00
    assert told.one(Journal, subject=made.number).rule_version == factories.POLICY
    assert told.one(Posting, kind=PostingKind.ISSUE.value).fiscal_year == 2026


def test_a_thousand_vouchers_are_issued_in_one_go_and_those_beyond_the_budget_are_refused(
    told: Told,
) -> None:
    line = line_with(told, 990 * 1_000_00 + 500_00)
    refs = told.do(lambda session, at: many_firms(session, told, at, 1000))
    requests = [IssueRequest(ref, Fen(1_000_00)) for ref in refs]
    answers = told.do(issuing(told, *requests, line=line))
    assert [isinstance(answer, Refused) for answer in answers] == [False] * 990 + [True] * 10
    last = answers[-1]
    assert isinstance(last, Refused)
    assert (last.code, dict(last.facts)) == (
        Code.BUDGET_EXCEEDED,
        {"needed_fen": 1_000_00, "left_fen": 500_00},
    )
    assert told.balance(accounts.budget(line, 2026)) == 500_00
    with told.database.read() as session:
        assert session.scalars(select(func.count()).select_from(Voucher)).one() == 990


def test_a_closed_line_issues_nothing_more(told: Told) -> None:
    line = line_with(told, 100_000_00)

    def close(session: Session, _at: datetime) -> None:
        session.scalars(select(BudgetLine).where(BudgetLine.code == line)).one().closed_on = date(
            2026, 12, 31
        )

    told.do(close)
    refuses(told, Code.PERIOD_CLOSED, issuing(told, wanted(told, 50_000_00), line=line))


def many_firms(session: Session, told: Told, at: datetime, count: int) -> list[str]:
    refs = [make_uscc("140105", 50_000_000 + number) for number in range(count)]
    row = {"kind": "firm", "name": "企业", "region_code": "140105", "created_at": at}
    session.execute(insert(Holder), [{**row, "ref": ref} for ref in refs])
    ids = session.scalars(select(Holder.id).where(Holder.ref.in_(refs)))
    fields = {
        "programme_code": told.world.programme_code,
        "year": 2026,
        "holder_class": "tech_sme",
        "facts": {},
        "qualified_by": told.world.reviewer.person_id,
        "qualified_at": at,
    }
    session.execute(insert(Qualification), [{**fields, "holder_id": key} for key in ids])
    return refs


def test_who_is_not_qualified_this_year_gets_nothing(told: Told) -> None:
    stranger = make_uscc("140105", 88_000_001)
    request = wanted(told, 50_000_00, stranger)
    refuses(told, Code.NOT_QUALIFIED, one(told, request), reason="not_qualified", holder=stranger)
    told.at = datetime.fromisoformat("2027-01-01T00:00+08:00")
    refuses(told, Code.NOT_QUALIFIED, one(told, wanted(told, 50_000_00)), reason="not_qualified")


@pytest.mark.parametrize("face_fen", [999_99, 200_000_01])
def test_a_face_outside_the_policys_range_is_refused(told: Told, face_fen: int) -> None:
    refuses(
        told,
        Code.FACE_OUT_OF_RANGE,
        one(told, wanted(told, face_fen)),
        face_fen=face_fen,
        face_min_fen=1_000_00,
        face_max_fen=200_000_00,
    )


def test_a_face_at_the_ends_of_the_range_is_issued(told: Told) -> None:
    answers = told.do(issuing(told, wanted(told, 1_000_00), wanted(told, 200_000_00)))
    assert all(isinstance(answer, Issued) for answer in answers)


def test_a_line_of_another_book_or_none_does_not_exist(told: Told) -> None:
    stranger = told.do(lambda session, at: factories.person(session, at=at))
    request = wanted(told, 50_000_00)
    refuses(told, Code.NOT_FOUND, issuing(told, request, actor=stranger))
    refuses(told, Code.NOT_FOUND, issuing(told, request, line="NO-SUCH-LINE"), budget_line="NO-SUCH-LINE")


def test_a_cap_on_what_is_claimed_is_charged_at_issue_and_never_again(told: Told) -> None:
    counter.publish(told, "V-CLAIMED", CLAIMED, ("2022-03-11", "2026-03-02"))
    first = told.do(one(told, wanted(told, 150_000_00)))
    assert cap_of(told).available_fen == 50_000_00
    facts = {"cap_fen": 200_000_00, "used_fen": 150_000_00, "left_fen": 50_000_00, "year": 2026}
    refuses(told, Code.CAP_EXCEEDED, one(told, wanted(told, 50_000_01)), needed_fen=50_000_01, **facts)
    answers = told.do(
        issuing(told, wanted(told, 60_000_00), wanted(told, 30_000_00), wanted(told, 30_000_00))
    )
    assert [isinstance(answer, Refused) for answer in answers] == [True, False, True]
    counter.redeemed(told, first.number, 100_000_00)
    assert cap_of(told).available_fen == 20_000_00
    assert told.balance(accounts.voucher(first.number)) == 100_000_00


def test_a_cap_refused_at_issue_opens_no_cap(told: Told) -> None:
    lowered = ("amount_fen = 20_000_000", "amount_fen = 1_000_000")
    counter.publish(told, "V-CLAIMED", CLAIMED, lowered, ("2022-03-11", "2026-03-02"))
    (answer,) = told.do(issuing(told, wanted(told, 50_000_00)))
    assert isinstance(answer, Refused)
    assert answer.facts["cap_fen"] == 10_000_00
    assert cap_of(told).opened_fen == 0


MOST = "\n[held_most_fen]\nvalue = 20_000_000\n"


def test_an_officer_gives_no_more_than_may_be_held_at_once_and_what_was_used_makes_room(told: Told) -> None:
    shaped(told, more=MOST)
    voucher = told.voucher(face_fen=150_000_00)
    request = IssueRequest(told.world.firm.holder_ref, Fen(60_000_00))

    told.refuses(Code.HOLDING_EXCEEDED, issuing(told, request), held_fen=150_000_00, held_most_fen=200_000_00)
    told.captured_order(voucher=voucher, contract_fen=20_000_00)
    told.do(lambda s, at: only(issuing(told, request)(s, at)))


def test_two_vouchers_of_one_sequence_count_together(told: Told) -> None:
    shaped(told, more=MOST)
    request = IssueRequest(told.world.firm.holder_ref, Fen(150_000_00))
    answers = told.do(
        lambda s, at: issue(s, told.world.line_code, [request] * 2, actor=told.world.officer, at=at)
    )
    assert isinstance(answers[1], Refused)
    assert answers[1].code is Code.HOLDING_EXCEEDED


def test_of_two_officers_who_issue_to_one_holder_at_once_one_is_refused(pg_database: Database) -> None:
    told = Told(pg_database)
    shaped(told, more=MOST)
    start = Barrier(2)

    def run(_: int) -> bool:
        start.wait(60)
        try:
            told.voucher(face_fen=150_000_00)
        except Refusal as refusal:
            if refusal.code is not Code.HOLDING_EXCEEDED:
                raise
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(run, range(2))) == [False, True]
