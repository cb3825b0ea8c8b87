"""Writing down who did what, in the transaction that does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from voucher.errors import Fact
from voucher.models.journal import Journal
from voucher.rules.permissions import Actor

_INSERT = insert(Journal)


def record(
    session: Session,
    actor: Actor,
    action: str,
    subjects: Sequence[tuple[str, Mapping[str, Fact]]],
    *,
    at: datetime,
) -> None:
    """One journal row for each subject and its facts: numbers and ids, no personal data.

    A fact named `rule_version` says which policy version the deed rests on.
    """
    rows = [
        {
            "done_at": at,
            "actor_ref": actor.ref,
            "action": action,
            "subject": subject,
            "facts": dict(facts),
            "rule_version": str(facts.get("rule_version", "")),
            "source": actor.source,
        }
        for subject, facts in subjects
    ]
    if rows:
        session.connection().execute(_INSERT, rows)
