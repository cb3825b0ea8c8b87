"""Two reviewers, one case: on PostgreSQL one of them has it, and one decision stands; an appeal against it is upheld once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.operations.reviewing import deciding, returning, reviewer
from tests.operations.stories import Told, placed
from voucher.clock import business_date
from voucher.db import Database
from voucher.errors import Code
from voucher.ledger.verify import verify
from voucher.models.claims import Claim
from voucher.models.review import CaseTaking, ClaimReturn, Review
from voucher.money import Fen
from voucher.operations.appeal import AppealDecision, AppealRequest, decide_appeals, lodge
from voucher.operations.file_contract import ContractRequest, file_contract
from voucher.operations.outcome import Refused, only
from voucher.operations.take_case import take_cases
from voucher.rules.permissions import Actor
from voucher.terms import ClaimItem, Verdict

ROUNDS = 6
Work = Callable[[Session, datetime], list[Any]]


@pytest.fixture
def told(pg_database: Database) -> Told:
    return Told(pg_database)


def at_once(told: Told, *works: Work) -> list[Any]:
    barrier = Barrier(len(works))

    def run(work: Work) -> Any:
        barrier.wait(timeout=30)
        return told.do(work)[0]

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def small_claim(told: Told) -> str:
    """A claim that leaves room under the yearly cap for all rounds."""
    return told.claimed(order=told.captured_order(contract_fen=20_000_00), amount_fen=20_000_00)


def taking(number: str, actor: Actor) -> Work:
    return lambda session, at: list(take_cases(session, [number], actor=actor, at=at))


def count(told: Told, table: Any) -> int:
    with told.database.read() as session:
        return session.scalars(select(func.count()).select_from(table)).one()


def test_a_case_wanted_by_four_is_with_one(told: Told) -> None:
    people = [told.world.reviewer, *(reviewer(told) for _ in range(3))]
    for _ in range(ROUNDS):
        number = small_claim(told)
        answers = at_once(told, *(taking(number, person) for person in people))
        refused = [each for each in answers if isinstance(each, Refused)]
        assert [each.code for each in refused] == [Code.CASE_TAKEN] * 3
    assert count(told, CaseTaking) == ROUNDS


def test_a_case_that_two_decide_and_one_returns_has_one_outcome(told: Told) -> None:
    first, second, third = told.world.reviewer, reviewer(told), reviewer(told)
    for _ in range(ROUNDS):
        number = small_claim(told)
        answers = at_once(
            told,
            deciding(number, Verdict.APPROVE, actor=first),
            deciding(number, Verdict.REJECT, actor=second),
            returning(number, ClaimItem.OTHER, actor=third),
        )
        assert sum(not isinstance(each, Refused) for each in answers) == 1
        assert {each.code for each in answers if isinstance(each, Refused)} == {Code.STATE_CHANGED}
        assert told.one(Claim, number=number).state in ("approved", "rejected", "returned")
    assert count(told, Review) + count(told, ClaimReturn) == ROUNDS


def upholding(number: str, actor: Actor) -> Work:
    wanted = AppealDecision(number, True, "服务内容与合同附件一致")
    return lambda session, at: list(decide_appeals(session, [wanted], actor=actor, at=at))


def appealed(told: Told, voucher: str) -> str:
    """The appeal against a rejected claim that had the whole voucher."""
    order = told.captured_order(voucher=voucher, contract_fen=20_000_00)
    number = told.claimed(order=order, amount_fen=20_000_00)
    told.do(deciding(number, Verdict.REJECT, actor=told.world.reviewer))
    request = AppealRequest(number, "合同附件写明了服务内容")
    return told.do(lambda s, at: only(lodge(s, [request], actor=told.world.firm.actor, at=at)).number)


def spending(told: Told, voucher: str) -> Work:
    """The filing of a contract that holds the whole voucher."""
    order = told.do(lambda session, at: placed(session, told.world, voucher, quote_fen=20_000_00, at=at))
    asked = ContractRequest(order, f"HT-{order}", business_date(told.at), Fen(20_000_00))
    manager = told.world.platform.manager
    return lambda session, at: list(file_contract(session, [asked], actor=manager, at=at))


def test_money_that_a_rejection_gave_back_is_held_again_or_spent_and_never_both(told: Told) -> None:
    people = (told.world.officer, reviewer(told))
    for _ in range(ROUNDS // 2):
        voucher = told.voucher(face_fen=10_000_00)
        appeal = appealed(told, voucher)
        answers = at_once(told, *(upholding(appeal, person) for person in people), spending(told, voucher))
        reopened = [each for each in answers[:2] if not isinstance(each, Refused)]
        assert len(reopened) + (not isinstance(answers[2], Refused)) == 1, answers
        codes = {each.code for each in answers if isinstance(each, Refused)}
        assert codes <= {Code.VOUCHER_EXHAUSTED, Code.STATE_CHANGED}
    with told.database.read() as session:
        assert verify(session).faults == ()
