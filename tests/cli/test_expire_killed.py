"""`voucher expire` of many vouchers: quick enough, and killed at any point the next run does the rest, once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from tests.operations.stories import Told
from tests.pace import within
from voucher.cli import main
from voucher.clock import business_date
from voucher.db import Database
from voucher.ledger import accounts
from voucher.ledger.verify import verify
from voucher.models.ledger import Posting
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.outcome import Refused
from voucher.terms import PostingKind, VoucherState

MANY = 1500
CPU_EACH = 0.0012
"""100,000 in 120 seconds."""


@pytest.fixture
def many(database: Database) -> Told:
    """A firm with fifteen hundred small vouchers, all overdue by now."""
    told = Told(database)
    asked = [IssueRequest(told.world.firm.holder_ref, Fen(1_000_00))] * 500
    for _ in range(MANY // len(asked)):
        answers = told.do(
            lambda session, at: issue(session, told.world.line_code, asked, actor=told.world.officer, at=at)
        )
        assert not any(isinstance(answer, Refused) for answer in answers)
    told.after(days=500)
    return told


def live(told: Told) -> int:
    with told.database.read() as session:
        query = select(func.count()).select_from(Voucher).where(Voucher.state == VoucherState.LIVE.value)
        return session.scalars(query).one()


def test_killed_in_the_middle_the_next_run_does_the_rest_in_its_part_of_two_minutes_and_nothing_twice(
    many: Told, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = accounts.budget(many.world.line_code, many.world.year)
    before = many.balance(line)
    words = ["expire", "--on", (business_date(many.at) + timedelta(days=1)).isoformat()]
    running = subprocess.Popen(
        [sys.executable, "-c", "from voucher.cli import main; main()", *words, "--batch", "20"],
        env={**os.environ, "DATABASE_URL": database_url},
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while live(many) > MANY - 100:
            assert running.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
    left = live(many)
    assert 0 < left <= MANY - 100
    monkeypatch.setenv("DATABASE_URL", database_url)
    with within(0.5 + left * CPU_EACH, time.process_time):
        result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert live(many) == 0
    with many.database.read() as session:
        kinds = select(func.count()).select_from(Posting).where(Posting.kind == PostingKind.EXPIRE.value)
        assert session.scalars(kinds).one() == MANY
    with many.database.read() as session:
        assert verify(session).faults == ()
    assert many.balance(line) == before + MANY * 1_000_00
