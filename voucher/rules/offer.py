"""What could I get, and what would I pay first: the answer before anything is filled in, by the rules that decide later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from voucher.money import MAX_FEN, Fen
from voucher.rules.clamp import Clamped, Limit, clamp
from voucher.rules.policy import Policy
from voucher.rules.subsidy import Case, Computation, compute
from voucher.terms import PayoutMode, Rounding


@dataclass(frozen=True, slots=True)
class Reach:
    """What one service can bring. `most_fen`: by one order, whatever it costs. Amounts in fen.

    `contract_fen`: the smallest contract that earns the whole voucher; None where one order cannot, and then
    `orders` of them are needed at least.
    """

    voucher_fen: Fen
    most_fen: Fen
    contract_fen: Fen | None
    orders: int


@dataclass(frozen=True, slots=True)
class Bill:
    """One contract worked out: subsidy granted, own part, what is paid first and what comes back. Amounts in fen.

    pay_first - back = own; own + granted = contract.
    """

    contract_fen: Fen
    computation: Computation
    clamped: Clamped
    own_fen: Fen
    pay_first_fen: Fen
    back_fen: Fen

    @property
    def granted_fen(self) -> Fen:
        """The subsidy after every limit."""
        return self.clamped.granted_fen


def reach(policy: Policy, case: Case, voucher_fen: Fen) -> Reach:
    """How far a voucher goes for the class, service and regions of `case` (its amounts do not count).

    Refused as `compute` refuses: `service_not_certified`, `not_qualified`.
    """
    most = _earned(policy, case, Fen(MAX_FEN))
    if most >= voucher_fen:
        return Reach(voucher_fen, most, _smallest(policy, case, voucher_fen), 1)
    orders = -(-voucher_fen // most) if most else 0
    return Reach(voucher_fen, most, None, orders)


def bill(policy: Policy, case: Case, contract_fen: Fen, limits: Sequence[Limit] = ()) -> Bill:
    """Work out one contract under the limits given (voucher, cap). Refused as `compute` refuses.

    In reimbursement the holder pays the whole contract and gets the subsidy back; else it pays its own part only.
    """
    computation = compute(policy, _with(case, contract_fen))
    clamped = clamp(computation.amount_fen, limits, rounding=policy.rounding or Rounding.FEN)
    own = Fen(contract_fen - clamped.granted_fen)
    if policy.payout_mode is PayoutMode.REIMBURSE_ENTERPRISE:
        return Bill(contract_fen, computation, clamped, own, contract_fen, clamped.granted_fen)
    return Bill(contract_fen, computation, clamped, own, own, Fen(0))


def limit_of(voucher_fen: Fen) -> Limit:
    """An unused voucher of this face as the first limit of a bill."""
    return Limit("voucher", voucher_fen, voucher_fen, Fen(0))


def _smallest(policy: Policy, case: Case, wanted_fen: Fen) -> Fen:
    """The smallest contract that earns at least this; earnings never fall as the contract grows."""
    low, high = 0, int(wanted_fen)
    while _earned(policy, case, Fen(min(high, MAX_FEN))) < wanted_fen:
        low, high = high, high * 2
    high = min(high, MAX_FEN)
    while high - low > 1:
        middle = (low + high) // 2
        if _earned(policy, case, Fen(middle)) < wanted_fen:
            low = middle
        else:
            high = middle
    return Fen(high)


def _earned(policy: Policy, case: Case, contract_fen: Fen) -> Fen:
    return compute(policy, _with(case, contract_fen)).amount_fen


def _with(case: Case, contract_fen: Fen) -> Case:
    return replace(case, contract_fen=contract_fen, invoice_net_fen=None, paid_fen=None)
