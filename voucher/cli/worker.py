"""`voucher worker`: what time does by itself. Every step is idempotent; several workers may run."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from datetime import date, datetime

import click
from sqlalchemy.orm import Session

from voucher.cli.applications import advance_all
from voucher.cli.context import SYSTEM, database, settings
from voucher.cli.couriers import Couriers, couriers_of, drain
from voucher.cli.disputes import escalate_all
from voucher.cli.factor import apply_all
from voucher.cli.file_work import a_day_before, sweep_all
from voucher.cli.notices import close_all
from voucher.cli.year_end import apply_all as apply_year_ends
from voucher.clock import business_date, wall_now
from voucher.db import Database
from voucher.dispatch.parcel import TIMEOUT_SECONDS
from voucher.errors import Code, Refusal
from voucher.operations.confirm_claim import lapse_claims
from voucher.operations.expire import Slice, Step, expire_orders, expire_vouchers
from voucher.operations.join_codes import join_key
from voucher.operations.remind import remind
from voucher.operations.return_claim import mark_overdue
from voucher.operations.stand_in import hand_back_over
from voucher.operations.sweep import sweep_holds, sweep_sessions
from voucher.operations.tell_captures import tell_captures
from voucher.operations.unclaimed import expire_unclaimed
from voucher.operations.unconfirmed import settle_unconfirmed

PART = 500


@click.command()
@click.option(
    "--every", type=click.IntRange(1, 30), default=15, show_default=True, help="每隔多少秒清理一次。"
)
@click.option("--once", is_flag=True, help="只做一遍就结束。")
def worker(*, every: int, once: bool) -> None:
    """定时清理，同时发送待发消息。

    逾期未确认的现场核销退回额度，有了预算余额时给候补的申领发券，逾期订单和过期券每天收回一次，无人引用的文件每天删除一次。

    另一方没有按期确认的兑付申请每天退回一次，双方没有按期协商一致的争议每天移送一次。

    同时发送待发消息；每天提醒将到期和已逾期的事项，办结期满的公示，折算比例已定的申请，交还代办期满的申请。
    """
    store, couriers = database(), couriers_of(settings())
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    if once:
        _round(store, None)
        drain(store, couriers, key=join_key(settings().secret_key))
        return
    sender = threading.Thread(target=_send_on, args=(store, couriers, stop, every), daemon=True)
    sender.start()
    done_on: date | None = None
    while not stop.is_set():
        done_on = _round(store, done_on)
        stop.wait(every)
    sender.join(TIMEOUT_SECONDS)


def _send_on(store: Database, couriers: Couriers, stop: threading.Event, every: int) -> None:
    """Beside the sweeps, which must not wait for a slow mail server. If it ends, so does the worker."""
    key = join_key(settings().secret_key)
    try:
        while not stop.is_set():
            try:
                drain(store, couriers, key=key, stop=stop)
            except Refusal as refusal:
                if refusal.code is not Code.BUSY:
                    raise
            stop.wait(every)
    finally:
        stop.set()


def _round(store: Database, done_on: date | None) -> date | None:
    """Sweep; once a day also expire. A busy database is left for the next round."""
    today = business_date(wall_now())
    try:
        while store.transaction(lambda session, at: sweep_holds(session, at=at, limit=PART)) == PART:
            pass
        while store.transaction(lambda session, at: sweep_sessions(session, at=at, limit=PART)) == PART:
            pass
        _tell_captures(store)
        if done_on != today:
            while store.transaction(lambda session, at: lapse_claims(session, at=at, limit=PART)) == PART:
                pass
            _expire(store, today)
            escalate_all(store)
            apply_year_ends(store)
            close_all(store)
            apply_all(store)
            store.transaction(lambda session, at: remind(session, at=at))
            _reviews(store)
            sweep_all(store, settings().files_dir, unused_since=a_day_before(wall_now()))
        advance_all(store)
        return today
    except Refusal as refusal:
        if refusal.code is not Code.BUSY:
            raise
        return done_on


def _tell_captures(store: Database) -> None:
    after: int | None = 0
    while after is not None:
        after = _told(store, after)


def _told(store: Database, after: int) -> int | None:
    return store.transaction(lambda session, at: tell_captures(session, at=at, after=after))


def _reviews(store: Database) -> None:
    """Remind of defects whose last day is over, and hand cases back where a stand-in's time is."""
    while store.transaction(lambda session, at: mark_overdue(session, at=at, limit=PART)) == PART:
        pass
    while store.transaction(_handed_back) == PART:
        pass


def _handed_back(session: Session, at: datetime) -> int:
    return hand_back_over(session, actor=SYSTEM, at=at, limit=PART)


def _expire(store: Database, today: date) -> None:
    for part in (settle_unconfirmed, expire_orders, expire_unclaimed, expire_vouchers):
        after: int | None = 0
        while after is not None:
            after = _part(store, part, Slice(today, after, PART)).after


def _part(store: Database, part: Callable[..., Step], piece: Slice) -> Step:
    return store.transaction(lambda session, at: part(session, piece, actor=SYSTEM, at=at))
