"""`voucher ledger verify` over a million entries."""

from __future__ import annotations

import random
import time

from sqlalchemy import text

from bench.book import batch, give
from bench.cluster import Cluster, Spent
from voucher.db import Database
from voucher.ledger.verify import verify


def fill(database: Database, entries: int, *, seconds: float) -> int:
    """Post batches until the ledger has so many entries, or the time is over; how many there are."""
    randomness = random.Random(11)
    until = time.monotonic() + seconds
    while (there := _entries(database)) < entries and time.monotonic() < until:
        for _ in range(10):
            give(database, batch(randomness))
    database.analyze()
    return there


def verified(cluster: Cluster, database: Database) -> tuple[float, Spent]:
    """Entries/s of one verification, which must be sound, and what an entry costs."""
    with cluster.measured() as spent:
        cpu = time.process_time()
        with database.read() as session:
            report = verify(session)
        spent.client_cpu = time.process_time() - cpu
    if report.faults:
        raise RuntimeError(str(report.faults))
    each = Spent(
        spent.seconds / report.entries, spent.client_cpu / report.entries, spent.server_cpu / report.entries
    )
    return report.entries / spent.seconds, each


def _entries(database: Database) -> int:
    with database.read() as session:
        return int(session.execute(text("SELECT count(*) FROM entry")).scalar_one())
