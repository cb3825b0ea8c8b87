"""Views for auditors' own SQL (docs/audit-views.md); `audit_voucher` is in 0016. Other tools rely on their columns."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

ACCOUNT_NAME = "{0}.code || ':' || {0}.owner_ref || ':' || {0}.period"

AUDIT_LEDGER = f"""
CREATE VIEW audit_ledger AS
SELECT b.code AS book, p.id AS posting_id, t.leg, l.idx AS leaf_idx, p.kind, t.phase,
       {ACCOUNT_NAME.format("d")} AS debit_account, {ACCOUNT_NAME.format("c")} AS credit_account,
       t.unit, t.amount AS amount_fen,
       h.ref AS holder_uscc, pl.name AS platform, o.number AS order_no,
       coalesce(o.programme_code, v.programme_code) AS programme, h.region_code AS region,
       p.fiscal_year, p.event_on, p.posted_at, p.rule_version, p.actor_ref AS actor
FROM posting p
JOIN transfer t ON t.book_id = p.book_id AND t.posting_id = p.id
JOIN book b ON b.book_id = p.book_id
JOIN account d ON d.book_id = t.book_id AND d.id = t.debit_id
JOIN account c ON c.book_id = t.book_id AND c.id = t.credit_id
LEFT JOIN log_leaf l ON l.book_id = p.book_id AND l.posting_id = p.id
LEFT JOIN service_order o ON o.number =
     CASE WHEN d.code = 'order' THEN d.owner_ref WHEN c.code = 'order' THEN c.owner_ref END
LEFT JOIN voucher v ON v.number =
     CASE WHEN c.code = 'voucher' THEN c.owner_ref WHEN d.code = 'voucher' THEN d.owner_ref END
LEFT JOIN holder h ON h.id = coalesce(o.holder_id, v.holder_id)
LEFT JOIN platform pl ON pl.id = o.platform_id
"""

# A reversal credits the cap, so the posted credits are more than was opened: only transfers with cap_source count.
AUDIT_CAP = """
CREATE VIEW audit_cap AS
SELECT c.book, c.family, c.holder, c.period, c.opened_fen, c.opened_fen - c.balance_fen AS used_fen, c.pending_fen
FROM (
    SELECT b.code AS book,
           substr(a.owner_ref, 1, {split} - 1) AS family,
           substr(a.owner_ref, {split} + 1) AS holder,
           a.period,
           CAST(coalesce((SELECT sum(t.amount) FROM transfer t
                     JOIN account s ON s.book_id = t.book_id AND s.id = t.debit_id AND s.code = 'cap_source'
                     WHERE t.book_id = a.book_id AND t.credit_id = a.id AND t.phase = 'single'), 0)
              - coalesce((SELECT sum(t.amount) FROM transfer t
                     JOIN account s ON s.book_id = t.book_id AND s.id = t.credit_id AND s.code = 'cap_source'
                     WHERE t.book_id = a.book_id AND t.debit_id = a.id AND t.phase = 'single'), 0)
              AS BIGINT) AS opened_fen,
           a.credits_posted - a.debits_posted AS balance_fen,
           a.debits_pending AS pending_fen
    FROM account a JOIN book b ON b.book_id = a.book_id
    WHERE a.code = 'cap'
) c
"""

AUDIT_SETTLEMENT = """
CREATE VIEW audit_settlement AS
SELECT s.number AS batch_no, o.number AS order_no, l.amount_fen,
       b.code || '=' || l.amount_fen AS shares, l.state, m.login AS maker, c.login AS checker
FROM settlement_line l
JOIN settlement_batch s ON s.id = l.batch_id
JOIN service_order o ON o.id = l.order_id
JOIN book b ON b.book_id = s.book_id
JOIN person m ON m.id = s.maker_id
LEFT JOIN person c ON c.id = s.checker_id
"""


def upgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    split = "strpos(a.owner_ref, '|')" if postgresql else "instr(a.owner_ref, '|')"
    for view in (AUDIT_LEDGER, AUDIT_CAP.format(split=split), AUDIT_SETTLEMENT):
        op.execute(view)
