"""One content attached by several at the same moment: one row, the strictest care, and nobody waits for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import select

from tests import factories
from voucher.db import Database
from voucher.models.files import StoredFile
from voucher.operations.keep_files import Care, keep_files
from voucher.store import Stored
from voucher.terms import Retention

EVERYBODY = 8


def test_files_that_eight_attach_at_once_have_one_row_each(pg_database: Database) -> None:
    people = pg_database.transaction(
        lambda session, at: [factories.person(session) for _ in range(EVERYBODY)]
    )
    files = [Stored(f"{number:064x}", number, "application/pdf", "a.pdf") for number in range(1, 41)]
    start = Barrier(EVERYBODY)

    def attach(turn: int) -> None:
        care = Care(confidential=turn == 3, retention=list(Retention)[turn % 3])
        mine = files[::-1] if turn % 2 else files[turn:]
        start.wait()
        for _ in range(5):
            pg_database.transaction(
                lambda session, at: keep_files(session, mine, actor=people[turn], at=at, care=care)
            )

    with ThreadPoolExecutor(EVERYBODY) as pool:
        list(pool.map(attach, range(EVERYBODY)))
    with pg_database.read() as session:
        rows = session.scalars(select(StoredFile)).all()
    assert len(rows) == len(files)
    assert {(row.confidential, row.retention) for row in rows} == {(True, Retention.VOUCHER.value)}
