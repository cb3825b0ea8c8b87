"""A client's key makes a request happen once, on both databases."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.operations.once import Answer, once, request_id


def ask(database: Database, body: dict[str, int], done: list[int]) -> Answer:
    def work(session: Session, at: datetime) -> Answer:
        def first() -> Answer:
            done.append(1)
            return {"number": len(done)}

        return once(session, request_id("person:1", "claim", "key-of-a-client", body), first, at=at)

    return database.transaction(work)


def test_the_same_key_gives_the_first_answer_again_and_does_nothing(database: Database) -> None:
    done: list[int] = []
    assert [ask(database, {"amount": 1}, done) for _ in range(3)] == [{"number": 1}] * 3
    assert done == [1]


def test_another_body_under_the_same_key_is_refused(database: Database) -> None:
    done: list[int] = []
    ask(database, {"amount": 1}, done)
    with pytest.raises(Refusal) as caught:
        ask(database, {"amount": 2}, done)
    assert caught.value.code is Code.KEY_REUSED
    assert done == [1]
