"""Postings through the kernel: batches of 1000, and single ones by many writers."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import psutil

from bench.book import BATCH, batch, give
from bench.cluster import Cluster, Spent
from voucher.db import Database

_ROOT = Path(__file__).resolve().parent.parent


def batches(cluster: Cluster, database: Database, *, seconds: float) -> tuple[float, Spent]:
    """Transfers/s of one writer that posts batches of 1000, and what they cost."""
    randomness = random.Random(7)
    done = 0
    with cluster.measured() as spent:
        cpu, until = time.process_time(), time.monotonic() + seconds
        while time.monotonic() < until:
            give(database, batch(randomness))
            done += BATCH
        spent.client_cpu = time.process_time() - cpu
    return done / spent.seconds, _each(spent, done)


def singles(cluster: Cluster, url: str, shape: str, writers: int, *, seconds: float) -> tuple[float, Spent]:
    """Postings/s of many writers, each posting its own transaction, in as many processes as there are cores."""
    processes = min(writers, psutil.cpu_count() or 1)
    threads = writers // processes
    asked = [sys.executable, "-m", "bench.writer", url, shape, str(threads), str(seconds)]
    started = [
        subprocess.Popen(asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT)
        for _ in range(processes)
    ]
    for process in started:
        if _line(process) != "ready":
            raise RuntimeError("a writer did not start")
    with cluster.measured() as spent:
        for process in started:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [json.loads(_line(process)) for process in started]
    for process in started:
        process.communicate()
    done = sum(each["posted"] for each in said)
    spent.client_cpu = sum(each["cpu"] for each in said)
    return done / spent.seconds, _each(spent, done)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _each(spent: Spent, done: int) -> Spent:
    """The cost of one unit."""
    return Spent(spent.seconds / done, spent.client_cpu / done, spent.server_cpu / done)
