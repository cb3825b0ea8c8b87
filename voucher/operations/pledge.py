"""Pledges (配套承诺): a co-funder's book promises money for another book's programme or agreement, by document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.ledger import accounts
from voucher.ledger.bulk import Rows, insert_missing
from voucher.ledger.events import Event, Leg, Rejected, posting_id
from voucher.ledger.locking import lock
from voucher.ledger.posting import post
from voucher.models.cofunding import PledgeDocument
from voucher.models.programmes import Programme
from voucher.money import Fen
from voucher.operations.alone import alone
from voucher.operations.journal import record
from voucher.operations.outcome import Refused
from voucher.rules.permissions import Actor
from voucher.terms import PostingKind


@dataclass(frozen=True, slots=True)
class PledgeRequest:
    """A document of book `book_id` promises an amount, in fen, for a programme and a year.

    `agreement_code` where the promise is for what an agreement recognises; empty: for the programme's own orders.
    """

    book_id: int
    programme_code: str
    year: int
    amount_fen: Fen
    document_no: str
    agreement_code: str = ""

    @property
    def owner(self) -> str:
        """What the pledge's account is called."""
        return f"{self.agreement_code}|{self.programme_code}" if self.agreement_code else self.programme_code


@dataclass(frozen=True, slots=True)
class Pledged:
    """The pledge that the amount is on, and whether the document had put it there already."""

    owner: str
    year: int
    replayed: bool


def pledge(
    session: Session, requests: Sequence[PledgeRequest], *, actor: Actor, at: datetime
) -> list[Pledged | Refused]:
    """Promise money: source → pledge in the co-funder's book, once for a document, a programme and a year.

    Refused one by one: a book that is not the actor's, a programme that does not exist or whose lead book this is
    (`not_found`), the document with another amount (`already_registered`), a closed day (`period_closed`).
    """
    return alone(session, requests, lambda request: _pledge(session, request, actor=actor, at=at))


def _pledge(session: Session, request: PledgeRequest, *, actor: Actor, at: datetime) -> Pledged:
    programme = session.get(Programme, request.programme_code)
    if request.book_id not in actor.book_ids:
        raise Refusal(Code.NOT_FOUND, book=request.book_id)
    if programme is None or programme.book_id == request.book_id:
        raise Refusal(Code.NOT_FOUND, programme=request.programme_code)
    named = (request.book_id, request.owner, request.year, request.document_no)
    columns = (
        "book_id",
        "owner",
        "year",
        "document_no",
        "programme_code",
        "amount_fen",
        "pledged_by",
        "pledged_at",
    )
    values = (*named, request.programme_code, request.amount_fen, actor.person_id, at)
    if not insert_missing(session, Rows(PledgeDocument, columns, [values])):
        return _again(session, request)
    event = Event(
        id=posting_id("pledge", *named),
        kind=PostingKind.PLEDGE,
        legs=(Leg(accounts.source(), accounts.pledge(request.owner, request.year), request.amount_fen),),
        fiscal_year=request.year,
        event_on=business_date(at),
        rule_version="",
        actor_ref=actor.ref,
    )
    locked = lock(session, request.book_id, [event.legs[0].debit, event.legs[0].credit])
    (answer,) = post(session, locked, [event], at=at)
    if isinstance(answer, Rejected):
        raise Refusal(answer.code, **answer.facts)
    facts: dict[str, Fact] = {"document_no": request.document_no, "amount_fen": request.amount_fen}
    record(session, actor, "pledge.add", [(f"pledge:{request.owner}:{request.year}", facts)], at=at)
    return Pledged(request.owner, request.year, replayed=False)


def _again(session: Session, request: PledgeRequest) -> Pledged:
    """The document stands already: with the same amount it is the same answer."""
    stands = session.scalars(
        select(PledgeDocument.amount_fen).where(
            PledgeDocument.book_id == request.book_id,
            PledgeDocument.owner == request.owner,
            PledgeDocument.year == request.year,
            PledgeDocument.document_no == request.document_no,
        )
    ).one()
    if stands != request.amount_fen:
        raise Refusal(Code.ALREADY_REGISTERED, subject=request.document_no)
    return Pledged(request.owner, request.year, replayed=True)
