"""The database itself keeps the application from changing the ledger, and auditors from anything but their views."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.conftest import migrate
from tests.ledger.books import BUDGET, event, one, settled, single
from tests.postgres import Postgres
from voucher.db import Database
from voucher.ledger import accounts
from voucher.ledger.events import Accepted
from voucher.terms import PostingKind

VIEWS = ("audit_ledger", "audit_cap", "audit_voucher", "audit_settlement")
ROLES = ("voucher_app", "voucher_audit")


@pytest.fixture(scope="module")
def template(postgres: Postgres) -> Iterator[str]:
    """The name of a database whose migrations found the roles, and in which the owner settled one redemption."""
    name = postgres.create_database()
    with psycopg.connect(postgres.url(name).replace("+psycopg", ""), autocommit=True) as connection:
        for role in ROLES:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
                connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'test'")
    migrate(postgres.url(name))
    database = Database(postgres.url(name))
    settled(database)
    database.dispose()
    yield name
    postgres.drop_database(name)


@pytest.fixture
def posted(postgres: Postgres, template: str) -> Iterator[str]:
    """The address of a copy for one test; grants are copied with it."""
    name = postgres.create_database(template=template)
    yield postgres.url(name)
    postgres.drop_database(name)


def as_role(url: str, role: str) -> str:
    return make_url(url).set(username=role, password="test").render_as_string(hide_password=False)


def denied(url: str, role: str, statement: str) -> None:
    with (
        psycopg.connect(as_role(url, role).replace("+psycopg", "")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


def test_the_application_posts(posted: str) -> None:
    database = Database(as_role(posted, "voucher_app"))
    answer = one(database, event(PostingKind.FUND, single(accounts.source(), BUDGET, 100)))
    assert isinstance(answer, Accepted)
    database.transaction(
        lambda session, _at: session.connection().exec_driver_sql("DELETE FROM log_queue WHERE qid = 1")
    )
    database.dispose()


@pytest.mark.parametrize("table", ["posting", "transfer", "entry", "log_leaf", "log_checkpoint", "journal"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_application_changes_no_ledger_row(posted: str, table: str, verb: str) -> None:
    column = "id" if table == "journal" else "book_id"
    denied(posted, "voucher_app", verb.format(table, column, column))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE account SET owner_ref = 'x'",
        "UPDATE policy_version SET text = 'x'",
        "UPDATE policy_version SET fills = '[]'",
        "DELETE FROM policy_version",
        "UPDATE account SET flags = 0",
        "DELETE FROM account",
        "UPDATE book SET code = 'x'",
        "DELETE FROM book",
        "UPDATE log_queue SET posting_id = posting_id",
        "UPDATE alembic_version SET version_num = 'x'",
        "DROP TRIGGER posting_no_update ON posting",
        "ALTER TABLE account DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
    ],
)
def test_the_application_does_not_reach_around_the_kernel(posted: str, statement: str) -> None:
    denied(posted, "voucher_app", statement)


def test_auditors_read_the_four_views(posted: str) -> None:
    with psycopg.connect(as_role(posted, "voucher_audit").replace("+psycopg", "")) as connection:
        counts = {}
        for view in VIEWS:
            counts[view] = len(connection.execute(f"SELECT * FROM {view}").fetchall())
    assert counts["audit_ledger"] == 9
    assert counts["audit_cap"] == 1


@pytest.mark.parametrize("table", ["posting", "transfer", "account", "person", "organisation", "voucher"])
def test_auditors_read_nothing_else(posted: str, table: str) -> None:
    denied(posted, "voucher_audit", f"SELECT * FROM {table}")


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE mine (x int)", "DELETE FROM journal", "INSERT INTO log_queue (book_id) VALUES (1)"],
)
def test_auditors_write_nothing(posted: str, statement: str) -> None:
    denied(posted, "voucher_audit", statement)
