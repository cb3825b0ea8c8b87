"""Writing down that a stored file is part of a case, so that it is kept, checked and handed out as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from voucher.ledger.bulk import is_postgresql
from voucher.models.files import StoredFile
from voucher.rules.permissions import Actor
from voucher.store import Stored
from voucher.terms import Retention


@dataclass(frozen=True, slots=True)
class Care:
    """How files are to be treated: `confidential` for commercial secrets, and by which rule they are kept."""

    confidential: bool = False
    retention: Retention = Retention.VOUCHER


ORDINARY: Final = Care()
_STRENGTH: Final = {retention: place for place, retention in enumerate(Retention)}
_AT_ONCE: Final = 500


def keep_files(
    session: Session, files: Sequence[Stored], *, actor: Actor, at: datetime, care: Care = ORDINARY
) -> None:
    """Write a row for every file and every part that it was made of; call it where the file is attached.

    A content that has a row keeps its first uploader; it stays confidential once it was, takes the stronger
    retention (`Retention` in its order), and facts that were not read before. Nothing is refused; the actor must be
    a person.
    """
    wanted = {each.sha256: each for file in files for each in (*file.parts, file)}
    digests = sorted(wanted)
    for start in range(0, len(digests), _AT_ONCE):
        part = [wanted[digest] for digest in digests[start : start + _AT_ONCE]]
        made = _insert(session, part, care, _By(actor.person_id, at))
        _merge(session, [each for each in part if each.sha256 not in made], care)
    session.flush()


@dataclass(frozen=True, slots=True)
class _By:
    person_id: int
    at: datetime


def _insert(session: Session, files: Sequence[Stored], care: Care, by: _By) -> set[str]:
    """The hashes that had no row. On PostgreSQL a rival's uncommitted row is waited for; rows go in by hash."""
    dialect = postgresql if is_postgresql(session) else sqlite
    values: list[dict[str, Any]] = [
        {
            "sha256": each.sha256,
            "size_bytes": each.size_bytes,
            "media_type": each.media_type,
            "confidential": care.confidential,
            "retention": care.retention.value,
            "facts": dict(each.facts),
            "made_of": [part.sha256 for part in each.parts],
            "uploaded_by": by.person_id,
            "uploaded_at": by.at,
        }
        for each in files
    ]
    statement = (
        dialect.insert(StoredFile).values(values).on_conflict_do_nothing().returning(StoredFile.sha256)
    )
    return set(session.execute(statement).scalars())


def _merge(session: Session, files: Sequence[Stored], care: Care) -> None:
    if not files:
        return
    given = {each.sha256: each for each in files}
    query = (
        select(StoredFile)
        .where(StoredFile.sha256.in_(given))
        .order_by(StoredFile.sha256)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for row in session.scalars(query):
        row.confidential = row.confidential or care.confidential
        row.retention = max(Retention(row.retention), care.retention, key=_STRENGTH.__getitem__).value
        row.facts = {**given[row.sha256].facts, **row.facts}
