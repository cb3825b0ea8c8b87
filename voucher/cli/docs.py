"""`voucher docs`: documents that are made from the product itself."""

from __future__ import annotations

import click

from voucher.reports.cases import drawn


@click.group()
def docs() -> None:
    """文档：由系统自身生成的说明。"""


@docs.command("cases")
def cases_command() -> None:
    """按系统实际使用的状态表，输出各类业务的状态图（docs/cases.md 的内容）。"""
    click.echo(drawn(), nl=False)
