"""The chart of accounts: every account name is built here (docs/ledger.md explains each).

Value moves from debit to credit. A limited account may not be overdrawn: for `DEBITS_LIMITED` the debits,
posted and pending, stay within the posted credits; for `CREDITS_LIMITED` the other way round. A `FREE` account
has no limit, no running balance and takes no row lock.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from voucher.errors import Code
from voucher.terms import Unit

FREE = 0
DEBITS_LIMITED = 1
CREDITS_LIMITED = 2

_CHART: dict[str, tuple[int, Unit, Code | None]] = {
    "source": (FREE, Unit.CNY, None),
    "budget": (DEBITS_LIMITED, Unit.CNY, Code.BUDGET_EXCEEDED),
    "voucher": (DEBITS_LIMITED, Unit.CNY, Code.VOUCHER_EXHAUSTED),
    "allot": (DEBITS_LIMITED, Unit.CNY, Code.ALLOTMENT_EXHAUSTED),
    "order": (DEBITS_LIMITED, Unit.CNY, Code.ALREADY_SETTLED),
    "payable": (DEBITS_LIMITED, Unit.CNY, Code.PAYABLE_EXCEEDED),
    "escrow": (DEBITS_LIMITED, Unit.CNY, Code.PAYABLE_EXCEEDED),
    "paid": (FREE, Unit.CNY, None),
    "lapsed": (FREE, Unit.CNY, None),
    "recovered": (FREE, Unit.CNY, None),
    "receivable": (CREDITS_LIMITED, Unit.CNY, Code.BALANCE_EXCEEDED),
    "clearing": (FREE, Unit.CNY, None),
    "pledge": (DEBITS_LIMITED, Unit.CNY, Code.PLEDGE_EXCEEDED),
    "share": (DEBITS_LIMITED, Unit.CNY, Code.ALREADY_SETTLED),
    "overbook_source": (FREE, Unit.CNY, None),
    "cap": (DEBITS_LIMITED, Unit.CNY_CAP, Code.CAP_EXCEEDED),
    "cap_source": (FREE, Unit.CNY_CAP, None),
    "cap_used": (FREE, Unit.CNY_CAP, None),
    "quota": (DEBITS_LIMITED, Unit.CNY_CAP, Code.QUOTA_EXCEEDED),
    "quota_source": (FREE, Unit.CNY_CAP, None),
    "quota_used": (FREE, Unit.CNY_CAP, None),
    "contract": (DEBITS_LIMITED, Unit.CNY_CAP, Code.CONTRACT_EXCEEDED),
    "contract_source": (FREE, Unit.CNY_CAP, None),
    "contract_used": (FREE, Unit.CNY_CAP, None),
    "funded": (DEBITS_LIMITED, Unit.CNY_CAP, Code.BUDGET_EXCEEDED),
    "funded_source": (FREE, Unit.CNY_CAP, None),
    "funded_used": (FREE, Unit.CNY_CAP, None),
    "count": (DEBITS_LIMITED, Unit.TIMES, Code.COUNT_EXCEEDED),
    "count_source": (FREE, Unit.TIMES, None),
    "count_used": (FREE, Unit.TIMES, None),
    "holding": (DEBITS_LIMITED, Unit.TIMES, Code.COUNT_EXCEEDED),
    "holding_source": (FREE, Unit.TIMES, None),
    "holding_used": (FREE, Unit.TIMES, None),
}
_UNITS = {code: unit.value for code, (_, unit, _) in _CHART.items()}


@lru_cache(maxsize=65_536)
def account_id(code: str, owner: str, period: int, unit: str) -> int:
    """The 63-bit hash of an account's name. A clash of two names is found by `locking.lock`, and refused.

    sha256, so that PostgreSQL can compute it again by itself (`verify_sql.py`).
    """
    name = f"{code}\x1f{owner}\x1f{period}\x1f{unit}".encode()
    return int.from_bytes(sha256(name).digest()[:8], "big") >> 1


@dataclass(frozen=True, slots=True)
class Ref:
    """The name of an account within its book: what it is, whose, and for which period (0: none)."""

    code: str
    owner: str = ""
    period: int = 0

    @property
    def unit(self) -> Unit:
        """What is counted on it: money, allowance or times."""
        return _CHART[self.code][1]

    @property
    def flags(self) -> int:
        """FREE, DEBITS_LIMITED or CREDITS_LIMITED."""
        return _CHART[self.code][0]

    @property
    def id(self) -> int:
        """Its key in the account table."""
        return account_id(self.code, self.owner, self.period, _UNITS[self.code])

    @property
    def overdrawn(self) -> Code:
        """The refusal that an overdraft of this account is."""
        return _CHART[self.code][2] or Code.BALANCE_EXCEEDED

    def __str__(self) -> str:
        return f"{self.code}:{self.owner}:{self.period}"


def codes() -> tuple[str, ...]:
    """Every account code, in chart order."""
    return tuple(_CHART)


def source() -> Ref:
    """Where appropriated money comes from."""
    return Ref("source")


def budget(line_code: str, year: int) -> Ref:
    """Money of a budget line that is not issued yet."""
    return Ref("budget", line_code, year)


def voucher(number: str) -> Ref:
    """What is left on a voucher."""
    return Ref("voucher", number)


def allot(voucher_number: str, tenant_ref: str) -> Ref:
    """What a base has allotted to one tenant from a startup voucher."""
    return Ref("allot", f"{voucher_number}|{tenant_ref}")


def order(number: str) -> Ref:
    """Money of one order between capture and settlement."""
    return Ref("order", number)


def payable(payee_ref: str) -> Ref:
    """Settled and not yet paid."""
    return Ref("payable", payee_ref)


def paid() -> Ref:
    """Left the treasury."""
    return Ref("paid")


def lapsed(year: int) -> Ref:
    """Went back to the treasury with its year."""
    return Ref("lapsed", "", year)


def recovered(programme: str, year: int) -> Ref:
    """Paid back by debtors or co-funders."""
    return Ref("recovered", programme, year)


def receivable(case_no: str) -> Ref:
    """Owed by a debtor in a clawback case."""
    return Ref("receivable", case_no)


def clearing(other_book: str) -> Ref:
    """Between two books, in transit."""
    return Ref("clearing", other_book)


def pledge(agreement: str, year: int) -> Ref:
    """What a co-funder has promised."""
    return Ref("pledge", agreement, year)


def share(order_number: str) -> Ref:
    """A co-funder's part of one order."""
    return Ref("share", order_number)


def cap(family: str, holder_ref: str, period: int) -> Ref:
    """What one holder may still use in one period under one family of caps."""
    return Ref("cap", f"{family}|{holder_ref}", period)


def cap_source(family: str, period: int) -> Ref:
    """Where a period's allowance is opened from."""
    return Ref("cap_source", family, period)


def cap_used(family: str, period: int) -> Ref:
    """Allowance used, of all holders."""
    return Ref("cap_used", family, period)


def quota(agreement: str, firm_ref: str, period: int) -> Ref:
    """What a recognition agreement still leaves, in total (`firm_ref` empty) or to one firm."""
    return Ref("quota", f"{agreement}|{firm_ref}", period)


def quota_source(agreement: str, period: int) -> Ref:
    """Where the ceilings of an agreement are opened from."""
    return Ref("quota_source", agreement, period)


def quota_used(agreement: str, period: int) -> Ref:
    """Ceilings of an agreement used, of all firms."""
    return Ref("quota_used", agreement, period)


def contract(contract_ref: str, programme: str = "") -> Ref:
    """What may still be subsidised of one contract (firm|host|number): by one programme, or by all of a book."""
    return Ref("contract", f"{programme}|{contract_ref}")


def contract_source(programme: str = "") -> Ref:
    """Where the ceilings of contracts are opened from."""
    return Ref("contract_source", programme)


def contract_used(programme: str = "") -> Ref:
    """Ceilings used, of all contracts."""
    return Ref("contract_used", programme)
