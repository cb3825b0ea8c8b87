"""`voucher notices`: what time does to public notices."""

from __future__ import annotations

import click

from voucher.cli.context import SYSTEM, database
from voucher.db import Database
from voucher.operations.close_notices import close_notices

_PART = 500


@click.group()
def notices() -> None:
    """公示：期满无异议的申请转为可兑付。"""


@notices.command()
def close() -> None:
    """办结期满的公示：无异议的申请转为“公示无异议”，可编入兑付批次（worker 每天自动做）。"""
    click.echo(f"公示期满、无异议：{close_all(database())} 笔。")


def close_all(store: Database) -> int:
    """Clear every claim whose notice is over, in parts; gives how many."""
    cleared = 0
    while True:
        part = store.transaction(lambda session, at: close_notices(session, actor=SYSTEM, at=at, limit=_PART))
        cleared += part
        if part < _PART:
            return cleared
