"""The tables: parties and places, programmes, vouchers, orders, claims, settlements, and the ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
JSON = sa.Text().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:

    op.create_table(
        "book",
        sa.Column("book_id", KEY, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("authority", sa.String(length=80), nullable=False),
        sa.Column("closed_through", sa.Date(), nullable=True),
        sa.Column("log_key_id", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("book_id", name="pk_book"),
        sa.UniqueConstraint("code", name="uq_book_code"),
    )
    op.create_table(
        "journal",
        sa.Column("id", KEY, nullable=False),
        sa.Column("done_at", INSTANT, nullable=False),
        sa.Column("actor_ref", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("rule_version", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_journal"),
    )
    op.create_index("ix_journal_at", "journal", ["done_at"])
    op.create_index("ix_journal_subject", "journal", ["subject"])

    op.create_table(
        "log_queue",
        sa.Column("qid", KEY, nullable=False),
        sa.Column("book_id", KEY, nullable=False),
        sa.Column("posting_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("qid", name="pk_log_queue"),
    )
    op.create_table(
        "person",
        sa.Column("id", KEY, nullable=False),
        sa.Column("login", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("password_hash", sa.String(length=160), nullable=False),
        sa.Column("session_version", sa.Integer(), nullable=False),
        sa.Column("disabled_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sa.UniqueConstraint("login", name="uq_person_login"),
    )
    op.create_table(
        "region",
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("level", sa.String(length=12), nullable=False),
        sa.Column("parent_code", sa.String(length=20), nullable=True),
        sa.Column("path", sa.String(length=160), nullable=False),
        sa.Column("division_code", sa.String(length=6), nullable=True),
        sa.ForeignKeyConstraint(
            ["parent_code"], ["region.code"], name="fk_region_parent_code", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("code", name="pk_region"),
    )
    op.create_index("ix_region_path", "region", ["path"])

    op.create_table(
        "request_key",
        sa.Column("id", KEY, nullable=False),
        sa.Column("actor_ref", sa.String(length=80), nullable=False),
        sa.Column("route", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_request_key"),
        sa.UniqueConstraint("actor_ref", "route", "key", name="uq_request_key_actor_ref_route_key"),
    )
    op.create_table(
        "sign_in_failure",
        sa.Column("id", KEY, nullable=False),
        sa.Column("login", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("failed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_failure"),
    )
    op.create_index("ix_sign_in_failure_login", "sign_in_failure", ["login", "failed_at"])
    op.create_index("ix_sign_in_failure_source", "sign_in_failure", ["source", "failed_at"])

    op.create_table(
        "account",
        sa.Column("book_id", KEY, nullable=False),
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("unit", sa.String(length=8), nullable=False),
        sa.Column("owner_ref", sa.String(length=160), nullable=False),
        sa.Column("period", sa.Integer(), nullable=False),
        sa.Column("flags", sa.Integer(), nullable=False),
        sa.Column("debits_posted", sa.BigInteger(), nullable=False),
        sa.Column("credits_posted", sa.BigInteger(), nullable=False),
        sa.Column("debits_pending", sa.BigInteger(), nullable=False),
        sa.Column("credits_pending", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_seq", KEY, nullable=False),
        sa.CheckConstraint(
            "debits_posted >= 0 AND credits_posted >= 0 AND debits_pending >= 0 AND credits_pending >= 0",
            name="ck_account_no_negative",
        ),
        sa.CheckConstraint(
            "flags <> 1 OR debits_posted + debits_pending <= credits_posted",
            name="ck_account_debits_within_credits",
        ),
        sa.CheckConstraint(
            "flags <> 2 OR credits_posted + credits_pending <= debits_posted",
            name="ck_account_credits_within_debits",
        ),
        sa.CheckConstraint("flags IN (0, 1, 2)", name="ck_account_flags"),
        sa.ForeignKeyConstraint(
            ["book_id"], ["book.book_id"], name="fk_account_book_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("book_id", "id", name="pk_account"),
        sa.UniqueConstraint(
            "book_id",
            "code",
            "owner_ref",
            "period",
            "unit",
            name="uq_account_book_id_code_owner_ref_period_unit",
        ),
    )
    op.create_table(
        "log_checkpoint",
        sa.Column("book_id", KEY, nullable=False),
        sa.Column("tree_size", KEY, autoincrement=False, nullable=False),
        sa.Column("max_seq", KEY, nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("signed_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["book_id"], ["book.book_id"], name="fk_log_checkpoint_book_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("book_id", "tree_size", name="pk_log_checkpoint"),
    )
    op.create_table(
        "organisation",
        sa.Column("id", KEY, nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("region_code", sa.String(length=20), nullable=False),
        sa.Column("legal_representative", sa.String(length=40), nullable=False),
        sa.Column("parent_id", KEY, nullable=True),
        sa.Column("controller_key", sa.String(length=64), nullable=True),
        sa.Column("legal_rep_key", sa.String(length=64), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["organisation.id"], name="fk_organisation_parent_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["region_code"], ["region.code"], name="fk_organisation_region_code", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_organisation"),
        sa.UniqueConstraint("uscc", name="uq_organisation_uscc"),
    )
    op.create_index("ix_organisation_controller", "organisation", ["controller_key"])
    op.create_index("ix_organisation_legal_rep", "organisation", ["legal_rep_key"])
    op.create_index("ix_organisation_parent", "organisation", ["parent_id"])

    op.create_table(
        "posting",
        sa.Column("book_id", KEY, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("fiscal_year", sa.Integer(), nullable=False),
        sa.Column("rule_version", sa.String(length=80), nullable=False),
        sa.Column("actor_ref", sa.String(length=80), nullable=False),
        sa.Column("event_on", sa.Date(), nullable=False),
        sa.Column("posted_at", INSTANT, nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("reverses", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["book_id"], ["book.book_id"], name="fk_posting_book_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("book_id", "id", name="pk_posting"),
        sa.UniqueConstraint("book_id", "reverses", name="uq_posting_book_id_reverses"),
    )
    op.create_table(
        "programme",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("region_code", sa.String(length=20), nullable=False),
        sa.Column("book_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["book_id"], ["book.book_id"], name="fk_programme_book_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["region_code"], ["region.code"], name="fk_programme_region_code", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("code", name="pk_programme"),
    )
    op.create_table(
        "roster_import",
        sa.Column("id", KEY, nullable=False),
        sa.Column("roster", sa.String(length=24), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("imported_by", KEY, nullable=False),
        sa.Column("imported_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["imported_by"], ["person.id"], name="fk_roster_import_imported_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_roster_import"),
    )
    op.create_table(
        "affiliation",
        sa.Column("id", KEY, nullable=False),
        sa.Column("first_id", KEY, nullable=False),
        sa.Column("second_id", KEY, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("share_bp", sa.Integer(), nullable=True),
        sa.CheckConstraint("first_id < second_id", name="ck_affiliation_ordered_pair"),
        sa.ForeignKeyConstraint(
            ["first_id"], ["organisation.id"], name="fk_affiliation_first_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["second_id"], ["organisation.id"], name="fk_affiliation_second_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_affiliation"),
        sa.UniqueConstraint("first_id", "second_id", "kind", name="uq_affiliation_first_id_second_id_kind"),
    )
    op.create_table(
        "budget_line",
        sa.Column("id", KEY, nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("programme_code", sa.String(length=40), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_code"], ["programme.code"], name="fk_budget_line_programme_code", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_budget_line"),
        sa.UniqueConstraint("code", name="uq_budget_line_code"),
        sa.UniqueConstraint("programme_code", "year", "name", name="uq_budget_line_programme_code_year_name"),
    )
    op.create_table(
        "checkpoint",
        sa.Column("book_id", KEY, autoincrement=False, nullable=False),
        sa.Column("account_id", KEY, autoincrement=False, nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("tree_size", KEY, nullable=False),
        sa.Column("debits", sa.BigInteger(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["book_id", "account_id"],
            ["account.book_id", "account.id"],
            name="fk_checkpoint_book_id_account_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("book_id", "account_id", "period_end", name="pk_checkpoint"),
    )
    op.create_table(
        "holder",
        sa.Column("id", KEY, nullable=False),
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("organisation_id", KEY, nullable=True),
        sa.Column("region_code", sa.String(length=20), nullable=False),
        sa.Column("cap_ref", sa.String(length=40), nullable=True),
        sa.Column("converted_into", KEY, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["converted_into"], ["holder.id"], name="fk_holder_converted_into", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_holder_organisation_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["region_code"], ["region.code"], name="fk_holder_region_code", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_holder"),
        sa.UniqueConstraint("organisation_id", name="uq_holder_organisation_id"),
        sa.UniqueConstraint("ref", name="uq_holder_ref"),
    )
    op.create_table(
        "log_leaf",
        sa.Column("book_id", KEY, autoincrement=False, nullable=False),
        sa.Column("idx", KEY, autoincrement=False, nullable=False),
        sa.Column("posting_id", sa.Uuid(), nullable=False),
        sa.Column("leaf_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["book_id", "posting_id"],
            ["posting.book_id", "posting.id"],
            name="fk_log_leaf_book_id_posting_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("book_id", "idx", name="pk_log_leaf"),
        sa.UniqueConstraint("book_id", "posting_id", name="uq_log_leaf_book_id_posting_id"),
    )
    op.create_table(
        "payee_account",
        sa.Column("id", KEY, nullable=False),
        sa.Column("organisation_id", KEY, nullable=False),
        sa.Column("account_name", sa.String(length=120), nullable=False),
        sa.Column("bank", sa.String(length=120), nullable=False),
        sa.Column("account_no", sa.String(length=40), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name="fk_payee_account_organisation_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_payee_account"),
    )
    op.create_index("ix_payee_account_organisation", "payee_account", ["organisation_id"])

    op.create_table(
        "platform",
        sa.Column("id", KEY, nullable=False),
        sa.Column("organisation_id", KEY, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("region_code", sa.String(length=20), nullable=False),
        sa.Column("orders_a_day", sa.Integer(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_platform_organisation_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["region_code"], ["region.code"], name="fk_platform_region_code", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_platform"),
        sa.UniqueConstraint("organisation_id", "name", name="uq_platform_organisation_id_name"),
    )
    op.create_table(
        "api_token",
        sa.Column("id", KEY, nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("session_version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("platform_id", KEY, nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_api_token_person_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platform.id"], name="fk_api_token_platform_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
        sa.UniqueConstraint("token_hash", name="uq_api_token_token_hash"),
    )
    op.create_table(
        "policy_version",
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("programme_code", sa.String(length=40), nullable=False),
        sa.Column("document_no", sa.String(length=80), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("fills", JSON, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("effective_to", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("parent_code", sa.String(length=60), nullable=True),
        sa.Column("parent_sha256", sa.String(length=64), nullable=True),
        sa.Column("superseded_by", sa.String(length=60), nullable=True),
        sa.Column("proposed_by", KEY, nullable=False),
        sa.Column("published_by", KEY, nullable=False),
        sa.Column("published_at", INSTANT, nullable=False),
        sa.CheckConstraint("published_by <> proposed_by", name="ck_policy_version_two_persons"),
        sa.ForeignKeyConstraint(
            ["parent_code"],
            ["policy_version.code"],
            name="fk_policy_version_parent_code",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["person.id"], name="fk_policy_version_proposed_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["superseded_by"],
            ["policy_version.code"],
            name="fk_policy_version_superseded_by",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["programme_code"],
            ["programme.code"],
            name="fk_policy_version_programme_code",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["published_by"], ["person.id"], name="fk_policy_version_published_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("code", name="pk_policy_version"),
    )
    op.create_index("ix_policy_version_programme", "policy_version", ["programme_code", "effective_from"])

    op.create_table(
        "roster_entry",
        sa.Column("id", KEY, nullable=False),
        sa.Column("import_id", KEY, nullable=False),
        sa.Column("roster", sa.String(length=24), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("roster_no", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("region_code", sa.String(length=20), nullable=False),
        sa.Column("staff", sa.Integer(), nullable=True),
        sa.Column("revenue_fen", sa.BigInteger(), nullable=True),
        sa.Column("mobile", sa.String(length=20), nullable=True),
        sa.Column("email", sa.String(length=120), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_id"], ["roster_import.id"], name="fk_roster_entry_import_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["region_code"], ["region.code"], name="fk_roster_entry_region_code", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_roster_entry"),
        sa.UniqueConstraint("roster", "year", "roster_no", name="uq_roster_entry_roster_year_roster_no"),
        sa.UniqueConstraint("roster", "year", "uscc", name="uq_roster_entry_roster_year_uscc"),
    )
    op.create_table(
        "settlement_batch",
        sa.Column("id", KEY, nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("book_id", KEY, nullable=False),
        sa.Column("programme_code", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=True),
        sa.Column("maker_id", KEY, nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("submitted_at", INSTANT, nullable=True),
        sa.Column("checker_id", KEY, nullable=True),
        sa.Column("approved_at", INSTANT, nullable=True),
        sa.Column("exported_at", INSTANT, nullable=True),
        sa.Column("reconciled_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "checker_id IS NULL OR checker_id <> maker_id", name="ck_settlement_batch_two_persons"
        ),
        sa.ForeignKeyConstraint(
            ["book_id"], ["book.book_id"], name="fk_settlement_batch_book_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["checker_id"], ["person.id"], name="fk_settlement_batch_checker_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["maker_id"], ["person.id"], name="fk_settlement_batch_maker_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["programme_code"],
            ["programme.code"],
            name="fk_settlement_batch_programme_code",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_settlement_batch"),
        sa.UniqueConstraint("number", name="uq_settlement_batch_number"),
    )
    op.create_index("ix_settlement_batch_state", "settlement_batch", ["book_id", "state"])

    op.create_table(
        "transfer",
        sa.Column("book_id", KEY, autoincrement=False, nullable=False),
        sa.Column("posting_id", sa.Uuid(), nullable=False),
        sa.Column("leg", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("debit_id", KEY, nullable=False),
        sa.Column("credit_id", KEY, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=8), nullable=False),
        sa.Column("phase", sa.String(length=8), nullable=False),
        sa.Column("pending_posting_id", sa.Uuid(), nullable=True),
        sa.Column("pending_leg", sa.Integer(), nullable=True),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "(phase IN ('post', 'void')) = (pending_posting_id IS NOT NULL)",
            name="ck_transfer_resolves_a_pending",
        ),
        sa.CheckConstraint("phase IN ('single', 'pending', 'post', 'void')", name="ck_transfer_phase"),
        sa.CheckConstraint("amount > 0", name="ck_transfer_amount_positive"),
        sa.CheckConstraint("debit_id <> credit_id", name="ck_transfer_two_accounts"),
        sa.ForeignKeyConstraint(
            ["book_id", "credit_id"],
            ["account.book_id", "account.id"],
            name="fk_transfer_book_id_credit_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["book_id", "debit_id"],
            ["account.book_id", "account.id"],
            name="fk_transfer_book_id_debit_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["book_id", "posting_id"],
            ["posting.book_id", "posting.id"],
            name="fk_transfer_book_id_posting_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("book_id", "posting_id", "leg", name="pk_transfer"),
        sa.UniqueConstraint(
            "book_id",
            "pending_posting_id",
            "pending_leg",
            name="uq_transfer_book_id_pending_posting_id_pending_leg",
        ),
    )
    op.create_index("ix_transfer_credit", "transfer", ["book_id", "credit_id"])
    op.create_index("ix_transfer_debit", "transfer", ["book_id", "debit_id"])

    op.create_table(
        "budget_document",
        sa.Column("id", KEY, nullable=False),
        sa.Column("budget_line_id", KEY, nullable=False),
        sa.Column("document_no", sa.String(length=80), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("funded_by", KEY, nullable=False),
        sa.Column("funded_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["budget_line_id"],
            ["budget_line.id"],
            name="fk_budget_document_budget_line_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["funded_by"], ["person.id"], name="fk_budget_document_funded_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_budget_document"),
        sa.UniqueConstraint(
            "budget_line_id", "document_no", name="uq_budget_document_budget_line_id_document_no"
        ),
    )
    op.create_table(
        "certification",
        sa.Column("id", KEY, nullable=False),
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("authority", sa.String(length=80), nullable=False),
        sa.Column("region_code", sa.String(length=20), nullable=False),
        sa.Column("kinds", JSON, nullable=False),
        sa.Column("services", JSON, nullable=False),
        sa.Column("document_no", sa.String(length=80), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("state_reason", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platform.id"], name="fk_certification_platform_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["region_code"], ["region.code"], name="fk_certification_region_code", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_certification"),
    )
    op.create_index("ix_certification_platform", "certification", ["platform_id"])

    op.create_table(
        "entry",
        sa.Column("book_id", KEY, autoincrement=False, nullable=False),
        sa.Column("account_id", KEY, autoincrement=False, nullable=False),
        sa.Column("seq", KEY, autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("posting_id", sa.Uuid(), nullable=False),
        sa.Column("leg", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("pending_delta", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["book_id", "account_id"],
            ["account.book_id", "account.id"],
            name="fk_entry_book_id_account_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["book_id", "posting_id", "leg"],
            ["transfer.book_id", "transfer.posting_id", "transfer.leg"],
            name="fk_entry_book_id_posting_id_leg",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("book_id", "account_id", "seq", name="pk_entry"),
    )
    op.create_index("ix_entry_posting", "entry", ["book_id", "posting_id"])

    op.create_table(
        "qualification",
        sa.Column("id", KEY, nullable=False),
        sa.Column("programme_code", sa.String(length=40), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("holder_id", KEY, nullable=False),
        sa.Column("holder_class", sa.String(length=24), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("qualified_by", KEY, nullable=False),
        sa.Column("qualified_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["holder_id"], ["holder.id"], name="fk_qualification_holder_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["programme_code"],
            ["programme.code"],
            name="fk_qualification_programme_code",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["qualified_by"], ["person.id"], name="fk_qualification_qualified_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_qualification"),
        sa.UniqueConstraint(
            "programme_code", "year", "holder_id", name="uq_qualification_programme_code_year_holder_id"
        ),
    )
    op.create_table(
        "role_grant",
        sa.Column("id", KEY, nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("organisation_id", KEY, nullable=True),
        sa.Column("platform_id", KEY, nullable=True),
        sa.Column("region_code", sa.String(length=20), nullable=True),
        sa.Column("book_id", KEY, nullable=True),
        sa.Column("function", sa.String(length=40), nullable=True),
        sa.Column("mandates", sa.String(length=80), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["book_id"], ["book.book_id"], name="fk_role_grant_book_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name="fk_role_grant_organisation_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_role_grant_person_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platform.id"], name="fk_role_grant_platform_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["region_code"], ["region.code"], name="fk_role_grant_region_code", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_role_grant"),
    )
    op.create_index("ix_role_grant_person", "role_grant", ["person_id"])

    op.create_table(
        "scan_attempt",
        sa.Column("id", KEY, nullable=False),
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("scanned_by", KEY, nullable=False),
        sa.Column("scanned_at", INSTANT, nullable=False),
        sa.Column("verdict", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platform.id"], name="fk_scan_attempt_platform_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["scanned_by"], ["person.id"], name="fk_scan_attempt_scanned_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_scan_attempt"),
    )
    op.create_index("ix_scan_attempt_platform", "scan_attempt", ["platform_id", "scanned_at"])

    op.create_table(
        "voucher",
        sa.Column("id", KEY, nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("book_id", KEY, nullable=False),
        sa.Column("programme_code", sa.String(length=40), nullable=False),
        sa.Column("policy_code", sa.String(length=60), nullable=False),
        sa.Column("budget_line_id", KEY, nullable=False),
        sa.Column("holder_id", KEY, nullable=False),
        sa.Column("holder_class", sa.String(length=24), nullable=False),
        sa.Column("face_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("state_reason", sa.String(length=200), nullable=False),
        sa.Column("use_by", sa.Date(), nullable=False),
        sa.Column("issued_by", KEY, nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.CheckConstraint("face_fen > 0", name="ck_voucher_face_positive"),
        sa.ForeignKeyConstraint(
            ["book_id"], ["book.book_id"], name="fk_voucher_book_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["budget_line_id"], ["budget_line.id"], name="fk_voucher_budget_line_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["holder_id"], ["holder.id"], name="fk_voucher_holder_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["issued_by"], ["person.id"], name="fk_voucher_issued_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["policy_code"], ["policy_version.code"], name="fk_voucher_policy_code", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["programme_code"], ["programme.code"], name="fk_voucher_programme_code", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_voucher"),
        sa.UniqueConstraint("number", name="uq_voucher_number"),
    )
    op.create_index("ix_voucher_expiry", "voucher", ["state", "use_by"])
    op.create_index("ix_voucher_holder", "voucher", ["holder_id"])

    op.create_table(
        "service_order",
        sa.Column("id", KEY, nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("book_id", KEY, nullable=False),
        sa.Column("channel", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("voucher_id", KEY, nullable=True),
        sa.Column("budget_line_id", KEY, nullable=True),
        sa.Column("holder_class", sa.String(length=24), nullable=True),
        sa.Column("holder_id", KEY, nullable=False),
        sa.Column("platform_id", KEY, nullable=True),
        sa.Column("programme_code", sa.String(length=40), nullable=False),
        sa.Column("policy_code", sa.String(length=60), nullable=False),
        sa.Column("service", sa.String(length=40), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("provider_ref", sa.String(length=60), nullable=False),
        sa.Column("quote_fen", sa.BigInteger(), nullable=True),
        sa.Column("contract_no", sa.String(length=60), nullable=False),
        sa.Column("contract_on", sa.Date(), nullable=True),
        sa.Column("contract_fen", sa.BigInteger(), nullable=True),
        sa.Column("contract_ref", sa.String(length=120), nullable=False),
        sa.Column("instalments", sa.Integer(), nullable=False),
        sa.Column("beneficiaries", sa.Integer(), nullable=False),
        sa.Column("funders", sa.Integer(), nullable=False),
        sa.Column("entry_id", KEY, nullable=True),
        sa.Column("listed_fen", sa.BigInteger(), nullable=True),
        sa.Column("agreement_version_id", KEY, nullable=True),
        sa.Column("recognised_region", sa.String(length=20), nullable=False),
        sa.Column("earlier_fen", sa.BigInteger(), nullable=True),
        sa.Column("units", sa.Integer(), nullable=True),
        sa.Column("fiscal_year", sa.Integer(), nullable=False),
        sa.Column("wanted_fen", sa.BigInteger(), nullable=False),
        sa.Column("held_fen", sa.BigInteger(), nullable=False),
        sa.Column("captured_fen", sa.BigInteger(), nullable=False),
        sa.Column("approved_fen", sa.BigInteger(), nullable=False),
        sa.Column("reductions", JSON, nullable=False),
        sa.Column("hold_posting", sa.Uuid(), nullable=True),
        sa.Column("capture_posting", sa.Uuid(), nullable=True),
        sa.Column("hold_expires_at", INSTANT, nullable=True),
        sa.Column("complete_by", sa.Date(), nullable=True),
        sa.Column("confirm_by", sa.Date(), nullable=True),
        sa.Column("cancel_asked_by", sa.String(length=12), nullable=False),
        sa.Column("placed_at", INSTANT, nullable=False),
        sa.Column("accepted_at", INSTANT, nullable=True),
        sa.Column("held_at", INSTANT, nullable=True),
        sa.Column("delivered_at", INSTANT, nullable=True),
        sa.Column("captured_at", INSTANT, nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("close_reason", sa.String(length=200), nullable=False),
        sa.CheckConstraint("approved_fen <= captured_fen", name="ck_service_order_approved_within_captured"),
        sa.CheckConstraint(
            "channel = 'post_subsidy' OR (voucher_id IS NOT NULL AND platform_id IS NOT NULL)",
            name="ck_service_order_voucher_unless_award",
        ),
        sa.CheckConstraint(
            "held_fen >= 0 AND captured_fen >= 0 AND approved_fen >= 0", name="ck_service_order_no_negative"
        ),
        sa.ForeignKeyConstraint(
            ["book_id"], ["book.book_id"], name="fk_service_order_book_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["budget_line_id"],
            ["budget_line.id"],
            name="fk_service_order_budget_line_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["holder_id"], ["holder.id"], name="fk_service_order_holder_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platform.id"], name="fk_service_order_platform_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["policy_code"], ["policy_version.code"], name="fk_service_order_policy_code", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["programme_code"],
            ["programme.code"],
            name="fk_service_order_programme_code",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["voucher_id"], ["voucher.id"], name="fk_service_order_voucher_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_service_order"),
        sa.UniqueConstraint("number", name="uq_service_order_number"),
    )
    op.create_index("ix_service_order_confirm", "service_order", ["state", "confirm_by"])
    op.create_index("ix_service_order_contract", "service_order", ["contract_ref"])
    op.create_index("ix_service_order_holder", "service_order", ["holder_id", "state"])
    op.create_index("ix_service_order_overdue", "service_order", ["state", "complete_by"])
    op.create_index("ix_service_order_platform", "service_order", ["platform_id", "state"])
    op.create_index("ix_service_order_provider_ref", "service_order", ["platform_id", "provider_ref"])
    op.create_index("ix_service_order_voucher", "service_order", ["voucher_id"])

    op.create_table(
        "claim",
        sa.Column("id", KEY, nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("book_id", KEY, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("hearing", sa.Integer(), nullable=False),
        sa.Column("by_platform", sa.Boolean(), nullable=False),
        sa.Column("origin_region", sa.String(length=20), nullable=True),
        sa.Column("contract_fen", sa.BigInteger(), nullable=True),
        sa.Column("invoice_net_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("base_fen", sa.BigInteger(), nullable=False),
        sa.Column("audited_fen", sa.BigInteger(), nullable=True),
        sa.Column("factor_bp", sa.Integer(), nullable=True),
        sa.Column("claimed_fen", sa.BigInteger(), nullable=False),
        sa.Column("approved_fen", sa.BigInteger(), nullable=True),
        sa.Column("payee_account_id", KEY, nullable=False),
        sa.Column("submitted_by", KEY, nullable=False),
        sa.Column("submitted_at", INSTANT, nullable=False),
        sa.Column("queued_at", INSTANT, nullable=False),
        sa.Column("confirm_by", sa.Date(), nullable=True),
        sa.Column("confirmed_by", KEY, nullable=True),
        sa.Column("confirmed_at", INSTANT, nullable=True),
        sa.Column("returned_at", INSTANT, nullable=True),
        sa.Column("return_reason", sa.String(length=500), nullable=False),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "approved_fen IS NULL OR approved_fen <= claimed_fen", name="ck_claim_approved_within_claimed"
        ),
        sa.ForeignKeyConstraint(["book_id"], ["book.book_id"], name="fk_claim_book_id", ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["confirmed_by"], ["person.id"], name="fk_claim_confirmed_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["origin_region"], ["region.code"], name="fk_claim_origin_region", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["service_order.id"], name="fk_claim_order_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["payee_account_id"], ["payee_account.id"], name="fk_claim_payee_account_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by"], ["person.id"], name="fk_claim_submitted_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_claim"),
        sa.UniqueConstraint("number", name="uq_claim_number"),
    )
    op.create_index("ix_claim_confirm", "claim", ["state", "confirm_by"])
    op.create_index("ix_claim_state", "claim", ["state", "queued_at"])
    op.create_index(
        "uq_claim_open_order",
        "claim",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'withdrawn'"),
        sqlite_where=sa.text("state <> 'withdrawn'"),
    )

    op.create_table(
        "redemption_session",
        sa.Column("id", KEY, nullable=False),
        sa.Column("number", sa.String(length=9), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("voucher_id", KEY, nullable=False),
        sa.Column("holder_id", KEY, nullable=False),
        sa.Column("opened_by", KEY, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("closes_at", INSTANT, nullable=False),
        sa.Column("wrong_tags", sa.Integer(), nullable=False),
        sa.Column("platform_id", KEY, nullable=True),
        sa.Column("scanned_by", KEY, nullable=True),
        sa.Column("scanned_at", INSTANT, nullable=True),
        sa.Column("order_id", KEY, nullable=True),
        sa.Column("proposed_at", INSTANT, nullable=True),
        sa.Column("confirm_by", INSTANT, nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("close_reason", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["holder_id"], ["holder.id"], name="fk_redemption_session_holder_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["opened_by"], ["person.id"], name="fk_redemption_session_opened_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["service_order.id"], name="fk_redemption_session_order_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platform.id"], name="fk_redemption_session_platform_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["scanned_by"], ["person.id"], name="fk_redemption_session_scanned_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["voucher_id"], ["voucher.id"], name="fk_redemption_session_voucher_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_redemption_session"),
        sa.UniqueConstraint("number", name="uq_redemption_session_number"),
    )
    op.create_index("ix_redemption_session_holder", "redemption_session", ["holder_id", "opened_at"])
    op.create_index("ix_redemption_session_open", "redemption_session", ["state", "closes_at"])
    op.create_index("ix_redemption_session_platform", "redemption_session", ["platform_id", "scanned_at"])

    op.create_table(
        "document",
        sa.Column("id", KEY, nullable=False),
        sa.Column("claim_id", KEY, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(length=60), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("uploaded_by", KEY, nullable=False),
        sa.Column("uploaded_at", INSTANT, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("dropped_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name="fk_document_claim_id", ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["uploaded_by"], ["person.id"], name="fk_document_uploaded_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_document"),
    )
    op.create_index("ix_document_claim", "document", ["claim_id"])

    op.create_table(
        "invoice",
        sa.Column("id", KEY, nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("buyer_uscc", sa.String(length=18), nullable=False),
        sa.Column("seller_uscc", sa.String(length=18), nullable=False),
        sa.Column("buyer_name", sa.String(length=120), nullable=False),
        sa.Column("seller_name", sa.String(length=120), nullable=False),
        sa.Column("original_sha256", sa.String(length=64), nullable=True),
        sa.Column("original", JSON, nullable=True),
        sa.Column("verdict", sa.String(length=12), nullable=True),
        sa.Column("checked_on", sa.Date(), nullable=True),
        sa.CheckConstraint("net_fen > 0", name="ck_invoice_net_positive"),
        sa.PrimaryKeyConstraint("id", name="pk_invoice"),
        sa.UniqueConstraint("key", name="uq_invoice_key"),
    )

    op.create_table(
        "review",
        sa.Column("id", KEY, nullable=False),
        sa.Column("claim_id", KEY, nullable=False),
        sa.Column("hearing", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=12), nullable=False),
        sa.Column("approved_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("rule_version", sa.String(length=80), nullable=False),
        sa.Column("reviewer_id", KEY, nullable=False),
        sa.Column("reviewed_at", INSTANT, nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=True),
        sa.Column("minutes_no", sa.String(length=80), nullable=True),
        sa.Column("minutes_on", sa.Date(), nullable=True),
        sa.Column("minutes_sha256", sa.String(length=64), nullable=True),
        sa.Column("minutes_name", sa.String(length=120), nullable=True),
        sa.Column("facts", JSON, nullable=True),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name="fk_review_claim_id", ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["reviewer_id"], ["person.id"], name="fk_review_reviewer_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_review"),
        sa.UniqueConstraint("claim_id", "hearing", name="uq_review_claim_id_hearing"),
    )
    op.create_table(
        "settlement_line",
        sa.Column("id", KEY, nullable=False),
        sa.Column("batch_id", KEY, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("claim_id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("payee_ref", sa.String(length=40), nullable=False),
        sa.Column("payee_name", sa.String(length=120), nullable=False),
        sa.Column("bank", sa.String(length=120), nullable=False),
        sa.Column("account_no", sa.String(length=40), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("bank_serial", sa.String(length=60), nullable=False),
        sa.Column("state_reason", sa.String(length=200), nullable=False),
        sa.Column("settled_at", INSTANT, nullable=True),
        sa.Column("paid_at", INSTANT, nullable=True),
        sa.Column("bounced_by", KEY, nullable=True),
        sa.CheckConstraint("amount_fen > 0", name="ck_settlement_line_amount_positive"),
        sa.ForeignKeyConstraint(
            ["bounced_by"], ["person.id"], name="fk_settlement_line_bounced_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["settlement_batch.id"], name="fk_settlement_line_batch_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["claim.id"], name="fk_settlement_line_claim_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["service_order.id"], name="fk_settlement_line_order_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_settlement_line"),
        sa.UniqueConstraint("batch_id", "seq", name="uq_settlement_line_batch_id_seq"),
        sa.UniqueConstraint("claim_id", name="uq_settlement_line_claim_id"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE account SET (fillfactor = 60)")
