"""The command line: a schema from nothing, people, roles of PostgreSQL, and refusals that scripts can see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from tests.postgres import Postgres
from voucher.cli import main
from voucher.db import Database

PASSWORD = "correct-Horse-7"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Callable[..., Result]:
    """Runs `voucher` on a fresh database, once on SQLite and once on PostgreSQL."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    return lambda *words: CliRunner().invoke(main, list(words))


def added(run: Callable[..., Result], login: str = "zhang", password: str = PASSWORD) -> Result:
    return run("people", "add", login, "--name", "张三", "--role", "auditor", "--password", password)


def test_the_schema_is_made_from_nothing_and_made_again_without_harm(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'voucher.db'}"
    monkeypatch.setenv("DATABASE_URL", url)
    for _ in range(2):
        assert CliRunner().invoke(main, ["db", "upgrade"]).exit_code == 0
    database = Database(url)
    with database.read() as session:
        assert session.execute(text("SELECT version_num FROM alembic_version")).scalar_one() >= "0013"
    database.dispose()


def test_a_person_is_added_with_a_role_and_checked(run: Callable[..., Result]) -> None:
    assert added(run).exit_code == 0
    checked = run("people", "check", "zhang")
    assert checked.exit_code == 0
    assert "审计" in checked.output
    assert "ledger:posting:read" in checked.output
    assert "admin:person:write" not in checked.output


def test_a_refusal_is_a_sentence_on_standard_error_and_status_2(run: Callable[..., Result]) -> None:
    added(run)
    for again in (added(run), run("people", "check", "nobody")):
        assert again.exit_code == 2
        assert again.stdout == ""
    assert "该用户名已被使用" in added(run).stderr


def test_a_weak_password_is_not_taken(run: Callable[..., Result]) -> None:
    answer = added(run, password="short")
    assert answer.exit_code == 1
    assert "至少 10 个字符" in answer.output


def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://nowhere")
    answer = CliRunner().invoke(main, ["people", "check", "zhang"])
    assert answer.exit_code == 2
    assert "DATABASE_URL" in answer.stderr


@pytest.mark.parametrize("order", [("db roles", "db upgrade"), ("db upgrade", "db roles")])
def test_the_application_role_can_add_to_the_ledger_and_change_nothing_in_it(
    monkeypatch: pytest.MonkeyPatch, postgres: Postgres, order: tuple[str, str]
) -> None:
    name = postgres.create_database()
    monkeypatch.setenv("DATABASE_URL", postgres.url(name))
    for line in order:
        answer = CliRunner().invoke(main, line.split())
        assert answer.exit_code == 0, answer.output
    engine = create_engine(postgres.url(name))

    def allowed(role: str, statement: str) -> bool:
        with engine.connect() as connection:
            connection.execute(text(f"SET ROLE {role}"))
            try:
                connection.execute(text(statement))
            except ProgrammingError as refused:
                return "permission denied" not in str(refused)
            return True

    assert allowed("voucher_app", "INSERT INTO book (code, authority) VALUES ('1', 'x')")
    assert allowed("voucher_app", "UPDATE account SET version = version")
    assert not allowed("voucher_app", "UPDATE posting SET fiscal_year = 2000")
    assert not allowed("voucher_app", "DELETE FROM journal")
    assert not allowed("voucher_app", "TRUNCATE transfer")
    assert not allowed("voucher_app", "UPDATE account SET flags = 0")
    assert allowed("voucher_audit", "SELECT * FROM audit_ledger")
    assert not allowed("voucher_audit", "SELECT * FROM person")
    engine.dispose()
    postgres.drop_database(name)


def test_sqlite_has_no_roles_to_make(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'voucher.db'}")
    answer = CliRunner().invoke(main, ["db", "roles"])
    assert answer.exit_code == 1
    assert "SQLite" in answer.output
