"""Years without a new certification (不得申报) after an organisation was struck off (Lhasa 2019, 二（三）)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.models.checks import PartyBan
from voucher.models.parties import Organisation
from voucher.terms import Measure


def lock_organisation(session: Session, organisation_id: int) -> str | None:
    """Its USCC; the row is held FOR UPDATE, so that certifying and striking off come one by one. None: not there."""
    query = select(Organisation.uscc).where(Organisation.id == organisation_id).with_for_update()
    return session.scalars(query).one_or_none()


def refuse_locked(session: Session, uscc: str, path: str, *, on: date) -> None:
    """Refused as `reapply_locked` where a lock in force covers the certifying region, given by its path.

    A lock of a city counts for the city and what lies below it; to_on is the first day on which one may apply again.
    """
    query = (
        select(PartyBan)
        .where(
            PartyBan.uscc == uscc,
            PartyBan.measure == Measure.REAPPLY_LOCK.value,
            PartyBan.from_on <= on,
            PartyBan.to_on > on,
            PartyBan.lifted_at.is_(None),
        )
        .order_by(PartyBan.to_on.desc())
    )
    for row in session.scalars(query):
        if row.region_code is None or f"/{row.region_code}/" in path:
            raise Refusal(
                Code.REAPPLY_LOCKED,
                decision_no=row.decision_no,
                legal_basis=row.legal_basis,
                to_on=row.to_on.isoformat() if row.to_on else "",
            )
