"""`verify`, the accounts by themselves: their name, the limit that the chart gives them, figures within it."""

from __future__ import annotations

from voucher.ledger.accounts import Ref, codes
from voucher.ledger.verify_sql import Fault, Reader

ROW = "'account ' || a.book_id || '/' || a.id || ' (' || a.code || ':' || a.owner_ref || ':' || a.period || ').'"

_FLAGS = " ".join(f"WHEN '{code}' THEN {Ref(code).flags}" for code in codes())
_UNITS = " ".join(f"WHEN '{code}' THEN '{Ref(code).unit.value}'" for code in codes())
_FIGURES = ("debits_posted", "credits_posted", "debits_pending", "credits_pending", "version", "last_seq")

_NAME = f"""
SELECT {ROW} || 'id', a.id, {{account_hash}} FROM account a WHERE a.id <> {{account_hash}}
ORDER BY a.book_id, a.id"""

_BOOK = f"""
SELECT {ROW} || 'book_id', a.book_id, NULL FROM account a LEFT JOIN book b ON b.book_id = a.book_id
WHERE b.book_id IS NULL ORDER BY a.book_id, a.id"""

_CHART = f"""
SELECT {ROW} || CASE WHEN a.flags {{distinct}} a.chart_flags THEN 'flags' ELSE 'unit' END,
       CASE WHEN a.flags {{distinct}} a.chart_flags THEN CAST(a.flags AS {{text}}) ELSE a.unit END,
       CASE WHEN a.flags {{distinct}} a.chart_flags THEN CAST(a.chart_flags AS {{text}}) ELSE a.chart_unit END
FROM (SELECT account.*, CASE code {_FLAGS} END AS chart_flags, CASE code {_UNITS} END AS chart_unit
      FROM account) a
WHERE a.flags {{distinct}} a.chart_flags OR a.unit {{distinct}} a.chart_unit ORDER BY a.book_id, a.id"""

_FREE = f"""
SELECT {ROW} || CASE {" ".join(f"WHEN a.{name} <> 0 THEN '{name}'" for name in _FIGURES)} END,
       CASE {" ".join(f"WHEN a.{name} <> 0 THEN a.{name}" for name in _FIGURES)} END, 0
FROM account a WHERE a.flags = 0 AND ({" OR ".join(f"a.{name} <> 0" for name in _FIGURES)})
ORDER BY a.book_id, a.id"""

_LIMIT = f"""
SELECT {ROW} || 'balance',
       'debits ' || a.debits_posted || '+' || a.debits_pending || ' pending, credits '
       || a.credits_posted || '+' || a.credits_pending || ' pending',
       CASE a.flags WHEN 1 THEN 'debits within credits' WHEN 2 THEN 'credits within debits' ELSE 'at least 0' END
FROM account a
WHERE (a.flags = 1 AND a.debits_posted + a.debits_pending > a.credits_posted)
   OR (a.flags = 2 AND a.credits_posted + a.credits_pending > a.debits_posted)
   OR a.debits_posted < 0 OR a.credits_posted < 0 OR a.debits_pending < 0 OR a.credits_pending < 0
ORDER BY a.book_id, a.id"""


def account_faults(reader: Reader) -> list[Fault]:
    """Accounts whose row contradicts its own name, the chart or its limit."""
    checks = {
        "account_book": _BOOK,
        "account_name": _NAME,
        "account_chart": _CHART,
        "account_free": _FREE,
        "account_limit": _LIMIT,
    }
    return [fault for check, query in checks.items() for fault in reader.faults(check, query)]
