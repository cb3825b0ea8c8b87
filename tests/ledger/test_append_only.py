"""What was posted cannot be changed or removed, whatever statement is tried."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.ledger.books import settled
from voucher.db import Base, Database
from voucher.models.guards import APPEND_ONLY

LEDGER = ("posting", "transfer", "entry")
OTHERS = {
    "log_leaf": "INSERT INTO log_leaf (book_id, idx, posting_id, leaf_hash) SELECT book_id, 0, id, 'x' FROM posting "
    "WHERE kind = 'fund'",
    "log_checkpoint": "INSERT INTO log_checkpoint (book_id, tree_size, max_seq, root, note, signed_at) "
    "VALUES (1, 1, 1, 'x', 'x', '2026-03-02 04:00:00+00:00')",
    "journal": "INSERT INTO journal (id, done_at, actor_ref, action, subject, facts, rule_version, source) "
    "VALUES (1, '2026-03-02 04:00:00+00:00', 'p', 'a', 's', '{}', '', 'test')",
    "region": "INSERT INTO region (code, name, level, path) VALUES ('140000', '山西省', 'province', '/140000/')",
    "person": "INSERT INTO person (id, login, name, password_hash, session_version, created_at) "
    "VALUES (1, 'wang', '王伟', '-', 1, '2026-03-02 04:00:00+00:00')",
    "invoice": "INSERT INTO invoice (id, key, issued_on, net_fen, buyer_uscc, seller_uscc, buyer_name, seller_name) "
    "VALUES (1, '25142000000000000001', '2026-03-02', 1, '', '', '', '')",
    "tax_check": "INSERT INTO tax_check (id, invoice_id, verdict, checked_on, note, checked_by, recorded_at) "
    "VALUES (1, 1, 'normal', '2026-03-02', '', 1, '2026-03-02 04:00:00+00:00')",
    "programme": "INSERT INTO programme (code, name, kind, region_code, book_id) "
    "VALUES ('SX', '创新券', 'innovation_voucher', '140000', 1)",
    "undertaking": "INSERT INTO undertaking (id, programme_code, version, text, sha256, published_by, published_at) "
    "VALUES (1, 'SX', 1, '本单位承诺', 'x', 1, '2026-03-02 04:00:00+00:00')",
    "agreement": "INSERT INTO agreement (code, title, created_at) VALUES ('JJ', '互认协议', '2026-03-02 04:00:00+00:00')",
    "agreement_version": "INSERT INTO agreement_version (id, code, agreement_code, document_no, text, fills, sha256, "
    "effective_from, proposed_for, proposed_by, proposed_at) "
    "VALUES (1, 'JJ-1', 'JJ', '1号', 'x', '[]', 'x', '2026-03-02', '[]', 1, '2026-03-02 04:00:00+00:00')",
    "agreement_step": "INSERT INTO agreement_step (id, version_id, proposed_by, kind, reason, document_no, done_by, done_at) "
    "VALUES (1, 1, 1, 'withdraw', '', '', 1, '2026-03-02 04:00:00+00:00')",
    "budget_line": "INSERT INTO budget_line (id, code, programme_code, year, name, created_at) "
    "VALUES (1, 'B', 'SX', 2026, '指标', '2026-03-02 04:00:00+00:00')",
    "other_person": "INSERT INTO person (id, login, name, password_hash, session_version, created_at) "
    "VALUES (2, 'li', '李娜', '-', 1, '2026-03-02 04:00:00+00:00')",
    "year_end": "INSERT INTO year_end (id, budget_line_id, action, vouchers, document_no, amount_fen, proposed_by, "
    "proposed_at) VALUES (1, 1, 'lapse', 'keep', '晋财〔2027〕1号', 1, 1, '2027-01-02 04:00:00+00:00')",
    "evaluation_rules": "INSERT INTO evaluation_rules (code, region_code, subject, text, sha256, from_on, published_by, "
    "published_at) VALUES ('R', '140000', 'centre', 'x', 'x', '2026-01-01', 1, '2026-03-02 04:00:00+00:00')",
    "year_end_answer": "INSERT INTO year_end_answer (id, approved, amount_fen, proposed_by, decided_by, decided_at) "
    "VALUES (1, true, 1, 1, 2, '2027-01-02 04:00:00+00:00')",
}


def written(database: Database) -> None:
    settled(database)
    for statement in OTHERS.values():
        run(database, statement)
    with database.read() as session:
        empty = [each for each in APPEND_ONLY if not session.execute(text(f"SELECT 1 FROM {each}")).first()]
    assert empty == [], "a trigger for each row refuses nothing where there is no row"


def run(database: Database, statement: str) -> None:
    database.transaction(lambda session, _at: session.connection().exec_driver_sql(statement))


def refused(database: Database, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        run(database, statement)


def test_update_and_delete_are_refused_on_every_table_that_only_grows(database: Database) -> None:
    written(database)
    for table in APPEND_ONLY:
        columns = Base.metadata.tables[table].columns
        column = next(each for each in ("book_id", "id", "code") if each in columns)
        refused(database, f"UPDATE {table} SET {column} = {column}")
        refused(database, f"DELETE FROM {table}")


def test_truncate_is_refused(pg_database: Database) -> None:
    written(pg_database)
    for table in APPEND_ONLY:
        refused(pg_database, f"TRUNCATE {table} CASCADE")


def test_a_row_is_not_replaced_by_an_insert(sqlite_database: Database) -> None:
    written(sqlite_database)
    for table in APPEND_ONLY:
        refused(sqlite_database, f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
        refused(sqlite_database, f"REPLACE INTO {table} SELECT * FROM {table}")


def test_nothing_changed_by_what_was_refused(database: Database) -> None:
    written(database)
    for table in LEDGER:
        with database.read() as session:
            before = session.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2, 3")).all()
        refused(database, f"DELETE FROM {table}")
        with database.read() as session:
            assert session.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2, 3")).all() == before


VERSION = (
    "INSERT INTO policy_version (code, programme_code, document_no, text, fills, sha256, effective_from, state, "
    "proposed_by, published_by, published_at) VALUES ('{}', 'SX', '1号', 'x', '[]', 'x', '2026-01-01', 'published', "
    "1, 2, '2026-03-02 04:00:00+00:00')"
)
ENDS = "UPDATE policy_version SET superseded_by = 'V2', effective_to = '2026-05-01' WHERE code = 'V1'"


def test_of_a_published_version_nothing_changes_but_the_day_on_which_the_next_one_ends_it(
    database: Database,
) -> None:
    written(database)
    for code in ("V1", "V2"):
        run(database, VERSION.format(code))
    columns = {each.name for each in Base.metadata.tables["policy_version"].columns}
    for column in sorted(columns - {"superseded_by", "effective_to"}):
        new = "2" if column.endswith("_by") else "'2026-02-02'"
        new = {"fills": "'[1]'", "parent_code": "'V2'", "published_by": "1", "proposed_by": "2"}.get(
            column, new
        )
        refused(database, f"UPDATE policy_version SET {column} = {new} WHERE code = 'V1'")
        refused(database, ENDS.replace(" WHERE", f", {column} = {new} WHERE"))
    refused(database, "UPDATE policy_version SET effective_to = '2026-05-01'")
    refused(database, "DELETE FROM policy_version")
    run(database, ENDS)
    for again in (ENDS, "UPDATE policy_version SET superseded_by = NULL WHERE code = 'V1'"):
        refused(database, again)
