"""One account as people read it: its figures, its entries with the running balance; and the caps of all holders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, String, column, func, or_, select, table
from sqlalchemy.orm import Session

from voucher.ledger.accounts import FREE, Ref
from voucher.ledger.balances import Standing, free_credits, free_debits, standings
from voucher.models.ledger import Account, Book, Entry, Posting, Transfer
from voucher.models.parties import Holder
from voucher.queries.ledger_reading import AccountName, account_named, name_of
from voucher.queries.paging import Page, as_term, paged
from voucher.rules.permissions import Actor
from voucher.terms import Phase, PostingKind

_CAPS = table(
    "audit_cap",
    column("book", String),
    column("family", String),
    column("holder", String),
    column("period", BigInteger),
    column("opened_fen", BigInteger),
    column("used_fen", BigInteger),
    column("pending_fen", BigInteger),
)


@dataclass(frozen=True, slots=True)
class EntryLine:
    """What one leg did to an account: signed change, change of what is reserved, balance after (None: not kept)."""

    posting_id: UUID
    kind: PostingKind
    posted_at: datetime
    event_on: date
    amount: int
    pending_delta: int
    balance: int | None
    mark: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFile:
    """An account with a page of its entries, newest first; `older` is the mark for the next page (0: none)."""

    name: AccountName
    book: Book
    is_limited: bool
    figures: Standing | None
    debits: int
    credits: int
    entries: Sequence[EntryLine]
    older: int


@dataclass(frozen=True, slots=True)
class CapLine:
    """A holder's cap in a period (0: the whole programme), in fen."""

    book_code: str
    family: str
    holder_ref: str
    holder_name: str
    period: int
    opened_fen: int
    used_fen: int
    pending_fen: int

    @property
    def left_fen(self) -> int:
        """What may still be used."""
        return self.opened_fen - self.used_fen - self.pending_fen

    @property
    def account_id(self) -> int:
        """The id of its account."""
        return Ref("cap", f"{self.family}|{self.holder_ref}", self.period).id


def account_file(
    session: Session, actor: Actor, account_id: int, *, before: int = 0, size: int = 50
) -> AccountFile | None:
    """An account of the actor's books with its entries; None for another's.

    A limited account keeps a balance with every entry. A free one does not: its transfers are listed (`before`
    counts rows there), and its totals are their sums.
    """
    account = account_named(session, actor, account_id)
    if account is None:
        return None
    ref = Ref(account.code, account.owner_ref, account.period)
    is_limited = account.flags != FREE
    if is_limited:
        figures = standings(session, account.book_id, [ref])[ref]
        given, taken = account.credits_posted, account.debits_posted
        entries = _entries(session, account, before, size + 1)
    else:
        figures = None
        given = free_credits(session, account.book_id, ref)
        taken = free_debits(session, account.book_id, ref)
        entries = _transfers(session, account, before, size + 1)
    return AccountFile(
        name=name_of(account),
        book=session.get_one(Book, account.book_id),
        is_limited=is_limited,
        figures=figures,
        debits=taken,
        credits=given,
        entries=entries[:size],
        older=entries[size - 1].mark if len(entries) > size else 0,
    )


def caps(
    session: Session, actor: Actor, *, text: str = "", period: int | None = None, page: int = 1
) -> Page[CapLine]:
    """The caps of all holders in the actor's books, the most used first."""
    query = (
        select(
            _CAPS.c.book,
            _CAPS.c.family,
            _CAPS.c.holder,
            func.coalesce(Holder.name, ""),
            _CAPS.c.period,
            _CAPS.c.opened_fen,
            _CAPS.c.used_fen,
            _CAPS.c.pending_fen,
        )
        .join(Book, Book.code == _CAPS.c.book)
        .outerjoin(Holder, Holder.ref == _CAPS.c.holder)
        .where(Book.book_id.in_(actor.book_ids))
        .order_by(_CAPS.c.period.desc(), (_CAPS.c.used_fen + _CAPS.c.pending_fen).desc(), _CAPS.c.holder)
    )
    if text:
        query = query.where(
            or_(Holder.name.contains(text, autoescape=True), _CAPS.c.holder.icontains(text, autoescape=True))
        )
    if period is not None:
        query = query.where(_CAPS.c.period == period)
    return paged(session, query, CapLine, page=page)


def _entries(session: Session, account: Account, before: int, limit: int) -> list[EntryLine]:
    query = (
        select(
            Entry.posting_id,
            as_term(Posting.kind, PostingKind),
            Posting.posted_at,
            Posting.event_on,
            Entry.amount,
            Entry.pending_delta,
            Entry.balance,
            Entry.seq,
        )
        .join(Posting, (Posting.book_id == Entry.book_id) & (Posting.id == Entry.posting_id))
        .where(Entry.book_id == account.book_id, Entry.account_id == account.id)
        .order_by(Entry.seq.desc())
        .limit(limit)
    )
    if before:
        query = query.where(Entry.seq < before)
    return [EntryLine(*row) for row in session.execute(query)]


def _transfers(session: Session, account: Account, skip: int, limit: int) -> list[EntryLine]:
    query = (
        select(Transfer, Posting)
        .join(Posting, (Posting.book_id == Transfer.book_id) & (Posting.id == Transfer.posting_id))
        .where(
            Transfer.book_id == account.book_id,
            or_(Transfer.debit_id == account.id, Transfer.credit_id == account.id),
        )
        .order_by(Posting.posted_at.desc(), Transfer.posting_id, Transfer.leg)
        .offset(skip)
        .limit(limit)
    )
    found = []
    for row, (transfer, posting) in enumerate(session.execute(query), start=skip + 1):
        signed = transfer.amount if transfer.credit_id == account.id else -transfer.amount
        is_posted = transfer.phase in (Phase.SINGLE.value, Phase.POST.value)
        reserved = {Phase.PENDING.value: signed, Phase.VOID.value: -signed}.get(transfer.phase, 0)
        found.append(
            EntryLine(
                posting.id,
                PostingKind(posting.kind),
                posting.posted_at,
                posting.event_on,
                signed if is_posted else 0,
                reserved,
                None,
                row,
            )
        )
    return found
