"""`voucher remind`: what runs out soon is told, once each."""

from __future__ import annotations

import click

from voucher.cli.context import database
from voucher.operations.remind import remind as remind_


@click.command()
def remind() -> None:
    """提醒将到期的事项（还有 3 个、1 个工作日时各一次）：完成、用券、兑付申请、补正、确认、争议协商（worker 每天自动做）。"""
    count = database().transaction(lambda session, at: remind_(session, at=at))
    click.echo(f"已生成提醒 {count} 条。")
