"""Policies to test with: the real Shanxi version as it lies in policies/, and small ones built in place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from voucher.money import Fen
from voucher.rules.policy import Cap, Policy, RateLine, Service, Share, Tier
from voucher.terms import (
    CapBasis,
    CapPeriod,
    Certifier,
    DocumentKind,
    EligibilityRule,
    HolderClass,
    IssueMode,
    PayoutMode,
    Rounding,
    SubsidyBase,
    Transition,
    VoucherKind,
    YearBasis,
)

FOLDER = Path(__file__).resolve().parents[2] / "policies"
SHANXI = (FOLDER / "shanxi-2022.toml").read_text("utf-8")
SHANXI_FILL = (FOLDER / "fills" / "shanxi-2022-demo.toml").read_text("utf-8")
SHANXI_DOCUMENT = (FOLDER / "documents" / "shanxi-2022.txt").read_text("utf-8")


def yearly_cap(amount: int, holder_class: str | None = None, start: tuple[int, int] | None = (1, 1)) -> Cap:
    return Cap("FAMILY", CapPeriod.YEAR, CapBasis.REDEEMED, Fen(amount), holder_class, start)


def flat(rate_bp: int, **conditions: Any) -> RateLine:
    return RateLine((Tier(rate_bp),), **conditions)


COMPLETE = Policy(
    code="CN-TEST-2026",
    programme="CN-TEST",
    title="测试券",
    document_no="测发〔2026〕1号",
    document="test",
    owner_region="140000",
    cap_family="FAMILY",
    kind=VoucherKind.INNOVATION,
    effective_from=date(2026, 1, 1),
    holder_classes=(HolderClass.TECH_SME,),
    eligibility=(EligibilityRule.ROSTER_OF_YEAR,),
    certifiers=(Certifier.SCIENCE,),
    services=(Service("testing", "检验检测"),),
    base=SubsidyBase.LEAST,
    rate_lines=(flat(5_000),),
    rounding=Rounding.FEN,
    caps=(yearly_cap(200_000_00),),
    year=YearBasis.CALENDAR,
    payout_mode=PayoutMode.REIMBURSE_ENTERPRISE,
    funding_shares=(Share("140000", 10_000),),
    use_by_days=365,
    complete_by_days=180,
    redeem_by_days=90,
    evidence=(DocumentKind.CONTRACT, DocumentKind.INVOICE, DocumentKind.PAYMENT_PROOF),
    notice_days=0,
    issue_mode=IssueMode.REVIEWED,
    face_min_fen=Fen(1_000_00),
    face_max_fen=Fen(200_000_00),
    transition=Transition.ORDER_DATE,
)


def policy(**changes: Any) -> Policy:
    """A complete policy (50 % of the least amount, 200,000.00 a year) with these fields changed."""
    return replace(COMPLETE, **changes)
