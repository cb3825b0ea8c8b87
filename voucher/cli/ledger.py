"""`voucher ledger`: prove the books, and hand them out."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click
from sqlalchemy.exc import SQLAlchemyError

from voucher.cli.context import database
from voucher.ledger import export as exports
from voucher.ledger.verify import Report, verify


@click.group()
def ledger() -> None:
    """账簿：核验与导出。"""


@ledger.command("verify")
@click.option("--json", "as_json", is_flag=True, help="以一个 JSON 对象输出报告。")
def verify_command(*, as_json: bool) -> None:
    """按全部转账重新计算每本账，指出不符之处。

    退出码：0 账实相符，1 发现不符，2 无法核验。
    """
    try:
        with database().read() as session:
            report = verify(session)
    except (SQLAlchemyError, OSError) as failure:
        click.echo(f"无法核验：{failure}", err=True)
        sys.exit(2)
    click.echo(_json(report) if as_json else _text(report))
    sys.exit(1 if report.faults else 0)


@ledger.command("export")
@click.option(
    "--format",
    "form",
    type=click.Choice(["hledger", "csv"]),
    default="hledger",
    show_default=True,
    help="hledger 日记账，或每笔分录一行的 CSV。",
)
def export_command(*, form: str) -> None:
    """把整本账写到标准输出。"""
    lines = exports.hledger if form == "hledger" else exports.csv
    with database().read() as session:
        for line in lines(session):
            click.echo(line)


def _json(report: Report) -> str:
    return json.dumps({"sound": not report.faults, **asdict(report)}, ensure_ascii=False)


def _text(report: Report) -> str:
    lines = [
        f"{fault.check}: {fault.row}: 现为 {fault.found}，应为 {fault.expected}" for fault in report.faults
    ]
    verdict = f"{len(report.faults)} 项核验不符" if report.faults else "账实相符"
    lines.append(f"{verdict}：{report.book_count} 本账，{report.entries} 条账目")
    return "\n".join(lines)
