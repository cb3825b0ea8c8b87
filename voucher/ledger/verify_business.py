"""`verify`, the rows that people read against the accounts behind them: vouchers, orders, settlement lines."""

from __future__ import annotations

from voucher.ledger.verify_allotments import allotment_faults
from voucher.ledger.verify_sql import Fault, Reader
from voucher.terms import LineState, OrderState, PostingKind, VoucherState

_HELD = (OrderState.HELD, OrderState.DELIVERED, OrderState.DISPUTED)
_CAPTURED = (*_HELD, OrderState.CAPTURED, OrderState.CLAIMED)
_APPROVED = (OrderState.APPROVED, OrderState.IN_BATCH)


def _listed(states: tuple[OrderState, ...]) -> str:
    return ", ".join(f"'{state.value}'" for state in states)


_FACE = f"""
SELECT 'voucher ' || w.number || '.face_fen', w.face_fen, w.issued FROM (
    SELECT v.id, v.number, v.face_fen, coalesce(sum(t.amount), 0) AS issued
    FROM voucher v
    LEFT JOIN account a ON a.book_id = v.book_id AND a.code = 'voucher' AND a.owner_ref = v.number
    LEFT JOIN (transfer t JOIN posting p ON p.book_id = t.book_id AND p.id = t.posting_id
               AND p.kind = '{PostingKind.ISSUE.value}')
           ON t.book_id = a.book_id AND t.credit_id = a.id
    GROUP BY v.id, v.number, v.face_fen
) w WHERE w.face_fen <> w.issued ORDER BY w.id"""

_ENDED = f"""
SELECT 'voucher ' || v.number || '.state', v.state || ' with '
       || (a.credits_posted - a.debits_posted - a.debits_pending) || ' available', 'nothing available'
FROM voucher v JOIN account a ON a.book_id = v.book_id AND a.code = 'voucher' AND a.owner_ref = v.number
WHERE v.state <> '{VoucherState.LIVE.value}' AND a.credits_posted - a.debits_posted - a.debits_pending <> 0
ORDER BY v.id"""

_ORDERS = f"""
SELECT o.id, o.number, o.state, coalesce(a.credits_pending, 0) AS pending,
       coalesce(a.credits_posted - a.debits_posted, 0) AS balance,
       CASE WHEN o.state IN ({_listed(_HELD)}) THEN o.held_fen ELSE 0 END AS held,
       CASE WHEN o.state IN ({_listed(_CAPTURED)}) THEN o.captured_fen
            WHEN o.state IN ({_listed(_APPROVED)}) THEN o.approved_fen ELSE 0 END AS kept
FROM service_order o
LEFT JOIN account a ON a.book_id = o.book_id AND a.code = 'order' AND a.owner_ref = o.number"""

_HOLDS = f"""
SELECT 'service_order ' || w.number || '.held_fen', w.state || ' with ' || w.held, w.pending || ' pending'
FROM ({_ORDERS}) w WHERE w.held <> w.pending ORDER BY w.id"""

_KEPT = f"""
SELECT 'service_order ' || w.number || CASE WHEN w.state IN ({_listed(_APPROVED)}) THEN '.approved_fen'
       WHEN w.state IN ({_listed(_CAPTURED)}) THEN '.captured_fen' ELSE '.state' END,
       w.state || ' with ' || w.kept, 'a balance of ' || w.balance
FROM ({_ORDERS}) w WHERE w.kept <> w.balance ORDER BY w.id"""

_SETTLED = f"""
SELECT 'settlement_line ' || w.id || '.amount_fen', w.expected, w.settled || ' settled to its payee' FROM (
    SELECT l.id, CASE WHEN l.settled_at IS NULL THEN 0 ELSE l.amount_fen END AS expected,
           coalesce(sum(CASE WHEN y.id IS NOT NULL THEN t.amount END), 0) AS settled
    FROM settlement_line l
    JOIN service_order o ON o.id = l.order_id
    LEFT JOIN account a ON a.book_id = o.book_id AND a.code = 'order' AND a.owner_ref = o.number
    LEFT JOIN (transfer t JOIN posting p ON p.book_id = t.book_id AND p.id = t.posting_id
               AND p.kind = '{PostingKind.SETTLE.value}')
           ON t.book_id = a.book_id AND t.debit_id = a.id
    LEFT JOIN account y ON y.book_id = t.book_id AND y.id = t.credit_id AND y.code = 'payable'
                       AND y.owner_ref = l.payee_ref
    GROUP BY l.id, l.settled_at, l.amount_fen
) w WHERE w.expected <> w.settled ORDER BY w.id"""

_UNPAID = f"""
SELECT 'payable ' || w.payee_ref || ' (settled lines not ''{LineState.PAID.value}'')', w.unpaid, w.balance FROM (
    SELECT o.book_id, l.payee_ref, sum(CASE WHEN l.state <> '{LineState.PAID.value}' THEN l.amount_fen ELSE 0 END)
             - coalesce((SELECT sum(t.amount) FROM transfer t
                  JOIN account r ON r.book_id = t.book_id AND r.id = t.credit_id AND r.code <> 'paid'
                  WHERE t.book_id = o.book_id AND t.debit_id = a.id AND t.phase = 'single'), 0) AS unpaid,
           coalesce(a.credits_posted - a.debits_posted, 0) AS balance
    FROM settlement_line l
    JOIN service_order o ON o.id = l.order_id
    LEFT JOIN account a ON a.book_id = o.book_id AND a.code = 'payable' AND a.owner_ref = l.payee_ref
    WHERE l.settled_at IS NOT NULL
    GROUP BY o.book_id, l.payee_ref, a.id, a.credits_posted, a.debits_posted
) w WHERE w.unpaid <> w.balance ORDER BY w.payee_ref"""


def business_faults(reader: Reader) -> list[Fault]:
    """Vouchers, orders and settlement lines that say something else than their accounts.

    A voucher's face is what was issued to it, and one that is no longer live leaves nothing available. An order's
    hold is what is pending on its account; its balance is the captured amount, then the approved one, and nothing
    once it is settled or undone. A settled line is what its order moved to its payee, and a payee is owed the
    settled lines that are not paid, less what was set off against a debt.
    """
    checks = {
        "voucher_face": _FACE,
        "voucher_state": _ENDED,
        "order_hold": _HOLDS,
        "order_balance": _KEPT,
        "line_settled": _SETTLED,
        "line_unpaid": _UNPAID,
    }
    found = [fault for check, query in checks.items() for fault in reader.faults(check, query)]
    return found + allotment_faults(reader)
