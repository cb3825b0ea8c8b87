"""Several books as one: all their accounts locked in order, and what one request posts in them stands whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.ledger.accounts import Ref
from voucher.ledger.events import Accepted, Event, Rejected
from voucher.ledger.locking import Locked, lock
from voucher.operations.charges import post_all, refs_of


@dataclass(frozen=True, slots=True)
class Joint:
    """What one request posts, by book: at most one event in each. `lead` is the book of the programme."""

    lead: int
    events: Mapping[int, Event]


def lock_books(session: Session, refs: Mapping[int, Iterable[Ref]]) -> dict[int, Locked]:
    """Lock accounts of several books: book by book, by their ids, one statement each (docs/locking.md)."""
    return {book_id: lock(session, book_id, refs[book_id]) for book_id in sorted(refs)}


def refs_by_book(joints: Iterable[Joint]) -> dict[int, list[Ref]]:
    """Every account that these requests name, by book."""
    found: dict[int, list[Ref]] = {}
    for joint in joints:
        for book_id, event in joint.events.items():
            found.setdefault(book_id, []).extend(refs_of(event.legs))
    return found


def post_together(
    session: Session, locks: Mapping[int, Locked], joints: Sequence[Joint], *, at: datetime
) -> list[Accepted | Rejected]:
    """Post requests, each in all its books or in none; `locks` covers every book and account that they name.

    Co-funders' books come first, so that what they refuse refuses the request alone. A request whose day is closed in
    one of its books is rejected (`period_closed`) before anything is posted. Raises Refusal, which undoes the whole
    transaction, where a book refuses what another has taken already.
    """
    answers: list[Accepted | Rejected | None] = [_closed(locks, joint) for joint in joints]
    for leads in (False, True):
        for book_id in sorted({book_id for joint in joints for book_id in joint.events}):
            places = [
                place
                for place, joint in enumerate(joints)
                if book_id in joint.events
                and (book_id == joint.lead) is leads
                and not isinstance(answers[place], Rejected)
            ]
            events = [joints[place].events[book_id] for place in places]
            for place, answer in zip(places, post_all(session, locks[book_id], events, at=at), strict=True):
                if isinstance(answer, Rejected) and answers[place] is not None:
                    raise Refusal(answer.code, **answer.facts)
                answers[place] = answer
    return [_answered(answer) for answer in answers]


def _closed(locks: Mapping[int, Locked], joint: Joint) -> Rejected | None:
    for book_id, event in sorted(joint.events.items()):
        closed = locks[book_id].closed_through
        if closed is not None and event.event_on <= closed:
            return Rejected(Code.PERIOD_CLOSED, {"closed_through": closed.isoformat()})
    return None


def _answered(answer: Accepted | Rejected | None) -> Accepted | Rejected:
    if answer is None:
        raise ValueError("a request that posts nothing")
    return answer
