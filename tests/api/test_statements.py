"""How many SQL statements the two requests of a redemption take through HTTP, signing in by token included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import event

from tests.api.conftest import SERVICE, Api, ok
from tests.entrance import application
from voucher.db import Database


def test_proposing_takes_20_statements_and_confirming_16_at_most(
    pg_database: Database, tmp_path: Path
) -> None:
    app = application(pg_database.url.render_as_string(hide_password=False), tmp_path)
    api = Api(app)
    api.captured()
    number = api.scanned()
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(" ".join(statement.split()))

    event.listen(api.database.engine, "before_cursor_execute", note)
    ok(api.scanner.send(f"/api/v1/sessions/{number}/propose", {"service": SERVICE, "gross_fen": 60_000_00}))
    assert len(proposing := list(said)) <= 20, "\n".join(proposing)
    said.clear()
    ok(api.firm.send(f"/api/v1/sessions/{number}/confirm", {}))
    assert len(said) <= 16, "\n".join(said)
    said.clear()
    ok(api.firm.get(f"/api/v1/sessions/{number}"))
    assert len(said) == 2, "\n".join(said)
    api.database.dispose()
