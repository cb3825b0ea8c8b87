"""The waiting list under several workers: exactly as many vouchers as the money is enough for, in queue order."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.operations.applying import Applying
from voucher.db import Database
from voucher.ledger import accounts
from voucher.money import Fen
from voucher.operations.decide_applications import DecisionRequest, decide
from voucher.operations.fund import FundRequest, fund
from voucher.operations.move_up import advance
from voucher.operations.outcome import Refused, only
from voucher.terms import ApplicationState, ApplicationVerdict

WORKERS = 6


def test_money_for_ten_of_twenty_issues_exactly_ten_in_queue_order(pg_database: Database) -> None:
    told = Applying(pg_database, budget_fen=0)
    numbers = [told.apply(told.firm(), fen=10_000_00).number for _ in range(20)]
    requests = [DecisionRequest(number, ApplicationVerdict.APPROVE) for number in numbers]
    told.do(lambda session, at: decide(session, requests, actor=told.world.reviewer, at=at))
    start = Barrier(WORKERS + 1)

    def pay() -> int:
        start.wait()
        request = FundRequest(told.line_code, "晋财教〔2026〕9号", Fen(10 * 10_000_00))
        told.do(lambda session, at: only(fund(session, [request], actor=told.world.maker, at=at)))
        return 0

    def work() -> int:
        start.wait()
        return sum(
            told.do(lambda session, at: advance(session, told.world.programme_code, 2026, at=at)).issued
            for _ in range(5)
        )

    with ThreadPoolExecutor(WORKERS + 1) as pool:
        running = [pool.submit(work) for _ in range(WORKERS)] + [pool.submit(pay)]
        issued = sum(each.result() for each in running)
    issued += told.do(lambda session, at: advance(session, told.world.programme_code, 2026, at=at)).issued
    assert issued == 10
    assert told.states() == [ApplicationState.ISSUED] * 10 + [ApplicationState.WAITING] * 10
    assert told.balance(accounts.budget(told.line_code, 2026)) == 0


def test_numbers_rise_in_the_order_of_commits_and_none_is_given_twice(pg_database: Database) -> None:
    told = Applying(pg_database)
    firms = [told.firm() for _ in range(12)]
    start = Barrier(len(firms))

    def ask(place: int) -> int:
        start.wait()
        return told.apply(firms[place], fen=10_000_00).queue_no

    with ThreadPoolExecutor(len(firms)) as pool:
        given = list(pool.map(ask, range(len(firms))))
    assert sorted(given) == list(range(1, 13))


def test_two_reviewers_never_decide_one_application_twice(pg_database: Database) -> None:
    told = Applying(pg_database)
    number = told.apply().number
    start = Barrier(2)

    def answer(verdict: ApplicationVerdict) -> str:
        actor = told.world.reviewer if verdict is ApplicationVerdict.APPROVE else told.world.officer
        start.wait()
        request = DecisionRequest(number, verdict, reason="用途不符")
        (result,) = told.do(lambda session, at: decide(session, [request], actor=actor, at=at))
        return result.code.value if isinstance(result, Refused) else "decided"

    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(answer, (ApplicationVerdict.APPROVE, ApplicationVerdict.REJECT))
        assert Counter(answers) == {"decided": 1, "state_changed": 1}
