"""`voucher applications` and `voucher give-back`: the waiting list moves up; an unused voucher goes back."""

from __future__ import annotations

import click

from voucher.cli.context import acting, database, require
from voucher.clock import wall_now
from voucher.db import Database
from voucher.money import format_yuan
from voucher.operations.expire import TakeBackRequest
from voucher.operations.expire import give_back as give_vouchers_back
from voucher.operations.move_up import Advanced, advance, queues_in_motion
from voucher.operations.outcome import only


@click.group()
def applications() -> None:
    """申领：候补递补。"""


@applications.command(name="advance")
def advance_command() -> None:
    """按排队号给候补的申领发券，到预算用完为止；已结束年度的未发申领随年度结束。可重复执行，worker 也会自动执行。"""
    for (programme, year), done in advance_all(database()).items():
        click.echo(
            f"{programme} {year} 年：发券 {done.issued} 件，退回审核 {done.sent_back} 件，"
            f"随年度结束 {done.lapsed} 件，仍在候补 {done.waiting} 件"
        )


@click.command(name="give-back")
@click.argument("number")
@click.option("--reason", required=True, help="退券的理由")
@click.option("--by", required=True, help="本单位经办人的登录名")
def give_back(number: str, *, reason: str, by: str) -> None:
    """退回一张没有用过的券，金额退回预算。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "enterprise:voucher:give_back")
    request = TakeBackRequest(number, reason)
    done = store.transaction(
        lambda session, at: only(give_vouchers_back(session, [request], actor=actor, at=at))
    )
    click.echo(f"{done.voucher_number} 已退回，{format_yuan(done.amount_fen)} 元退回预算。")


def advance_all(store: Database) -> dict[tuple[str, int], Advanced]:
    """Look through every queue in motion, each in a transaction of its own."""
    with store.read() as session:
        keys = queues_in_motion(session, at=wall_now())
    return {key: _advance(store, key) for key in keys}


def _advance(store: Database, key: tuple[str, int]) -> Advanced:
    return store.transaction(lambda session, at: advance(session, *key, at=at))
