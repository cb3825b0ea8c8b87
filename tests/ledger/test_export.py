"""The journal is accepted by hledger's strict checks, and its balances are the account table's."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Iterable

from sqlalchemy import text

from tests.ledger.books import ORDER, VOUCHER, event, one, settled, single
from voucher.db import Database
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.export import account_name, amount
from voucher.ledger.export import csv as csv_lines
from voucher.ledger.export import hledger as hledger_lines
from voucher.terms import PostingKind

AWKWARD = Ref("contract", "P|甲 公司;(x)|*乙  丙|合同:1", 0)


def hledger(journal: str, *arguments: str) -> str:
    done = subprocess.run(
        ["hledger", "-f", "-", *arguments], input=journal, capture_output=True, text=True, timeout=60,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def journal(database: Database) -> str:
    with database.read() as session:
        return "\n".join(hledger_lines(session)) + "\n"


def test_hledger_accepts_the_journal_and_finds_the_same_balances(database: Database) -> None:
    settled(database)
    source = Ref("contract_source", "P", 0)
    one(database, event(PostingKind.CAP_ADJUST, single(source, AWKWARD, 123_45)))
    one(
        database,
        event(PostingKind.CAP_ADJUST, single(Ref("count_source", "P", 0), Ref("count", "P|F", 2026), 3)),
    )
    text_of_journal = journal(database)
    hledger(
        text_of_journal,
        "check",
        "--strict",
        "accounts",
        "commodities",
        "ordereddates",
        "balancednoautoconversion",
    )
    table = list(
        csv.reader(hledger(text_of_journal, "balance", "--flat", "--empty", "-O", "csv").splitlines())
    )
    theirs = {row[0]: row[1] for row in table[1:-1]}
    assert compared(database, theirs) == 7


def compared(database: Database, theirs: dict[str, str]) -> int:
    """How many limited accounts that hledger knows have the balance of the account table."""
    query = text(
        "SELECT b.code, a.code, a.owner_ref, a.period, a.unit, a.debits_posted - a.credits_posted "
        "FROM account a JOIN book b ON b.book_id = a.book_id WHERE a.flags <> 0"
    )
    with database.read() as session:
        rows: Iterable[tuple[str, str, str, int, str, int]] = session.execute(query).tuples().all()
    count = 0
    for book, code, owner, period, unit, balance in rows:
        shown = theirs[account_name(book, code, owner, period)]
        assert shown in ("0", f"{amount(balance, unit)} {unit}", f"{unit} {amount(balance, unit)}"), (
            code,
            shown,
        )
        assert (shown == "0") == (balance == 0)
        count += 1
    return count


def test_what_is_only_reserved_moves_nothing(database: Database) -> None:
    settled(database)
    lines = journal(database)
    assert "; pending SX:voucher:V2026-1 -> SX:order:O2026-1 80000.00 CNY" in lines
    assert "    SX:voucher:V2026-1  70000.00 CNY" in lines


def test_csv_has_a_line_for_every_leg_with_exact_names(database: Database) -> None:
    settled(database)
    with database.read() as session:
        rows = list(csv.DictReader(csv_lines(session)))
        assert len(rows) == session.execute(text("SELECT count(*) FROM transfer")).scalar_one()
    held = next(row for row in rows if row["phase"] == "pending" and row["unit"] == "CNY")
    assert (held["debit_account"], held["credit_account"]) == (str(VOUCHER), str(ORDER))
    assert held["amount"] == "80000.00"


def test_names_keep_apart_and_mean_nothing_to_hledger() -> None:
    assert account_name("SX", AWKWARD.code, AWKWARD.owner, 0) == "SX:contract:P_甲_公司_x_乙_丙_合同_1"
    assert account_name("SX", "paid", "", 0) == "SX:paid"
    assert account_name("SX", "budget", "L", 2026) == "SX:budget:2026:L"
    assert accounts.paid().code == "paid"
