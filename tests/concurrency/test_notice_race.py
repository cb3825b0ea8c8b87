"""An objection and the end of a notice at the same moment: whichever has the claim first wins, cleanly."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.operations.publicity import Public
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.models.claims import Claim
from voucher.models.notices import Objection
from voucher.operations.close_notices import close_notices
from voucher.operations.object_to import ObjectionRequest, object_publicly
from voucher.operations.sweep import SYSTEM
from voucher.terms import ClaimState


class Race:
    """A notice whose last minute runs: an objection made in it, and a worker that comes just after midnight."""

    def __init__(self, database: Database) -> None:
        self.told = Public(database)
        self.claim = self.told.approved()
        self.notice = self.told.published(self.claim)
        self.last_minute = self.told.at + timedelta(days=7)
        self.after = self.told.at + timedelta(days=8)
        self.locked, self.go_on = threading.Event(), threading.Event()

    def objects(self) -> str:
        asked = ObjectionRequest(self.notice, self.claim, "李某", "0351-1234567", "请核实该项服务。")
        return self.told.do(
            lambda session, at: object_publicly(session, asked, source="203.0.113.7", at=at).number,
            at=self.last_minute,
        )

    def closes(self) -> int:
        return self.told.do(lambda session, at: close_notices(session, actor=SYSTEM, at=at), at=self.after)

    def first(self, work: str) -> threading.Thread:
        """Start one of the two, and hold it after its work, before its commit."""

        def hold() -> None:
            def slow(session: Session, _: datetime) -> None:
                if work == "objects":
                    asked = ObjectionRequest(
                        self.notice, self.claim, "李某", "0351-1234567", "请核实该项服务。"
                    )
                    object_publicly(session, asked, source="203.0.113.7", at=self.last_minute)
                else:
                    close_notices(session, actor=SYSTEM, at=self.after)
                self.locked.set()
                assert self.go_on.wait(10)

            self.told.database.transaction(slow)

        thread = threading.Thread(target=hold)
        thread.start()
        assert self.locked.wait(10)
        return thread

    def state(self) -> ClaimState:
        return self.told.state(self.claim)


def test_an_objection_that_is_first_keeps_the_claim_out_of_the_clearing(pg_database: Database) -> None:
    race = Race(pg_database)
    thread = race.first("objects")
    assert race.closes() == 0, "the claim that somebody objects to is passed over"
    race.go_on.set()
    thread.join()
    assert race.closes() == 0
    assert race.state() is ClaimState.OBJECTED


def test_a_clearing_that_is_first_leaves_the_objection_refused(pg_database: Database) -> None:
    race = Race(pg_database)
    thread = race.first("closes")
    refused: list[Refusal] = []

    def object_late() -> None:
        try:
            race.objects()
        except Refusal as refusal:
            refused.append(refusal)

    late = threading.Thread(target=object_late)
    late.start()
    late.join(0.5)
    assert late.is_alive(), "the objection waits for the claim"
    race.go_on.set()
    thread.join()
    late.join()
    assert [refusal.code for refusal in refused] == [Code.NOTICE_OVER]
    assert race.state() is ClaimState.CLEARED
    with pg_database.read() as session:
        assert session.scalars(select(Objection)).first() is None


@pytest.mark.parametrize("turn", range(3))
def test_both_at_once_leave_the_claim_either_cleared_or_objected_to(pg_database: Database, turn: int) -> None:
    race = Race(pg_database)
    start = threading.Barrier(2)
    outcome: list[str] = []

    def run(name: str) -> None:
        start.wait()
        try:
            {"objects": race.objects, "closes": race.closes}[name]()
            outcome.append(name)
        except Refusal as refusal:
            outcome.append(refusal.code.value)

    threads = [threading.Thread(target=run, args=(name,)) for name in ("objects", "closes")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with pg_database.read() as session:
        objections = len(session.scalars(select(Objection)).all())
        state = session.scalars(select(Claim.state)).one()
    expected = ClaimState.OBJECTED if objections else ClaimState.CLEARED
    assert state == expected.value
    assert (Code.NOTICE_OVER.value in outcome) is not bool(objections)
    assert race.told.sound()
