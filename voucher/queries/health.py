"""Whether the system can do its work, for the machines that watch it."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from voucher.models.ledger import LogQueue


def log_lag(session: Session) -> int:
    """How many postings wait for the log at most; counted by queue numbers, so that asking stays cheap."""
    return session.execute(
        select(func.coalesce(func.max(LogQueue.qid) - func.min(LogQueue.qid) + 1, 0))
    ).scalar_one()
