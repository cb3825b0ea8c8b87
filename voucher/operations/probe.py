"""A write that leaves nothing behind: proof that the database takes writes."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from sqlalchemy import delete
from sqlalchemy.orm import Session

from voucher.models.people import SignInFailure


def probe(session: Session, *, at: datetime) -> None:
    """Insert a row that nobody looks for and delete it again; a database that is read-only or full fails here."""
    mark = f"probe-{uuid4().hex[:24]}"
    session.add(SignInFailure(login=mark, source=mark, failed_at=at))
    session.flush()
    session.execute(delete(SignInFailure).where(SignInFailure.login == mark))
