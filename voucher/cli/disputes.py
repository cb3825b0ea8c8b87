"""`voucher disputes`: what time does to disputes about orders."""

from __future__ import annotations

import click

from voucher.cli.context import SYSTEM, database
from voucher.db import Database
from voucher.operations.escalate import escalate_disputes

_PART = 500


@click.group()
def disputes() -> None:
    """订单争议：双方没有按期协商一致的移送主管部门。"""


@disputes.command()
def escalate() -> None:
    """把协商期限已过、没有办结的争议移送主管部门裁定，并告知三方（worker 每天自动做）。"""
    click.echo(f"移送主管部门裁定的争议：{escalate_all(database())} 件。")


def escalate_all(store: Database) -> int:
    """Escalate every dispute whose time is over, in parts; gives how many."""
    moved = 0
    while True:
        part = store.transaction(
            lambda session, at: escalate_disputes(session, actor=SYSTEM, at=at, limit=_PART)
        )
        moved += part
        if part < _PART:
            return moved
