"""What the system itself finds out about a claim, each as a fact that a reviewer can read (domain, section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.models.claims import Claim, Document, Invoice
from voucher.models.orders import Order
from voucher.models.parties import Affiliation, Certification, Holder, PayeeAccount, Platform, RosterEntry
from voucher.rules import eligibility, invoices
from voucher.rules.matching import papers
from voucher.rules.policy import Policy
from voucher.rules.validity import redeem_by
from voucher.terms import (
    AffiliationKind,
    CertificationState,
    Certifier,
    DocumentKind,
    PayoutMode,
    VoucherKind,
)


@dataclass(frozen=True, slots=True)
class Check:
    """One fact: what was checked, whether it is as it should be, and what was found."""

    label: str
    passed: bool
    found: str


def checks_of(
    session: Session, policy: Policy, *, claim: Claim, order: Order, invoices: Sequence[Invoice]
) -> list[Check]:
    """Every check of one claim, as things stand now."""
    holder = session.get_one(Holder, order.holder_id)
    platform = session.get_one(Platform, order.platform_id)
    return [
        _papers(session, policy, claim),
        *_invoices(session, claim, order, invoices, parties=(holder.ref, platform.organisation.uscc)),
        _paid(claim, order),
        _in_time(policy, claim, order),
        _roster(session, policy, order, holder),
        _certified(session, policy, order),
        _unrelated(session, policy, holder, platform),
        _payee(session, policy, claim, paid_to=(holder, platform)),
    ]


def _papers(session: Session, policy: Policy, claim: Claim) -> Check:
    kinds = session.scalars(select(Document.kind).where(Document.claim_id == claim.id)).all()
    finding = papers(policy, [DocumentKind(kind) for kind in kinds])
    if finding is None:
        asked = "、".join(kind.label for kind in policy.evidence)
        return Check("兑付材料齐全", True, f"共 {len(kinds)} 件；政策要求：{asked or '无'}")
    missing = "、".join(DocumentKind(kind).label for kind in str(finding[1]["missing"]).split(","))
    return Check("兑付材料齐全", False, f"缺少：{missing}")


def _invoices(
    session: Session, claim: Claim, order: Order, given: Sequence[Invoice], *, parties: tuple[str, str]
) -> list[Check]:
    since = order.contract_on or business_date(order.placed_at)
    faults: dict[str, list[str]] = {"buyer": [], "seller": [], "date": []}
    for each in given:
        sides = invoices.Invoice(
            buyer_uscc=each.buyer_uscc, seller_uscc=each.seller_uscc, issued_on=each.issued_on
        )
        finding = invoices.mismatch(
            sides, enterprise_uscc=parties[0], host_uscc=parties[1], contract_on=since
        )
        if finding is not None:
            faults[str(finding[1]["field"])].append(each.key)
    keys = [each.key for each in given]
    elsewhere = session.execute(
        select(func.count(func.distinct(Invoice.claim_id))).where(
            Invoice.key.in_(keys), Invoice.claim_id != claim.id, Invoice.released_at.is_(None)
        )
    ).scalar_one()
    names = (
        ("buyer", "发票购买方是申请企业", f"统一社会信用代码均为 {parties[0]}"),
        ("seller", "发票销售方是服务机构", f"统一社会信用代码均为 {parties[1]}"),
        ("date", "开票不早于合同", f"合同（下单）日期 {since.isoformat()}"),
    )
    checks = [
        Check(label, not faults[field], f"不符：{'、'.join(faults[field])}" if faults[field] else fine)
        for field, label, fine in names
    ]
    found = f"另有 {elsewhere} 件申请使用" if elsewhere else f"{len(keys)} 张发票均未被其他申请使用"
    return [*checks, Check("发票未重复使用", elsewhere == 0, found)]


def _paid(claim: Claim, order: Order) -> Check:
    since, until = order.contract_on or business_date(order.placed_at), business_date(claim.submitted_at)
    return Check(
        "付款在合同之后、申请之前", since <= claim.paid_on <= until, f"付款日期 {claim.paid_on.isoformat()}"
    )


def _in_time(policy: Policy, claim: Claim, order: Order) -> Check:
    last = redeem_by(policy, business_date(order.captured_at or order.placed_at))
    on = business_date(claim.submitted_at)
    return Check("在申请期限内", on <= last, f"{on.isoformat()} 申请，期限至 {last.isoformat()}")


def _roster(session: Session, policy: Policy, order: Order, holder: Holder) -> Check:
    entries = dict(
        session.execute(
            select(RosterEntry.year, RosterEntry.roster_no).where(RosterEntry.uscc == holder.ref)
        ).all()
    )
    on = business_date(order.placed_at)
    finding = eligibility.roster(policy, entries.keys(), on)
    return Check("下单当年在名单内", finding is None, f"{on.year} 年登记编号：{entries.get(on.year, '没有')}")


def _certified(session: Session, policy: Policy, order: Order) -> Check:
    rows = session.scalars(select(Certification).where(Certification.platform_id == order.platform_id)).all()
    known = [
        eligibility.Certification(
            certifier=Certifier(row.authority),
            kinds=tuple(VoucherKind(kind) for kind in row.kinds),
            services=tuple(row.services),
            valid_from=row.from_on,
            valid_to=row.to_on,
            state=CertificationState(row.state),
        )
        for row in rows
    ]
    finding = eligibility.platform(policy, known, service=order.service, on=business_date(order.placed_at))
    numbers = "、".join(row.document_no for row in rows) or "没有认定记录"
    return Check("服务平台具备收券资格", finding is None, numbers)


def _unrelated(session: Session, policy: Policy, holder: Holder, platform: Platform) -> Check:
    pair = {holder.organisation_id, platform.organisation_id}
    ties = session.scalars(
        select(Affiliation.kind).where(Affiliation.first_id.in_(pair), Affiliation.second_id.in_(pair))
    ).all()
    same = holder.ref == platform.organisation.uscc
    found = "同一法人" if same else "、".join(AffiliationKind(kind).label for kind in ties)
    return Check("企业与服务机构没有关联关系", not found, found or "没有登记的关联关系")


def _payee(session: Session, policy: Policy, claim: Claim, *, paid_to: tuple[Holder, Platform]) -> Check:
    account = session.get_one(PayeeAccount, claim.payee_account_id)
    holder, platform = paid_to
    provider = policy.payout_mode is PayoutMode.PAY_PROVIDER
    name = platform.organisation.name if provider else holder.name
    fine = account.active and account.account_name == name
    return Check(
        "收款账户有效且户名一致", fine, f"{account.account_name}，{'在用' if account.active else '已停用'}"
    )
