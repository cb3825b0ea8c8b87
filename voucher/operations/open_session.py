"""The holder shows a code: a redemption session is opened (出示券码)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.codes import new_session_number
from voucher.errors import Code, Refusal
from voucher.models.sessions import RedemptionSession
from voucher.models.vouchers import Voucher
from voucher.operations import find, journal
from voucher.rules.eligibility import voucher_live
from voucher.rules.permissions import Actor
from voucher.terms import SessionState, VoucherState

OPEN_MINUTES = 15
_DRAWN = 4


def open_session(session: Session, voucher_number: str, *, actor: Actor, at: datetime) -> RedemptionSession:
    """Open a session on one of the actor's own vouchers, for 15 minutes; their older open one on it is cancelled.

    Refused: another's voucher or none (`not_found`), `voucher_revoked`, `voucher_expired`, `voucher_not_usable`.
    """
    _cancel_open(session, voucher_number, actor=actor, at=at)
    voucher = find.own_vouchers(session, [voucher_number], actor=actor).get(voucher_number)
    if voucher is None:
        raise Refusal(Code.NOT_FOUND, voucher=voucher_number)
    opened = begun(session, voucher, actor=actor, at=at)
    session.add(opened)
    journal.record(session, actor, "session.open", [(opened.number, {"voucher": voucher.number})], at=at)
    session.flush()
    return opened


def _cancel_open(session: Session, voucher_number: str, *, actor: Actor, at: datetime) -> None:
    """Cancel the actor's open session on this voucher: before the voucher is locked (docs/locking.md)."""
    session.execute(
        update(RedemptionSession)
        .where(
            RedemptionSession.voucher_id.in_(select(Voucher.id).where(Voucher.number == voucher_number)),
            RedemptionSession.opened_by == actor.person_id,
            RedemptionSession.state == SessionState.OPEN.value,
        )
        .values(state=SessionState.CANCELLED.value, closed_at=at, close_reason="reopened")
    )


def begun(session: Session, voucher: Voucher, *, actor: Actor, at: datetime) -> RedemptionSession:
    """A session on a voucher, for 15 minutes, which the caller adds.

    Refused: `voucher_revoked`, `voucher_expired`, `voucher_not_usable`.
    """
    finding = voucher_live(VoucherState(voucher.state), voucher.use_by, business_date(at))
    if finding is not None:
        raise Refusal(finding[0], **finding[1])
    return RedemptionSession(
        number=_free_number(session),
        state=SessionState.OPEN.value,
        voucher_id=voucher.id,
        holder_id=voucher.holder_id,
        opened_by=actor.person_id,
        opened_at=at,
        closes_at=at + timedelta(minutes=OPEN_MINUTES),
        wrong_tags=0,
    )


def _free_number(session: Session) -> str:
    """A number that no session has yet; they are kept for ever, so a random one may be taken."""
    while True:
        drawn = [new_session_number() for _ in range(_DRAWN)]
        query = select(RedemptionSession.number).where(RedemptionSession.number.in_(drawn))
        free = set(drawn) - set(session.scalars(query))
        if free:
            return free.pop()
