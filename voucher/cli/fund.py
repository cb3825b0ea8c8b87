"""`voucher budget` and `voucher book`: budget lines and their money, books and their periods."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from voucher.cli.context import SYSTEM, acting, database, require
from voucher.money import Fen, MoneyError, parse_yuan
from voucher.operations.close_period import close_period
from voucher.operations.fund import AllotRequest, FundRequest, LineRequest, allot, fund, open_lines
from voucher.operations.open_book import open_book
from voucher.operations.outcome import only


class Yuan(click.ParamType[Fen]):
    """An amount in yuan as a person writes it."""

    name = "元"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fen:
        try:
            return parse_yuan(value)
        except MoneyError as error:
            self.fail(error.reason, param, ctx)


@click.group()
def budget() -> None:
    """预算：设立指标、下达、分配。"""


@budget.command("open")
@click.argument("code")
@click.option("--programme", required=True, help="项目代码")
@click.option("--year", required=True, type=click.IntRange(2000, 2999), help="预算年度")
@click.option("--name", required=True, help="指标名称")
@click.option("--by", required=True, help="财政经办的登录名")
def open_command(code: str, *, programme: str, year: int, name: str, by: str) -> None:
    """设立一条预算指标。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "finance:budget:fund")
    request = LineRequest(code, programme, year, name)
    made = store.transaction(lambda session, at: only(open_lines(session, [request], actor=actor, at=at)))
    click.echo(f"指标 {code}（编号 {made}）。")


@budget.command("fund")
@click.argument("line")
@click.argument("amount", type=Yuan())
@click.option("--document", required=True, help="指标文号")
@click.option("--by", required=True, help="财政经办的登录名")
def fund_command(line: str, *, amount: Fen, document: str, by: str) -> None:
    """按指标文下达资金（元）；同一文号只入账一次。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "finance:budget:fund")
    request = FundRequest(line, document, amount)
    done = store.transaction(lambda session, at: only(fund(session, [request], actor=actor, at=at)))
    click.echo(f"指标 {done.line_code}：{'此前已入账' if done.replayed else '已入账'}。")


@budget.command("allot")
@click.argument("giver")
@click.argument("taker")
@click.argument("amount", type=Yuan())
@click.option("--document", required=True, help="分配文号")
@click.option("--by", required=True, help="财政经办的登录名")
def allot_command(giver: str, *, taker: str, amount: Fen, document: str, by: str) -> None:
    """在同一账簿的两条指标之间分配资金（元）。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "finance:budget:fund")
    request = AllotRequest(giver, taker, document, amount)
    done = store.transaction(lambda session, at: only(allot(session, [request], actor=actor, at=at)))
    click.echo(f"指标 {done.line_code}：{'此前已入账' if done.replayed else '已入账'}。")


@click.group()
def book() -> None:
    """账簿：设立、结账。"""


@book.command("open")
@click.argument("code")
@click.option("--authority", required=True, help="出资机关")
def open_book_command(code: str, *, authority: str) -> None:
    """为出资机关设立账簿。"""
    made = database().transaction(
        lambda session, at: open_book(session, code, authority=authority, actor=SYSTEM, at=at)
    )
    click.echo(f"账簿 {code}（编号 {made}）。")


@book.command("close")
@click.argument("code")
@click.option("--through", required=True, type=click.DateTime(["%Y-%m-%d"]), help="结账至（含当日）")
@click.option("--by", required=True, help="财政复核的登录名")
def close_command(code: str, *, through: datetime, by: str) -> None:
    """结账：此日及以前不能再记账，也不能退回。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "finance:period:close")
    day = through.date()
    store.transaction(lambda session, at: close_period(session, code, through=day, actor=actor, at=at))
    click.echo(f"账簿 {code} 已结账至 {day.isoformat()}。")
