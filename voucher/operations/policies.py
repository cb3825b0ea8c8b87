"""Reading published policy versions. A version never changes, so a parsed one is kept, by its content."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.models.programmes import PolicyVersion
from voucher.rules.policy import Policy
from voucher.rules.policy_reading import read
from voucher.terms import PolicyState

_parsed: dict[str, Policy] = {}


def policies_of(session: Session, policy_codes: Iterable[str]) -> dict[str, Policy]:
    """The policy versions of these codes, in one statement where all were parsed before. LookupError if one is missing."""
    wanted = set(policy_codes)
    query = select(PolicyVersion.code, PolicyVersion.sha256).where(PolicyVersion.code.in_(wanted))
    found = {code: _policy(session, code, sha256) for code, sha256 in session.execute(query)}
    if found.keys() != wanted:
        raise LookupError(f"no policy version {sorted(wanted - found.keys())}")
    return found


def policy_of(session: Session, policy_code: str) -> Policy:
    """The policy version that an order, a voucher or a posting names. LookupError if there is none."""
    return policies_of(session, [policy_code])[policy_code]


def policy_in_force(session: Session, programme_code: str, at: datetime) -> Policy:
    """The version of a programme that is in force on the day of `at`; refused where there is none."""
    on = business_date(at)
    found = session.execute(
        select(PolicyVersion.code, PolicyVersion.sha256)
        .where(
            PolicyVersion.programme_code == programme_code,
            PolicyVersion.state == PolicyState.PUBLISHED.value,
            PolicyVersion.effective_from <= on,
            or_(PolicyVersion.effective_to.is_(None), PolicyVersion.effective_to > on),
        )
        .order_by(PolicyVersion.effective_from.desc())
        .limit(1)
    ).first()
    if found is None:
        raise Refusal(Code.POLICY_NOT_PUBLISHED, programme=programme_code, on=on.isoformat())
    return _policy(session, found.code, found.sha256)


def _policy(session: Session, code: str, sha256: str) -> Policy:
    """The version as parsed; its text is read once for a process, for the sha256 covers text and fill-ins."""
    if sha256 not in _parsed:
        query = select(PolicyVersion.text, PolicyVersion.fills).where(PolicyVersion.code == code)
        text, fills = session.execute(query).one()
        _parsed[sha256] = read(text, tuple(fills))
    return _parsed[sha256]
