"""Rounds of defects as the firm's side needs them: which items are open, and that they were answered."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from voucher.models.review import ClaimDefect, ClaimReturn
from voucher.terms import ClaimItem


def open_items(session: Session, claim_ids: Collection[int]) -> dict[int, frozenset[ClaimItem]]:
    """For each of these claims the items of the round that waits for an answer; nothing where none does."""
    query = (
        select(ClaimReturn.claim_id, ClaimDefect.item)
        .join(ClaimDefect, ClaimDefect.return_id == ClaimReturn.id)
        .where(ClaimReturn.claim_id.in_(set(claim_ids)), ClaimReturn.answered_at.is_(None))
    )
    found: dict[int, set[ClaimItem]] = {}
    for claim_id, item in session.execute(query):
        found.setdefault(claim_id, set()).add(ClaimItem(item))
    return {claim_id: frozenset(items) for claim_id, items in found.items()}


def answered(session: Session, claim_ids: Collection[int], *, at: datetime) -> None:
    """Close the open round of these claims: the firm has sent them again. The clock of the review goes on."""
    session.execute(
        update(ClaimReturn)
        .where(ClaimReturn.claim_id.in_(set(claim_ids)), ClaimReturn.answered_at.is_(None))
        .values(answered_at=at)
    )
