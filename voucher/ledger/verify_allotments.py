"""`verify`, what bases allotted to their tenants against the allot accounts."""

from __future__ import annotations

from voucher.ledger.verify_sql import Fault, Reader
from voucher.terms import AllotmentState

_ALLOTTED = """
SELECT 'allotment ' || w.number || '.allotted_fen', w.allotted_fen, w.moved || ' moved to its account' FROM (
    SELECT l.id, l.number, l.allotted_fen,
           coalesce((SELECT sum(t.amount) FROM transfer t
                     WHERE t.book_id = v.book_id AND t.credit_id = a.id AND t.debit_id = p.id
                       AND t.phase = 'single'), 0)
         - coalesce((SELECT sum(t.amount) FROM transfer t
                     WHERE t.book_id = v.book_id AND t.debit_id = a.id AND t.credit_id = p.id
                       AND t.phase = 'single'), 0) AS moved
    FROM allotment l
    JOIN voucher v ON v.id = l.voucher_id
    LEFT JOIN account a ON a.book_id = v.book_id AND a.code = 'allot'
                       AND a.owner_ref = v.number || '|' || l.tenant_ref
    LEFT JOIN account p ON p.book_id = v.book_id AND p.code = 'voucher' AND p.owner_ref = v.number
) w WHERE w.allotted_fen <> w.moved ORDER BY w.id"""

_ENDED = f"""
SELECT 'allotment ' || l.number || '.state', l.state || ' with '
       || (a.credits_posted - a.debits_posted - a.debits_pending) || ' available', 'nothing available'
FROM allotment l
JOIN voucher v ON v.id = l.voucher_id
JOIN account a ON a.book_id = v.book_id AND a.code = 'allot' AND a.owner_ref = v.number || '|' || l.tenant_ref
WHERE (l.state = '{AllotmentState.ENDED.value}' OR v.state <> 'live')
  AND a.credits_posted - a.debits_posted - a.debits_pending <> 0
ORDER BY l.id"""

_NAMELESS = """
SELECT 'account allot:' || a.owner_ref, 'no allotment', (a.credits_posted - a.debits_posted) || ' on it'
FROM account a
LEFT JOIN (allotment l JOIN voucher v ON v.id = l.voucher_id)
       ON a.owner_ref = v.number || '|' || l.tenant_ref AND v.book_id = a.book_id
WHERE a.code = 'allot' AND l.id IS NULL AND a.credits_posted > 0 ORDER BY a.id"""

_LINES = """
SELECT 'service_order ' || o.number || '.beneficiaries', o.beneficiaries, w.lines || ' lines'
FROM service_order o
LEFT JOIN (SELECT order_id, count(*) AS lines FROM order_beneficiary GROUP BY order_id) w ON w.order_id = o.id
WHERE o.beneficiaries <> coalesce(w.lines, 0) ORDER BY o.id"""


def allotment_faults(reader: Reader) -> list[Fault]:
    """Allotments that say something else than their accounts, and accounts without an allotment.

    What was allotted is what went to the account less what came back; an allotment that ended, or of a voucher that is
    no longer live, leaves nothing available. An order has as many lines as it says.
    """
    checks = {
        "allotment_amount": _ALLOTTED,
        "allotment_state": _ENDED,
        "allotment_missing": _NAMELESS,
        "order_lines": _LINES,
    }
    return [fault for check, query in checks.items() for fault in reader.faults(check, query)]
