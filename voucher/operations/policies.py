"""Reading published policy versions. A version never changes, so a parsed one is kept."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.models.programmes import PolicyVersion
from voucher.rules.policy import Policy
from voucher.rules.policy_reading import read
from voucher.terms import PolicyState


@lru_cache(maxsize=256)
def _parsed(_sha256: str, text: str, fills: tuple[str, ...]) -> Policy:
    return read(text, fills)


def policy_of(session: Session, policy_code: str) -> Policy:
    """The policy version that an order, a voucher or a posting names."""
    version = session.get_one(PolicyVersion, policy_code)
    return _parsed(version.sha256, version.text, tuple(version.fills))


def policy_in_force(session: Session, programme_code: str, at: datetime) -> Policy:
    """The version of a programme that is in force on the day of `at`; refused where there is none."""
    on = business_date(at)
    code = session.scalars(
        select(PolicyVersion.code)
        .where(
            PolicyVersion.programme_code == programme_code,
            PolicyVersion.state == PolicyState.PUBLISHED.value,
            PolicyVersion.effective_from <= on,
            or_(PolicyVersion.effective_to.is_(None), PolicyVersion.effective_to > on),
        )
        .order_by(PolicyVersion.effective_from.desc())
        .limit(1)
    ).first()
    if code is None:
        raise Refusal(Code.POLICY_NOT_PUBLISHED, programme=programme_code, on=on.isoformat())
    return policy_of(session, code)

