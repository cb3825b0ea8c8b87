"""Redemption sessions as the two screens at the counter see them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, false, select
from sqlalchemy.orm import Session, joinedload

from voucher.models.parties import Holder, Platform
from voucher.models.sessions import RedemptionSession
from voucher.rules.permissions import Actor
from voucher.terms import SessionState

_WAITING = frozenset({SessionState.OPEN, SessionState.SCANNED})


def state_at(row: RedemptionSession, at: datetime) -> SessionState:
    """The state as it must be shown: a session past its time is expired, whether or not the sweep has come by."""
    state = SessionState(row.state)
    if state in _WAITING and at >= row.closes_at:
        return SessionState.EXPIRED
    if state is SessionState.PROPOSED and row.confirm_by is not None and at >= row.confirm_by:
        return SessionState.EXPIRED
    return state


def holders_session(session: Session, number: str, *, actor: Actor) -> RedemptionSession | None:
    """A session on a voucher of the actor's organisations; None for another's, or none."""
    if not actor.organisation_ids:
        return None
    mine = select(Holder.id).where(Holder.organisation_id.in_(actor.organisation_ids))
    query = _sessions().where(RedemptionSession.number == number, RedemptionSession.holder_id.in_(mine))
    row: RedemptionSession | None = session.scalars(query).one_or_none()
    return row


def platforms_session(session: Session, number: str, *, actor: Actor) -> RedemptionSession | None:
    """A session that one of the actor's platforms scanned; None for another's, or none."""
    if not actor.platform_ids:
        return None
    query = _sessions().where(
        RedemptionSession.number == number, RedemptionSession.platform_id.in_(actor.platform_ids)
    )
    row: RedemptionSession | None = session.scalars(query).one_or_none()
    return row


def recent_of_platforms(session: Session, *, actor: Actor, limit: int = 5) -> list[RedemptionSession]:
    """The sessions that the actor's platforms scanned last."""
    mine = RedemptionSession.platform_id.in_(actor.platform_ids) if actor.platform_ids else false()
    query = _sessions().where(mine).order_by(RedemptionSession.scanned_at.desc()).limit(limit)
    return list(session.scalars(query))


def waiting_for_holder(session: Session, *, actor: Actor, at: datetime) -> list[RedemptionSession]:
    """Proposals that wait for the actor's organisations to confirm, those that lapse soonest first."""
    mine = select(Holder.id).where(Holder.organisation_id.in_(actor.organisation_ids))
    query = (
        _sessions()
        .where(
            RedemptionSession.holder_id.in_(mine),
            RedemptionSession.state.in_([SessionState.SCANNED.value, SessionState.PROPOSED.value]),
        )
        .order_by(RedemptionSession.scanned_at)
    )
    return [row for row in session.scalars(query) if state_at(row, at) is not SessionState.EXPIRED]


def _sessions() -> Select[Any]:
    return select(RedemptionSession).options(
        joinedload(RedemptionSession.voucher, innerjoin=True),
        joinedload(RedemptionSession.holder, innerjoin=True),
        joinedload(RedemptionSession.platform).joinedload(Platform.organisation),
        joinedload(RedemptionSession.order),
    )
