"""What a claim would ask for, before it is sent: nothing is written and nothing is locked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.parties import Holder, Platform
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.claim import ClaimRequest, claimed_of, with_known
from voucher.operations.claim_papers import Judged, judge
from voucher.operations.claim_subjects import Subject
from voucher.operations.order_papers import order_papers
from voucher.operations.payees import accounts_in_use
from voucher.operations.policies import policy_of
from voucher.operations.resubmit import Mended, standing_papers, with_mended


def preview(session: Session, order: Order, request: ClaimRequest, *, at: datetime) -> tuple[Judged, Fen]:
    """The papers as the policy sees them, and the subsidy to ask for, in fen.

    The order is loaded with voucher, holder and platform. Raises the Refusal that the papers would meet; whether
    others use the invoices is seen at the sending.
    """
    policy = policy_of(session, order.rule_code)
    subject = Subject(order, order.voucher, order.holder, order.platform, policy, order.voucher.holder_class)
    known = order_papers(session, [order])[order.id]
    accounts = accounts_in_use(session, [request.payee_account_id])
    judged = judge(session, subject, with_known(request.papers, known), accounts, at=at)
    return judged, claimed_of(subject, judged)


def preview_mended(
    session: Session,
    claim: Claim,
    sides: tuple[Order, Voucher | None, Holder, Platform | None],
    request: Mended,
    *,
    at: datetime,
) -> tuple[Judged, Fen]:
    """The same for a claim that comes back: its papers with what is new in them, and the subsidy to ask for, in fen."""
    order, voucher, holder, platform = sides
    holder_class = order.holder_class or (voucher.holder_class if voucher is not None else "")
    subject = Subject(order, voucher, holder, platform, policy_of(session, order.rule_code), holder_class)
    papers = with_mended(standing_papers(session, claim), request)
    judged = judge(session, subject, papers, accounts_in_use(session, [papers.payee_account_id]), at=at)
    return judged, claimed_of(subject, judged)
