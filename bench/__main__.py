"""`make bench`: every measurement of docs/benchmarks.md, as a table. `BENCH_QUICK=1` runs each once and briefly.

Names of sections as arguments run these alone (and write no file): kernel counter verify sqlite.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import book, counter, kernel, sqlite, verifying
from bench.cluster import CLIENTS, SCALE, Cluster, Spent
from bench.machine import load, machine
from bench.table import Row, fact, markdown
from voucher.db import Database

_TARGET = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
_MARK = "<!-- make bench writes down to here -->\n"
Lines = list[tuple[str, ...]]


@dataclass(frozen=True)
class Effort:
    """How long everything takes: rounds, seconds of one measurement, entries to verify, sessions of the counter."""

    rounds: int = 5
    seconds: float = 4.0
    entries: int = 1_000_000
    fill_seconds: float = 200.0
    sessions: int = 80
    threads: int = 32


QUICK = Effort(rounds=1, seconds=1.0, entries=4_000, fill_seconds=5.0, sessions=16)


def kernel_section(cluster: Cluster, effort: Effort) -> Lines:
    """Batches, and single postings by 1, 8 and 32 writers, in turns with pgbench."""
    yardstick = Row(f"pgbench TPC-B, scale {SCALE}, {CLIENTS} clients", "tps")
    batches = Row("batches of 1000 transfers, 1 writer", "transfers/s", "≥ 1.5 ×", least_ratio=1.5)
    wanted = {("spread", 8): 0.2, ("hot", 32): 1.0}
    names = {"spread": "over many limited accounts", "hot": "all credit one free account"}
    singles = {
        (shape, writers): Row(
            f"single postings, {writers} writer{'s' if writers > 1 else ''}, {names[shape]}", "postings/s",
            f"≥ {wanted[shape, writers]} ×" if (shape, writers) in wanted else "",
            least_ratio=wanted.get((shape, writers)),
        )
        for shape in names for writers in (1, 8, 32)
    }  # fmt: skip
    url = cluster.fresh()
    database = Database(url)
    book.open_book(database)
    cluster.tpcb(1)
    for _ in range(effort.rounds):
        tps, spent = cluster.tpcb(max(int(effort.seconds), 1))
        done = tps * spent.seconds
        yardstick.add(tps, Spent(0, spent.client_cpu / done, spent.server_cpu / done), yardstick=tps)
        batches.add(*kernel.batches(cluster, database, seconds=effort.seconds), yardstick=tps)
        for (shape, writers), row in singles.items():
            row.add(*kernel.singles(cluster, url, shape, writers, seconds=effort.seconds), yardstick=tps)
    database.dispose()
    return [row.cells() for row in (yardstick, batches, *singles.values())]


def counter_section(cluster: Cluster, effort: Effort) -> Lines:
    """Hold and capture through HTTP."""
    url = cluster.fresh()
    database = Database(url)
    ready = counter.prepare(database, firms=8, sessions=effort.sessions * effort.rounds + 8)
    counts = counter.statements(url, counter.Ready(ready.sessions[-8:], ready.platform_token))
    rounds: list[tuple[counter.Served, counter.Served]] = []
    for number in range(effort.rounds):
        part = ready.sessions[number * effort.sessions : (number + 1) * effort.sessions]
        rounds.append(counter.served(url, counter.Ready(part, ready.platform_token)))
    database.dispose()
    lines: Lines = []
    for place, (name, most) in enumerate((("hold (propose)", 20), ("capture (confirm)", 16))):
        each = [one[place] for one in rounds]
        cpu = median(one.cpu_ms for one in each)
        times = (
            f"{median(one.rate for one in each):.0f} requests/s, p50 {median(one.p50_ms for one in each):.0f} ms, "
            f"p99 {median(one.p99_ms for one in each):.0f} ms"
        )
        title = f"{name} through HTTP, one worker, 4 clients"
        lines.append(fact(title, times, cpu=f"{cpu:.1f} ms", wanted="≤ 12 ms CPU", reached=cpu <= 12))
        said = f"{counts[place]} statements"
        lines.append(fact(f"{name}: SQL", said, wanted=f"≤ {most}", reached=counts[place] <= most))
    return lines


def verify_section(cluster: Cluster, effort: Effort) -> Lines:
    """Verification of a ledger filled by batches."""
    database = Database(cluster.fresh())
    book.open_book(database)
    there = verifying.fill(database, effort.entries, seconds=effort.fill_seconds)
    row = Row(f"ledger verify, {there:,} entries", "entries/s", "≥ 500,000/s", least_rate=500_000)
    for _ in range(effort.rounds):
        row.add(*verifying.verified(cluster, database))
    database.dispose()
    return [row.cells()]


def sqlite_section(_cluster: Cluster, effort: Effort) -> Lines:
    """Fairness of SQLite's writers."""
    rounds = [sqlite.shares(effort.threads, seconds=effort.seconds * 2) for _ in range(effort.rounds)]
    fairness = median(one.fairness for one in rounds)
    result = (
        f"{median(one.rate for one in rounds):.0f} postings/s, max/min of the threads {fairness:.2f}, "
        f"p99 {median(one.p99_ms for one in rounds):.0f} ms"
    )
    cpu = f"{median(one.cpu_ms for one in rounds):.2f} ms"
    name = f"SQLite, {effort.threads} threads"
    return [fact(name, result, cpu=cpu, wanted="max/min ≤ 1.2", reached=fairness <= 1.2)]


SECTIONS: dict[str, Callable[[Cluster, Effort], Lines]] = {
    "kernel": kernel_section,
    "counter": counter_section,
    "verify": verify_section,
    "sqlite": sqlite_section,
}


def main(names: list[str]) -> None:
    """Measure the sections named, or all; all of them, at full length, go into docs/benchmarks.md."""
    quick = os.environ.get("BENCH_QUICK") == "1"
    effort = QUICK if quick else Effort()
    busy, began = load(), time.monotonic()
    cluster = Cluster()
    lines = [line for name in names or SECTIONS for line in SECTIONS[name](cluster, effort)]
    minutes = (time.monotonic() - began) / 60
    where = f"{machine(cluster.version)}. Load of other work per core at the start: {busy}; {minutes:.0f} minutes."
    text = f"{where}\n\n{markdown(lines)}\n"
    print(text)
    if not quick and not names:
        write(text)


def write(text: str) -> None:
    """Put the table on top of docs/benchmarks.md; what stands below the mark stays."""
    old = _TARGET.read_text("utf-8") if _TARGET.exists() else ""
    below = old.partition(_MARK)[2]
    _TARGET.write_text(f"# Benchmarks\n\n`make bench` on: {text}\n{_MARK}{below}", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
