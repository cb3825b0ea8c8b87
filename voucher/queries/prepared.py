"""Papers prepared for the claims of one's own firms' orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from voucher.models.files import StoredFile
from voucher.models.joining import PreparedPaper
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.people import Person
from voucher.queries.paging import as_term
from voucher.rules.permissions import Actor
from voucher.terms import DocumentKind


@dataclass(frozen=True, slots=True)
class PreparedLine:
    """A prepared paper, and who prepared it."""

    id: int
    kind: DocumentKind
    sha256: str
    file_name: str
    media_type: str
    prepared_by: str
    prepared_at: datetime


def prepared_papers(session: Session, actor: Actor, order_number: str) -> Sequence[PreparedLine]:
    """What is prepared for the claim of an order of the actor's firms."""
    query = _query(actor, order_number).order_by(PreparedPaper.id)
    return [PreparedLine(*row) for row in session.execute(query)]


def prepared_paper(session: Session, actor: Actor, order_number: str, paper_id: int) -> PreparedLine | None:
    """One of them; None for another's."""
    row = session.execute(_query(actor, order_number).where(PreparedPaper.id == paper_id)).one_or_none()
    return PreparedLine(*row) if row else None


def _query(actor: Actor, order_number: str) -> Select[Any]:
    return (
        select(
            PreparedPaper.id,
            as_term(PreparedPaper.kind, DocumentKind),
            PreparedPaper.sha256,
            PreparedPaper.file_name,
        )
        .add_columns(StoredFile.media_type, Person.name, PreparedPaper.prepared_at)
        .join(Order, Order.id == PreparedPaper.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .join(StoredFile, StoredFile.sha256 == PreparedPaper.sha256)
        .join(Person, Person.id == PreparedPaper.prepared_by)
        .where(
            Order.number == order_number,
            Holder.organisation_id.in_(actor.organisation_ids),
            PreparedPaper.dropped_at.is_(None),
        )
    )
