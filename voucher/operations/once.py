"""Idempotency: a client's key makes a request happen once, and gives its first answer again.

The key's row is the first thing that a transaction writes. A second request with the same key waits for the
first (at most the lock timeout), then reads its answer. A raised `Refusal` rolls the key back with the rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from voucher.db import sqlstate
from voucher.errors import Code, Refusal
from voucher.models.people import RequestKey

Answer = dict[str, Any]

_OF_KEY = (
    RequestKey.actor_ref == bindparam("of_actor"),
    RequestKey.route == bindparam("of_route"),
    RequestKey.key == bindparam("of_key"),
)
_ANSWER = update(RequestKey).where(*_OF_KEY).values(answer=bindparam("said"))
_KEPT = select(RequestKey.request_hash, RequestKey.answer).where(*_OF_KEY)
_CLAIM = {
    name: dialect.insert(RequestKey).on_conflict_do_nothing().returning(RequestKey.id)
    for name, dialect in (("postgresql", postgresql), ("sqlite", sqlite))
}


@dataclass(frozen=True, slots=True)
class RequestId:
    """A client's key, who used it, where, and the hash of what was asked with it."""

    actor_ref: str
    route: str
    key: str
    request_hash: str


def request_id(actor_ref: str, route: str, key: str, body: Mapping[str, Any]) -> RequestId:
    """Name a request. Refused without a key (`key_missing`); a key has 8 to 80 characters."""
    if not 8 <= len(key) <= 80:
        raise Refusal(Code.KEY_MISSING)
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, default=str)
    return RequestId(actor_ref, route, key, sha256(text.encode()).hexdigest())


def once(session: Session, request: RequestId, work: Callable[[], Answer], *, at: datetime) -> Answer:
    """Do `work` if this key is new, and keep its answer; else give the kept answer again.

    Refused: another body under the key (`key_reused`), the first request still under way (`key_in_flight`).
    """
    if not _claimed(session, request, at):
        return _kept(session, request)
    answer = work()
    said = json.dumps(answer, ensure_ascii=False, sort_keys=True)
    session.connection().execute(_ANSWER, {**_of(request), "said": said})
    return answer


def _claimed(session: Session, request: RequestId, at: datetime) -> bool:
    values = {
        "actor_ref": request.actor_ref,
        "route": request.route,
        "key": request.key,
        "request_hash": request.request_hash,
        "asked_at": at,
    }
    connection = session.connection()
    try:
        return connection.execute(_CLAIM[connection.dialect.name], values).first() is not None
    except DBAPIError as failure:
        if sqlstate(failure) == "55P03":
            raise Refusal(Code.KEY_IN_FLIGHT) from failure
        raise


def _kept(session: Session, request: RequestId) -> Answer:
    row = session.connection().execute(_KEPT, _of(request)).one()
    if row.request_hash != request.request_hash:
        raise Refusal(Code.KEY_REUSED)
    answer: Answer = json.loads(row.answer)
    return answer


def _of(request: RequestId) -> dict[str, str]:
    return {"of_actor": request.actor_ref, "of_route": request.route, "of_key": request.key}
