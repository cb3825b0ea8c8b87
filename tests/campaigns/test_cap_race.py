"""Forty vouchers of one firm, redeemed at once by forty clients over two server processes: the cap holds."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import Barrier

import httpx
import pytest
from sqlalchemy.orm import Session

from config import Config
from tests import factories
from tests.campaigns.market import SERVICE, token_of
from tests.campaigns.servers import Server
from voucher.codes import Keys, make_code, scan_code
from voucher.db import Database
from voucher.errors import found
from voucher.ledger.verify import verify
from voucher.models.sessions import RedemptionSession
from voucher.money import Fen
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.open_session import open_session
from voucher.operations.outcome import only
from voucher.operations.scan import ScanRequest, scan

pytestmark = [pytest.mark.campaign, pytest.mark.usefixtures("durable"), pytest.mark.timeout(1800)]

ROUNDS, CLIENTS, FITTING = 50, 40, 20


@pytest.fixture
def servers(pg_database: Database, tmp_path: Path) -> Iterator[list[Server]]:
    """Two serving processes on one database."""
    url = pg_database.url.render_as_string(hide_password=False)
    running = [Server(url, tmp_path), Server(url, tmp_path)]
    yield running
    for server in running:
        server.stop()


def scanned_sessions(database: Database, world: factories.World) -> list[str]:
    """Forty scanned sessions on forty vouchers of ¥10,000 of one new firm."""
    keys = Config.from_env({"VOUCHER_ENV": "test"}).qr_keys
    signing = Keys({f"{key.kid:02d}": key.key for key in keys}, f"{keys[0].kid:02d}")

    def work(session: Session, at: datetime) -> list[str]:
        firm = factories.firm(session, reviewer=world.reviewer, at=at)
        numbers = []
        for _ in range(CLIENTS):
            wanted = IssueRequest(firm.holder_ref, Fen(10_000_00))
            voucher = only(issue(session, world.line_code, [wanted], actor=world.officer, at=at))
            opened = open_session(session, voucher.number, actor=firm.actor, at=at)
            code = found(scan_code(make_code(signing, opened.number, at)))
            request = ScanRequest(code, world.platform.platform_id, at)
            answer = scan(session, request, signing, actor=world.platform.scanner, at=at)
            assert isinstance(answer, RedemptionSession)
            numbers.append(opened.number)
        return numbers

    return database.transaction(work)


def propose_at_once(servers: list[Server], token: str, sessions: list[str]) -> Counter[str]:
    """All sessions proposed at the same moment, half of them at each server; how each was answered."""
    start = Barrier(len(sessions))

    def propose(turn: int) -> str:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": secrets.token_hex(16)}
        address = servers[turn % len(servers)].address
        with httpx.Client(timeout=60) as client:
            start.wait()
            answer = client.post(
                f"{address}/api/v1/sessions/{sessions[turn]}/propose",
                json={"service": SERVICE, "gross_fen": 20_000_00},
                headers=headers,
            )
        return "held" if answer.status_code < 300 else str(answer.json()["code"])

    with ThreadPoolExecutor(len(sessions)) as pool:
        return Counter(pool.map(propose, range(len(sessions))))


def test_exactly_twenty_of_forty_simultaneous_redemptions_fit_under_the_cap(
    pg_database: Database, servers: list[Server], campaign_share: float
) -> None:
    rounds = max(2, int(ROUNDS * campaign_share))

    def work(session: Session, at: datetime) -> tuple[factories.World, str]:
        world = factories.shanxi(session, at=at, funded_fen=(rounds + 1) * CLIENTS * 10_000_00)
        return world, token_of(session, world.platform.scanner, at)

    world, token = pg_database.transaction(work)
    for _ in range(rounds):
        answers = propose_at_once(servers, token, scanned_sessions(pg_database, world))
        assert answers == {"held": FITTING, "cap_exceeded": CLIENTS - FITTING}
    with pg_database.read() as session:
        assert verify(session).faults == ()
