"""Two versions for one cap, published at the same moment by different people: one of them is refused."""

from __future__ import annotations

import threading
from datetime import datetime

from sqlalchemy.orm import Session

from tests import factories
from tests.operations.stories import Told
from tests.operations.test_versions import request
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.operations.publish import Proposed, propose_version, publish_version
from voucher.rules.permissions import Actor
from voucher.terms import Role


def proposed(told: Told, name: str) -> Proposed:
    """A programme of its own with a family that both share."""
    wanted = request(
        ('code = "CN-140000-INNO-2022"', f'code = "{name}-1"'),
        ('policy = "CN-140000-INNO-2022"', f'policy = "{name}-1"'),
        ('programme = "CN-140000-INNO"', f'programme = "{name}"'),
        ('cap_family = "CN-140000-INNO"', 'cap_family = "SHARED"'),
    )
    officer = told.world.officer
    return told.do(lambda session, at: propose_version(session, wanted, actor=officer, at=at))


def colleague(told: Told) -> Actor:
    book = told.world.book_id
    return told.do(
        lambda session, at: factories.person(
            session, Role.PROGRAMME_OFFICER, region_code="140000", book_id=book, at=at
        )
    )


def test_of_two_programmes_that_claim_one_cap_at_once_one_is_refused(pg_database: Database) -> None:
    told = Told(pg_database)
    first, rival, second = proposed(told, "ONE"), proposed(told, "TWO"), colleague(told)
    written, go_on = threading.Event(), threading.Event()

    def publish(session: Session, wanted: Proposed, at: datetime) -> None:
        publish_version(session, wanted.proposal_id, seen_sha256=wanted.sha256, actor=second, at=at)

    def slowly(session: Session, at: datetime) -> None:
        publish(session, first, at)
        written.set()
        assert go_on.wait(10)

    refused: list[Code] = []

    def meanwhile() -> None:
        try:
            told.do(lambda session, at: publish(session, rival, at))
        except Refusal as refusal:
            refused.append(refusal.code)

    threads = [threading.Thread(target=lambda: told.do(slowly)), threading.Thread(target=meanwhile)]
    threads[0].start()
    assert written.wait(10)
    threads[1].start()
    threads[1].join(0.5)
    assert threads[1].is_alive(), "the rival waits for the first"
    go_on.set()
    for thread in threads:
        thread.join()
    assert refused == [Code.POLICY_OVERLAPS]
