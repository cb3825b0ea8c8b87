"""A build that acknowledges before it commits. The kill campaigns must find it out: that proves the harness.

Served as `tests.campaigns.early:app`. The transaction's work is done and answered at once; a thread commits it a
moment later, unless the process is killed in between.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from config import Config
from voucher.app import create_app
from voucher.db import Database, database_now

LATE_SECONDS = 0.15


def _early(self: Database, work: Callable[[Session, datetime], Any], *, at: datetime | None = None) -> Any:
    session = Session(self.engine, expire_on_commit=False)
    answer = work(session, at or database_now(session))
    session.flush()
    threading.Thread(target=_commit_late, args=(session,), daemon=True).start()
    return answer


def _commit_late(session: Session) -> None:
    time.sleep(LATE_SECONDS)
    session.commit()
    session.close()


Database.transaction = _early  # type: ignore[method-assign]
app = create_app(Config.from_env())
