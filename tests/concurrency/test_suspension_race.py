"""A suspension at the time of scan, proposal and confirmation: no capture begins after it, on PostgreSQL.

In `make campaign` there are 100 interleavings; `make test` runs a part of them (the fixture `campaign_share`).
"""

from __future__ import annotations

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from sqlalchemy import select

from tests.operations import counter
from tests.operations.stories import Told
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.models.orders import Order
from voucher.models.sessions import RedemptionSession
from voucher.operations.certify import ChangeRequest, reinstate, suspend
from voucher.operations.confirm_session import confirm_session
from voucher.operations.outcome import only
from voucher.operations.propose import propose
from voucher.terms import OrderState

pytestmark = pytest.mark.campaign

INTERLEAVINGS = 100
BUSY_SECONDS = 0.05


class Redemption:
    """One scan, proposal and confirmation, and one suspension, each in its own thread with a delay of its own."""

    def __init__(self, told: Told, waits: tuple[float, float, float]) -> None:
        self.told = told
        self.number = counter.scanned(told, told.voucher(face_fen=1_000_00))
        self.waits = waits
        self.start, self.suspended = Barrier(2), Event()
        self.was_suspended = False

    def redeem(self) -> str:
        """`captured`, or the code of the refusal; notes whether the suspension had been committed before."""
        world, number = self.told.world, self.number
        self.start.wait(30)
        try:
            time.sleep(self.waits[0])
            self.was_suspended = self.suspended.is_set()
            asked = [counter.request_of(number, 2_00)]
            self.told.do(lambda s, at: only(propose(s, asked, actor=world.platform.scanner, at=at)))
            time.sleep(self.waits[1])
            self.was_suspended = self.suspended.is_set()
            self.confirm()
        except Refusal as refusal:
            return refusal.code.value
        return "captured"

    def confirm(self) -> None:
        """The firm confirms."""
        firm = self.told.world.firm.actor
        self.told.do(lambda s, at: only(confirm_session(s, [self.number], actor=firm, at=at)))

    def suspend(self) -> None:
        """Suspend the platform's certification."""
        world = self.told.world
        change = [ChangeRequest(world.platform.certification_id, "抽查不合格")]
        self.start.wait(30)
        time.sleep(self.waits[2])
        self.told.do(lambda s, at: only(suspend(s, change, actor=world.reviewer, at=at)))
        self.suspended.set()

    def is_captured(self) -> bool:
        """Whether the order ended as captured."""
        with self.told.database.read() as session:
            query = (
                select(Order.state)
                .join(RedemptionSession, RedemptionSession.order_id == Order.id)
                .where(RedemptionSession.number == self.number)
            )
            return session.scalars(query).one_or_none() == OrderState.CAPTURED.value


def test_of_a_hundred_interleavings_no_capture_begins_after_the_suspension(
    pg_database: Database, campaign_share: float
) -> None:
    told = Told(pg_database)
    world = told.world
    back = [ChangeRequest(world.platform.certification_id, "已整改")]
    chance = random.Random(20190318)
    outcomes: Counter[tuple[str, bool]] = Counter()
    for _ in range(max(12, round(INTERLEAVINGS * campaign_share))):
        waits = (chance.random(), chance.random(), 2 * chance.random())
        one = Redemption(told, (waits[0] * BUSY_SECONDS, waits[1] * BUSY_SECONDS, waits[2] * BUSY_SECONDS))
        with ThreadPoolExecutor(2) as pool:
            ended, stopped = pool.submit(one.redeem), pool.submit(one.suspend)
            outcome = ended.result(60)
            stopped.result(60)
        outcomes[outcome, one.was_suspended] += 1
        assert one.is_captured() is (outcome == "captured")
        if outcome != "captured":
            with pytest.raises(Refusal) as again:
                one.confirm()
            assert again.value.code in (Code.PROVIDER_SUSPENDED, Code.STATE_CHANGED)
        told.do(lambda s, at: only(reinstate(s, back, actor=world.reviewer, at=at)))
    assert outcomes["captured", True] == 0
    assert outcomes.keys() <= {
        ("captured", False),
        (Code.PROVIDER_SUSPENDED.value, True),
        (Code.PROVIDER_SUSPENDED.value, False),
    }
    assert outcomes[Code.PROVIDER_SUSPENDED.value, True] > 0
