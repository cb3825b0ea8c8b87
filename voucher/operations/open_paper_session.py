"""A printed voucher at the counter: looked up, so many times, and a session that begins scanned, and that only the holder can confirm (纸质券)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from voucher.errors import Code, Fact, Refusal
from voucher.models.sessions import RedemptionSession, ScanAttempt
from voucher.models.vouchers import Voucher
from voucher.operations import find, journal
from voucher.operations.open_session import begun
from voucher.operations.outcome import Refused
from voucher.operations.scan import LOOKED_UP, RATE_MINUTES
from voucher.rules.permissions import Actor
from voucher.terms import SessionState

MOST_LOOKS: Final = 20


def look_up_paper(
    session: Session, voucher_number: str, *, platform_id: int, actor: Actor, at: datetime
) -> Voucher | Refused:
    """A voucher by the number on its paper, whoever holds it. To be committed in any case: every look is counted.

    Numbers follow each other, so a counter that looks up many is reading a list. Returned: `scan_rate_limited` after
    20 looks of a platform within ten minutes, `not_found`. Refused: a platform that is not the actor's (`not_found`).
    """
    platform = find.platform_of(session, platform_id, actor=actor)
    looks = select(func.count()).where(
        ScanAttempt.platform_id == platform.id,
        ScanAttempt.verdict == LOOKED_UP,
        ScanAttempt.scanned_at > at - timedelta(minutes=RATE_MINUTES),
    )
    if session.scalars(looks).one() >= MOST_LOOKS:
        return Refused(Code.SCAN_RATE_LIMITED, {"minutes": RATE_MINUTES})
    session.add(
        ScanAttempt(platform_id=platform.id, scanned_by=actor.person_id, scanned_at=at, verdict=LOOKED_UP)
    )
    voucher = session.scalars(select(Voucher).where(Voucher.number == voucher_number)).one_or_none()
    return voucher or Refused(Code.NOT_FOUND)


def open_paper_session(
    session: Session, voucher_number: str, *, platform_id: int, actor: Actor, at: datetime
) -> RedemptionSession:
    """Open a session on anybody's voucher, SCANNED by one of the actor's platforms, for 15 minutes.

    The caller has seen the papers of whoever brought the voucher; the journal keeps that they said so. Nothing can
    be taken until the holder confirms on a screen of their own. Refused: a platform that is not the actor's or a
    voucher that does not exist (`not_found`), `voucher_revoked`, `voucher_expired`, `voucher_not_usable`.
    """
    platform = find.platform_of(session, platform_id, actor=actor)
    voucher = session.scalars(
        select(Voucher)
        .where(Voucher.number == voucher_number)
        .with_for_update(read=True, of=Voucher)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if voucher is None:
        raise Refusal(Code.NOT_FOUND, voucher=voucher_number)
    opened = begun(session, voucher, actor=actor, at=at)
    opened.state = SessionState.SCANNED.value
    opened.platform_id = platform.id
    opened.scanned_by = actor.person_id
    opened.scanned_at = at
    session.add(opened)
    facts: dict[str, Fact] = {"voucher": voucher.number, "platform": platform.id, "papers_seen": True}
    journal.record(session, actor, "session.open_paper", [(opened.number, facts)], at=at)
    session.flush()
    return opened
