"""The `voucher` command: one file a subject; every command is listed here, and imported when it is asked for.

Nothing else may be imported here: whatever is stands in the way of every command's start.
"""

from __future__ import annotations

from typing import Final

import click

from voucher.cli.group import LazyGroup

PLACES: Final = {
    "db": "voucher.cli.db:db",
    "ledger": "voucher.cli.ledger:ledger",
    "files": "voucher.cli.files:files",
    "people": "voucher.cli.people:people",
    "policy": "voucher.cli.policy:policy",
    "agreement": "voucher.cli.agreement:agreement",
    "book": "voucher.cli.fund:book",
    "budget": "voucher.cli.fund:budget",
    "roster": "voucher.cli.roster:roster",
    "tenants": "voucher.cli.tenants:tenants",
    "registers": "voucher.cli.registers:registers",
    "load": "voucher.cli.load:load",
    "issue": "voucher.cli.issue:issue",
    "applications": "voucher.cli.applications:applications",
    "give-back": "voucher.cli.applications:give_back",
    "expire": "voucher.cli.expire:expire",
    "settle": "voucher.cli.settle:settle",
    "factor": "voucher.cli.factor:factor",
    "clearing": "voucher.cli.clearing:clearing",
    "disputes": "voucher.cli.disputes:disputes",
    "remind": "voucher.cli.remind:remind",
    "notices": "voucher.cli.notices:notices",
    "messages": "voucher.cli.messages:messages",
    "worker": "voucher.cli.worker:worker",
    "year-end": "voucher.cli.year_end:year_end",
    "docs": "voucher.cli.docs:docs",
    "demo": "voucher.cli.demo:demo",
    "simulate": "voucher.cli.simulate:simulate",
}


@click.group(cls=LazyGroup, places=PLACES)
def main() -> None:
    """创新券台账：数据库、政策、账簿与批量业务的命令。"""
