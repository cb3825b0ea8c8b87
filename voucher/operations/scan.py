"""A platform scans a code: one session, once (扫码). Verdicts in the order of counter.md.

A refusal of a scan leaves a trace: it is *returned*, so that the entry point commits it and then shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from voucher.clock import iso
from voucher.codes import Code20, Keys, Verdict, verify_code
from voucher.errors import Code, Fact
from voucher.models.parties import Certification
from voucher.models.sessions import RedemptionSession, ScanAttempt
from voucher.operations import find, journal
from voucher.operations.open_session import OPEN_MINUTES
from voucher.operations.outcome import Refused
from voucher.rules.eligibility import LIVE
from voucher.rules.permissions import Actor
from voucher.terms import CertificationState, SessionState, VoucherState

WRONG_TAGS = 5
RATE_MINUTES = 10
RATE_REFUSALS = 30
LOOKED_UP = "looked_up"
"""What stands in place of a verdict where a voucher on paper was looked up."""


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """A code as read, the platform that reads it, and when it was presented.

    `presented_at` is the instant of arrival: the scan's own, or that of a scan ticket (at most 5 minutes old)
    when signing in came between.
    """

    code: Code20
    platform_id: int
    presented_at: datetime


def scan(
    session: Session, request: ScanRequest, keys: Keys, *, actor: Actor, at: datetime
) -> RedemptionSession | Refused:
    """OPEN → SCANNED, and the code is dead for ever.

    Refused by exception: a platform that is not the actor's (`not_found`). Returned, to be committed:
    `scan_rate_limited`, `qr_invalid` (five wrong tags close the session), `qr_expired`, `voucher_revoked`,
    `provider_suspended`, `qr_used` (with when, and by whom where it was this platform).
    """
    platform = find.platform_of(session, request.platform_id, actor=actor)
    if _refusals(session, platform.id, at) >= RATE_REFUSALS:
        return Refused(Code.SCAN_RATE_LIMITED, {"minutes": RATE_MINUTES})
    row = session.scalars(
        select(RedemptionSession)
        .options(joinedload(RedemptionSession.voucher, innerjoin=True))
        .where(RedemptionSession.number == request.code.number)
        .with_for_update(of=RedemptionSession)
        .execution_options(populate_existing=True)
    ).one_or_none()
    verdict = verify_code(keys, request.code, request.presented_at) if row else Verdict.INVALID
    refusal = _refusal(session, row, verdict, platform.id, at=at)
    if refusal is not None or row is None:
        refusal = refusal or Refused(Code.QR_INVALID)
        attempt = ScanAttempt(
            platform_id=platform.id, scanned_by=actor.person_id, scanned_at=at, verdict=refusal.code.value
        )
        session.add(attempt)
        facts: dict[str, Fact] = {"platform": platform.id, "verdict": refusal.code.value}
        journal.record(session, actor, "session.scan_refused", [(request.code.number, facts)], at=at)
        session.flush()
        return refusal
    row.state = SessionState.SCANNED.value
    row.platform_id = platform.id
    row.scanned_by = actor.person_id
    row.scanned_at = at
    row.closes_at = at + timedelta(minutes=OPEN_MINUTES)
    journal.record(session, actor, "session.scan", [(row.number, {"platform": platform.id})], at=at)
    session.flush()
    return row


def _refusal(
    session: Session, row: RedemptionSession | None, verdict: Verdict, platform_id: int, *, at: datetime
) -> Refused | None:
    if row is None:
        return Refused(Code.QR_INVALID)
    if verdict is Verdict.INVALID:
        return Refused(Code.QR_INVALID, _count_wrong_tag(row, at))
    if row.voucher.state == VoucherState.REVOKED.value:
        return Refused(Code.VOUCHER_REVOKED)
    suspended = _suspension(session, platform_id)
    if suspended is not None:
        return Refused(Code.PROVIDER_SUSPENDED, {"state": suspended})
    if row.scanned_at is not None:
        mine = row.platform_id == platform_id
        return Refused(Code.QR_USED, {"scanned_at": iso(row.scanned_at), "by_this_platform": mine})
    if verdict is Verdict.EXPIRED or row.state != SessionState.OPEN.value or at >= row.closes_at:
        return Refused(Code.QR_EXPIRED)
    return None


def _count_wrong_tag(row: RedemptionSession, at: datetime) -> dict[str, Fact]:
    """Count a wrong tag on an open session; the fifth closes it. How many are left is a fact of the refusal."""
    if row.state != SessionState.OPEN.value:
        return {}
    row.wrong_tags += 1
    if row.wrong_tags >= WRONG_TAGS:
        row.state = SessionState.CANCELLED.value
        row.closed_at = at
        row.close_reason = "wrong_tags"
    return {"left": max(WRONG_TAGS - row.wrong_tags, 0)}


def _suspension(session: Session, platform_id: int) -> str | None:
    """The state that bars a platform none of whose certifications is in force; None for one that may serve."""
    query = select(Certification.state).where(Certification.platform_id == platform_id)
    states = set(session.scalars(query))
    if not states or states & LIVE:
        return None
    suspended = CertificationState.SUSPENDED.value
    return suspended if suspended in states else CertificationState.REVOKED.value


def _refusals(session: Session, platform_id: int, at: datetime) -> int:
    query = select(func.count()).where(
        ScanAttempt.platform_id == platform_id,
        ScanAttempt.scanned_at > at - timedelta(minutes=RATE_MINUTES),
        ScanAttempt.verdict != LOOKED_UP,
    )
    return session.scalars(query).one()
