"""The waiting list: approved applications get their vouchers in queue order, as far as the money goes (候补递补).

Everything that moves in a queue (a new number, a decision, a withdrawal, moving up) first locks the queue's row,
so the order of numbers is the order of commits, and no voucher overtakes another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from voucher.clock import fiscal_year
from voucher.errors import Code, Fact, Refusal
from voucher.ledger import accounts
from voucher.ledger.bulk import Rows, insert_missing
from voucher.ledger.locking import lock
from voucher.models.applications import Application, ApplicationQueue, ApplicationWindow
from voucher.models.programmes import BudgetLine, Programme
from voucher.money import Fen
from voucher.operations import journal
from voucher.operations.issue import Issued, IssueRequest, issue
from voucher.operations.outcome import Refused
from voucher.operations.policies import policy_in_force
from voucher.operations.tell import Note, tell
from voucher.rules.applying import fitting
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import ApplicationState, MessageEvent

AT_ONCE: Final = 1000
ACTOR_REF: Final = "system:applying"
_OPEN: Final = (ApplicationState.SUBMITTED, ApplicationState.RETURNED, ApplicationState.WAITING)


@dataclass(frozen=True, slots=True)
class MovedUp:
    """An application that left the waiting list: with its voucher, or back to review because of a rule (`refused`)."""

    number: str
    voucher_number: str = ""
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class Advanced:
    """One queue after it was looked through: vouchers issued, sent back to review, lapsed with the year, still waiting."""

    issued: int
    sent_back: int
    lapsed: int
    waiting: int


def queue_of(session: Session, programme_code: str, year: int) -> ApplicationQueue:
    """The queue of a programme and year, made if missing, its row locked. The programme must exist."""
    insert_missing(
        session, Rows(ApplicationQueue, ("programme_code", "year", "last_no"), [(programme_code, year, 0)])
    )
    query = select(ApplicationQueue).where(
        ApplicationQueue.programme_code == programme_code, ApplicationQueue.year == year
    )
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one()


def queues_in_motion(session: Session, *, at: datetime) -> list[tuple[str, int]]:
    """Every programme and year with an application that waits for money, or that a year's end left open."""
    waits = Application.state == ApplicationState.WAITING.value
    is_left = and_(
        Application.state.in_([state.value for state in _OPEN]), Application.year < fiscal_year(at)
    )
    query = select(Application.programme_code, Application.year).where(or_(waits, is_left))
    return [
        (code, year) for code, year in session.execute(query.distinct().order_by("programme_code", "year"))
    ]


def advance(session: Session, programme_code: str, year: int, *, at: datetime) -> Advanced:
    """Look through one queue: issue in its order while the money lasts; a queue of a year that is over lapses.

    Idempotent: done again without new money it changes nothing. A line or period that is closed, or no policy in
    force, leaves everybody where they are.
    """
    queue = queue_of(session, programme_code, year)
    if year < fiscal_year(at):
        return Advanced(0, 0, _lapse(session, queue, at=at), 0)
    moved: list[MovedUp] = []
    try:
        with session.begin_nested():
            moved = move_up(session, queue, at=at)
    except Refusal as refusal:
        if refusal.code not in (Code.PERIOD_CLOSED, Code.POLICY_NOT_PUBLISHED, Code.POLICY_EXPIRED):
            raise
    issued = sum(each.refused is None for each in moved)
    return Advanced(issued, len(moved) - issued, 0, sum(_lines(session, queue).values()))


def move_up(session: Session, queue: ApplicationQueue, *, at: datetime) -> list[MovedUp]:
    """Issue vouchers to the waiting of a locked queue, line by line, in order, until one does not fit its line.

    One that another rule refuses (cap, face, qualification) goes back to review with the code as reason, and the
    next one moves up. Raises `Refusal` (`period_closed`, `policy_not_published`) as `issue` does.
    """
    moved: list[MovedUp] = []
    for line_id in sorted(_lines(session, queue)):
        while step := _issue_from(session, queue, line_id, at=at):
            moved += step
    return moved


def _issue_from(session: Session, queue: ApplicationQueue, line_id: int, *, at: datetime) -> list[MovedUp]:
    """One go at a line's waiting: those that its money is enough for. Empty: nobody moves."""
    waiting = _waiting(session, queue, line_id)
    if not waiting:
        return []
    line = session.get_one(BudgetLine, line_id)
    programme = session.get_one(Programme, queue.programme_code)
    budget = accounts.budget(line.code, line.year)
    left = lock(session, programme.book_id, [budget]).available(budget)
    policy = policy_in_force(session, programme.code, at)
    amounts = [_approved(application) for application, _ in waiting]
    chosen = [waiting[place] for place in fitting(amounts, left, skips=bool(policy.waiting_skips))]
    if not chosen:
        return []
    requests = [IssueRequest(each.holder.ref, Fen(_approved(each))) for each, _ in chosen]
    officer = issuer(programme, chosen[0][1])
    answers = issue(session, line.code, requests, actor=officer, at=at)
    moved = [_moved(each, answer, at) for (each, _), answer in zip(chosen, answers, strict=True)]
    _write_down(session, [each for each, _ in chosen], moved, officer=officer, at=at)
    return moved


def issuer(programme: Programme, window: ApplicationWindow) -> Actor:
    """The product itself, in the name of the officer who published the window; ledger and journal say `system`."""
    return Actor(
        person_id=window.published_by,
        ref=ACTOR_REF,
        name="系统",
        roles=frozenset(),
        region_codes=frozenset({programme.region_code}),
        book_ids=frozenset({programme.book_id}),
    )


def _approved(application: Application) -> int:
    return application.wanted_fen if application.approved_fen is None else application.approved_fen


def _lines(session: Session, queue: ApplicationQueue) -> dict[int, int]:
    """The budget lines that somebody waits for, and how many do."""
    query = (
        select(ApplicationWindow.budget_line_id, func.count())
        .join(Application, Application.window_id == ApplicationWindow.id)
        .where(*_waits(queue))
        .group_by(ApplicationWindow.budget_line_id)
    )
    return {row.budget_line_id: row[1] for row in session.execute(query)}


def _waiting(
    session: Session, queue: ApplicationQueue, line_id: int
) -> list[tuple[Application, ApplicationWindow]]:
    """Those who wait for a line, the first thousand of them, locked."""
    query = (
        select(Application, ApplicationWindow)
        .join(ApplicationWindow, ApplicationWindow.id == Application.window_id)
        .where(*_waits(queue), ApplicationWindow.budget_line_id == line_id)
        .order_by(Application.queue_no)
        .limit(AT_ONCE)
        .with_for_update(of=Application)
        .execution_options(populate_existing=True)
    )
    return [(row.Application, row.ApplicationWindow) for row in session.execute(query)]


def _waits(queue: ApplicationQueue) -> tuple[ColumnElement[bool], ...]:
    return (
        Application.programme_code == queue.programme_code,
        Application.year == queue.year,
        Application.state == ApplicationState.WAITING.value,
    )


def _moved(application: Application, answer: Issued | Refused, at: datetime) -> MovedUp:
    state = ApplicationState(application.state)
    if isinstance(answer, Refused):
        application.state = next_state(state, Event.SEND_BACK).value
        application.reason, application.round = answer.code.value, application.round + 1
        application.approved_fen = application.decided_at = None
        return MovedUp(application.number, refused=answer)
    application.state = next_state(state, Event.ISSUE).value
    application.voucher_id, application.closed_at = answer.voucher_id, at
    return MovedUp(application.number, answer.number)


def _write_down(
    session: Session,
    applications: Sequence[Application],
    moved: Sequence[MovedUp],
    *,
    officer: Actor,
    at: datetime,
) -> None:
    session.flush()
    issued: list[tuple[str, dict[str, Fact]]] = []
    refused: list[tuple[str, dict[str, Fact]]] = []
    notes: list[Note] = []
    for application, each in zip(applications, moved, strict=True):
        if each.refused is not None:
            refused.append((each.number, {"code": each.refused.code.value}))
            continue
        facts: dict[str, Fact] = {"voucher": each.voucher_number, "approved_fen": _approved(application)}
        issued.append((each.number, facts))
        if application.decided_at == at:
            continue  # it waited for nothing: that the voucher is there is told by `issue`
        notes.append(
            Note(
                MessageEvent.APPLICATION_MOVED_UP,
                each.number,
                facts,
                organisation_id=application.holder.organisation_id,
            )
        )
    journal.record(session, officer, "application.issue", issued, at=at)
    journal.record(session, officer, "application.send_back", refused, at=at)
    tell(session, notes, at=at)


def _lapse(session: Session, queue: ApplicationQueue, *, at: datetime) -> int:
    """End what a year left open: its budget line pays for nothing any more."""
    query = select(Application).where(
        Application.programme_code == queue.programme_code,
        Application.year == queue.year,
        Application.state.in_([state.value for state in _OPEN]),
    )
    rows = list(session.scalars(query.order_by(Application.queue_no).with_for_update(of=Application)))
    for row in rows:
        row.state = next_state(ApplicationState(row.state), Event.EXPIRE).value
        row.closed_at = at
    session.flush()
    system = Actor(person_id=0, ref=ACTOR_REF, name="系统", roles=frozenset())
    journal.record(
        session, system, "application.lapse", [(row.number, {"year": row.year}) for row in rows], at=at
    )
    notes = [
        Note(
            MessageEvent.APPLICATION_LAPSED,
            row.number,
            {"year": row.year},
            organisation_id=row.holder.organisation_id,
        )
        for row in rows
    ]
    tell(session, notes, at=at)
    return len(rows)
