"""`voucher year-end`: what becomes of budget lines whose year is over. Stopped at any point, the next run does the rest."""

from __future__ import annotations

import click

from voucher.cli.context import SYSTEM, acting, database, require
from voucher.cli.fund import Yuan
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.money import Fen, format_yuan
from voucher.operations.outcome import only
from voucher.operations.year_end import (
    YearEndReply,
    YearEndRequest,
    answer_year_end,
    apply_year_end,
    approved_year_ends,
    propose_year_end,
)
from voucher.terms import LiveVouchers, YearEndAction


@click.group("year-end")
def year_end() -> None:
    """年终：指标余额结转下年或收回财政，由两人决定。"""


@year_end.command()
@click.argument("line")
@click.option("--carry-to", "to", default="", help="结转到的下年指标代码；不写为收回财政")
@click.option("--fall", is_flag=True, help="未用的券一并收回；不写则未到期的券继续使用")
@click.option("--document", required=True, help="文号")
@click.option("--by", required=True, help="财政经办的登录名")
def propose(line: str, *, to: str, fall: bool, document: str, by: str) -> None:
    """提出一条指标的结转或收回，由另一人复核。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "finance:year_end:propose")
    request = YearEndRequest(
        line,
        YearEndAction.CARRY if to else YearEndAction.LAPSE,
        document,
        LiveVouchers.FALL if fall else LiveVouchers.KEEP,
        to,
    )
    row = store.transaction(
        lambda session, at: only(propose_year_end(session, [request], actor=actor, at=at))
    )
    click.echo(
        f"指标 {line}：已提出{request.action.label}，余额 {format_yuan(Fen(row.amount_fen))} 元，待复核，编号 {row.id}。"
    )


@year_end.command()
@click.argument("line")
@click.option("--amount", required=True, type=Yuan(), help="复核时看到的指标余额（元）")
@click.option("--proposal", required=True, type=int, help="复核的是哪一次提出（propose 给出的编号）")
@click.option("--refuse", is_flag=True, help="退回经办人")
@click.option("--by", required=True, help="财政复核的登录名")
def approve(line: str, *, amount: Fen, proposal: int, refuse: bool, by: str) -> None:
    """复核一条指标的结转或收回；通过后用 apply 办理。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "finance:year_end:approve")
    reply = YearEndReply(line, amount, not refuse, proposal)
    store.transaction(lambda session, at: only(answer_year_end(session, [reply], actor=actor, at=at)))
    click.echo(f"指标 {line}：{'已退回' if refuse else '复核通过'}。")


@year_end.command()
def apply() -> None:
    """办理已复核的结转和收回；可随时中断、重复执行（worker 每天自动做）。"""
    store = database()
    with store.read() as session:
        codes = approved_year_ends(session)
    fallen = refused = 0
    with click.progressbar(codes, label="年终处理", show_pos=True) as lines:
        for code in lines:
            part = _apply(store, code)
            refused += part is None
            fallen += part or 0
    click.echo(f"收回券 {fallen} 张，关闭指标 {len(codes) - refused} 条，不能办理 {refused} 条。")


def apply_all(store: Database) -> None:
    """Carry out every approved decision; one that is refused (a closed day) waits for the next time."""
    with store.read() as session:
        codes = approved_year_ends(session)
    for code in codes:
        _apply(store, code)


def _apply(store: Database, code: str) -> int | None:
    """Carry out one decision, in parts; gives how many vouchers it took back, None where it is refused."""
    fallen = 0
    is_closed = False
    while not is_closed:
        try:
            ended = store.transaction(lambda session, at: apply_year_end(session, code, actor=SYSTEM, at=at))
        except Refusal as refusal:
            if refusal.code is Code.BUSY:
                raise
            return None
        is_closed, fallen = ended.closed, fallen + ended.fallen
    return fallen
