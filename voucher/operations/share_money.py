"""The parts of co-funders through an order's life: reserved, taken, trimmed and given back in their own books.

Each row of `OrderShare` says where its funder stands; a `Move` says what a step changes, and is written once the
step is posted. The lead book's row has no money of its own: it is what the others leave of the order's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.events import Event, Leg, posting_id
from voucher.models.cofunding import OrderShare
from voucher.models.ledger import Book
from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations.funders import Funding, book_of, by_book, joined
from voucher.operations.reservations import Reserved
from voucher.rules.cofunding import exact, reserved
from voucher.rules.policy import Policy, Share
from voucher.terms import Phase, PostingKind


@dataclass(frozen=True, slots=True)
class Move:
    """What a step posts in a funder's book (the lead: nothing), and what its row says afterwards."""

    row: OrderShare
    held_fen: int
    share_fen: int
    legs: tuple[Leg, ...] = ()


class Shared:
    """The rows of orders with several funders, the lead first; nothing is read where no order has any."""

    def __init__(self, session: Session, orders: Sequence[Order]) -> None:
        self._rows: dict[int, list[OrderShare]] = {}
        ids = [order.id for order in orders if order.funders]
        if not ids:
            return
        query = (
            select(OrderShare)
            .where(OrderShare.order_id.in_(ids))
            .order_by(OrderShare.order_id, OrderShare.position)
            .execution_options(populate_existing=True)
        )
        for row in session.scalars(query):
            self._rows.setdefault(row.order_id, []).append(row)

    def of(self, order: Order) -> list[OrderShare]:
        """The rows of one order; none where its lead book pays all."""
        return self._rows.get(order.id, [])

    def shares(self, order: Order, policy: Policy) -> tuple[Share, ...]:
        """The shares by which an order is paid, with their ceilings; the policy's where it has no rows (yet)."""
        return shares_of(self.of(order)) or policy.funding_shares

    def holds(self) -> list[tuple[int, UUID]]:
        """Book and posting of every open hold of a co-funder."""
        rows = (row for rows in self._rows.values() for row in rows)
        return [(row.book_id, row.hold_posting) for row in rows if row.hold_posting is not None]


class Books:
    """The codes of books by their ids: clearing accounts are called by them."""

    def __init__(self, session: Session, ids: Iterable[int]) -> None:
        rows = session.scalars(select(Book).where(Book.book_id.in_(set(ids))))
        self._codes = {row.book_id: row.code for row in rows}

    def code(self, book_id: int) -> str:
        """The code of one of them."""
        return self._codes[book_id]


def shares_of(rows: Sequence[OrderShare]) -> tuple[Share, ...]:
    """The shares that the rows of one order stand for; two of one book where two words of a policy mean it."""
    return tuple(Share(**portion) for row in rows for portion in row.portions)


def new_rows(order: Order, funding: Funding, amount_fen: Fen, others: Mapping[int, int]) -> list[OrderShare]:
    """The rows of an order that several pay, one a book, with what the `others` reserve of the amount, the lead's first."""
    held = {**others, funding.lead: _rest(amount_fen, others.values())}
    books: dict[int, list[Share]] = {}
    for share in funding.shares:
        books.setdefault(book_of(share.funder), []).append(share)
    order.funders = len(books)
    rows = []
    for position, book_id in enumerate(sorted(books, key=lambda each: each != funding.lead)):
        share, pledge = joined(books[book_id]), funding.pledges.get(book_id)
        rows.append(
            OrderShare(
                order=order,
                position=position,
                book_id=book_id,
                pledge_owner=pledge.owner if pledge else "",
                pledge_year=pledge.period if pledge else 0,
                parts=share.parts,
                whole=share.of,
                portions=[asdict(each) for each in books[book_id]],
                base_fen=funding.base_fen,
                held_fen=held.get(book_id, 0),
                share_fen=0,
                settled_fen=0,
            )
        )
    return rows


def taken(
    rows: Sequence[OrderShare], request: tuple[int, int, int], open_legs: Mapping[UUID, list[Reserved]]
) -> list[Move]:
    """The moves of a capture; `request`: captured before, taken now, held again, in fen of the order.

    A co-funder takes what its part, rounded up, of everything captured so far has grown by.
    """
    before, amount, keep = request
    if not rows:
        return []
    shares, base = shares_of(rows), Fen(rows[0].base_fen)
    after = by_book(shares, reserved(shares, Fen(before + amount), base))
    most = by_book(shares, reserved(shares, Fen(before + amount + keep), base))
    moves = [
        _taken(row, after[row.book_id], most[row.book_id] - after[row.book_id], open_legs) for row in rows[1:]
    ]
    lead = (
        _rest(keep, (move.held_fen for move in moves)),
        _rest(before + amount, (move.share_fen for move in moves)),
    )
    return [Move(rows[0], *lead), *moves]


def _taken(row: OrderShare, part: int, kept: int, open_legs: Mapping[UUID, list[Reserved]]) -> Move:
    now = part - row.share_fen
    if now == 0 and kept == row.held_fen:
        return Move(row, row.held_fen, row.share_fen)
    if row.hold_posting is None:
        raise ValueError(f"book {row.book_id} reserves nothing for order {row.order_id}")
    (leg,) = open_legs[row.hold_posting]
    legs = [leg.resolved(now, Phase.POST) if now else leg.resolved(leg.amount, Phase.VOID)]
    if kept:
        legs.append(Leg(leg.debit, leg.credit, kept, Phase.PENDING))
    return Move(row, kept, part, tuple(legs))


def released(rows: Sequence[OrderShare], open_legs: Mapping[UUID, list[Reserved]]) -> list[Move]:
    """The moves of a release: everything that is still reserved goes back to the pledges."""
    moves = []
    for row in rows:
        legs = open_legs[row.hold_posting] if row.hold_posting is not None else []
        voids = tuple(leg.resolved(leg.amount, Phase.VOID) for leg in legs)
        moves.append(Move(row, 0, row.share_fen, voids))
    return moves


def kept(order: Order, rows: Sequence[OrderShare], keep_fen: int, base_fen: int | None) -> list[Move]:
    """The moves that leave each funder its exact part of what stays of the order's money; nobody pays more than before.

    `base_fen` is what ceilings in basis points count on; None: as before.
    """
    if not rows:
        return []
    base = Fen(rows[0].base_fen if base_fen is None else base_fen)
    shares = shares_of(rows)
    parts = by_book(shares, exact(shares, Fen(keep_fen), base))
    moves = []
    for row in rows[1:]:
        now = min(parts[row.book_id], row.share_fen)
        back = row.share_fen - now
        legs = (Leg(accounts.share(order.number), pledge_of(row), back),) if back else ()
        moves.append(Move(row, row.held_fen, now, legs))
    lead = _rest(keep_fen, (move.share_fen for move in moves))
    return [Move(rows[0], rows[0].held_fen, lead), *moves]


def _rest(whole_fen: int, others: Iterable[int]) -> int:
    """What the lead book pays; nothing where the parts of the others, rounded up, are more than all."""
    return max(whole_fen - sum(others), 0)


def pledge_of(row: OrderShare) -> Ref:
    """The account that a co-funder's part comes from."""
    return accounts.pledge(row.pledge_owner, row.pledge_year)


def events(
    moves: Sequence[Move], order: Order, lead: tuple[PostingKind, UUID], *, actor_ref: str, at: datetime
) -> dict[int, Event]:
    """What the moves post, by book, beside the posting of the lead book (its kind and id)."""
    kind, posting = lead
    return {
        move.row.book_id: Event(
            id=share_posting(posting, move.row.book_id),
            kind=kind,
            legs=move.legs,
            fiscal_year=order.fiscal_year,
            event_on=business_date(at),
            rule_version=order.policy_code,
            actor_ref=actor_ref,
        )
        for move in moves
        if move.legs
    }


def share_posting(lead: UUID, book_id: int) -> UUID:
    """The id of the posting in a co-funder's book that goes with one of the lead book."""
    return posting_id("share", str(lead), book_id)


def write(moves: Sequence[Move], posted: Mapping[int, Event]) -> None:
    """Write what is posted on the rows."""
    for move in moves:
        row = move.row
        row.held_fen, row.share_fen = move.held_fen, move.share_fen
        if not row.held_fen:
            row.hold_posting = None
        elif row.book_id in posted:
            row.hold_posting = posted[row.book_id].id
