"""The shape of every value of a policy file: what each parameter may be, in one table.

A shape turns what TOML gives into the value of the policy or raises ValueError with a Chinese sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from voucher.rules.funding import share_of
from voucher.rules.policy import WHOLE_BP, Authority, Cap, RateLine, Service, Source, Tier
from voucher.rules.policy_values import (
    LONGEST_DAYS,
    Shape,
    choice,
    choices,
    code,
    day,
    day_after,
    days,
    fen,
    month_day,
    rate,
    several,
    text,
    whole,
    yes_or_no,
)
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


def parameter(value: object) -> str:
    """The key of a parameter, as it stands in files."""
    if not isinstance(value, str) or value not in VALUES.keys() | LISTS.keys() - {"binding"}:
        raise ValueError("没有这个参数")
    return value


def tiers(value: object) -> tuple[Tier, ...]:
    """Tiers by rising amount; the last one has no upper end."""
    if not isinstance(value, list) or not value or not all(isinstance(tier, dict) for tier in value):
        raise ValueError("应为分段的列表：{ up_to_fen = …, rate_bp = … }")
    if any(not {"rate_bp"} <= set(tier) <= {"rate_bp", "up_to_fen"} for tier in value):
        raise ValueError("每一段写 rate_bp，除最后一段外写 up_to_fen，没有其他参数")
    ends = [fen(tier["up_to_fen"]) if "up_to_fen" in tier else None for tier in value]
    bounded = [end for end in ends[:-1] if end is not None]
    if ends[-1] is not None or len(bounded) != len(ends) - 1:
        raise ValueError("只有最后一段不写 up_to_fen")
    if bounded != sorted(set(bounded)):
        raise ValueError("各段的 up_to_fen 应递增")
    return tuple(Tier(rate(tier["rate_bp"]), end) for tier, end in zip(value, ends, strict=True))


def rate_line(fields: Mapping[str, Any]) -> RateLine:
    """A rate line from its fields: either one `rate_bp` or `tiers`."""
    rest = {key: value for key, value in fields.items() if key not in ("rate_bp", "tiers")}
    if ("rate_bp" in fields) == ("tiers" in fields):
        raise ValueError("rate_bp 与 tiers 应写且只写一个")
    return RateLine(tiers=fields.get("tiers") or (Tier(fields["rate_bp"]),), **rest)


def cap(fields: Mapping[str, Any]) -> Cap:
    """A cap; the empty family stands for the policy's own until the whole policy is known."""
    return Cap(**{"family": "", **fields})


def build(kind: type) -> Callable[[Mapping[str, Any]], Any]:
    """A builder that passes the fields on by name."""
    return lambda fields: kind(**fields)


IDENTITY: dict[str, Shape] = {
    "code": code,
    "programme": code,
    "title": text,
    "document_no": text,
    "document": code,
    "owner_region": code,
    "cap_family": code,
    "weak_source": text,
    "parent": code,
    "supersedes": code,
}
OPTIONAL_IDENTITY = frozenset({"weak_source", "parent", "supersedes", "cap_family"})

VALUES: dict[str, tuple[str, Shape]] = {
    "kind": ("kind", choice(VoucherKind)),
    "effective_from": ("effective_from", day),
    "effective_through": ("effective_to", day_after),
    "holder_classes": ("holder_classes", choices(HolderClass)),
    "eligibility": ("eligibility", choices(EligibilityRule)),
    "certifiers": ("certifiers", choices(Certifier)),
    "affiliation_share_bp": ("affiliation_share_bp", whole(1, WHOLE_BP)),
    "centre_certifiers": ("centre_certifiers", choices(Certifier)),
    "own_services": ("own_services", yes_or_no),
    "base": ("base", choice(SubsidyBase)),
    "per_order_cap_fen": ("per_order_cap_fen", fen),
    "per_unit_cap_fen": ("per_unit_cap_fen", fen),
    "prorata": ("prorata", yes_or_no),
    "rounding": ("rounding", choice(Rounding)),
    "year": ("year", choice(YearBasis)),
    "year_start": ("year_start", month_day),
    "payout_mode": ("payout_mode", choice(PayoutMode)),
    "use_by_days": ("use_by_days", days),
    "complete_by_days": ("complete_by_days", days),
    "redeem_by_days": ("redeem_by_days", days),
    "evidence": ("evidence", choices(DocumentKind)),
    "notice_days": ("notice_days", whole(0, LONGEST_DAYS)),
    "issue_mode": ("issue_mode", choice(IssueMode)),
    "face_min_fen": ("face_min_fen", fen),
    "face_max_fen": ("face_max_fen", fen),
    "transition": ("transition", choice(Transition)),
    "claim_confirm_days": ("claim_confirm_days", days),
    "defect_days": ("defect_days", days),
    "review_days": ("review_days", days),
    "expert_review": ("expert_review", yes_or_no),
    "cosigners": ("cosigners", several(code)),
    "minutes_required": ("minutes_required", yes_or_no),
    "payment_channels": ("payment_channels", choices(PaymentChannel)),
    "invoice_recheck_days": ("invoice_recheck_days", days),
    "instalments_max": ("instalments_max", whole(1, 60)),
    "confirm_days": ("confirm_days", days),
    "unconfirmed": ("unconfirmed", choice(Unconfirmed)),
    "dispute_days": ("dispute_days", days),
    "extension_days": ("extension_days", days),
    "cancel_consent": ("cancel_consent", yes_or_no),
    "stacking": ("stacking", several(code)),
    "excluded_words": ("excluded_words", several(text)),
    "split_days": ("split_days", days),
    "held_most_fen": ("held_most_fen", fen),
    "applications_most": ("applications_most", whole(1, 1000)),
    "idle_refuses": ("idle_refuses", yes_or_no),
    "roster_qualifies": ("roster_qualifies", yes_or_no),
    "waiting_skips": ("waiting_skips", yes_or_no),
    "appeal_days": ("appeal_days", days),
    "binding": ("binding", several(parameter)),
}

ListShape = tuple[Callable[[Mapping[str, Any]], Any], dict[str, Shape], frozenset[str]]

LISTS: dict[str, ListShape] = {
    "authorities": (build(Authority), {"function": code, "name": text}, frozenset({"function", "name"})),
    "services": (build(Service), {"code": code, "label": text}, frozenset({"code", "label"})),
    "rate_lines": (
        rate_line,
        {
            "rate_bp": rate,
            "tiers": tiers,
            "service": code,
            "holder_class": choice(HolderClass),
            "applicant_region": code,
            "provider_region": code,
            "cap_fen": fen,
        },
        frozenset(),
    ),
    "caps": (
        cap,
        {
            "family": code,
            "period": choice(CapPeriod),
            "basis": choice(CapBasis),
            "amount_fen": fen,
            "holder_class": choice(HolderClass),
            "scope": choice(CapScope),
            "carry_years": whole(1, 10),
        },
        frozenset({"period", "basis", "amount_fen"}),
    ),
    "funding_shares": (
        share_of,
        {
            "funder": code,
            "bp": whole(1, WHOLE_BP),
            "parts": whole(1, WHOLE_BP),
            "of": whole(1, WHOLE_BP),
            "ceiling_fen": fen,
            "ceiling_bp": rate,
            "spill_to": code,
        },
        frozenset({"funder"}),
    ),
}


def source(value: object) -> Source:
    """Document number, item and quotation, all three."""
    if not isinstance(value, dict) or set(value) != {"document_no", "item", "quote"}:
        raise ValueError("出处应写文号 document_no、条款 item、原文 quote 三项")
    return Source(text(value["document_no"]), text(value["item"]), text(value["quote"]))
