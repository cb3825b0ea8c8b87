"""Files of claims: what was handed in, and the rows that say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from voucher.models.claims import Document
from voucher.operations.keep_files import keep_files
from voucher.rules.permissions import Actor
from voucher.store import Stored
from voucher.terms import DocumentKind


@dataclass(frozen=True, slots=True)
class GivenDocument:
    """A file of the claim, already in the store: its kind, and what the store said of it."""

    kind: DocumentKind
    sha256: str
    size_bytes: int
    media_type: str
    file_name: str
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)
    parts: tuple[Stored, ...] = ()

    @property
    def stored(self) -> Stored:
        """What the store said of it."""
        return Stored(
            self.sha256, self.size_bytes, self.media_type, self.file_name, facts=self.facts, parts=self.parts
        )


def given_as(kind: DocumentKind, stored: Stored) -> GivenDocument:
    """A stored file as a paper of this kind."""
    return GivenDocument(
        kind,
        stored.sha256,
        stored.size_bytes,
        stored.media_type,
        stored.file_name,
        facts=stored.facts,
        parts=stored.parts,
    )


def keep(
    session: Session,
    given: Sequence[tuple[int, GivenDocument]],
    *,
    actor: Actor,
    at: datetime,
    round_no: int = 0,
) -> None:
    """Write down the documents of claims, each with its claim's id, whose row must be there, and the claims' round."""
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
            "round": round_no,
        }
        for claim_id, each in given
    ]
    if rows:
        keep_files(session, [each.stored for _, each in given], actor=actor, at=at)
        session.connection().execute(insert(Document), rows)
