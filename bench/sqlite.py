"""SQLite under 32 threads of one process: is every thread served alike?"""

from __future__ import annotations

import random
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from bench.book import give, open_book, spread
from bench.cluster import migrate
from voucher.db import Database


@dataclass(frozen=True)
class Shares:
    """Posts of the busiest thread by those of the idlest, posts/s of all, p99 of one in ms, CPU ms of one."""

    fairness: float
    rate: float
    p99_ms: float
    cpu_ms: float


def shares(threads: int, *, seconds: float) -> Shares:
    """Let threads post single transfers through `Database.transaction` on a fresh file."""
    with tempfile.TemporaryDirectory(prefix="voucher-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        migrate(url)
        database = Database(url)
        open_book(database)
        try:
            return _shares(database, threads, seconds)
        finally:
            database.dispose()


def _shares(database: Database, threads: int, seconds: float) -> Shares:
    taken: list[list[float]] = [[] for _ in range(threads)]
    cpu, until = time.process_time(), time.monotonic() + seconds

    def write(number: int) -> None:
        randomness = random.Random(number)
        while (began := time.monotonic()) < until:
            give(database, [spread(randomness)])
            taken[number].append(time.monotonic() - began)

    workers = [threading.Thread(target=write, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    counts = [len(each) for each in taken]
    done = sum(counts)
    return Shares(
        fairness=max(counts) / max(min(counts), 1),
        rate=done / seconds,
        p99_ms=quantiles([one for each in taken for one in each], n=100)[98] * 1000,
        cpu_ms=(time.process_time() - cpu) / done * 1000,
    )
