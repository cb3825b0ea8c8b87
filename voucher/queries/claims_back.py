"""What came back with a claim: the defects of its round, for the side that mends them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.models.claims import Claim
from voucher.models.review import ClaimDefect, ClaimReturn
from voucher.terms import ClaimItem


@dataclass(frozen=True, slots=True)
class Defects:
    """One notice of defects: its number, the last day, and each item with what is to be done."""

    number: str
    due_on: date | None
    contact: str
    items: Sequence[tuple[ClaimItem, str]]


def defects_of(session: Session, claim: Claim) -> Defects | None:
    """The defects that a claim went back with in its round; None where no reviewer sent it back."""
    row = session.scalars(
        select(ClaimReturn).where(ClaimReturn.claim_id == claim.id, ClaimReturn.round == claim.round)
    ).one_or_none()
    if row is None:
        return None
    items = session.execute(
        select(ClaimDefect.item, ClaimDefect.text)
        .where(ClaimDefect.return_id == row.id)
        .order_by(ClaimDefect.id)
    )
    return Defects(row.number, row.due_on, row.contact, [(ClaimItem(item), text) for item, text in items])
