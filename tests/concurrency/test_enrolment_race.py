"""One login wanted by several at the same moment: one gets it, the others are told."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from voucher.cli.context import SYSTEM
from voucher.db import Database
from voucher.operations.enrol import Enrolment, enrol
from voucher.operations.outcome import Refused


def test_a_login_wanted_by_eight_at_once_is_given_once(pg_database: Database) -> None:
    start = Barrier(8)
    wanted = Enrolment(login="wang", name="王伟", password_hash="-")

    def ask(_turn: int) -> str:
        start.wait()
        (answer,) = pg_database.transaction(lambda session, at: enrol(session, [wanted], actor=SYSTEM, at=at))
        return answer.code.value if isinstance(answer, Refused) else "enrolled"

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(ask, range(8))) == {"enrolled": 1, "login_taken": 7}
