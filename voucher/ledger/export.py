"""The ledger for other people's tools: a journal for hledger, and a table of legs as CSV.

In the journal a leg `debit -> credit` of an amount is two postings, `+amount` on the debit account and `-amount`
on the credit account, so hledger's balance of an account is its posted debits less its posted credits. Single and
post legs are money moved; what is reserved (pending) and given back (void) moves nothing and is a comment of its
transaction. Commodities: CNY and CNY_CAP in yuan with two decimals, TIMES as whole numbers.
"""

from __future__ import annotations

import csv as csv_format
import io
import re
from collections.abc import Iterator
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from voucher.clock import SHANGHAI
from voucher.ledger.accounts import Ref
from voucher.models.ledger import Account, Book, Posting, Transfer
from voucher.money import format_yuan
from voucher.terms import Phase, Unit

COLUMNS = (
    "book", "posting_id", "leg", "kind", "phase", "debit_account", "credit_account", "unit", "amount",
    "fiscal_year", "event_on", "posted_at", "rule_version", "actor", "reverses", "pending_posting_id", "pending_leg",
)  # fmt: skip

_BATCH = 5_000
_MOVED = (Phase.SINGLE.value, Phase.POST.value)
_UNSAFE = re.compile(r"[\s;:()\[\]{}*!|%=@\"'~]+")
_DEBIT, _CREDIT = aliased(Account), aliased(Account)


def hledger(session: Session) -> Iterator[str]:
    """The whole ledger as a journal, line by line, that `hledger check --strict ordereddates` accepts.

    Account names are `book:code:period:owner`, empty parts left out; characters that mean something to hledger
    are written as `_`, so use `csv` where the exact name matters. Transactions stand in the order of their date,
    then of their posting.
    """
    yield "; Voucher Ledger: the whole ledger; a positive amount is a debit"
    yield "decimal-mark ."
    for unit in (Unit.CNY, Unit.CNY_CAP):
        yield f"commodity 1000.00 {unit.value}"
    yield f"commodity 1000. {Unit.TIMES.value}"
    names = select(Book.code, Account.code, Account.owner_ref, Account.period).join(
        Book, Book.book_id == Account.book_id
    )
    for name in sorted({account_name(*row) for row in session.execute(names)}):
        yield f"account {name}"
    rows = session.execute(_legs().order_by(Posting.event_on, *_ORDER).execution_options(yield_per=_BATCH))
    for _, legs in groupby(rows, key=lambda row: (row.book, row.posting_id)):
        yield from _transaction(list(legs))


def csv(session: Session) -> Iterator[str]:
    """Every leg as a line of CSV under `COLUMNS`, in the order of time; amounts as `hledger` writes them."""
    yield _line(COLUMNS)
    for row in session.execute(_legs().order_by(*_ORDER).execution_options(yield_per=_BATCH)):
        yield _line(
            (row.book, row.posting_id, row.leg, row.kind, row.phase,
             str(Ref(row.debit_code, row.debit_owner, row.debit_period)),
             str(Ref(row.credit_code, row.credit_owner, row.credit_period)),
             row.unit, amount(row.amount, row.unit), row.fiscal_year, row.event_on.isoformat(), _shown(row.posted_at),
             row.rule_version, row.actor_ref, row.reverses or "", row.pending_posting_id or "",
             "" if row.pending_leg is None else row.pending_leg)
        )  # fmt: skip


def account_name(book: str, code: str, owner: str, period: int) -> str:
    """An account's name in the journal."""
    parts = [book, code, str(period) if period else "", owner]
    return ":".join(_UNSAFE.sub("_", part) for part in parts if part)


def amount(quantity: int, unit: str) -> str:
    """Fen as yuan with two decimals and no separators; times as a whole number."""
    return str(quantity) if unit == Unit.TIMES.value else format_yuan(quantity).replace(",", "")


_ORDER = (Posting.posted_at, Posting.book_id, Posting.id, Transfer.leg)


def _legs() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Book.code.label("book"), Posting.id.label("posting_id"), Transfer.leg, Posting.kind, Transfer.phase,
            _DEBIT.code.label("debit_code"), _DEBIT.owner_ref.label("debit_owner"),
            _DEBIT.period.label("debit_period"), _CREDIT.code.label("credit_code"),
            _CREDIT.owner_ref.label("credit_owner"), _CREDIT.period.label("credit_period"),
            Transfer.unit, Transfer.amount, Posting.fiscal_year, Posting.event_on, Posting.posted_at,
            Posting.rule_version, Posting.actor_ref, Posting.reverses, Transfer.pending_posting_id,
            Transfer.pending_leg,
        )
        .join(Book, Book.book_id == Posting.book_id)
        .join(Transfer, (Transfer.book_id == Posting.book_id) & (Transfer.posting_id == Posting.id))
        .join(_DEBIT, (_DEBIT.book_id == Transfer.book_id) & (_DEBIT.id == Transfer.debit_id))
        .join(_CREDIT, (_CREDIT.book_id == Transfer.book_id) & (_CREDIT.id == Transfer.credit_id))
    )  # fmt: skip


def _transaction(legs: list[Any]) -> Iterator[str]:
    first = legs[0]
    day: date = first.event_on
    yield ""
    yield f"{day.isoformat()} * ({first.posting_id}) {first.kind}"
    yield f"    ; at {_shown(first.posted_at)}, year {first.fiscal_year}, rule {_note(first.rule_version)}"
    for leg in legs:
        debit = account_name(first.book, leg.debit_code, leg.debit_owner, leg.debit_period)
        credit = account_name(first.book, leg.credit_code, leg.credit_owner, leg.credit_period)
        quantity = f"{amount(leg.amount, leg.unit)} {leg.unit}"
        if leg.phase in _MOVED:
            yield f"    {debit}  {quantity}"
            yield f"    {credit}  -{quantity}"
        else:
            yield f"    ; {leg.phase} {debit} -> {credit} {quantity}"


def _note(text: str) -> str:
    return " ".join(text.replace(",", " ").replace(":", " ").split())


def _shown(at: datetime) -> str:
    return at.astimezone(SHANGHAI).isoformat(timespec="microseconds")


def _line(values: tuple[Any, ...]) -> str:
    buffer = io.StringIO()
    csv_format.writer(buffer, lineterminator="").writerow(values)
    return buffer.getvalue()
