"""Processes are killed under load; clients retry with their keys. Nothing acknowledged is lost or done twice."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.campaigns.market import audit, open_market
from tests.campaigns.servers import Server
from tests.campaigns.shoppers import PATIENCE_SECONDS, Acknowledged, Shopper
from tests.postgres import Postgres
from voucher.db import Database

pytestmark = [pytest.mark.campaign, pytest.mark.usefixtures("durable"), pytest.mark.timeout(2400)]

SHOPPERS = 4
WORKER_KILLS, APPLICATION_KILLS, POSTGRES_KILLS = 200, 40, 20


@contextlib.contextmanager
def shopping(
    database: Database, server: Server, *, patience: float = PATIENCE_SECONDS
) -> Iterator[list[Acknowledged]]:
    """Shoppers at work for the length of the block; each finishes the call it is in, and its faults are raised."""
    market = open_market(database, SHOPPERS)
    stop = threading.Event()
    shoppers = [Shopper(server.address, parties, stop, patience=patience) for parties in market.parties]
    with ThreadPoolExecutor(SHOPPERS) as pool:
        errands = [pool.submit(shopper.run) for shopper in shoppers]
        try:
            yield [shopper.seen for shopper in shoppers]
        finally:
            stop.set()
    for errand in errands:
        errand.result()


def storm(seen: list[Acknowledged], kills: int, kill: Callable[[], object]) -> None:
    """Kill again and again, each time after some more money was captured."""
    chance = random.Random(7)
    for _ in range(kills):
        before, deadline = captured(seen), time.monotonic() + 60
        while captured(seen) == before and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(chance.random() * 0.1)
        kill()


def captured(seen: list[Acknowledged]) -> int:
    return sum(len(each.captured) for each in seen)


def share(full: int, campaign_share: float) -> int:
    return max(2, int(full * campaign_share))


@pytest.fixture
def server(pg_database: Database, tmp_path: Path) -> Iterator[Server]:
    """Two workers on PostgreSQL."""
    running = Server(pg_database.url.render_as_string(hide_password=False), tmp_path, workers=2)
    yield running
    running.stop()


def test_killed_workers_lose_and_double_nothing(
    pg_database: Database, server: Server, campaign_share: float
) -> None:
    with shopping(pg_database, server) as seen:
        storm(seen, share(WORKER_KILLS, campaign_share), server.kill_worker)
    assert audit(pg_database, seen) == []
    assert sum(each.retries for each in seen) > 0, "no call was ever interrupted"


def test_a_killed_application_loses_and_doubles_nothing(
    pg_database: Database, server: Server, campaign_share: float
) -> None:
    def kill() -> None:
        server.kill()
        server.start()

    with shopping(pg_database, server) as seen:
        storm(seen, share(APPLICATION_KILLS, campaign_share), kill)
    assert audit(pg_database, seen) == []
    assert sum(each.retries for each in seen) > 0, "no call was ever interrupted"


def test_a_killed_database_loses_and_doubles_nothing(
    pg_database: Database, server: Server, postgres: Postgres, campaign_share: float
) -> None:
    def kill() -> None:
        postgres.kill()
        postgres.start()

    with shopping(pg_database, server) as seen:
        storm(seen, share(POSTGRES_KILLS, campaign_share), kill)
    pg_database.engine.dispose()
    assert audit(pg_database, seen) == []
    assert sum(each.retries for each in seen) > 0, "no call was ever interrupted"


def test_a_build_that_acknowledges_before_commit_is_found_out(pg_database: Database, tmp_path: Path) -> None:
    url = pg_database.url.render_as_string(hide_password=False)
    server = Server(url, tmp_path, workers=1, application="tests.campaigns.early:app")
    lost: list[str] = []
    try:
        with shopping(pg_database, server, patience=10) as seen:
            for _ in range(20):
                time.sleep(1)
                server.kill_worker()
                time.sleep(1)
                lost += [fault for fault in audit(pg_database, seen) if "lost" in fault]
                if lost:
                    break
    except AssertionError as answer:
        lost.append(str(answer))
    finally:
        server.stop()
    assert any("lost" in fault or "not_found" in fault for fault in lost), lost
