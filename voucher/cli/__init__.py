"""The `voucher` command: one file a subject; every command is listed here."""

from __future__ import annotations

from typing import Final

import click

from voucher.cli.agreement import agreement
from voucher.cli.applications import applications, give_back
from voucher.cli.clearing import clearing
from voucher.cli.context import RefusingGroup
from voucher.cli.db import db
from voucher.cli.demo import demo
from voucher.cli.docs import docs
from voucher.cli.expire import expire
from voucher.cli.factor import factor
from voucher.cli.files import files
from voucher.cli.fund import book, budget
from voucher.cli.issue import issue
from voucher.cli.ledger import ledger
from voucher.cli.load import load
from voucher.cli.messages import messages
from voucher.cli.notices import notices
from voucher.cli.people import people
from voucher.cli.policy import policy
from voucher.cli.registers import registers
from voucher.cli.remind import remind
from voucher.cli.roster import roster
from voucher.cli.settle import settle
from voucher.cli.simulate import simulate
from voucher.cli.worker import worker
from voucher.cli.year_end import year_end

COMMANDS: Final[tuple[click.Command, ...]] = (
    db,
    ledger,
    files,
    people,
    policy,
    agreement,
    book,
    budget,
    roster,
    registers,
    load,
    issue,
    applications,
    give_back,
    expire,
    settle,
    factor,
    clearing,
    remind,
    notices,
    messages,
    worker,
    year_end,
    docs,
    demo,
    simulate,
)


@click.group(cls=RefusingGroup)
def main() -> None:
    """创新券台账：数据库、政策、账簿与批量业务的命令。"""


for command in COMMANDS:
    main.add_command(command)
