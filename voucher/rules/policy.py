"""A policy version as one frozen value: every parameter, where it comes from, and who filled in the rest.

A parameter that the document does not give is `None` (or an empty tuple) until the authority fills it in;
`policy_check.unset` names those that still block publishing. Amounts are fen, rates basis points.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from voucher.money import Fen
from voucher.terms import (
    CapBasis,
    CapPeriod,
    CapScope,
    Certifier,
    DocumentKind,
    EligibilityRule,
    HolderClass,
    IssueMode,
    PaymentChannel,
    PayoutMode,
    Rounding,
    SubsidyBase,
    Transition,
    Unconfirmed,
    VoucherKind,
    YearBasis,
)

WHOLE_BP = 10_000


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a policy: `line` in the file (None: nowhere), `key`, the cited `clause`, a Chinese `message`."""

    line: int | None
    key: str
    clause: str | None
    message: str


class PolicyError(ValueError):
    """A policy text cannot be read; `problems` holds every fault that was found, in order of lines.

    `readable` is the policy of what could be read, so that the rest can be checked too; None without an identity.
    """

    def __init__(self, problems: tuple[Problem, ...], readable: Policy | None = None) -> None:
        super().__init__("; ".join(f"{p.line}: {p.key}: {p.message}" for p in problems))
        self.problems = problems
        self.readable = readable


class PolicyUnsetError(ValueError):
    """A parameter is needed for a computation and nobody has set it: the version was never fit to publish."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a parameter stands: document number, item, and the words themselves."""

    document_no: str
    item: str
    quote: str


@dataclass(frozen=True, slots=True)
class Fill:
    """A parameter that the document leaves open and the authority filled in: which, who, on what basis."""

    key: str
    who: str
    basis: str


@dataclass(frozen=True, slots=True)
class Authority:
    """A bureau in its part (science, finance, tax); the name differs from region to region."""

    function: str
    name: str


@dataclass(frozen=True, slots=True)
class Service:
    """A service that the voucher buys."""

    code: str
    label: str
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """The part of the base up to `up_to_fen` (None: all the rest) is subsidised at `rate_bp`."""

    rate_bp: int
    up_to_fen: Fen | None = None


@dataclass(frozen=True, slots=True)
class RateLine:
    """Tiers for the cases that match; a condition that is None matches everything. The first match rules.

    A region matches itself and everything below it in the tree (its code without the trailing zero pairs).
    """

    tiers: tuple[Tier, ...]
    service: str | None = None
    holder_class: str | None = None
    applicant_region: str | None = None
    provider_region: str | None = None
    cap_fen: Fen | None = None


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that one holder may receive in a period; `year_start` is (month, day) where `period` is a year.

    `scope`: whether firms of one controller share it too. `carry_years`: in how many later years what is left of a
    year may be used.
    """

    family: str
    period: CapPeriod
    basis: CapBasis
    amount_fen: Fen
    holder_class: str | None = None
    year_start: tuple[int, int] | None = None
    scope: CapScope | None = None
    carry_years: int | None = None

    def period_of(self, order_date: date) -> int:
        """The period that an order of this date is charged to.

        A calendar year is itself; a window of twelve months is named after the year in which it ends;
        a cap for the whole programme has the single period 0. Raises PolicyUnsetError if the year is undefined.
        """
        if self.period is CapPeriod.PROGRAMME:
            return 0
        if self.year_start is None:
            raise PolicyUnsetError("year")
        if self.year_start == (1, 1) or (order_date.month, order_date.day) < self.year_start:
            return order_date.year
        return order_date.year + 1


@dataclass(frozen=True, slots=True)
class Share:
    """A funder (code of its book) and its part of every subsidy: `parts` of `of`; a policy's shares make one whole.

    A ceiling is the most that this funder gives for one service: `ceiling_fen`, or `ceiling_bp` of the base. What
    lies above it lowers the subsidy, unless `spill_to` names the funder that takes it over.
    """

    funder: str
    parts: int
    of: int = WHOLE_BP
    ceiling_fen: Fen | None = None
    ceiling_bp: int | None = None
    spill_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of one programme. `effective_to` is the first day on which it is no longer in force.

    `parent` is the code of the version that it inherits from, `pinned` that version as it was read, and `inherited`
    says for each parameter (by its key in a file) which version above gives it. `supersedes` names the version of the
    same programme that ends when this one begins.
    """

    code: str
    programme: str
    title: str
    document_no: str
    document: str
    owner_region: str
    cap_family: str
    weak_source: str | None = None
    parent: str | None = None
    pinned: Policy | None = field(default=None, repr=False, compare=False)
    supersedes: str | None = None
    kind: VoucherKind | None = None
    authorities: tuple[Authority, ...] = ()
    effective_from: date | None = None
    effective_to: date | None = None
    holder_classes: tuple[HolderClass, ...] = ()
    eligibility: tuple[EligibilityRule, ...] = ()
    certifiers: tuple[Certifier, ...] = ()
    affiliation_share_bp: int | None = None
    centre_certifiers: tuple[Certifier, ...] = ()
    own_services: bool | None = None
    services: tuple[Service, ...] = ()
    base: SubsidyBase | None = None
    rate_lines: tuple[RateLine, ...] = ()
    per_order_cap_fen: Fen | None = None
    per_unit_cap_fen: Fen | None = None
    prorata: bool | None = None
    rounding: Rounding | None = None
    caps: tuple[Cap, ...] = ()
    year: YearBasis | None = None
    year_start: tuple[int, int] | None = None
    payout_mode: PayoutMode | None = None
    funding_shares: tuple[Share, ...] = ()
    use_by_days: int | None = None
    complete_by_days: int | None = None
    redeem_by_days: int | None = None
    evidence: tuple[DocumentKind, ...] = ()
    notice_days: int | None = None
    issue_mode: IssueMode | None = None
    face_min_fen: Fen | None = None
    face_max_fen: Fen | None = None
    transition: Transition | None = None
    claim_confirm_days: int | None = None
    defect_days: int | None = None
    review_days: int | None = None
    expert_review: bool | None = None
    cosigners: tuple[str, ...] = ()
    minutes_required: bool | None = None
    payment_channels: tuple[PaymentChannel, ...] = ()
    invoice_recheck_days: int | None = None
    instalments_max: int | None = None
    confirm_days: int | None = None
    unconfirmed: Unconfirmed | None = None
    dispute_days: int | None = None
    extension_days: int | None = None
    cancel_consent: bool | None = None
    stacking: tuple[str, ...] = ()
    excluded_words: tuple[str, ...] = ()
    split_days: int | None = None
    held_most_fen: Fen | None = None
    applications_most: int | None = None
    idle_refuses: bool | None = None
    roster_qualifies: bool | None = None
    waiting_skips: bool | None = None
    appeal_days: int | None = None
    binding: tuple[str, ...] = ()
    sources: tuple[tuple[str, Source], ...] = field(default=())
    fills: tuple[Fill, ...] = ()
    inherited: tuple[tuple[str, str], ...] = ()

    def cap_for(self, holder_class: str) -> Cap | None:
        """The yearly (or programme) cap of this class: its own if there is one, else the one for everybody."""
        own = [cap for cap in self.caps if cap.holder_class == holder_class]
        shared = [cap for cap in self.caps if cap.holder_class is None]
        return next(iter(own + shared), None)

    @property
    def group_cap_fen(self) -> Fen:
        """The most for firms of one controller together: the highest cap with that scope, whichever of them charges."""
        shared = [cap.amount_fen for cap in self.caps if cap.scope is CapScope.CONTROL_GROUP]
        return max(shared, default=Fen(0))

    def service(self, code: str) -> Service | None:
        """The service of this code, None if the policy does not pay for it."""
        return next((service for service in self.services if service.code == code), None)

    def source_of(self, key: str) -> Source | None:
        """Where the parameter stands in the document; None for one that was filled in or is unset."""
        return dict(self.sources).get(key)

    @property
    def home_region(self) -> str:
        """The region whose authorities certify for it: the owner's, or that of the programme that it carries out."""
        if self.pinned is None or self.pinned.cap_family != self.cap_family:
            return self.owner_region
        return self.pinned.home_region

    def heir_of(self, key: str) -> str | None:
        """The code of the version that a parameter was inherited from; None for one of its own."""
        return dict(self.inherited).get(key.partition("[")[0].partition(".")[0])

    def clause(self, key: str) -> str | None:
        """On what a parameter rests: the document's item (of a version above with document and code), or who filled it in."""
        source, fill, above = self.source_of(key), self.fill_of(key), self.heir_of(key)
        if source is None and fill is None:
            return None
        if source is None:
            told = f"{fill.who}：{fill.basis}" if fill is not None else ""
        elif above is None:
            return source.item
        else:
            item = f"第 {source.item} 条" if source.item.isdecimal() else source.item
            told = f"{source.document_no} {item}"
        return told if above is None else f"{told}（继承自 {above}）"

    def fill_of(self, key: str) -> Fill | None:
        """Who filled the parameter in; None for one that the document gives."""
        return next((fill for fill in self.fills if fill.key == key), None)
