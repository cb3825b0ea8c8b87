"""`verify`, several books: funders' parts of orders against their accounts, and clearing accounts against each other."""

from __future__ import annotations

from voucher.ledger.verify_sql import Fault, Reader
from voucher.terms import OrderState, PostingKind, RemittanceState

_FINAL = (OrderState.APPROVED, OrderState.IN_BATCH, OrderState.SETTLED, OrderState.PAID)
_SENT = (RemittanceState.SENT, RemittanceState.NOTED, RemittanceState.RECEIVED)


def _listed(states: tuple[OrderState, ...] | tuple[RemittanceState, ...]) -> str:
    return ", ".join(f"'{state.value}'" for state in states)


_ROWS = """
FROM order_share s JOIN service_order o ON o.id = s.order_id
LEFT JOIN account a ON a.book_id = s.book_id AND a.code = 'share' AND a.owner_ref = o.number
WHERE s.book_id <> o.book_id"""

_HELD = f"""
SELECT 'order_share ' || o.number || '/' || s.book_id || '.held_fen', s.held_fen,
       coalesce(a.credits_pending, 0) || ' pending' {_ROWS} AND s.held_fen <> coalesce(a.credits_pending, 0)
ORDER BY s.id"""

_TAKEN = f"""
SELECT 'order_share ' || o.number || '/' || s.book_id || '.share_fen', s.share_fen - s.settled_fen,
       'a balance of ' || coalesce(a.credits_posted - a.debits_posted, 0) {_ROWS}
  AND s.share_fen - s.settled_fen <> coalesce(a.credits_posted - a.debits_posted, 0)
ORDER BY s.id"""

_WHOLE = f"""
SELECT 'service_order ' || w.number || ' (parts of its funders)', w.parts, w.approved_fen || ' approved' FROM (
    SELECT o.id, o.number, o.approved_fen, sum(s.share_fen) AS parts
    FROM service_order o JOIN order_share s ON s.order_id = o.id
    WHERE o.state IN ({_listed(_FINAL)}) GROUP BY o.id, o.number, o.approved_fen
) w WHERE w.parts <> w.approved_fen ORDER BY w.id"""

_UNNAMED = """
SELECT 'account share:' || a.owner_ref || ' of book ' || a.book_id, 'no order_share', 'a row'
FROM account a
LEFT JOIN service_order o ON o.number = a.owner_ref
LEFT JOIN order_share s ON s.order_id = o.id AND s.book_id = a.book_id
WHERE a.code = 'share' AND s.id IS NULL AND a.credits_posted + a.credits_pending > 0
ORDER BY a.book_id, a.owner_ref"""

# What a book settled, sent or received over a clearing account, by the pair: payer, taker.
_MOVED = """
SELECT {payer}.book_id AS payer, {taker}.book_id AS taker, sum(t.amount) AS amount
FROM account a
JOIN book b ON b.book_id = a.book_id
JOIN book c ON c.code = a.owner_ref
JOIN transfer t ON t.book_id = a.book_id AND t.{side} = a.id
JOIN posting p ON p.book_id = t.book_id AND p.id = t.posting_id AND p.kind = '{kind}'
WHERE a.code = 'clearing' GROUP BY {payer}.book_id, {taker}.book_id"""

_SETTLE, _REMIT = PostingKind.SETTLE.value, PostingKind.REMIT.value
_OWED = _MOVED.format(payer="b", taker="c", side="credit_id", kind=_SETTLE)
_CLAIMED = _MOVED.format(payer="c", taker="b", side="debit_id", kind=_SETTLE)
_PAID = _MOVED.format(payer="b", taker="c", side="debit_id", kind=_REMIT)
_GOT = _MOVED.format(payer="c", taker="b", side="credit_id", kind=_REMIT)


def _told(states: tuple[RemittanceState, ...]) -> str:
    return (
        "SELECT from_book_id AS payer, to_book_id AS taker, sum(amount_fen) AS amount FROM remittance "
        f"WHERE state IN ({_listed(states)}) GROUP BY from_book_id, to_book_id"
    )


def _compared(what: str, one: str, other: str) -> str:
    """Pairs of books of which two sums differ."""
    return f"""
SELECT '{what} of books ' || w.payer || ' and ' || w.taker, w.one, w.other FROM (
    SELECT m.payer, m.taker, sum(m.one) AS one, sum(m.other) AS other FROM (
        SELECT payer, taker, amount AS one, 0 AS other FROM ({one}) x
        UNION ALL SELECT payer, taker, 0, amount FROM ({other}) y
    ) m GROUP BY m.payer, m.taker
) w WHERE w.one <> w.other ORDER BY w.payer, w.taker"""


_PLEDGED = f"""
SELECT 'pledge ' || w.owner || ' of ' || w.year || ' in book ' || w.book_id, w.told, w.posted || ' pledged' FROM (
    SELECT m.book_id, m.owner, m.year, sum(m.told) AS told, sum(m.posted) AS posted FROM (
        SELECT book_id, owner, year, amount_fen AS told, 0 AS posted FROM pledge_document
        UNION ALL
        SELECT a.book_id, a.owner_ref, a.period, 0, t.amount
        FROM account a
        JOIN transfer t ON t.book_id = a.book_id AND t.credit_id = a.id
        JOIN posting p ON p.book_id = t.book_id AND p.id = t.posting_id AND p.kind = '{PostingKind.PLEDGE.value}'
        WHERE a.code = 'pledge'
    ) m GROUP BY m.book_id, m.owner, m.year
) w WHERE w.told <> w.posted ORDER BY w.book_id, w.owner, w.year"""


def share_faults(reader: Reader) -> list[Fault]:
    """Funders' rows and clearing accounts that do not agree.

    What a co-funder's row holds is pending on its account, what it has taken and not settled is its balance; the parts
    of an approved order make its amount. What one book settled for another is what the other claims of it, and what
    was sent and received is what the remittances say, and what was pledged what the documents say.
    """
    checks = {
        "share_hold": _HELD,
        "share_balance": _TAKEN,
        "share_whole": _WHOLE,
        "share_unnamed": _UNNAMED,
        "pledge_amount": _PLEDGED,
        "clearing_mirror": _compared("settlements", _OWED, _CLAIMED),
        "clearing_sent": _compared("sent remittances", _PAID, _told(_SENT)),
        "clearing_received": _compared("received remittances", _GOT, _told((RemittanceState.RECEIVED,))),
    }
    return [fault for check, query in checks.items() for fault in reader.faults(check, query)]
