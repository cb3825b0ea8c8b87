"""What is known of files that a case names: what was read from them, and how they are to be treated."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.models.files import StoredFile


def stored_files(session: Session, digests: Iterable[str]) -> dict[str, StoredFile]:
    """Hash -> its file. The caller has made sure that what names the hashes is the reader's to see."""
    wanted = set(digests)
    if not wanted:
        return {}
    rows = session.scalars(select(StoredFile).where(StoredFile.sha256.in_(wanted)))
    return {row.sha256: row for row in rows}
