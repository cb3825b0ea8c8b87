"""What a policy version gives on stored inputs, computed by the rules themselves, each case once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from voucher.errors import Refusal
from voucher.money import Fen, floor_yuan
from voucher.rules.agreement import Agreement, ruling
from voucher.rules.agreement_reading import read as read_agreement
from voucher.rules.cofunding import within_ceilings
from voucher.rules.policy import Cap, Policy, PolicyError, PolicyUnsetError, Share
from voucher.rules.policy_reading import parent_of, read
from voucher.rules.subsidy import Case, compute
from voucher.terms import Rounding

_LIMITS = ("voucher", "cap", "contract")


_Text = tuple[str, tuple[str, ...]]


class Inputs(NamedTuple):
    """What a rule is given of an order and its claim; amounts in fen, None where there is none."""

    holder_class: str
    service: str
    applicant: str
    provider: str
    earlier_fen: int
    contract_fen: int | None
    invoice_net_fen: int | None
    paid_fen: int | None
    units: int | None


def inputs_of(
    order: Any,
    *,
    contract_fen: int | None,
    invoice_net_fen: int | None = None,
    paid_fen: int | None = None,
) -> Inputs:
    """The inputs of an order's row. Papers that all name the amount of the contract say nothing more than it does."""
    if (
        contract_fen is not None
        and invoice_net_fen in (None, contract_fen)
        and paid_fen in (None, contract_fen)
    ):
        invoice_net_fen = paid_fen = None
    return Inputs(
        order.own_class if order.holder_class is None else order.holder_class,
        order.service,
        order.applicant,
        order.provider or order.origin_region or "",
        order.earlier_fen or 0,
        contract_fen,
        invoice_net_fen,
        paid_fen,
        order.units or 1,
    )


class Replay:
    """The stored versions, each read once, and what they gave on what was asked before."""

    def __init__(self, texts: Mapping[str, _Text], agreements: Mapping[int, _Text]) -> None:
        self._texts = texts
        self._agreements = agreements
        self._policies: dict[str, Policy | None] = {}
        self._read_agreements: dict[int, Agreement] = {}
        self._given: dict[tuple[int, Inputs, tuple[Share, ...]], frozenset[int]] = {}

    def knows(self, code: str) -> bool:
        """Whether a version of this code is stored."""
        return code in self._texts

    def policy(self, code: str) -> Policy | None:
        """The version of this code, after @ the agreement's that adds to it; None for a text that cannot be read."""
        if code not in self._policies:
            self._policies[code] = None
            self._policies[code] = self._read(code)
        return self._policies[code]

    def _read(self, code: str) -> Policy | None:
        try:
            plain, _, agreement = code.partition("@")
            if agreement:
                home = self.policy(plain)
                return None if home is None else ruling(home, self.agreement(int(agreement)))
            text, fills = self._texts[plain]
            above = parent_of(text)
            return read(text, fills, parent=None if above is None else self.policy(above))
        except (KeyError, PolicyError):
            return None

    def agreement(self, version_id: int) -> Agreement:
        """The version of an agreement, read once; raises PolicyError for a text that cannot be read."""
        if version_id not in self._read_agreements:
            self._read_agreements[version_id] = read_agreement(*self._agreements[version_id])
        return self._read_agreements[version_id]

    def amounts(self, policy: Policy, given: Inputs, shares: tuple[Share, ...] = ()) -> frozenset[int]:
        """What the version gives, within the ceilings of these funders: one amount, or where its rates depend on
        regions one for each of its lines."""
        key = id(policy), given, shares
        if key not in self._given:
            self._given[key] = frozenset(_amounts(policy, given, shares))
        return self._given[key]


def _amounts(policy: Policy, given: Inputs, shares: tuple[Share, ...]) -> list[int]:
    case = Case(
        holder_class=given.holder_class,
        service=given.service,
        contract_fen=_fen(given.contract_fen),
        invoice_net_fen=_fen(given.invoice_net_fen),
        paid_fen=_fen(given.paid_fen),
        applicant_region=given.applicant,
        provider_region=given.provider,
        earlier_fen=Fen(given.earlier_fen),
        units=given.units,
    )
    moved = (
        replace(
            case,
            applicant_region=line.applicant_region or case.applicant_region,
            provider_region=line.provider_region or case.provider_region,
        )
        for line in policy.rate_lines
        if line.applicant_region is not None or line.provider_region is not None
    )
    found: list[int] = []
    for each in (case, *moved):
        try:
            found.append(within_ceilings(policy, shares, compute(policy, each)).amount_fen)
        except (Refusal, PolicyUnsetError, ValueError):
            continue
    return found


def _fen(amount: int | None) -> Fen | None:
    return None if amount is None else Fen(amount)


def could_open(cap: Cap, opened_fen: int) -> bool:
    """Whether a cap may stand at this amount: its own, or, carried, anything up to its own of every year that counts."""
    if not cap.carry_years:
        return opened_fen == cap.amount_fen
    return 0 <= opened_fen <= cap.amount_fen * (cap.carry_years + 1)


def after_cuts(
    policy: Policy, holder_class: str, wanted_fen: Fen, cuts: Sequence[Mapping[str, Any]]
) -> Fen | str:
    """What the recorded cuts leave of what was wanted; in words, a cut that is not what its limit takes away.

    Known limits (voucher, cap, contract) leave what the cut says was left, a cap is the version's, and rounding takes
    less than a yuan. Other limits are taken as they are recorded.
    """
    left = int(wanted_fen)
    for cut in cuts:
        before, name = left, cut["limit"]
        left -= cut["by_fen"]
        if name in _LIMITS and left != max(cut["left_fen"], 0):
            return f"{name} takes {cut['by_fen']} of {before} and leaves {cut['left_fen']}"
        cap = policy.cap_for(holder_class) if name == "cap" else None
        if cap is not None and not could_open(cap, cut["opened_fen"]):
            return f"a cap of {cut['opened_fen']}"
        if name == "rounding" and (policy.rounding is not Rounding.YUAN or left != floor_yuan(Fen(before))):
            return f"rounding takes {cut['by_fen']} of {before}"
    return Fen(left)
