"""Hold and capture at the counter through the JSON API: of one granian worker, and counted in this process."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from bench.cluster import family_cpu
from config import Config
from tests import factories
from voucher.app import create_app
from voucher.codes import Keys, make_code, scan_code
from voucher.db import Database
from voucher.errors import found
from voucher.models.people import Person
from voucher.money import Fen
from voucher.operations.authenticate import SignedIn, issue_token
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.open_session import open_session
from voucher.operations.outcome import Refused, only
from voucher.operations.scan import ScanRequest, scan
from voucher.rules.permissions import Actor

_ROOT = Path(__file__).resolve().parent.parent
_KEYS = Keys.parse("01:" + "a1b2c3d4" * 8)
_THREADS = 4
_Request = tuple[str, str, dict[str, Any]]
_GROSS_FEN = 200_00
_FACE_FEN = 1_000_00


@dataclass(frozen=True)
class Served:
    """Requests/s, p50 and p99 in ms, and CPU ms of the application's process for one request."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float


@dataclass(frozen=True)
class Ready:
    """Sessions whose codes were scanned: the number, the token of the firm, and that of the platform."""

    sessions: list[tuple[str, str]]
    platform_token: str


def prepare(database: Database, *, firms: int, sessions: int) -> Ready:
    """A policy, a platform, firms with a voucher for each session, and the sessions, scanned."""
    world = database.transaction(
        lambda session, at: factories.shanxi(session, at=at, funded_fen=100_000_000_00)
    )
    database.analyze()
    ready: list[tuple[str, str]] = []
    for _ in range(firms):
        firm = database.transaction(
            lambda session, at: factories.firm(session, reviewer=world.reviewer, at=at)
        )
        token = _token(database, firm.actor)
        asked = [IssueRequest(firm.holder_ref, Fen(_FACE_FEN)) for _ in range(sessions // firms)]

        def vouchers(session: Session, at: datetime, asked: list[IssueRequest] = asked) -> list[str]:
            given = issue(session, world.line_code, asked, actor=world.officer, at=at)
            return [only([each]).number for each in given]

        numbers = database.transaction(vouchers)
        ready += [(_scanned(database, world, firm.actor, number), token) for number in numbers]
    return Ready(ready, _token(database, world.platform.scanner))


def served(url: str, ready: Ready) -> tuple[Served, Served]:
    """Propose in every session, then confirm every one, over one granian worker; the first tenth warms it up."""
    body = {"service": factories.SERVICES[0], "gross_fen": _GROSS_FEN}
    scanner = ready.platform_token
    proposals: list[_Request] = [(f"/api/v1/sessions/{n}/propose", scanner, body) for n, _ in ready.sessions]
    confirmations: list[_Request] = [
        (f"/api/v1/sessions/{n}/confirm", token, {}) for n, token in ready.sessions
    ]
    warming = max(len(ready.sessions) // 10, 2)
    with _serving(url) as (port, pid):
        _asked(port, pid, proposals[:warming])
        _asked(port, pid, confirmations[:warming])
        return _asked(port, pid, proposals[warming:]), _asked(port, pid, confirmations[warming:])


def statements(url: str, ready: Ready) -> tuple[int, int]:
    """SQL statements of a hold and of a capture, seen from within; the second of each, when all is known."""
    with tempfile.TemporaryDirectory(prefix="voucher-bench-") as folder:
        app = create_app(Config.from_env(_environment(url, Path(folder))), serving=False)
        database: Database = app.extensions["voucher_database"]
        said: list[str] = []
        event.listen(database.engine, "before_cursor_execute", lambda *given: said.append(str(given[2])))
        counted: list[int] = []
        body = {"service": factories.SERVICES[0], "gross_fen": _GROSS_FEN}
        for number, token in ready.sessions:
            counted.append(
                _count(app, said, f"/api/v1/sessions/{number}/propose", ready.platform_token, body)
            )
            counted.append(_count(app, said, f"/api/v1/sessions/{number}/confirm", token, {}))
        database.dispose()
    return counted[-2], counted[-1]


def _count(app: Flask, said: list[str], path: str, token: str, body: dict[str, Any]) -> int:
    said.clear()
    answer = app.test_client().post(path, json=body, headers=_headers(token))
    if answer.status_code != 200:
        raise RuntimeError(answer.get_data(as_text=True))
    return len(said)


def _scanned(database: Database, world: factories.World, firm: Actor, voucher: str) -> str:
    def work(session: Session, at: datetime) -> str:
        opened = open_session(session, voucher, actor=firm, at=at)
        code = found(scan_code(make_code(_KEYS, opened.number, at)))
        request = ScanRequest(code, world.platform.platform_id, at)
        answer = scan(session, request, _KEYS, actor=world.platform.scanner, at=at)
        if isinstance(answer, Refused):
            raise RuntimeError(str(answer))
        return opened.number

    return database.transaction(work)


def _token(database: Database, actor: Actor) -> str:
    def work(session: Session, at: datetime) -> str:
        version = session.scalars(select(Person.session_version).where(Person.id == actor.person_id)).one()
        return issue_token(session, SignedIn(actor.person_id, version), at=at)[0]

    return database.transaction(work)


def _headers(token: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Idempotency-Key": secrets.token_hex(16),
        "Content-Type": "application/json",
    }


def _asked(port: int, pid: int, requests: list[_Request]) -> Served:
    """Ask everything over a few connections that stay open; every answer must be 200."""
    waiting = iter(requests)
    lock = threading.Lock()
    taken: list[float] = []
    failures: list[str] = []

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while not failures:
            with lock:
                one = next(waiting, None)
            if one is None:
                break
            path, token, body = one
            began = time.perf_counter()
            connection.request("POST", path, json.dumps(body), _headers(token))
            answer = connection.getresponse()
            said = answer.read()
            taken.append(time.perf_counter() - began)
            if answer.status != 200:
                failures.append(said.decode())
        connection.close()

    cpu, began = family_cpu(pid), time.perf_counter()
    _together(ask)
    seconds, cpu = time.perf_counter() - began, family_cpu(pid) - cpu
    if failures:
        raise RuntimeError(failures[0])
    marks = quantiles(taken, n=100)
    return Served(len(taken) / seconds, marks[49] * 1000, marks[98] * 1000, cpu / len(taken) * 1000)


def _together(work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextmanager
def _serving(url: str) -> Iterator[tuple[int, int]]:
    """The application under granian with one worker; its port and process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="voucher-bench-") as folder:
        asked = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--no-ws"]
        asked += ["--port", str(port), "--workers", "1", "--blocking-threads", str(_THREADS)]
        environment = {**os.environ, **_environment(url, Path(folder))}
        process = subprocess.Popen(
            [*asked, "--log-level", "warning", "wsgi:app"],
            cwd=_ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _wait(port, process)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until the application answers; a few more requests warm it up."""
    until = time.monotonic() + 60
    answered = 0
    while answered < _THREADS:
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError("the application does not serve")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/readyz")
            connection.getresponse().read()
            answered += 1
        except OSError:
            time.sleep(0.1)


def _environment(url: str, folder: Path) -> dict[str, str]:
    return {
        "VOUCHER_ENV": "test",
        "DATABASE_URL": url,
        "FILES_DIR": str(folder / "files"),
        "ANCHOR_DIR": str(folder / "anchors"),
    }
