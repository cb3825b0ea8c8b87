"""How many SQL statements a hold and a capture take on PostgreSQL, as the entry point runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import event
from sqlalchemy.orm import Session

from tests.operations import counter
from tests.operations.stories import Told
from voucher.clock import business_date, wall_now
from voucher.db import Database
from voucher.operations.confirm_session import confirm_session
from voucher.operations.once import once, request_id
from voucher.operations.outcome import only
from voucher.operations.propose import propose
from voucher.queries.people import standing_of
from voucher.rules.permissions import Actor

HOLD, CAPTURE = 20, 16
"""The most that the design allows through HTTP, where reading the actor comes first."""


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(" ".join(statement.split()))

    event.listen(database.engine, "before_cursor_execute", note)
    yield said
    event.remove(database.engine, "before_cursor_execute", note)


def asked(database: Database, actor: Actor, route: str, work: Callable[[Session, datetime], str]) -> None:
    """One request: the actor is read, then the work is done once for its key."""
    with database.read() as session:
        assert standing_of(session, actor.person_id, on=business_date(wall_now())) is not None
    request = request_id(actor.ref, route, str(uuid4()), {})
    database.transaction(
        lambda session, at: once(session, request, lambda: {"number": work(session, at)}, at=at)
    )


def test_hold_and_capture_stay_within_their_statements(pg_database: Database) -> None:
    told = Told(pg_database, at=wall_now())
    voucher = told.voucher()
    counter.redeemed(told, voucher, 2_000_00)
    number = counter.scanned(told, voucher)
    scanner, firm = told.world.platform.scanner, told.world.firm.actor
    with statements(pg_database) as holding:
        asked(
            pg_database,
            scanner,
            "propose",
            lambda session, at: (
                only(
                    propose(session, [counter.request_of(number, 2_000_00)], actor=scanner, at=at)
                ).order.number
            ),
        )
    with statements(pg_database) as capturing:
        asked(
            pg_database,
            firm,
            "confirm",
            lambda session, at: only(confirm_session(session, [number], actor=firm, at=at)).order.number,
        )
    assert len(holding) <= HOLD, "\n".join(holding)
    assert len(capturing) <= CAPTURE, "\n".join(capturing)
