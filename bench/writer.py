"""One process of writers: `python -m bench.writer URL SHAPE THREADS SECONDS`, started by `singles.py`.

It says `ready`, waits for a line, posts for the time given, and prints how often it posted and its CPU seconds.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time

from bench.book import event, give, hot, spread, voucher
from voucher.db import Database
from voucher.ledger import accounts
from voucher.ledger.events import Leg


def main(url: str, shape: str, threads: int, seconds: float) -> None:
    """Post single events from many threads, each over a connection of its own."""
    database = Database(url, pool_size=threads)
    make = {"spread": spread, "hot": hot}[shape]
    counts = [0] * threads
    begin = threading.Barrier(threads + 1)
    deadline = [0.0]

    def write(number: int) -> None:
        randomness = random.Random(f"{os.getpid()}/{number}")
        give(database, [event(Leg(voucher(randomness.randrange(1000)), accounts.paid(), 1))])
        begin.wait()
        begin.wait()
        while time.monotonic() < deadline[0]:
            give(database, [make(randomness)])
            counts[number] += 1

    workers = [threading.Thread(target=write, args=(number,), daemon=True) for number in range(threads)]
    for worker in workers:
        worker.start()
    begin.wait()
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.process_time()
    deadline[0] = time.monotonic() + seconds
    begin.wait()
    for worker in workers:
        worker.join()
    print(json.dumps({"posted": sum(counts), "cpu": time.process_time() - began}), flush=True)
    database.dispose()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
