"""A centre's suspension at the time of hold and confirmation of an order for its tenant, on PostgreSQL.

In `make campaign` there are 100 interleavings; `make test` runs a part of them (the fixture `campaign_share`).
"""

from __future__ import annotations

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from tests.operations.startup_world import Base
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.operations.centre_states import CentreChange, change_centres
from voucher.operations.outcome import only
from voucher.rules import lifecycle
from voucher.terms import OrderState

pytestmark = pytest.mark.campaign

INTERLEAVINGS = 100
BUSY_SECONDS = 0.05
STOPPED = Code.CENTRE_NOT_CERTIFIED.value


class InFlight:
    """One order for a tenant, accepted: filed, delivered and confirmed in one thread, its centre suspended in another."""

    def __init__(self, base: Base, order: str, waits: tuple[float, float, float]) -> None:
        self.base, self.order, self.waits = base, order, waits
        self.start, self.suspended = Barrier(2), Event()
        self.was_suspended = False

    def finish(self) -> str:
        """`captured`, or the code of the refusal; notes whether the suspension had been committed before the step."""
        self.start.wait(30)
        try:
            for wait, step in zip(self.waits, (self.file, self.confirm), strict=False):
                time.sleep(wait)
                self.was_suspended = self.suspended.is_set()
                step()
        except Refusal as refusal:
            return refusal.code.value
        return "captured"

    def file(self) -> None:
        self.base.file(self.order, 20_00)
        self.base.deliver(self.order)

    def confirm(self) -> None:
        self.base.confirm(self.order)

    def suspend(self) -> None:
        self.start.wait(30)
        time.sleep(self.waits[2])
        change(self.base, lifecycle.Event.SUSPEND)
        self.suspended.set()


def change(base: Base, event: lifecycle.Event) -> None:
    """What the authority does with the centre."""
    asked = [CentreChange(base.centre_id, event, "抽查")]
    base.do(lambda s, at: only(change_centres(s, asked, actor=base.reviewer, at=at)))


def test_of_a_hundred_interleavings_no_hold_and_no_capture_begins_after_the_centres_suspension(
    pg_database: Database, campaign_share: float
) -> None:
    base = Base(pg_database)
    tenant, voucher = base.tenant(), base.voucher()
    (number,) = base.allot(voucher, [(tenant, 50_000_00)])
    chance = random.Random(20190318)
    outcomes: Counter[tuple[str, bool]] = Counter()
    for _ in range(max(8, round(INTERLEAVINGS * campaign_share))):
        first, second, third = (BUSY_SECONDS * chance.random() for _ in range(3))
        one = InFlight(base, base.placed(voucher, [(number, 20_00)]), (first, second, 2 * third))
        with ThreadPoolExecutor(2) as pool:
            ended, stopped = pool.submit(one.finish), pool.submit(one.suspend)
            outcome = ended.result(60)
            stopped.result(60)
        outcomes[outcome, one.was_suspended] += 1
        assert (base.order(one.order).state == OrderState.CAPTURED.value) is (outcome == "captured")
        change(base, lifecycle.Event.RESTORE)
    assert outcomes["captured", True] == 0
    assert outcomes.keys() <= {("captured", False), (STOPPED, True), (STOPPED, False)}
    assert outcomes[STOPPED, True] > 0
    base.sound()
