"""`verify` finds nothing in a sound book, and names whatever column was changed in a row."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from tests.ledger.books import AT, BUDGET, ORDER, PAYABLE, VOUCHER, event, give, settled, single
from voucher.db import Database
from voucher.ledger import accounts
from voucher.ledger.verify import Report, verify
from voucher.models.guards import declared_triggers
from voucher.terms import PostingKind

# A row to change, and the change of each of its columns. `book_id` 2 does not exist.
CHANGES = {
    "posting": {
        "book_id": "2",
        "id": "'00000000000000000000000000000001'",
        "kind": "'claw_back'",
        "fiscal_year": "2025",
        "rule_version": "'shanxi-2022/2'",
        "actor_ref": "'person:2'",
        "event_on": "'2026-03-01'",
        "posted_at": "'2026-03-02 04:00:01.000001+00:00'",
        "request_hash": "substr(request_hash, 2) || substr(request_hash, 1, 1)",
        "reverses": "'00000000000000000000000000000002'",
    },
    "transfer": {
        "book_id": "2",
        "posting_id": "'00000000000000000000000000000001'",
        "leg": "7",
        "debit_id": "debit_id + 1",
        "credit_id": "credit_id + 1",
        "amount": "amount + 1",
        "unit": "'TIMES'",
        "phase": "'void'",
        "pending_posting_id": "'00000000000000000000000000000001'",
        "pending_leg": "5",
        "expires_at": "'2026-03-03 04:00:00.000000+00:00'",
    },
    "entry": {
        "book_id": "2",
        "account_id": "account_id + 1",
        "seq": "seq + 1",
        "version": "version + 1",
        "posting_id": "(SELECT id FROM posting WHERE kind = 'fund')",
        "leg": "1",
        "amount": "amount + 1",
        "pending_delta": "pending_delta + 1",
        "balance": "balance + 1",
    },
    "account": {
        "book_id": "2",
        "id": "id + 1",
        "code": "'allot'",
        "unit": "'TIMES'",
        "owner_ref": "'V2026-2'",
        "period": "2025",
        "flags": "0",
        "debits_posted": "debits_posted - 1",
        "credits_posted": "credits_posted + 1",
        "debits_pending": "debits_pending + 1",
        "credits_pending": "credits_pending + 1",
        "version": "version + 1",
        "last_seq": "last_seq + 1",
    },
}
WHERE = {
    "posting": "kind = 'capture'",
    "transfer": "phase = 'post' AND leg = 0",
    "entry": f"account_id = {VOUCHER.id} AND version = 3",
    "account": f"id = {VOUCHER.id}",
}
COLUMNS = [(table, column) for table, columns in CHANGES.items() for column in columns]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def book(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One settled redemption, made once; tests change it in transactions that are rolled back."""
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("verify") / "voucher.db"
        file.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        database = Database(f"sqlite:///{file}")
    else:
        server, template = request.getfixturevalue("postgres"), request.getfixturevalue("postgresql_template")
        database = Database(server.url(server.create_database(template=template)))
    settled(database)
    yield database
    database.dispose()


def tampered(database: Database, *statements: str) -> Report:
    """The report on a database changed behind its guards, in a transaction that is rolled back."""
    reports: list[Report] = []

    class Undo(Exception):
        pass

    def work(session: object, _at: object) -> None:
        connection: Connection = session.connection()  # type: ignore[attr-defined]
        _unguard(connection)
        for statement in statements:
            assert connection.execute(text(statement)).rowcount == 1, statement
        reports.append(verify(session))  # type: ignore[arg-type]
        raise Undo

    with pytest.raises(Undo):
        database.transaction(work)
    return reports[0]


def _unguard(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        checks = (
            "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c' "
            "AND conrelid::regclass::text IN ('account', 'transfer')"
        )
        for table, check in connection.exec_driver_sql(checks).all():
            connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {check}"))
    else:
        for trigger in declared_triggers("sqlite"):
            connection.execute(text(f"DROP TRIGGER {trigger}"))
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        connection.execute(text("PRAGMA ignore_check_constraints = ON"))


def test_a_sound_book_has_no_faults(book: Database) -> None:
    with book.read() as session:
        report = verify(session)
    assert report.faults == ()
    assert (report.book_count, report.entries) == (1, 13)


def test_what_was_posted_in_the_last_moment_of_a_second_is_sound(database: Database) -> None:
    settled(database)
    for micros in (999_499, 999_500, 999_978, 999_999):
        fund = event(PostingKind.FUND, single(accounts.source(), BUDGET, 100))
        give(database, [fund], at=AT.replace(second=24, microsecond=micros))
    with database.read() as session:
        assert verify(session).faults == ()


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=str)
def test_a_change_in_any_column_is_named(book: Database, table: str, column: str) -> None:
    report = tampered(book, f"UPDATE {table} SET {column} = {CHANGES[table][column]} WHERE {WHERE[table]}")
    assert report.faults, "the change was not seen"
    tables = {"account": ("account ", "entry "), "entry": ("entry ", "transfer ", "account ")}
    named = tables.get(table, ("posting ", "transfer ", "entry ", "account "))
    assert any(fault.row.startswith(named) for fault in report.faults), report.faults


@pytest.mark.parametrize("table", ["posting", "transfer", "entry", "account"])
def test_a_row_that_is_gone_is_missed(book: Database, table: str) -> None:
    assert tampered(book, f"DELETE FROM {table} WHERE {WHERE[table]}").faults


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (f"DELETE FROM entry WHERE {WHERE['entry']}", "entry_missing"),
        (f"UPDATE transfer SET pending_leg = 5 WHERE {WHERE['transfer']}", "transfer_resolves"),
        (f"UPDATE transfer SET amount = 9000000 WHERE {WHERE['transfer']}", "transfer_resolves"),
    ],
)
def test_each_check_speaks_for_itself(book: Database, change: str, check: str) -> None:
    assert check in {fault.check for fault in tampered(book, change).faults}


def test_a_payment_that_came_back_is_sound_and_what_it_reverses_is_hashed(database: Database) -> None:
    settled(database)
    pay, back = (event(PostingKind.PAY, single(PAYABLE, accounts.paid(), 1)), PostingKind.BANK_RETURN)
    give(database, [event(PostingKind.SETTLE, single(VOUCHER, PAYABLE, 1)), pay])
    give(database, [event(back, single(accounts.paid(), PAYABLE, 1), reverses=pay.id)])
    with database.read() as session:
        assert verify(session).faults == ()
    other = "(SELECT p.id FROM posting p WHERE p.kind = 'issue')"
    report = tampered(database, f"UPDATE posting SET reverses = {other} WHERE kind = 'bank_return'")
    assert [fault.check for fault in report.faults] == ["posting_content"]


def test_an_entry_written_twice_is_seen(book: Database) -> None:
    again = (
        "INSERT INTO entry SELECT book_id, account_id, seq + 1, version + 1, posting_id, leg, amount, "
        f"pending_delta, balance + amount FROM entry WHERE account_id = {ORDER.id} AND version = 3"
    )
    account = (
        "UPDATE account SET version = version + 1, last_seq = last_seq + 1, "
        f"debits_posted = debits_posted + 70_000_00 WHERE id = {ORDER.id}"
    ).replace("70_000_00", "7000000")
    checks = {fault.check for fault in tampered(book, again, account).faults}
    assert "entry_count" in checks


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ("DELETE FROM log_queue WHERE qid = 1", "log_place"),
        (("INSERT INTO log_queue (qid, book_id, posting_id) SELECT 99, book_id, posting_id FROM log_queue "
         "WHERE qid = 1"), "log_count"),
    ],
)  # fmt: skip
def test_a_posting_stands_exactly_once_in_the_log_or_its_queue(
    book: Database, change: str, check: str
) -> None:
    assert check in {fault.check for fault in tampered(book, change).faults}


def test_a_fault_says_row_found_and_expected(book: Database) -> None:
    report = tampered(book, f"UPDATE account SET credits_posted = credits_posted + 5 WHERE id = {VOUCHER.id}")
    fault = next(fault for fault in report.faults if fault.check == "account_figures")
    assert fault.row == f"account 1/{VOUCHER.id} (voucher:V2026-1:0).credits_posted"
    assert (fault.found, fault.expected) == ("20000005", "20000000")
