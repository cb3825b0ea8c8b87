"""The ledger as people read it: postings, their legs, accounts with their entries, and caps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, String, and_, cast, func, or_, select
from sqlalchemy.orm import Session, aliased

from voucher.clock import micros
from voucher.ledger import accounts
from voucher.models.ledger import Account, Book, Posting, Transfer
from voucher.models.people import Person
from voucher.queries.paging import as_term
from voucher.rules.permissions import Actor
from voucher.terms import Phase, PostingKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PostingFilter:
    """Which postings: of a kind, of a day range (event day, both included), on an account, about an order."""

    kind: PostingKind | None = None
    from_on: date | None = None
    to_on: date | None = None
    account_id: int | None = None
    order_number: str = ""


@dataclass(frozen=True, slots=True)
class PostingLine:
    """A posting in a list: `money_fen` is the sum of its legs in money, of which `returned` ones count too."""

    id: UUID
    kind: PostingKind
    event_on: date
    posted_at: datetime
    fiscal_year: int
    rule_version: str
    actor_name: str
    book_code: str
    money_fen: int
    legs: int


@dataclass(frozen=True, slots=True)
class AccountName:
    """An account by name, with its id for a link."""

    id: int
    code: str
    owner: str
    period: int
    unit: str

    def __str__(self) -> str:
        return ":".join(
            part for part in (self.code, self.owner, str(self.period) if self.period else "") if part
        )


@dataclass(frozen=True, slots=True)
class LegLine:
    """One leg: value moves from debit to credit."""

    leg: int
    debit: AccountName
    credit: AccountName
    amount: int
    phase: Phase
    resolves: UUID | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingFile:
    """A posting with its legs; `reverses` and `reversed_by` name the postings that undo or are undone."""

    posting: Posting
    kind: PostingKind
    book: Book
    actor_name: str
    legs: Sequence[LegLine]
    reversed_by: UUID | None


def postings(
    session: Session, actor: Actor, wanted: PostingFilter, *, before: str = "", size: int = 50
) -> tuple[list[PostingLine], str]:
    """Postings of the actor's books, newest first, and the mark to pass as `before` for older ones (empty: none)."""
    money = (
        select(cast(func.coalesce(func.sum(Transfer.amount), 0), BigInteger))
        .where(Transfer.book_id == Posting.book_id, Transfer.posting_id == Posting.id, Transfer.unit == "CNY")
        .scalar_subquery()
    )
    legs = (
        select(func.count())
        .select_from(Transfer)
        .where(Transfer.book_id == Posting.book_id, Transfer.posting_id == Posting.id)
        .scalar_subquery()
    )
    query = _with_names(
        Posting.id,
        as_term(Posting.kind, PostingKind),
        Posting.event_on,
        Posting.posted_at,
        Posting.fiscal_year,
        Posting.rule_version,
        func.coalesce(Person.name, "系统"),
        Book.code,
        money,
        legs,
    )
    query = query.where(Posting.book_id.in_(actor.book_ids), *_conditions(wanted), *_older(before))
    query = query.order_by(Posting.posted_at.desc(), Posting.id.desc()).limit(size + 1)
    rows = [PostingLine(*row) for row in session.execute(query)]
    shown = rows[:size]
    mark = f"{micros(shown[-1].posted_at)}.{shown[-1].id}" if len(rows) > size else ""
    return shown, mark


def posting_file(session: Session, actor: Actor, posting_id: UUID) -> PostingFile | None:
    """A posting of one of the actor's books; None for another's."""
    row = session.execute(
        _with_names(Posting, Book, func.coalesce(Person.name, "系统")).where(
            Posting.id == posting_id, Posting.book_id.in_(actor.book_ids)
        )
    ).first()
    if row is None:
        return None
    posting, book, actor_name = row
    undoing = select(Posting.id).where(Posting.book_id == posting.book_id, Posting.reverses == posting.id)
    return PostingFile(
        posting=posting,
        kind=PostingKind(posting.kind),
        book=book,
        actor_name=actor_name,
        legs=_legs(session, posting),
        reversed_by=session.scalars(undoing).first(),
    )


def account_named(session: Session, actor: Actor, account_id: int) -> Account | None:
    """An account of the actor's books; None for another's."""
    query = select(Account).where(Account.id == account_id, Account.book_id.in_(actor.book_ids))
    return session.scalars(query).first()


def _with_names(*columns: Any) -> Select[Any]:
    """These columns from postings with their book and the person who acted."""
    query: Select[Any] = select(*columns).select_from(Posting)
    return query.join(Book, Book.book_id == Posting.book_id).outerjoin(
        Person, Posting.actor_ref == "person:" + cast(Person.id, String)
    )


def _conditions(wanted: PostingFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.kind is not None:
        found.append(Posting.kind == wanted.kind.value)
    if wanted.from_on is not None:
        found.append(Posting.event_on >= wanted.from_on)
    if wanted.to_on is not None:
        found.append(Posting.event_on <= wanted.to_on)
    if wanted.account_id is not None:
        found.append(_touching(wanted.account_id))
    if wanted.order_number:
        found.append(_touching(accounts.order(wanted.order_number).id))
    return found


def _touching(account_id: int) -> ColumnElement[bool]:
    """Whether a leg of the posting moves this account."""
    return (
        select(Transfer.leg)
        .where(
            Transfer.book_id == Posting.book_id,
            Transfer.posting_id == Posting.id,
            or_(Transfer.debit_id == account_id, Transfer.credit_id == account_id),
        )
        .exists()
    )


def _older(before: str) -> list[ColumnElement[bool]]:
    """The condition of a mark; a mark that is none is not there."""
    instant, _, name = before.partition(".")
    try:
        at, posting_id = _EPOCH + timedelta(microseconds=int(instant)), UUID(name)
    except (ValueError, OverflowError):
        return []
    return [or_(Posting.posted_at < at, and_(Posting.posted_at == at, Posting.id < posting_id))]


def _legs(session: Session, posting: Posting) -> list[LegLine]:
    debit, credit = aliased(Account), aliased(Account)
    query = (
        select(Transfer, debit, credit)
        .join(debit, (debit.book_id == Transfer.book_id) & (debit.id == Transfer.debit_id))
        .join(credit, (credit.book_id == Transfer.book_id) & (credit.id == Transfer.credit_id))
        .where(Transfer.book_id == posting.book_id, Transfer.posting_id == posting.id)
        .order_by(Transfer.leg)
    )
    return [
        LegLine(
            transfer.leg,
            name_of(giver),
            name_of(taker),
            transfer.amount,
            Phase(transfer.phase),
            transfer.pending_posting_id,
            transfer.expires_at,
        )
        for transfer, giver, taker in session.execute(query)
    ]


def name_of(account: Account) -> AccountName:
    """The name of an account row."""
    return AccountName(account.id, account.code, account.owner_ref, account.period, account.unit)
