"""Contracts on file (合同备案): found or filed by their key, and the ceilings that they put on subsidies.

The key is firm, host of the platform and normalised number, so it spans all platforms of a host, all vouchers of the
firm and all programmes of a book. Two ceilings hold, each a limited account: what the programme's own rate gives on
the contract's amount bounds what that programme takes, and the highest of what its programmes give bounds their sum.
A ceiling rises to the highest that an order of the contract brought along; only a supplement lowers it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, false, insert, select, true, union_all
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from voucher.errors import Code, Fact, Refusal
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.bulk import is_postgresql
from voucher.models.contracts import Contract
from voucher.models.orders import Order
from voucher.models.parties import Platform
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.keep_files import keep_files
from voucher.rules.clamp import LimitName
from voucher.rules.contracts import contract_ref
from voucher.rules.permissions import Actor
from voucher.store import Stored


@dataclass(frozen=True, slots=True)
class Parties:
    """Between whom a contract is, and in which book: the firm (its holder and lasting name) and the platform's host."""

    book_id: int
    holder_id: int
    firm_ref: str
    host_id: int
    host_uscc: str


@dataclass(frozen=True, slots=True)
class Paper:
    """A contract as one order names it. `amount_fen` None: as it is on file, or `part_fen` where it is new.

    `part_fen` is the order's own part of it, in fen. `unfit` is why this order cannot be the first on it;
    not `dated` (at the counter): `signed_on` is a guess for a new one.
    """

    parties: Parties
    number: str
    signed_on: date
    part_fen: Fen
    amount_fen: Fen | None = None
    file: Stored | None = None
    unfit: Refusal | None = None
    dated: bool = True

    @property
    def ref(self) -> str:
        """Its name in the ledger; refused `contract_no_invalid`."""
        return contract_ref(self.parties.firm_ref, self.parties.host_uscc, self.number)


@dataclass(frozen=True, slots=True)
class Filed:
    """A contract on file: its name, whole amount and day. `first`: it was filed just now."""

    ref: str
    amount_fen: Fen
    signed_on: date
    first: bool = False


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most that one programme (empty: all of them together) may subsidise of a contract.

    It `keeps` its height where an order at a lower rate comes along; a supplement's does not.
    """

    contract_ref: str
    programme: str
    amount_fen: Fen
    policy_code: str
    keeps: bool = True

    @property
    def name(self) -> LimitName:
        """What the limit is called."""
        return "contract"

    @property
    def account(self) -> Ref:
        """The limited account."""
        return accounts.contract(self.contract_ref, self.programme)

    @property
    def source(self) -> Ref:
        """Where it is opened from."""
        return accounts.contract_source(self.programme)

    @property
    def used(self) -> Ref:
        """Where what is charged goes."""
        return accounts.contract_used(self.programme)

    @property
    def period(self) -> int:
        """A contract has no year."""
        return 0

    @property
    def set_by(self) -> tuple[str, str]:
        """The version whose rate gives the amount."""
        return self.policy_code, ""


def file_papers(
    session: Session, papers: Sequence[Paper], *, actor: Actor, at: datetime
) -> list[Filed | Refusal]:
    """Each contract as it is on file, locked FOR SHARE; one that is not yet is filed, with amount, day and file.

    Of several papers of one new contract the first fit one is filed. Refusals, alone: `contract_no_invalid`;
    `contract_elsewhere` (in another book); `contract_differs` (another amount, day or file than on file; where no
    amount is named the day is not compared); `contract_exceeded` where the order's part is more than the whole
    contract; for a new contract what `unfit` says.
    """
    named = [_named(paper) for paper in papers]
    new: dict[str, Paper] = {}
    for paper, ref in zip(papers, named, strict=True):
        if isinstance(ref, str) and paper.unfit is None:
            new.setdefault(ref, paper)
    rows = _found_or_filed(
        session,
        {each for each in named if isinstance(each, str)},
        _values(session, dict(sorted(new.items())), actor=actor, at=at),
    )
    answers: list[Filed | Refusal] = []
    for paper, ref in zip(papers, named, strict=True):
        if isinstance(ref, Refusal):
            answers.append(ref)
        elif ref in rows:
            row = rows[ref]
            filed = Filed(ref, Fen(row.amount_fen), row.signed_on, row.first)
            answers.append(_mismatch(paper, row) or filed)
        elif paper.unfit is not None:
            answers.append(paper.unfit)
    return answers


def _named(paper: Paper) -> str | Refusal:
    try:
        return paper.ref
    except Refusal as refusal:
        return refusal


def forget_unused(session: Session, holds: Sequence[tuple[Filed | None, Order]]) -> None:
    """Take contracts off file again that were filed just now and on which nothing was held after all."""
    made = {filed.ref for filed, _ in holds if filed is not None and filed.first}
    unused = made - {order.contract_ref for _, order in holds}
    if unused:
        session.execute(delete(Contract).where(Contract.ref.in_(unused)))


def parties_of(voucher: Voucher, platform: Platform) -> Parties:
    """Between whom a contract about this voucher's order at this platform is."""
    holder, host = voucher.holder, platform.organisation
    return Parties(voucher.book_id, holder.id, holder.cap_owner, host.id, host.uscc)


def _mismatch(paper: Paper, row: _Row) -> Refusal | None:
    if row.book_id != paper.parties.book_id:
        return Refusal(Code.CONTRACT_ELSEWHERE, contract_no=row.number)
    facts: dict[str, Fact] = {"contract_fen": row.amount_fen, "contract_on": row.signed_on.isoformat()}
    other_day = paper.dated and paper.signed_on != row.signed_on
    if paper.amount_fen is not None and (paper.amount_fen != row.amount_fen or other_day):
        return Refusal(Code.CONTRACT_DIFFERS, **facts)
    if paper.file is not None and paper.file.sha256 != row.file_sha256:
        return Refusal(Code.CONTRACT_DIFFERS, file=row.file_name, **facts)
    if paper.part_fen > row.amount_fen:
        return Refusal(Code.CONTRACT_EXCEEDED, contract_fen=row.amount_fen, left_fen=row.amount_fen)
    return None


class _Row(NamedTuple):
    """A contract as it is on file; `first`: it was filed just now."""

    ref: str
    book_id: int
    number: str
    amount_fen: int
    signed_on: date
    file_sha256: str | None
    file_name: str
    first: bool


_COLUMNS = (
    Contract.ref, Contract.book_id, Contract.number, Contract.amount_fen, Contract.signed_on,
    Contract.file_sha256, Contract.file_name,
)  # fmt: skip


def _found_or_filed(session: Session, refs: set[str], new: list[dict[str, Any]]) -> dict[str, _Row]:
    """Those on file, FOR SHARE, and the new ones, which are filed; on PostgreSQL in one statement.

    A contract that a rival files meanwhile is waited for and read again.
    """
    if not refs:
        return {}
    old = select(*_COLUMNS, false().label("first")).where(Contract.ref.in_(refs)).order_by(Contract.ref)
    old = old.with_for_update(read=True)
    found: dict[str, _Row] = {}
    if not is_postgresql(session):
        found = {row.ref: _Row(*row) for row in session.execute(old)}
        if new := [values for values in new if values["ref"] not in found]:
            filing: Any = insert(Contract).returning(*_COLUMNS, true())
            found |= {row[0]: _Row(*row) for row in session.connection().execute(filing, new)}
    elif new:
        filing = postgresql.insert(Contract).values(new).on_conflict_do_nothing()
        made, kept = filing.returning(*_COLUMNS, true().label("first")).cte("made"), old.cte("kept")
        both = union_all(select(*made.c), select(*kept.c))
        found = {row[0]: _Row(*row) for row in session.execute(both)}
    if refs - found.keys():
        found |= {row.ref: _Row(*row) for row in session.execute(old) if row.ref not in found}
    return found


def _values(
    session: Session, papers: dict[str, Paper], *, actor: Actor, at: datetime
) -> list[dict[str, Any]]:
    """The rows of contracts as they would be filed; their files are written down."""
    files = [paper.file for paper in papers.values() if paper.file is not None]
    if files:
        keep_files(session, files, actor=actor, at=at)
    return [
        {
            "ref": ref,
            "book_id": paper.parties.book_id,
            "holder_id": paper.parties.holder_id,
            "host_id": paper.parties.host_id,
            "number": paper.number,
            "amount_fen": paper.amount_fen or paper.part_fen,
            "signed_on": paper.signed_on,
            "file_sha256": paper.file.sha256 if paper.file else None,
            "file_name": paper.file.file_name if paper.file else "",
            "media_type": paper.file.media_type if paper.file else "",
            "filed_by": actor.person_id,
            "filed_at": at,
        }
        for ref, paper in papers.items()
    ]
