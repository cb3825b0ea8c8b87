"""Files of claims: what was handed in, and the rows that say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from voucher.models.claims import Document
from voucher.rules.permissions import Actor
from voucher.terms import DocumentKind


@dataclass(frozen=True, slots=True)
class GivenDocument:
    """A file of the claim, already in the store: its kind, and what the store said of it."""

    kind: DocumentKind
    sha256: str
    size_bytes: int
    media_type: str
    file_name: str


def keep(session: Session, given: Sequence[tuple[int, GivenDocument]], *, actor: Actor, at: datetime) -> None:
    """Write down the documents of claims, each with its claim's id, whose row must be there."""
    rows = [
        {
            "claim_id": claim_id,
            "kind": each.kind.value,
            "sha256": each.sha256,
            "size_bytes": each.size_bytes,
            "media_type": each.media_type,
            "file_name": each.file_name,
            "uploaded_by": actor.person_id,
            "uploaded_at": at,
        }
        for claim_id, each in given
    ]
    if rows:
        session.connection().execute(insert(Document), rows)
