"""How a view reads and changes: the one place where a web request meets the database.

A view that changes something calls `change`; the form's key makes it happen once, whatever the browser repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, cast

from flask import current_app, request
from sqlalchemy.orm import Session

from config import Config
from voucher.clock import wall_now
from voucher.db import Database
from voucher.errors import Refusal
from voucher.operations.once import Answer, once, request_id
from voucher.schemas.base import UNSEEN
from voucher.schemas.messages import sentence
from voucher.web.access import current_actor

Work = Callable[[Session, datetime], Answer]


def change(work: Work, *, key: str, body: Mapping[str, Any]) -> Answer:
    """Run `work(session, at)` as one transaction, once for this key, and give its answer (plain JSON values).

    A repeated request gets the first answer. Refused: `key_missing`, `key_reused` (another body or address), `key_in_flight`,
    and whatever `work` refuses, which rolls everything back.
    """
    said = {"body": dict(body), "view": dict(request.view_args or {})}
    asked = request_id(current_actor().ref, str(request.endpoint), key, said)
    return database().transaction(lambda session, at: once(session, asked, lambda: work(session, at), at=at))


def whole_form(refusal: Refusal) -> dict[str, list[str]]:
    """A refusal as the error of the form as a whole; a thing that does not exist for the person is raised on (404)."""
    if refusal.status == 404:
        raise refusal
    return {"_schema": [sentence(refusal)]}


def form_key() -> str:
    """The idempotency key of the form that was sent; empty if it has none."""
    return request.form.get("key", "")


def form_body() -> dict[str, Any]:
    """What the form says, without token and key, and what the address names: the body that a key stands for."""
    said = {name: request.form.getlist(name) for name in request.form if name not in UNSEEN}
    return {**said, "view": dict(request.view_args or {})}


def typed_again() -> list[tuple[str, str]]:
    """What the form says, for the hidden fields of its check page: without guards, step, and files that are kept."""
    return [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name not in {*UNSEEN, "step"} and not name.startswith("kept_")
    ]


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
    """The instant, for showing; what is written down takes the `at` of its transaction."""
    return wall_now()
