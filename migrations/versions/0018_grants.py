"""What the application's and the auditors' roles may do on PostgreSQL, where `voucher db roles` has made them.

The application inserts into the ledger and reads it; it updates only the balance columns of accounts and the
closing date of books, and deletes only from the log queue. Auditors read the four views and nothing else.
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"

LEDGER = (
    "book",
    "account",
    "posting",
    "transfer",
    "entry",
    "checkpoint",
    "log_leaf",
    "log_checkpoint",
    "journal",
    "tax_check",
    "agreement_version",
    "agreement_step",
    "evaluation_rules",
    "year_end",
    "year_end_answer",
)
VIEWS = ("audit_ledger", "audit_cap", "audit_voucher", "audit_settlement")
BALANCES = "debits_posted, credits_posted, debits_pending, credits_pending, version, last_seq"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    application = [
        "GRANT USAGE ON SCHEMA public TO voucher_app",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO voucher_app",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO voucher_app",
        *(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM voucher_app" for table in LEDGER),
        f"GRANT UPDATE ({BALANCES}) ON account TO voucher_app",
        "GRANT UPDATE (closed_through) ON book TO voucher_app",
        "REVOKE UPDATE ON log_queue FROM voucher_app",
        "REVOKE UPDATE, DELETE, TRUNCATE ON policy_version FROM voucher_app",
        "GRANT UPDATE (effective_to, superseded_by) ON policy_version TO voucher_app",
        "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM voucher_app",
    ]
    auditors = ["GRANT USAGE ON SCHEMA public TO voucher_audit"]
    auditors += [f"GRANT SELECT ON {view} TO voucher_audit" for view in VIEWS]
    _grant("voucher_app", application)
    _grant("voucher_audit", auditors)


def _grant(role: str, statements: list[str]) -> None:
    body = " ".join(f"EXECUTE '{statement}';" for statement in statements)
    op.execute(
        f"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN {body} END IF; END $$"
    )
