"""What the system itself finds out about a claim, each as a fact that a reviewer can read (domain, section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.models.claims import Claim, Document
from voucher.models.orders import Order
from voucher.models.parties import Affiliation, Certification, Holder, PayeeAccount, Platform, RosterEntry
from voucher.money import Fen, format_yuan
from voucher.queries.claim_papers import InvoiceLine, PaymentLine, payment_lines
from voucher.rules import eligibility, invoices
from voucher.rules.matching import bare_name, papers
from voucher.rules.policy import Policy
from voucher.rules.validity import redeem_by
from voucher.terms import (
    AffiliationKind,
    CertificationState,
    Certifier,
    DocumentKind,
    OrderChannel,
    PayoutMode,
    TaxVerdict,
    VoucherKind,
)


@dataclass(frozen=True, slots=True)
class Check:
    """One fact: what was checked, whether it is as it should be, and what was found."""

    label: str
    passed: bool
    found: str


def checks_of(
    session: Session, policy: Policy, *, claim: Claim, order: Order, lines: Sequence[InvoiceLine]
) -> list[Check]:
    """Every check of one claim, as things stand now. A post-subsidy has no platform and no redemption to check."""
    holder = session.get_one(Holder, order.holder_id)
    award = order.channel == OrderChannel.POST_SUBSIDY.value
    platform = None if award else session.get_one(Platform, order.platform_id)
    found = [
        _papers(session, policy, claim),
        *_invoices(order, lines, holder, platform),
        _shared(lines),
        _originals(lines),
        _taxed(lines),
        _paid(claim, order),
        _payers(payment_lines(session, claim), holder),
    ]
    if platform is not None:
        found.append(_in_time(policy, claim, order))
    found.append(_roster(session, policy, order, holder))
    if platform is not None:
        found.append(_certified(session, policy, order))
        found.append(_unrelated(session, policy, holder, platform))
    return [*found, _payee(session, policy, claim, paid_to=(holder, platform))]


def _papers(session: Session, policy: Policy, claim: Claim) -> Check:
    kinds = session.scalars(
        select(Document.kind).where(Document.claim_id == claim.id, Document.dropped_at.is_(None))
    ).all()
    finding = papers(policy, [DocumentKind(kind) for kind in kinds])
    if finding is None:
        asked = "、".join(kind.label for kind in policy.evidence)
        return Check("兑付材料齐全", True, f"共 {len(kinds)} 件；政策要求：{asked or '无'}")
    missing = "、".join(DocumentKind(kind).label for kind in str(finding[1]["missing"]).split(","))
    return Check("兑付材料齐全", False, f"缺少：{missing}")


def _invoices(
    order: Order, lines: Sequence[InvoiceLine], holder: Holder, platform: Platform | None
) -> list[Check]:
    host = platform.organisation.uscc if platform is not None else None
    since = _since(order) if platform is not None else None
    faults: dict[str, list[str]] = {"buyer": [], "seller": [], "date": []}
    for each in lines:
        sides = invoices.Invoice(
            buyer_uscc=each.buyer_uscc, seller_uscc=each.seller_uscc, issued_on=each.issued_on
        )
        finding = invoices.mismatch(sides, enterprise_uscc=holder.ref, host_uscc=host, contract_on=since)
        if finding is not None:
            faults[str(finding[1]["field"])].append(each.key)
    names = [("buyer", "发票购买方是申请企业", f"统一社会信用代码均为 {holder.ref}")]
    if host is not None and since is not None:
        names.append(("seller", "发票销售方是服务机构", f"统一社会信用代码均为 {host}"))
        names.append(("date", "开票不早于合同", f"合同（下单）日期 {since.isoformat()}"))
    return [
        Check(label, not faults[field], f"不符：{'、'.join(faults[field])}" if faults[field] else fine)
        for field, label, fine in names
    ]


def _shared(lines: Sequence[InvoiceLine]) -> Check:
    over = [each.key for each in lines if each.left_fen < 0]
    shared = [each for each in lines if each.elsewhere]
    if over:
        return Check("各申请分摊不超过发票金额", False, f"超出：{'、'.join(over)}")
    found = "；".join(
        f"{each.key} 另有 {each.elsewhere} 件申请分摊 {format_yuan(Fen(each.elsewhere_fen))} 元"
        for each in shared
    )
    return Check("各申请分摊不超过发票金额", True, found or f"{len(lines)} 张发票均未被其他申请使用")


def _originals(lines: Sequence[InvoiceLine]) -> Check:
    changed = [each.key for each in lines if each.differences]
    read = sum(each.invoice.original is not None for each in lines)
    if changed:
        return Check("填写内容与发票原件一致", False, f"不一致：{'、'.join(changed)}，见发票一栏")
    return Check("填写内容与发票原件一致", True, f"读取了 {read} 张原件，共 {len(lines)} 张发票")


def _taxed(lines: Sequence[InvoiceLine]) -> Check:
    dead = [each.key for each in lines if each.verdict in (TaxVerdict.RED, TaxVerdict.VOID)]
    done = [each.invoice.checked_on for each in lines if each.invoice.checked_on is not None]
    found = f"已查验 {len(done)} 张，共 {len(lines)} 张"
    if done:
        found += f"，最近 {max(done).isoformat()}"
    return Check("发票没有红冲或作废", not dead, f"已红冲或作废：{'、'.join(dead)}" if dead else found)


def _paid(claim: Claim, order: Order) -> Check:
    until = business_date(claim.submitted_at)
    award = order.channel == OrderChannel.POST_SUBSIDY.value
    since = claim.paid_on if award else _since(order)
    return Check(
        "付款在合同之后、申请之前", since <= claim.paid_on <= until, f"付款日期 {claim.paid_on.isoformat()}"
    )


def _payers(payments: Sequence[PaymentLine], holder: Holder) -> Check:
    others = [each.payer_name for each in payments if bare_name(each.payer_name) != bare_name(holder.name)]
    ways = "、".join(dict.fromkeys(each.channel.label for each in payments))
    found = f"户名为：{'、'.join(others)}" if others else f"共 {len(payments)} 笔，{ways}"
    return Check("付款账户户名是申请企业", not others, found)


def _since(order: Order) -> date:
    return order.contract_on or business_date(order.placed_at)


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


def _payee(
    session: Session, policy: Policy, claim: Claim, *, paid_to: tuple[Holder, Platform | None]
) -> Check:
    account = session.get_one(PayeeAccount, claim.payee_account_id)
    holder, platform = paid_to
    to_provider = policy.payout_mode is PayoutMode.PAY_PROVIDER and platform is not None
    name = platform.organisation.name if to_provider and platform is not None else holder.name
    fine = account.active and bare_name(account.account_name) == bare_name(name)
    return Check(
        "收款账户有效且户名一致", fine, f"{account.account_name}，{'在用' if account.active else '已停用'}"
    )
