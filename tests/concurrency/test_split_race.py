"""Contracts in pieces filed at once, on PostgreSQL: each sees the ones before it, and the tier counts on the sum."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.checks import scenes
from tests.checks.test_money import retier
from tests.operations.stories import Told, placed
from voucher.clock import business_date
from voucher.db import Database
from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations.file_contract import ContractRequest, file_contract
from voucher.operations.outcome import only

PIECES, PIECE_FEN = 6, 5_000_00
WHOLE_FEN = 10_000_00 + (PIECES * PIECE_FEN - 10_000_00) // 2


def filing(told: Told, order: str) -> Callable[[Session, datetime], object]:
    def work(session: Session, at: datetime) -> object:
        request = ContractRequest(order, f"HT-{order}", business_date(at), Fen(PIECE_FEN))
        return only(file_contract(session, [request], actor=told.world.platform.manager, at=at))

    return work


def test_pieces_filed_at_once_get_together_what_the_whole_would_get(pg_database: Database) -> None:
    told = Told(pg_database)
    scenes.fill(told, "[split_days]\nvalue = 90")
    retier(told)
    orders = []
    for _ in range(PIECES):
        voucher = told.voucher(face_fen=10_000_00)
        orders.append(
            told.do(lambda session, at, voucher=voucher: placed(session, told.world, voucher, at=at))  # type: ignore[misc]
        )
    start = Barrier(PIECES)

    def run(order: str) -> None:
        start.wait(60)
        told.do(filing(told, order))

    with ThreadPoolExecutor(PIECES) as pool:
        list(pool.map(run, orders))
    with told.database.read() as session:
        rows = session.scalars(select(Order)).all()
        assert sum(row.held_fen for row in rows) == WHOLE_FEN
        assert sorted(row.earlier_fen or 0 for row in rows) == [n * PIECE_FEN for n in range(PIECES)]
