"""Recognition under load on PostgreSQL: a ceiling is never overdrawn, and nothing is captured after a revocation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.operations import counter
from tests.operations.counter import standing
from tests.operations.recognition_world import recognised
from tests.operations.stories import Told
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.models.agreements import AgreementStep
from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations.confirm_session import confirm_session
from voucher.operations.issue import Issued, IssueRequest, issue
from voucher.operations.outcome import only
from voucher.operations.propose import propose
from voucher.operations.publish_agreement import StepRequest, revoke_agreement
from voucher.terms import OrderState

Work = Callable[[Session, datetime], object]
OK = "ok"


def at_once(told: Told, works: list[Work]) -> list[str]:
    start = Barrier(len(works))

    def run(work: Work) -> str:
        start.wait(60)
        try:
            told.do(work)
        except Refusal as refusal:
            return f"{refusal.code.value}:{refusal.facts.get('reason')}"
        return OK

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_of_twenty_proposals_of_5_000_on_a_ceiling_of_50_000_exactly_ten_succeed(
    pg_database: Database,
) -> None:
    told = Told(pg_database)
    ceilings = ("value = 100_000_000", "value = 5_000_000"), ("value = 6_000_000", "value = 5_000_000")
    two = recognised(told, *ceilings)
    firms = [told.do(lambda s, at: factories.firm(s, reviewer=told.world.reviewer, at=at)) for _ in range(4)]
    works: list[Work] = []
    world = told.world
    for place in range(20):
        firm = firms[place % 4]
        wanted = [IssueRequest(firm.holder_ref, Fen(5_000_00))]
        made = told.do(
            lambda s, at, w=wanted: only(issue(s, world.line_code, w, actor=world.officer, at=at))  # type: ignore[misc]
        )
        assert isinstance(made, Issued)
        number = counter.scanned(told, made.number, actor=firm.actor)
        request = [counter.request_of(number, 10_000_00)]
        works.append(
            lambda s, at, r=request: only(propose(s, r, actor=two.platform.scanner, at=at))  # type: ignore[misc]
        )
    assert Counter(at_once(told, works)) == {OK: 10, f"{Code.NOT_RECOGNISED.value}:ceiling": 10}
    left = standing(told, accounts.quota("JINSHAN", "", 2026))
    assert (left.opened_fen, left.reserved_fen, left.available_fen) == (50_000_00, 50_000_00, 0)


def test_a_capture_and_a_revocation_at_once_leave_no_capture_after_the_revocation(
    pg_database: Database,
) -> None:
    told = Told(pg_database)
    two = recognised(told)
    sessions = [counter.proposed(told, told.voucher(face_fen=5_000_00), 2_000_00) for _ in range(8)]
    actor, version = told.world.firm.actor, told.one(AgreementStep).version_id
    request = StepRequest(version_id=version, reason="查实虚假服务", document_no="撤1号")
    works: list[Work] = [
        lambda s, at, n=made.session: only(confirm_session(s, [n], actor=actor, at=at))  # type: ignore[misc]
        for made in sessions
    ]
    works.insert(4, lambda s, at: revoke_agreement(s, request, actor=two.officer, at=at))
    answers = at_once(told, works)
    assert answers[4] == OK
    refused = f"{Code.NOT_RECOGNISED.value}:agreement_expired"
    confirmed = [answer for place, answer in enumerate(answers) if place != 4]
    assert set(confirmed) <= {OK, refused}
    with told.database.read() as session:
        captured = select(Order.id).where(Order.state == OrderState.CAPTURED.value)
        assert len(session.scalars(captured).all()) == confirmed.count(OK)
    for made, answer in zip(sessions, confirmed, strict=True):
        if answer == refused:
            assert told.one(Order, number=made.order).state == OrderState.HELD.value
