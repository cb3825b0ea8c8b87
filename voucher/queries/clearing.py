"""What two books say about each other: orders settled between them, money sent and received, what is in transit.

Each figure is read from the ledger of the book that it stands in, never from the other's; so a statement shows by
itself whether the two books mirror.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from voucher.ledger import accounts
from voucher.ledger.balances import free_balance, standings
from voucher.models.cofunding import PledgeDocument, Remittance
from voucher.models.ledger import Account, Book, Posting, Transfer
from voucher.models.programmes import Programme
from voucher.rules.permissions import Actor
from voucher.terms import PostingKind, RemittanceState

_ON_THE_WAY = (RemittanceState.SENT.value, RemittanceState.NOTED.value)


@dataclass(frozen=True, slots=True)
class PledgeLine:
    """One pledge of a book: what was promised for a programme (or `agreement|programme`) and a year, and where it is.

    `name` is the programme's; `agreement_code` is empty where the promise is for any order of the programme.
    """

    book: Book
    owner: str
    name: str
    agreement_code: str
    year: int
    pledged_fen: int
    reserved_fen: int
    taken_fen: int
    left_fen: int
    documents: tuple[PledgeDocument, ...]


@dataclass(frozen=True, slots=True)
class SettledLine:
    """One settled order in both books: what the payer's and what the taker's ledger says, in fen."""

    order_number: str
    on: date
    payer_fen: int
    taker_fen: int


@dataclass(frozen=True, slots=True)
class Direction:
    """What `payer` owes `taker`: settled, sent and received, in fen, each as the book that posts it says."""

    payer: Book
    taker: Book
    lines: tuple[SettledLine, ...]
    sent_fen: int
    received_fen: int

    @property
    def payer_fen(self) -> int:
        """What was settled, by the payer's ledger."""
        return sum(line.payer_fen for line in self.lines)

    @property
    def taker_fen(self) -> int:
        """What was settled, by the taker's ledger."""
        return sum(line.taker_fen for line in self.lines)

    @property
    def owed_fen(self) -> int:
        """What is settled and not sent yet, by the payer's ledger."""
        return self.payer_fen - self.sent_fen

    @property
    def in_transit_fen(self) -> int:
        """Sent and not received yet."""
        return self.sent_fen - self.received_fen

    @property
    def mirrors(self) -> bool:
        """Whether both ledgers say the same about every order."""
        return all(line.payer_fen == line.taker_fen for line in self.lines)


@dataclass(frozen=True, slots=True)
class Statement:
    """The statement of a pair of books, the same for both sides; `other_fen` is the balance of the other's account."""

    first: Book
    second: Book
    directions: tuple[Direction, ...]
    remittances: tuple[Remittance, ...]
    first_fen: int
    second_fen: int

    @property
    def in_transit_fen(self) -> int:
        """What one book has sent and the other has not received, in either direction."""
        return sum(each.in_transit_fen for each in self.directions)

    @property
    def mirrors(self) -> bool:
        """Whether the books differ by nothing but what is on its way, and that is what the remittances say."""
        ways = {each.payer.book_id: each.in_transit_fen for each in self.directions}
        told = dict.fromkeys(ways, 0)
        for row in self.remittances:
            if row.state in _ON_THE_WAY:
                told[row.from_book_id] += row.amount_fen
        balanced = self.first_fen + self.second_fen == -self.in_transit_fen
        return balanced and told == ways and all(each.mirrors for each in self.directions)


def pledges(session: Session, actor: Actor) -> list[PledgeLine]:
    """Every pledge of the actor's books, newest year first."""
    query = select(PledgeDocument, Book).join(Book, Book.book_id == PledgeDocument.book_id)
    query = query.where(PledgeDocument.book_id.in_(actor.book_ids))
    order = (PledgeDocument.year.desc(), PledgeDocument.owner, PledgeDocument.id)
    found: dict[tuple[int, str, int], list[PledgeDocument]] = {}
    books: dict[int, Book] = {}
    for document, book in session.execute(query.order_by(*order)):
        books[book.book_id] = book
        found.setdefault((book.book_id, document.owner, document.year), []).append(document)
    names = {each.code: each.name for each in session.scalars(select(Programme))}
    lines = []
    for (book_id, owner, year), documents in found.items():
        agreement_code, _, programme_code = owner.rpartition("|")
        ref = accounts.pledge(owner, year)
        standing = standings(session, book_id, [ref])[ref]
        pledged = sum(document.amount_fen for document in documents)
        lines.append(
            PledgeLine(
                books[book_id],
                owner,
                names[programme_code],
                agreement_code,
                year,
                pledged,
                standing.reserved_fen,
                pledged - standing.reserved_fen - standing.available_fen,
                standing.available_fen,
                tuple(documents),
            )
        )
    return lines


def pairs(session: Session, actor: Actor) -> list[tuple[Book, Book]]:
    """The actor's books, each with every other book that it has a clearing account with."""
    other = aliased(Book)
    query = (
        select(Book, other)
        .join(Account, Account.book_id == Book.book_id)
        .join(other, other.code == Account.owner_ref)
        .where(Account.code == "clearing", Book.book_id.in_(actor.book_ids))
        .order_by(Book.code, other.code)
    )
    return [(own, with_) for own, with_ in session.execute(query)]


def statement(session: Session, actor: Actor, own_code: str, other_code: str) -> Statement | None:
    """The statement of two books, for finance of either side; None for others, or where they have nothing in common."""
    for own, other in pairs(session, actor):
        if (own.code, other.code) == (own_code, other_code):
            return _statement(session, own, other)
    return None


def _statement(session: Session, own: Book, other: Book) -> Statement:
    ids = (own.book_id, other.book_id)
    rows = select(Remittance).where(Remittance.from_book_id.in_(ids), Remittance.to_book_id.in_(ids))
    return Statement(
        own,
        other,
        (_direction(session, own, other), _direction(session, other, own)),
        tuple(session.scalars(rows.order_by(Remittance.id.desc()))),
        free_balance(session, own.book_id, accounts.clearing(other.code)),
        free_balance(session, other.book_id, accounts.clearing(own.code)),
    )


def _direction(session: Session, payer: Book, taker: Book) -> Direction:
    owed = _settled(session, payer, accounts.clearing(taker.code).id, as_payer=True)
    claimed = _settled(session, taker, accounts.clearing(payer.code).id, as_payer=False)
    lines = [
        SettledLine(number, (owed.get(number) or claimed[number])[0], *amounts)
        for number in sorted(owed.keys() | claimed.keys())
        for amounts in [(owed.get(number, (None, 0))[1], claimed.get(number, (None, 0))[1])]
    ]
    sent = _remitted(session, payer, accounts.clearing(taker.code).id, as_payer=True)
    received = _remitted(session, taker, accounts.clearing(payer.code).id, as_payer=False)
    return Direction(payer, taker, tuple(lines), sent, received)


def _settled(
    session: Session, book: Book, clearing: int, *, as_payer: bool
) -> Mapping[str, tuple[date, int]]:
    """By order the day and amount that a book settled over a clearing account: it pays on credit, is paid on debit."""
    own = aliased(Transfer)
    named = aliased(Account)
    side = Transfer.credit_id if as_payer else Transfer.debit_id
    query = (
        select(named.owner_ref, Posting.event_on, Transfer.amount)
        .join(Posting, (Posting.book_id == Transfer.book_id) & (Posting.id == Transfer.posting_id))
        .join(own, (own.book_id == Transfer.book_id) & (own.posting_id == Transfer.posting_id))
        .join(named, (named.book_id == own.book_id) & (named.id == own.debit_id))
        .where(
            Transfer.book_id == book.book_id,
            side == clearing,
            Posting.kind == PostingKind.SETTLE.value,
            named.code == ("share" if as_payer else "order"),
        )
    )
    return {number: (on, amount) for number, on, amount in session.execute(query)}


def _remitted(session: Session, book: Book, clearing: int, *, as_payer: bool) -> int:
    """What a book sent (or received) over a clearing account."""
    side = Transfer.debit_id if as_payer else Transfer.credit_id
    query = (
        select(Transfer.amount)
        .join(Posting, (Posting.book_id == Transfer.book_id) & (Posting.id == Transfer.posting_id))
        .where(Transfer.book_id == book.book_id, side == clearing, Posting.kind == PostingKind.REMIT.value)
    )
    return sum(session.scalars(query))


@dataclass(frozen=True, slots=True)
class RemittanceFile:
    """A remittance with its two books, and which side the reader is on."""

    row: Remittance
    sender: Book
    taker: Book
    sends: bool
    receives: bool


def remittance_file(session: Session, actor: Actor, number: str) -> RemittanceFile | None:
    """A remittance of one of the actor's books; None for another's."""
    sender, taker = aliased(Book), aliased(Book)
    query = (
        select(Remittance, sender, taker)
        .join(sender, sender.book_id == Remittance.from_book_id)
        .join(taker, taker.book_id == Remittance.to_book_id)
        .where(Remittance.number == number)
    )
    found = session.execute(query).one_or_none()
    if found is None:
        return None
    row, gives, takes = found
    sides = gives.book_id in actor.book_ids, takes.book_id in actor.book_ids
    return RemittanceFile(row, gives, takes, *sides) if any(sides) else None


def programmes_of_others(session: Session, actor: Actor) -> list[Programme]:
    """The programmes that a book of the actor may pledge for: those led by other books."""
    query = select(Programme).where(Programme.book_id.not_in(actor.book_ids)).order_by(Programme.code)
    return list(session.scalars(query))


def own_book(session: Session, actor: Actor, code: str) -> Book | None:
    """One of the actor's books by its code."""
    query = select(Book).where(Book.code == code, Book.book_id.in_(actor.book_ids))
    return session.scalars(query).one_or_none()
