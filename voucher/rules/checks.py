"""What is strange about a claim: pure rules over facts, one function for each row of domain section 4 that flags.

A finding accuses nobody: it says what was seen, with numbers, and leaves the judgement to a reviewer. What blocks is
not here but at its step (`operations/check_claim.py` bars; `eligibility`, `matching`, `invoices`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from voucher.errors import Fact
from voucher.rules.policy import Policy
from voucher.terms import ClaimMarkKind, FindingKind, PartyMarkKind

LOW, MEDIUM, HIGH = 1, 2, 3
NEAR_PERCENT = 90
JUMP = 100
MANY_FIRMS = 3
ENOUGH_PEERS = 10
SIMILAR_PERCENT = 70


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was seen. `facts` are numbers, codes and document numbers: no personal data."""

    row_no: int
    kind: FindingKind
    weight: int
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Twin:
    """A mark that other firms' claims bear too: how many claims of how many firms, and the latest one's number."""

    kind: ClaimMarkKind
    claims: int
    firms: int
    other: str


@dataclass(frozen=True, slots=True)
class Declared:
    """What a firm declared on the roster of a year."""

    year: int
    staff: int | None
    revenue_fen: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that the flags of one claim are judged by. Amounts in fen; unknown is None or empty."""

    policy: Policy
    contract_fen: int | None = None
    listed_fen: int | None = None
    p90_fen: int | None = None
    peers: int = 0
    titles: tuple[tuple[str, str], ...] = ()
    weak_share_bp: int | None = None
    shared_marks: tuple[PartyMarkKind, ...] = ()
    same_account: bool = False
    same_source: bool = False
    code_scanned_at_home: bool = False
    twins: tuple[Twin, ...] = ()
    invoice_file_reused: str = ""
    text_percent: int = 0
    text_other: str = ""
    near_benefits: tuple[str, ...] = ()
    pair_fen: tuple[int, ...] = ()
    firms_of_controller: int = 0
    agent_firms: int = 0
    orders_a_day: int | None = None
    orders_that_day: int = 0
    declared: tuple[Declared, ...] = ()
    ring: int = 0


def findings(facts: Facts) -> list[Finding]:
    """Every flag of one claim, the heaviest first, then by row."""
    found = [finding for row in ROWS for finding in row(facts)]
    return sorted(found, key=lambda each: (-each.weight, each.row_no))


def row_02_weak_holding(facts: Facts) -> Iterator[Finding]:
    """A shareholding that is too small to bar the order."""
    if facts.weak_share_bp is not None:
        said: dict[str, Fact] = {
            "share_bp": facts.weak_share_bp,
            "limit_bp": facts.policy.affiliation_share_bp,
        }
        yield Finding(2, FindingKind.WEAK_HOLDING, MEDIUM, said)


def row_03_weak_links(facts: Facts) -> Iterator[Finding]:
    """Firm and provider share a telephone, mail domain, contact, bank account or network address."""
    for mark in facts.shared_marks:
        if mark is not PartyMarkKind.ADDRESS:
            yield Finding(3, FindingKind.SHARED_MARK, MEDIUM, {"mark": mark.value})
    if facts.same_account:
        yield Finding(3, FindingKind.SAME_ACCOUNT, HIGH)
    if facts.same_source:
        yield Finding(3, FindingKind.SAME_SOURCE, MEDIUM)


def row_04_same_address(facts: Facts) -> Iterator[Finding]:
    """One address: normal in an incubator (集群注册), so it weighs little and never blocks."""
    if PartyMarkKind.ADDRESS in facts.shared_marks:
        yield Finding(4, FindingKind.SAME_ADDRESS, LOW)


def row_05_same_file(facts: Facts) -> Iterator[Finding]:
    """The file of an invoice came with another claim of the firm, under another number."""
    if facts.invoice_file_reused:
        yield Finding(5, FindingKind.SAME_INVOICE_FILE, HIGH, {"other": facts.invoice_file_reused})


def row_06_near_benefit(facts: Facts) -> Iterator[Finding]:
    """Another public programme paid for something of this firm that may be the same."""
    for programme in facts.near_benefits:
        yield Finding(6, FindingKind.NEAR_BENEFIT, MEDIUM, {"programme": programme})


def row_07_splitting(facts: Facts) -> Iterator[Finding]:
    """Several contracts of one pair lie just under a threshold of the policy."""
    for threshold in thresholds(facts.policy):
        near = [each for each in facts.pair_fen if NEAR_PERCENT * threshold <= 100 * each <= 100 * threshold]
        if len(near) > 1:
            said: dict[str, Fact] = {
                "count": len(near),
                "sum_fen": sum(near),
                "threshold_fen": threshold,
                "days": facts.policy.split_days,
            }
            yield Finding(7, FindingKind.JUST_UNDER, MEDIUM, said)


def row_08_one_controller(facts: Facts) -> Iterator[Finding]:
    """Other firms of the same controller hold vouchers of the same programme."""
    if facts.firms_of_controller:
        yield Finding(8, FindingKind.ONE_CONTROLLER, HIGH, {"count": facts.firms_of_controller})


def row_09_capacity(facts: Facts) -> Iterator[Finding]:
    """More orders in one day than the platform's declared staff and machines can do."""
    capacity = facts.orders_a_day
    if capacity is not None and facts.orders_that_day > capacity:
        said: dict[str, Fact] = {"count": facts.orders_that_day, "capacity": capacity}
        yield Finding(9, FindingKind.OVER_CAPACITY, MEDIUM, said)


def row_14_price(facts: Facts) -> Iterator[Finding]:
    """The contract is dearer than the platform's list, or than nine in ten contracts of its class."""
    price = facts.contract_fen
    if price is None:
        return
    if facts.listed_fen is not None and price > facts.listed_fen:
        listed: dict[str, Fact] = {"price_fen": price, "listed_fen": facts.listed_fen}
        yield Finding(14, FindingKind.ABOVE_LIST, MEDIUM, listed)
    if facts.p90_fen is not None and facts.peers >= ENOUGH_PEERS and price > facts.p90_fen:
        peers: dict[str, Fact] = {"price_fen": price, "p90_fen": facts.p90_fen, "count": facts.peers}
        yield Finding(14, FindingKind.ABOVE_PEERS, LOW, peers)


def row_15_excluded_words(facts: Facts) -> Iterator[Finding]:
    """A word in the papers' titles that the policy excludes, as statutory inspection."""
    for where, text in facts.titles:
        for word in facts.policy.excluded_words:
            if word and word in text:
                yield Finding(15, FindingKind.EXCLUDED_WORD, MEDIUM, {"word": word, "where": where})


def row_17_figures(facts: Facts) -> Iterator[Finding]:
    """A declared figure grew or shrank a hundredfold from one year to another: yuan for ten thousand yuan."""
    years = sorted(facts.declared, key=lambda each: each.year)
    for before, after in pairwise(years):
        pairs = (("staff", before.staff, after.staff), ("revenue", before.revenue_fen, after.revenue_fen))
        for figure, was, now in pairs:
            if was and now and max(was, now) >= JUMP * min(was, now):
                said: dict[str, Fact] = {"figure": figure, "from_year": before.year, "to_year": after.year}
                said |= {"times": max(was, now) // min(was, now)}
                yield Finding(17, FindingKind.FIGURE_JUMP, MEDIUM, said)


def row_18_lent(facts: Facts) -> Iterator[Finding]:
    """The code was shown where it was scanned, or where other firms show theirs: it may not be the firm's hand."""
    if facts.code_scanned_at_home:
        yield Finding(18, FindingKind.SHOWN_WHERE_SCANNED, LOW)
    for twin in facts.twins:
        if twin.kind is ClaimMarkKind.CODE_SOURCE and twin.firms + 1 >= MANY_FIRMS:
            said: dict[str, Fact] = {"count": twin.firms, "other": twin.other}
            yield Finding(18, FindingKind.SHOWN_WITH_OTHERS, MEDIUM, said)


def row_22_rings(facts: Facts) -> Iterator[Finding]:
    """Firms and providers that buy from each other in a ring."""
    if facts.ring:
        yield Finding(22, FindingKind.RING, HIGH, {"count": facts.ring})


def row_23_agents(facts: Facts) -> Iterator[Finding]:
    """One network address, telephone, payer's account or paper stands behind the claims of several firms."""
    farms = {
        ClaimMarkKind.SOURCE: FindingKind.FARMED_SOURCE,
        ClaimMarkKind.PAYER: FindingKind.FARMED_PAYER,
        ClaimMarkKind.OTHER_FILE: FindingKind.FARMED_FILE,
    }
    for twin in facts.twins:
        kind = farms.get(twin.kind)
        if kind is not None and twin.firms + 1 >= MANY_FIRMS:
            yield Finding(23, kind, MEDIUM, {"count": twin.firms, "other": twin.other})
    if facts.agent_firms + 1 >= MANY_FIRMS:
        yield Finding(23, FindingKind.FARMED_AGENT, MEDIUM, {"count": facts.agent_firms})


def row_24_reused_result(facts: Facts) -> Iterator[Finding]:
    """The result is another firm's file, or tells nearly the same text."""
    for twin in facts.twins:
        if twin.kind is ClaimMarkKind.RESULT_FILE:
            yield Finding(24, FindingKind.SAME_RESULT, HIGH, {"count": twin.firms, "other": twin.other})
    if facts.text_percent >= SIMILAR_PERCENT:
        said: dict[str, Fact] = {"percent": facts.text_percent, "other": facts.text_other}
        yield Finding(24, FindingKind.SIMILAR_TEXT, HIGH, said)


def thresholds(policy: Policy) -> list[int]:
    """Amounts, in fen, under which a contract is treated better: the ends of tiers."""
    ends = {tier.up_to_fen for line in policy.rate_lines for tier in line.tiers if tier.up_to_fen is not None}
    return sorted(ends)


Row = Callable[[Facts], Iterator[Finding]]
ROWS: tuple[Row, ...] = (
    row_02_weak_holding,
    row_03_weak_links,
    row_04_same_address,
    row_05_same_file,
    row_06_near_benefit,
    row_07_splitting,
    row_08_one_controller,
    row_09_capacity,
    row_14_price,
    row_15_excluded_words,
    row_17_figures,
    row_18_lent,
    row_22_rings,
    row_23_agents,
    row_24_reused_result,
)
