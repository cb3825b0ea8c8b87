"""The rate that would rule one firm's order of one service at one platform, and on what it rests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from voucher.errors import Refusal
from voucher.queries.platforms import Offer
from voucher.rules.policy import Policy
from voucher.rules.subsidy import Case, clause_of, rate_line
from voucher.web.counter_words import line_shown


@dataclass(frozen=True, slots=True)
class RateShown:
    """The rate in plain words, its clause, and the agreement's title where an agreement sets it or admits the platform."""

    words: str
    clause: str
    agreement: str


def rates_of(policy: Policy, offer: Offer, *, holder_class: str, region: str) -> Mapping[str, RateShown]:
    """By service what a platform may sell, the rate that an order would get: the agreement's own where it has one."""
    return {
        service: rate_of(policy, offer, service, holder_class=holder_class, region=region)
        for service in offer.services
    }


def rate_of(policy: Policy, offer: Offer, service: str, *, holder_class: str, region: str) -> RateShown:
    """The same for one service."""
    ruled, agreement = offer.ruling(policy, service), offer.agreements.get(service)
    title = f"{agreement.title}，{agreement.document_no}" if agreement else ""
    case = Case(
        holder_class=holder_class,
        service=service,
        applicant_region=region,
        provider_region=offer.platform.region_code,
    )
    try:
        index, line = rate_line(ruled, case)
    except Refusal:
        return RateShown("没有适用的补助比例，不予补助", ruled.document_no, title)
    clause = clause_of(ruled, f"rate_lines[{index}]", "rate_lines") or ruled.document_no
    if agreement and agreement.document_no in clause:
        title = agreement.title
    return RateShown(line_shown(line), clause, title)
