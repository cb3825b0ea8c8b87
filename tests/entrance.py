"""Ways in for tests of pages and of the API: the application, and clients that are signed in already."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from config import Config
from voucher.app import create_app
from voucher.clock import wall_now
from voucher.db import Database
from voucher.models.people import Person
from voucher.operations.authenticate import SignedIn, issue_token
from voucher.rules.permissions import Actor

HOST = "http://localhost"


class _Compiled(BytecodeCache):
    """Templates as one application of this process has compiled them already; known by their source."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if (bucket.key, bucket.checksum) in self._code:
            bucket.bytecode_from_string(self._code[bucket.key, bucket.checksum])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


COMPILED = _Compiled()


def application(url: str, folder: Path, **more: str) -> Flask:
    """The whole application on a database, not as its one serving process; `more` variables of its environment."""
    environment = {
        "VOUCHER_ENV": "test",
        "DATABASE_URL": url,
        "FILES_DIR": str(folder / "files"),
        "ANCHOR_DIR": str(folder / "anchors"),
        **more,
    }
    app = create_app(Config.from_env(environment), serving=False)
    app.jinja_env.bytecode_cache = COMPILED
    return app


class Browser:
    """A browser of its own. `send` fills in the token and, unless given, a fresh key, as every form does."""

    def __init__(self, app: Flask, actor: Actor | None = None) -> None:
        self.client: FlaskClient = app.test_client()
        self._app = app
        self._token_seed = secrets.token_hex(20)
        if actor is not None:
            self._sign_in(actor)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, **options)

    def send(self, path: str, form: Mapping[str, Any] | None = None, **options: Any) -> TestResponse:
        fields = {"csrf_token": self.csrf_token(), "key": secrets.token_hex(16), **(form or {})}
        return self.client.post(path, data=fields, **options)

    def csrf_token(self) -> str:
        with self.client.session_transaction() as session:
            seed = session.setdefault("csrf_token", self._token_seed)
        signer = URLSafeTimedSerializer(str(self._app.secret_key), salt="wtf-csrf-token")
        return str(signer.dumps(seed))

    def _sign_in(self, actor: Actor) -> None:
        database: Database = self._app.extensions["voucher_database"]
        with database.read() as session:
            version = session.scalars(
                select(Person.session_version).where(Person.id == actor.person_id)
            ).one()
        now = int(wall_now().timestamp())
        with self.client.session_transaction() as cookie:
            cookie.update(_user_id=f"{actor.person_id}.{version}", began_at=now, proved_at=now)
            cookie["_fresh"] = True


class Machine:
    """A program with a bearer token. Changing requests carry a fresh Idempotency-Key unless one is given."""

    def __init__(self, app: Flask, actor: Actor) -> None:
        self.client: FlaskClient = app.test_client()
        database: Database = app.extensions["voucher_database"]

        def work(session: Session, at: Any) -> str:
            version = session.scalars(
                select(Person.session_version).where(Person.id == actor.person_id)
            ).one()
            return issue_token(session, SignedIn(actor.person_id, version), at=at)[0]

        self.token = database.transaction(work)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, headers=self._headers(None), **options)

    def send(self, path: str, body: Any, *, key: str | None = None, method: str = "POST") -> TestResponse:
        headers = self._headers(key or secrets.token_hex(16))
        return self.client.open(path, method=method, json=body, headers=headers)

    def _headers(self, key: str | None) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.token}"}
        return headers if key is None else {**headers, "Idempotency-Key": key}
