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
    """Verify the ledger, and export it."""


@ledger.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
def verify_command(*, as_json: bool) -> None:
    """Compute every book again from its transfers, and name what differs.

    Exit code: 0 sound, 1 faults found, 2 could not check.
    """
    try:
        with database().read() as session:
            report = verify(session)
    except (SQLAlchemyError, OSError) as failure:
        click.echo(f"could not check: {failure}", err=True)
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
    help="A journal for hledger, or one line of CSV a leg.",
)
def export_command(*, form: str) -> None:
    """Write the whole ledger to standard output."""
    lines = exports.hledger if form == "hledger" else exports.csv
    with database().read() as session:
        for line in lines(session):
            click.echo(line)


def _json(report: Report) -> str:
    return json.dumps({"sound": not report.faults, **asdict(report)}, ensure_ascii=False)


def _text(report: Report) -> str:
    lines = [
        f"{fault.check}: {fault.row}: found {fault.found}, expected {fault.expected}"
        for fault in report.faults
    ]
    verdict = f"{len(report.faults)} checks found faults" if report.faults else "sound"
    lines.append(f"{verdict}: {report.book_count} books, {report.entries} entries")
    return "\n".join(lines)
