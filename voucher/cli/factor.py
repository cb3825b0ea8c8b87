"""`voucher factor`: approved factors carried out."""

from __future__ import annotations

import click

from voucher.cli.context import SYSTEM, database
from voucher.db import Database
from voucher.operations.apply_factor import apply_factor, approved_factors

_PART = 200


@click.group()
def factor() -> None:
    """申报结束后的补助比例：折算已复核年度的申请。"""


@factor.command()
def apply() -> None:
    """折算已确定比例的各年度中还没有折算的申请；可以中断后再运行（worker 每天自动做）。"""
    click.echo(f"已折算：{apply_all(database())} 件。")


def apply_all(store: Database) -> int:
    """Trim every claim that an approved factor waits for, in parts; gives how many."""
    with store.read() as session:
        rows = approved_factors(session)
    done = 0
    for row in rows:
        while part := store.transaction(
            lambda session, at, row=row: apply_factor(session, row, actor=SYSTEM, at=at, limit=_PART)  # type: ignore[misc]
        ):
            done += part
    return done
