"""Two reviewers, one case: on PostgreSQL one of them has it, and one decision stands."""

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
from tests.operations.stories import Told
from voucher.db import Database
from voucher.errors import Code
from voucher.models.claims import Claim
from voucher.models.review import CaseTaking, ClaimReturn, Review
from voucher.operations.outcome import Refused
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
