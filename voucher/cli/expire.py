"""`voucher expire`: what the night does. Resumable: stopped at any point, the next run does the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime

import click
from sqlalchemy.orm import Session

from voucher.cli.context import SYSTEM, database
from voucher.clock import business_date, wall_now
from voucher.db import Database
from voucher.operations.expire import Slice, Step, expire_orders, expire_vouchers
from voucher.operations.unclaimed import expire_unclaimed, unclaimed_due
from voucher.operations.unconfirmed import settle_unconfirmed, unconfirmed_due
from voucher.queries.due import orders_due, vouchers_due

Part = Callable[..., Step]
Due = Callable[[Session, date], int]


@click.command()
@click.option(
    "--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="按哪一天办理（默认今天），该日之前到期的才收回"
)
@click.option(
    "--batch", "limit", type=click.IntRange(1, 1000), default=500, show_default=True, help="每批笔数"
)
def expire(*, day: datetime | None, limit: int) -> None:
    """办理逾期未答复的验收，收回逾期未完成订单锁定的额度、核销后逾期未申请兑付的金额和过期券的余额；可随时中断、重复执行。"""
    on = day.date() if day else business_date(wall_now())
    store, first = database(), Slice(on, limit=limit)
    late = _run(store, (settle_unconfirmed, unconfirmed_due), first, label="逾期未验收")
    orders = _run(store, (expire_orders, orders_due), first, label="逾期订单")
    unclaimed = _run(store, (expire_unclaimed, unclaimed_due), first, label="逾期未兑付")
    vouchers = _run(store, (expire_vouchers, vouchers_due), first, label="过期券")
    click.echo(
        f"逾期未验收的交付办理 {late.done} 笔；释放订单 {orders.done} 笔；逾期未申请兑付退回 {unclaimed.done} 笔；"
        f"收回券 {vouchers.done} 张，尚有锁定额度的 {vouchers.seen - vouchers.done} 张下次再办。"
    )


def _run(store: Database, work: tuple[Part, Due], first: Slice, *, label: str) -> Step:
    """All steps of one run, shown as they go; what they saw and did together."""
    part, due = work
    with store.read() as session:
        length = due(session, first.on)
    seen = done = 0
    with click.progressbar(length=length, label=label, show_pos=True) as bar:
        for step in _steps(store, part, first):
            seen, done = seen + step.seen, done + step.done
            bar.update(step.seen)
    return Step(seen, done, None)


def _steps(store: Database, part: Part, first: Slice) -> Iterator[Step]:
    """Each step in a transaction of its own, until one finds less than it could take."""
    following: int | None = first.after
    while following is not None:
        step = store.transaction(_work(part, Slice(first.on, following, first.limit)))
        following = step.after
        yield step


def _work(part: Part, piece: Slice) -> Callable[[Session, datetime], Step]:
    return lambda session, at: part(session, piece, actor=SYSTEM, at=at)
