"""How an endpoint reads and changes: the one place where an API request meets the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final, cast

from flask import current_app, request
from sqlalchemy.orm import Session

from config import Config
from voucher.api.access import current_actor
from voucher.clock import wall_now
from voucher.db import Database
from voucher.operations.once import Answer, once, request_id

Work = Callable[[Session, datetime], Answer]

KEY_HEADER: Final = "Idempotency-Key"
KEY_PARAMETER: Final = {
    "in": "header",
    "name": KEY_HEADER,
    "required": True,
    "description": "Made by the client; the same key with the same body is done once and answered alike.",
    "schema": {"type": "string", "minLength": 8, "maxLength": 80},
}


def change(work: Work, *, body: Mapping[str, Any]) -> Answer:
    """Run `work(session, at)` as one transaction, once for the request's Idempotency-Key, and give its answer.

    A repeated request gets the first answer. Refused: `key_missing`, `key_reused` (another body or address),
    `key_in_flight`, and whatever `work` refuses, which rolls everything back.
    """
    said = {"body": dict(body), "view": dict(request.view_args or {})}
    asked = request_id(current_actor().ref, str(request.endpoint), request.headers.get(KEY_HEADER, ""), said)
    return database().transaction(lambda session, at: once(session, asked, lambda: work(session, at), at=at))


def reading() -> AbstractContextManager[Session]:
    """A session that cannot write, for the length of a `with` block."""
    return database().read()


def database() -> Database:
    """The application's database."""
    return cast(Database, current_app.extensions["voucher_database"])


def settings() -> Config:
    """The application's configuration."""
    return cast(Config, current_app.extensions["voucher_config"])


def now() -> datetime:
    """The instant, for reading; what is written down takes the `at` of its transaction."""
    return wall_now()
