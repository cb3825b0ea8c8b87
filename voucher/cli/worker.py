"""`voucher worker`: what time does by itself. Every step is idempotent; several workers may run."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from datetime import date

import click

from voucher.cli.context import SYSTEM, database, settings
from voucher.cli.file_work import a_day_before, sweep_all
from voucher.clock import business_date, wall_now
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.operations.expire import Slice, Step, expire_orders, expire_vouchers
from voucher.operations.sweep import sweep_holds, sweep_sessions

PART = 500


@click.command()
@click.option(
    "--every", type=click.IntRange(1, 30), default=15, show_default=True, help="每隔多少秒清理一次。"
)
@click.option("--once", is_flag=True, help="只做一遍就结束。")
def worker(*, every: int, once: bool) -> None:
    """定时清理：逾期未确认的现场核销退回额度，逾期订单和过期券每天收回一次，无人引用的文件每天删除一次。"""
    store = database()
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    done_on: date | None = None
    while not stop.is_set():
        done_on = _round(store, done_on)
        if once:
            return
        stop.wait(every)


def _round(store: Database, done_on: date | None) -> date | None:
    """Sweep; once a day also expire. A busy database is left for the next round."""
    today = business_date(wall_now())
    try:
        while store.transaction(lambda session, at: sweep_holds(session, at=at, limit=PART)) == PART:
            pass
        while store.transaction(lambda session, at: sweep_sessions(session, at=at, limit=PART)) == PART:
            pass
        if done_on != today:
            _expire(store, today)
            sweep_all(store, settings().files_dir, unused_since=a_day_before(wall_now()))
        return today
    except Refusal as refusal:
        if refusal.code is not Code.BUSY:
            raise
        return done_on


def _expire(store: Database, today: date) -> None:
    for part in (expire_orders, expire_vouchers):
        after: int | None = 0
        while after is not None:
            after = _part(store, part, Slice(today, after, PART)).after


def _part(store: Database, part: Callable[..., Step], piece: Slice) -> Step:
    return store.transaction(lambda session, at: part(session, piece, actor=SYSTEM, at=at))
