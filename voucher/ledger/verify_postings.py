"""`verify`, postings and transfers: content as hashed, accounts and reservations as named, a place in the log."""

from __future__ import annotations

from voucher.ledger.verify_sql import Fault, Reader

_CONTENT = """
SELECT 'posting ' || p.book_id || '/' || p.id || CASE WHEN coalesce(l.n, 0) <> coalesce(l.top, 0) + 1
            THEN '.legs' ELSE '.request_hash' END,
       CASE WHEN coalesce(l.n, 0) <> coalesce(l.top, 0) + 1
            THEN 'legs ' || coalesce(l.bottom, 0) || ' to ' || coalesce(l.top, 0) || ', ' || coalesce(l.n, 0) || ' rows'
            ELSE p.request_hash END,
       CASE WHEN coalesce(l.n, 0) <> coalesce(l.top, 0) + 1 THEN 'one row a leg, from 0' ELSE {request_hash} END
FROM posting p LEFT JOIN (
    SELECT t.book_id, t.posting_id, {legs} AS legs, count(*) AS n, min(t.leg) AS bottom, max(t.leg) AS top
    FROM transfer t GROUP BY t.book_id, t.posting_id
) l ON l.book_id = p.book_id AND l.posting_id = p.id
WHERE {request_hash} <> p.request_hash OR coalesce(l.n, 0) <> coalesce(l.top, 0) + 1
ORDER BY p.book_id, p.posted_at, p.id"""

_REVERSES = """
SELECT 'posting ' || p.book_id || '/' || p.id || '.reverses', p.reverses, 'a posting of this book'
FROM posting p LEFT JOIN posting r ON r.book_id = p.book_id AND r.id = p.reverses
WHERE p.reverses IS NOT NULL AND r.id IS NULL ORDER BY p.book_id, p.posted_at, p.id"""

_ORPHANS = """
SELECT 'transfer ' || t.book_id || '/' || t.posting_id || '/' || t.leg || '.posting_id', t.posting_id,
       'a posting of this book'
FROM transfer t LEFT JOIN posting p ON p.book_id = t.book_id AND p.id = t.posting_id
WHERE p.id IS NULL ORDER BY t.book_id, t.posting_id, t.leg"""

_ACCOUNTS = """
SELECT 'transfer ' || t.book_id || '/' || t.posting_id || '/' || t.leg
       || CASE WHEN d.id IS NULL THEN '.debit_id' WHEN c.id IS NULL THEN '.credit_id' ELSE '.unit' END,
       CASE WHEN d.id IS NULL THEN CAST(t.debit_id AS {text}) WHEN c.id IS NULL THEN CAST(t.credit_id AS {text})
            ELSE t.unit END,
       CASE WHEN d.id IS NULL OR c.id IS NULL THEN 'an account of this book'
            ELSE d.unit || ' and ' || c.unit || ' of its accounts' END
FROM transfer t
LEFT JOIN account d ON d.book_id = t.book_id AND d.id = t.debit_id
LEFT JOIN account c ON c.book_id = t.book_id AND c.id = t.credit_id
WHERE d.id IS NULL OR c.id IS NULL OR t.unit <> d.unit OR t.unit <> c.unit
ORDER BY t.book_id, t.posting_id, t.leg"""

_RESOLVES = """
SELECT 'transfer ' || t.book_id || '/' || t.posting_id || '/' || t.leg
       || CASE WHEN h.phase = 'pending' AND h.debit_id = t.debit_id AND h.credit_id = t.credit_id
               THEN '.amount' ELSE '.pending_posting_id' END,
       t.phase || ' of ' || t.amount,
       CASE WHEN h.posting_id IS NULL THEN 'a pending transfer'
            ELSE h.phase || ' of ' || h.amount || ' on the same accounts' END
FROM transfer t LEFT JOIN transfer h
  ON h.book_id = t.book_id AND h.posting_id = t.pending_posting_id AND h.leg = t.pending_leg
WHERE (t.phase IN ('post', 'void') AND (h.posting_id IS NULL OR h.phase <> 'pending' OR h.debit_id <> t.debit_id
        OR h.credit_id <> t.credit_id OR t.amount > h.amount OR (t.phase = 'void' AND t.amount <> h.amount)))
   OR (t.phase NOT IN ('post', 'void') AND t.pending_posting_id IS NOT NULL)
   OR t.phase NOT IN ('single', 'pending', 'post', 'void') OR t.amount <= 0
ORDER BY t.book_id, t.posting_id, t.leg"""

_LOG = """
SELECT 'posting ' || p.book_id || '/' || p.id || ' in log_queue and log_leaf',
       CASE WHEN q.qid IS NULL THEN 'neither' ELSE 'both' END, 'one of them'
FROM posting p
LEFT JOIN log_queue q ON q.book_id = p.book_id AND q.posting_id = p.id
LEFT JOIN log_leaf f ON f.book_id = p.book_id AND f.posting_id = p.id
WHERE (q.qid IS NULL) = (f.idx IS NULL) ORDER BY p.book_id, p.posted_at, p.id"""

_LOG_COUNT = """
SELECT 'log_queue and log_leaf', n.logged || ' rows', n.posted || ' postings'
FROM (SELECT (SELECT count(*) FROM log_queue) + (SELECT count(*) FROM log_leaf) AS logged,
             (SELECT count(*) FROM posting) AS posted) n
WHERE n.logged <> n.posted"""


def posting_faults(reader: Reader) -> list[Fault]:
    """Postings and transfers that are not what was once posted, or that the log lacks or holds twice."""
    checks = {
        "posting_content": _CONTENT,
        "posting_reverses": _REVERSES,
        "transfer_posting": _ORPHANS,
        "transfer_accounts": _ACCOUNTS,
        "transfer_resolves": _RESOLVES,
        "log_place": _LOG,
        "log_count": _LOG_COUNT,
    }
    return [fault for check, query in checks.items() for fault in reader.faults(check, query)]
