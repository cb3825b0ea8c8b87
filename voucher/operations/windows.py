"""What an authority publishes before anybody applies: windows with their budget line, and the undertaking's text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import iso
from voucher.errors import Code, Fact, Refusal
from voucher.models.applications import ApplicationWindow, Undertaking
from voucher.models.programmes import BudgetLine, Programme
from voucher.operations import journal
from voucher.operations.alone import alone
from voucher.operations.applicant import newest_undertaking, shape
from voucher.operations.outcome import Refused
from voucher.rules.applying import Window
from voucher.rules.permissions import Actor


@dataclass(frozen=True, slots=True)
class WindowRequest:
    """Applications of the line's programme and year are taken from `opens_at` until before `closes_at` (None: always)."""

    line_code: str
    opens_at: datetime
    closes_at: datetime | None
    document_no: str


@dataclass(frozen=True, slots=True)
class CloseRequest:
    """A window ends at this instant, by this document."""

    window_id: int
    closes_at: datetime
    document_no: str


@dataclass(frozen=True, slots=True)
class UndertakingRequest:
    """A new version of a programme's undertaking."""

    programme_code: str
    text: str


@dataclass(frozen=True, slots=True)
class Published:
    """The row that stands; of an undertaking, its version."""

    id: int
    version: int = 0


def publish_windows(
    session: Session, requests: Sequence[WindowRequest], *, actor: Actor, at: datetime
) -> list[Published | Refused]:
    """Publish application windows; their vouchers are paid from the line. The same again is the same answer.

    Refused, alone: a line that is not there or not in the actor's books (`not_found`), a closed one
    (`period_closed`), a window that overlaps another of the programme (`window_overlaps`). ValueError where it
    closes before it opens.
    """

    def publish(request: WindowRequest) -> Published:
        line = _line(session, request.line_code, actor)
        wanted = Window(request.opens_at, request.closes_at, request.document_no)
        if request.closes_at is not None and request.closes_at <= request.opens_at:
            raise ValueError("a window closes after it opens")
        for other in _windows(session, line.programme_code):
            if shape(other) == wanted and other.budget_line_id == line.id:
                return Published(other.id)
            if shape(other).overlaps(wanted):
                facts: dict[str, Fact] = {
                    "opens_at": iso(other.opens_at),
                    "document_no": other.document_no,
                }
                raise Refusal(Code.WINDOW_OVERLAPS, **facts)
        row = ApplicationWindow(
            programme_code=line.programme_code,
            year=line.year,
            budget_line_id=line.id,
            opens_at=request.opens_at,
            closes_at=request.closes_at,
            document_no=request.document_no,
            published_by=actor.person_id,
            published_at=at,
        )
        session.add(row)
        session.flush()
        _note(session, row, ("window.publish", row.document_no), actor=actor, at=at)
        return Published(row.id)

    return alone(session, requests, publish)


def close_windows(
    session: Session, requests: Sequence[CloseRequest], *, actor: Actor, at: datetime
) -> list[Published | Refused]:
    """End windows that are open, now or at a later instant. Applications that were made stand.

    Refused, alone: a window that is not in the actor's books (`not_found`), one that has ended, or an end that
    lies before now or before its beginning (`state_changed`).
    """

    def close(request: CloseRequest) -> Published:
        query = select(ApplicationWindow, Programme.book_id).join(
            Programme, Programme.code == ApplicationWindow.programme_code
        )
        row = session.execute(
            query.where(ApplicationWindow.id == request.window_id).with_for_update(of=ApplicationWindow)
        ).one_or_none()
        if row is None or row.book_id not in actor.book_ids:
            raise Refusal(Code.NOT_FOUND, window=request.window_id)
        window: ApplicationWindow = row.ApplicationWindow
        has_ended = window.closes_at is not None and window.closes_at <= at
        if has_ended or request.closes_at < at or request.closes_at <= window.opens_at:
            raise Refusal(Code.STATE_CHANGED)
        later = Window(window.opens_at, request.closes_at, window.document_no)
        for other in _windows(session, window.programme_code):
            if other.id != window.id and shape(other).overlaps(later):
                raise Refusal(
                    Code.WINDOW_OVERLAPS, opens_at=iso(other.opens_at), document_no=other.document_no
                )
        window.closes_at = request.closes_at
        _note(session, window, ("window.close", request.document_no), actor=actor, at=at)
        return Published(window.id)

    return alone(session, requests, close)


def publish_undertakings(
    session: Session, requests: Sequence[UndertakingRequest], *, actor: Actor, at: datetime
) -> list[Published | Refused]:
    """Publish new versions; from now on each application signs the newest. The text that stands again changes nothing.

    Refused, alone: a programme that is not there or not in the actor's books (`not_found`).
    """

    def publish(request: UndertakingRequest) -> Published:
        _own_programme(session, request.programme_code, actor)
        digest = sha256(request.text.encode()).hexdigest()
        newest = newest_undertaking(session, request.programme_code)
        if newest is not None and newest.sha256 == digest:
            return Published(newest.id, newest.version)
        row = Undertaking(
            programme_code=request.programme_code,
            version=newest.version + 1 if newest else 1,
            text=request.text,
            sha256=digest,
            published_by=actor.person_id,
            published_at=at,
        )
        session.add(row)
        session.flush()
        facts: dict[str, Fact] = {"version": row.version, "sha256": digest}
        journal.record(
            session, actor, "undertaking.publish", [(f"programme:{row.programme_code}", facts)], at=at
        )
        return Published(row.id, row.version)

    return alone(session, requests, publish)


def _line(session: Session, line_code: str, actor: Actor) -> BudgetLine:
    line = session.scalars(select(BudgetLine).where(BudgetLine.code == line_code)).one_or_none()
    if line is None:
        raise Refusal(Code.NOT_FOUND, budget_line=line_code)
    _own_programme(session, line.programme_code, actor)
    if line.closed_on is not None:
        raise Refusal(Code.PERIOD_CLOSED, closed_through=line.closed_on.isoformat())
    return line


def _own_programme(session: Session, code: str, actor: Actor) -> None:
    """Lock the programme, so that two publish one after the other. Refused: `not_found`."""
    query = select(Programme).where(Programme.code == code, Programme.book_id.in_(actor.book_ids))
    if session.scalars(query.with_for_update()).one_or_none() is None:
        raise Refusal(Code.NOT_FOUND, programme=code)


def _windows(session: Session, programme_code: str) -> list[ApplicationWindow]:
    query = select(ApplicationWindow).where(ApplicationWindow.programme_code == programme_code)
    return list(session.scalars(query.order_by(ApplicationWindow.id)))


def _note(
    session: Session, window: ApplicationWindow, action: tuple[str, str], *, actor: Actor, at: datetime
) -> None:
    """Journal what was done to a window, by which document."""
    name, document_no = action
    facts: dict[str, Fact] = {
        "window": window.id,
        "opens_at": iso(window.opens_at),
        "closes_at": iso(window.closes_at) if window.closes_at else None,
        "document_no": document_no,
    }
    journal.record(session, actor, name, [(f"programme:{window.programme_code}", facts)], at=at)
