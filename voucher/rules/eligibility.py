"""Who may use which voucher where: every check gives None (fine) or a refusal's code with its facts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from voucher.errors import Code, Fact
from voucher.money import Fen
from voucher.rules.policy import Policy
from voucher.terms import (
    AffiliationKind,
    CertificationState,
    Certifier,
    EligibilityRule,
    HolderClass,
    VoucherKind,
    VoucherState,
)

LIVE: Final = frozenset({CertificationState.CERTIFIED, CertificationState.RECTIFYING})
"""A certification that is to be put right in time still holds; only suspending and revoking end it."""

Finding = tuple[Code, Mapping[str, Fact]] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A declared or registered relation of two parties (USCC), in either direction; `share_bp` of a holding."""

    kind: AffiliationKind
    one: str
    other: str
    share_bp: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Certification:
    """A platform's certification: by whom, for which vouchers and services, from when until before when."""

    certifier: Certifier
    kinds: tuple[VoucherKind, ...]
    services: tuple[str, ...]
    valid_from: date
    valid_to: date | None
    state: CertificationState


def holder_class(policy: Policy, held: str) -> Finding:
    """`not_qualified` (reason `holder_class`) for a holder of a class that the policy does not serve."""
    if held in policy.holder_classes:
        return None
    return Code.NOT_QUALIFIED, {"reason": "holder_class", "holder_class": held}


def roster(policy: Policy, years: Collection[int], on: date, *, held: str = "") -> Finding:
    """`not_qualified` (reason `roster`) unless the firm stands in the roster of the year of this day.

    `years` are the years for which the firm has a roster number, `held` the class it is served as: a team stands on
    no roster of firms, also after it became one. Policies that ask for no roster pass.
    """
    if held == HolderClass.TEAM.value:
        return None
    if EligibilityRule.ROSTER_OF_YEAR not in policy.eligibility or on.year in years:
        return None
    return Code.NOT_QUALIFIED, {"reason": "roster", "year": on.year}


def affiliation(policy: Policy, *, enterprise_uscc: str, host_uscc: str, edges: Sequence[Edge]) -> Finding:
    """`affiliated` if firm and provider are one legal person or one edge joins them.

    A shareholding below the policy's `affiliation_share_bp` does not count; where the policy sets no
    threshold, or the size of the holding is unknown, every holding does. `relation` says which.
    """
    if enterprise_uscc == host_uscc:
        return Code.AFFILIATED, {"relation": "same_party"}
    parties = {enterprise_uscc, host_uscc}
    for edge in edges:
        if {edge.one, edge.other} == parties and _counts(policy, edge):
            return Code.AFFILIATED, {"relation": edge.kind.value}
    return None


def platform(policy: Policy, certifications: Sequence[Certification], *, service: str, on: date) -> Finding:
    """Whether one certification of the platform covers this voucher and service on this day.

    Refuses `service_not_certified` with the first condition that none meets as `reason`: `certifier`, `kind`,
    `service`, `period`; then `provider_suspended` with the `state` if those left are suspended or revoked.
    """
    conditions = (
        ("certifier", lambda each: each.certifier in policy.certifiers),
        ("kind", lambda each: policy.kind in each.kinds),
        ("service", lambda each: service in each.services),
        ("period", lambda each: each.valid_from <= on and (each.valid_to is None or on < each.valid_to)),
    )
    left = list(certifications)
    for reason, holds in conditions:
        left = [each for each in left if holds(each)]
        if not left:
            return Code.SERVICE_NOT_CERTIFIED, {"reason": reason, "service": service}
    states = {each.state for each in left}
    if states & LIVE:
        return None
    worst = (
        CertificationState.SUSPENDED if CertificationState.SUSPENDED in states else CertificationState.REVOKED
    )
    return Code.PROVIDER_SUSPENDED, {"state": worst.value}


def voucher_live(state: VoucherState, use_by_on: date, on: date) -> Finding:
    """Whether the voucher may be used on this day; `use_by_on` is its last day. Revoked wins over expired."""
    if state is VoucherState.REVOKED:
        return Code.VOUCHER_REVOKED, {}
    if state is VoucherState.EXPIRED or on > use_by_on:
        return Code.VOUCHER_EXPIRED, {"use_by_on": use_by_on.isoformat()}
    if state is not VoucherState.LIVE:
        return Code.VOUCHER_NOT_USABLE, {"state": state.value}
    return None


def face(policy: Policy, face_fen: Fen) -> Finding:
    """`face_out_of_range` for a face value outside the policy's bounds (both included)."""
    low, high = policy.face_min_fen or 0, policy.face_max_fen
    if face_fen >= low and (high is None or face_fen <= high):
        return None
    return Code.FACE_OUT_OF_RANGE, {"face_fen": face_fen, "face_min_fen": low, "face_max_fen": high}


def contract_date(contract_on: date, order_on: date, *, today: date) -> Finding:
    """`contract_date_invalid` for a contract signed before the order (a service already done) or after today."""
    if order_on <= contract_on <= today:
        return None
    return Code.CONTRACT_DATE_INVALID, {
        "contract_on": contract_on.isoformat(),
        "order_on": order_on.isoformat(),
    }


def _counts(policy: Policy, edge: Edge) -> bool:
    if edge.kind is not AffiliationKind.SHAREHOLDING:
        return True
    return (
        policy.affiliation_share_bp is None
        or edge.share_bp is None
        or edge.share_bp >= policy.affiliation_share_bp
    )
