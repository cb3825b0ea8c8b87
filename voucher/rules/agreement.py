"""A version of a recognition agreement as one frozen value: who, which way, for what, how much, and who pays."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date

from voucher.money import Fen
from voucher.rules.policy import Fill, Policy, RateLine, Source
from voucher.terms import (
    AgreementState,
    AgreementStepKind,
    Direction,
    PartyRole,
    PayoutMode,
    RegistryMode,
    Remit,
    ShareSide,
    VoucherKind,
)


@dataclass(frozen=True, slots=True)
class Party:
    """A region of the agreement with the book that pays for it; an ancestor that binds its children stands for them."""

    region: str
    book: str
    binds_children: bool = False
    part: PartyRole = PartyRole.BOTH


@dataclass(frozen=True, slots=True)
class SideShare:
    """What the firm's region, or the provider's, pays of every subsidy: `parts` of `of`."""

    funder: ShareSide
    parts: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One version of one agreement. `effective_to` is the first day on which it no longer is in force.

    `code` names the version, `agreement` what its versions have in common. Without own rate lines, shares or payout
    mode the home programme's hold; the home programme's caps hold in any case. Ceilings are for a calendar year.
    """

    code: str
    agreement: str
    title: str
    document_no: str
    document: str
    weak_source: str | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    parties: tuple[Party, ...] = ()
    direction: Direction | None = None
    kinds: tuple[VoucherKind, ...] = ()
    services: tuple[str, ...] = ()
    registry: RegistryMode | None = None
    rate_lines: tuple[RateLine, ...] = ()
    funding_shares: tuple[SideShare, ...] = ()
    firm_ceiling_fen: Fen | None = None
    total_ceiling_fen: Fen | None = None
    payout_mode: PayoutMode | None = None
    remit: Remit | None = None
    sources: tuple[tuple[str, Source], ...] = field(default=())
    fills: tuple[Fill, ...] = ()

    def clause(self, *keys: str) -> str:
        """On what the first of these parameters that is set rests: an item of the document, or who filled it in."""
        sources, fills = dict(self.sources), {fill.key: fill for fill in self.fills}
        for key in keys:
            if key in sources:
                return sources[key].item
            if key in fills:
                return f"{fills[key].who}：{fills[key].basis}"
        return ""


def state_of(steps: Collection[AgreementStepKind]) -> AgreementState:
    """The state that a version's steps make, whatever their order."""
    for kind, state in (
        (AgreementStepKind.REVOKE, AgreementState.REVOKED),
        (AgreementStepKind.END, AgreementState.ENDED),
        (AgreementStepKind.PUBLISH, AgreementState.PUBLISHED),
        (AgreementStepKind.WITHDRAW, AgreementState.WITHDRAWN),
    ):
        if kind in steps:
            return state
    return AgreementState.PROPOSED


def ruling(policy: Policy, agreement: Agreement) -> Policy:
    """The home policy as it rules an order under the agreement: with the agreement's own rates and payout mode."""
    if not agreement.rate_lines and agreement.payout_mode is None:
        return policy
    replaced = {
        name
        for name, given in (("rate_lines", agreement.rate_lines), ("payout_mode", agreement.payout_mode))
        if given
    }
    return replace(
        policy,
        rate_lines=agreement.rate_lines or policy.rate_lines,
        payout_mode=agreement.payout_mode or policy.payout_mode,
        sources=_kept(policy.sources, replaced) + _only(agreement.sources, replaced),
        fills=tuple(fill for fill in policy.fills if _root(fill.key) not in replaced)
        + tuple(fill for fill in agreement.fills if _root(fill.key) in replaced),
    )


def _kept(sources: tuple[tuple[str, Source], ...], replaced: set[str]) -> tuple[tuple[str, Source], ...]:
    return tuple((key, source) for key, source in sources if _root(key) not in replaced)


def _only(sources: tuple[tuple[str, Source], ...], replaced: set[str]) -> tuple[tuple[str, Source], ...]:
    return tuple(
        (key, replace(source, item=f"{source.document_no} {source.item}"))
        for key, source in sources
        if _root(key) in replaced
    )


def _root(key: str) -> str:
    return key.partition("[")[0]
