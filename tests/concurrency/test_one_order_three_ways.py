"""Reverse, trim and settle want the money of one order at the same time: the balance lets one of them win."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from threading import Barrier
from typing import TypeVar
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from tests.operations.stories import Told
from voucher.clock import business_date, fiscal_year
from voucher.db import Database
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.events import Accepted, Event, Leg, Rejected
from voucher.ledger.locking import lock
from voucher.ledger.posting import post
from voucher.money import Fen
from voucher.operations import batch as batches
from voucher.operations.claim import Claimed, ClaimRequest, claim
from voucher.operations.outcome import Refused
from voucher.operations.reverse import ReverseRequest, reverse
from voucher.operations.review import ReviewRequest, review
from voucher.operations.settle import ApprovalRequest, approve
from voucher.rules.permissions import Actor
from voucher.terms import OrderState, PostingKind, Verdict

T = TypeVar("T")
Work = Callable[[Session, datetime], T]
pytestmark = pytest.mark.campaign


@pytest.fixture
def rounds(campaign_share: float) -> int:
    """200 in a campaign, 20 in the suite."""
    return max(20, int(200 * campaign_share))


@pytest.fixture
def race_told(pg_database: Database) -> Told:
    return Told(pg_database)


def at_once(told: Told, *works: Work[T]) -> list[T]:
    """Every work in a transaction of its own, begun together."""
    barrier = Barrier(len(works))

    def run(work: Work[T]) -> T:
        barrier.wait(timeout=30)
        return told.do(work)

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def posting(told: Told, kind: PostingKind, *legs: Leg) -> Work[Accepted | Rejected]:
    def work(session: Session, at: datetime) -> Accepted | Rejected:
        locked = lock(session, told.world.book_id, [ref for leg in legs for ref in (leg.debit, leg.credit)])
        event = Event(uuid4(), kind, legs, fiscal_year(at), business_date(at), "", "person:1")
        return post(session, locked, [event], at=at)[0]

    return work


def test_of_reverse_trim_and_settle_one_wins_and_the_balance_refuses_the_rest(
    race_told: Told, rounds: int
) -> None:
    told = race_told
    budget = accounts.budget(told.world.line_code, told.world.year)
    wins = dict.fromkeys((PostingKind.REVERSE, PostingKind.TRIM, PostingKind.SETTLE), 0)
    for number in range(rounds):
        voucher, order = Ref("voucher", f"race-{number}"), Ref("order", f"race-{number}")
        whole, part = 50_000_00, 20_000_00
        told.do(posting(told, PostingKind.ISSUE, Leg(budget, voucher, whole), Leg(voucher, order, whole)))
        answers = at_once(
            told,
            posting(told, PostingKind.REVERSE, Leg(order, voucher, whole)),
            posting(told, PostingKind.TRIM, Leg(order, voucher, part)),
            posting(told, PostingKind.SETTLE, Leg(order, accounts.payable(f"payee-{number}"), whole)),
        )
        won = [kind for kind, answer in zip(wins, answers, strict=True) if isinstance(answer, Accepted)]
        assert len(won) == 1, answers
        wins[won[0]] += 1
        assert {answer.code for answer in answers if isinstance(answer, Rejected)} == {Code.ALREADY_SETTLED}
        left = {PostingKind.REVERSE: (whole, 0, 0), PostingKind.TRIM: (part, whole - part, 0)}
        balances = [told.balance(ref) for ref in (voucher, order, accounts.payable(f"payee-{number}"))]
        assert tuple(balances) == left.get(won[0], (0, 0, whole))
    assert sum(wins.values()) == rounds


Answers = list[object]


def accepted(answers: Sequence[Sequence[object]]) -> list[bool]:
    return [not isinstance(answer, Refused) for (answer,) in answers]


def reviewing(request: ReviewRequest, actor: Actor) -> Work[Answers]:
    return lambda session, at: list(review(session, [request], actor=actor, at=at))


def reversing(told: Told, order: str) -> Work[Answers]:
    back, actor = ReverseRequest(order, "录入错误"), told.world.platform.manager
    return lambda session, at: list(reverse(session, [back], actor=actor, at=at))


def batching(told: Told, claimed: str) -> Work[Answers]:
    into = batches.BatchRequest(told.world.programme_code, (claimed,))
    return lambda session, at: list(batches.make(session, [into], actor=told.world.maker, at=at))


def claiming(told: Told, request: ClaimRequest) -> Work[Answers]:
    return lambda session, at: list(claim(session, [request], actor=told.world.firm.actor, at=at))


def approving(request: ApprovalRequest, actor: Actor) -> Work[Answers]:
    return lambda session, at: list(approve(session, [request], actor=actor, at=at))


def test_a_claim_that_many_decide_at_once_is_decided_once(race_told: Told, rounds: int) -> None:
    told = race_told
    second = replace(told.world.reviewer, person_id=told.world.auditor.person_id, ref="person:second")
    for number in range(rounds):
        holder = told.voucher(face_fen=5_000_00)
        order = told.captured_order(voucher=holder, contract_fen=2_000_00)
        claimed = told.claimed(order=order, amount_fen=2_000_00)
        trim = ReviewRequest(claimed, Verdict.TRIM, Fen(400_00), "核减")
        reject = ReviewRequest(claimed, Verdict.REJECT, None, "材料不实")
        trimmed, rejected, reversed_ = accepted(
            at_once(
                told,
                reviewing(trim, told.world.reviewer),
                reviewing(reject, second),
                reversing(told, order),
            )
        )
        assert not (trimmed and rejected), number
        assert not (rejected and reversed_), number
        assert trimmed or rejected or reversed_, number
        left = 400_00 if trimmed and not reversed_ else 0
        assert told.balance(accounts.order(order)) == left
        assert told.balance(accounts.voucher(holder)) == 5_000_00 - left
        end = OrderState.REVERSED if reversed_ else OrderState.DISALLOWED if rejected else OrderState.APPROVED
        assert told.order(order).state == end.value
        told.do(reversing(told, order))


def test_a_batch_and_a_reversal_do_not_both_get_an_order(race_told: Told, rounds: int) -> None:
    told = race_told
    for number in range(max(5, rounds // 4)):
        order = told.captured_order(voucher=told.voucher(face_fen=1_000_00), contract_fen=2_000_00)
        claimed = told.approved(order=order, amount_fen=2_000_00)
        answers = at_once(told, batching(told, claimed), reversing(told, order))
        assert sorted(accepted(answers)) == [False, True], number
        lost = next(answer for (answer,) in answers if isinstance(answer, Refused))
        assert lost.code in (Code.ALREADY_SETTLED, Code.STATE_CHANGED)


def test_a_batch_that_two_checkers_approve_at_once_is_settled_once(race_told: Told) -> None:
    told, world = race_told, race_told.world
    second = replace(world.checker, person_id=world.auditor.person_id, ref="person:second")
    claimed = told.approved()
    request = batches.BatchRequest(world.programme_code, (claimed,))
    made = told.do(lambda session, at: batches.make(session, [request], actor=world.maker, at=at))[0]
    assert isinstance(made, batches.Batch)
    ready = told.do(lambda session, at: batches.submit(session, [made.number], actor=world.maker, at=at))[0]
    assert isinstance(ready, batches.Batch)
    approval = ApprovalRequest(ready.number, ready.content_sha256)
    answers = at_once(told, approving(approval, world.checker), approving(approval, second))
    assert sorted(accepted(answers)) == [False, True]
    assert told.balance(accounts.payable(world.firm.uscc)) == 50_000_00


def test_one_invoice_claimed_by_many_at_once_is_used_once(race_told: Told, rounds: int) -> None:
    told = race_told
    holder = told.voucher()
    for _ in range(max(3, rounds // 10)):
        invoice = told.invoice(net_fen=2_000_00)
        requests = [
            told.claim_request(
                told.captured_order(voucher=holder, contract_fen=2_000_00),
                amount_fen=2_000_00,
                invoices=(invoice,),
            )
            for _ in range(4)
        ]
        answers = at_once(told, *(claiming(told, request) for request in requests))
        assert sorted(accepted(answers)) == [False, False, False, True]
        lost = [answer for (answer,) in answers if isinstance(answer, Refused)]
        assert {answer.code for answer in lost} == {Code.INVOICE_USED}
        assert all(isinstance(answer, Claimed | Refused) for (answer,) in answers)
