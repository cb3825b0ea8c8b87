"""What a claim would ask for, before it is sent: nothing is written and nothing is locked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations.claim import ClaimRequest, claimed_of, with_known
from voucher.operations.claim_papers import Judged, judge
from voucher.operations.claim_subjects import Subject
from voucher.operations.order_papers import order_papers
from voucher.operations.payees import accounts_in_use
from voucher.operations.policies import policy_of


def preview(session: Session, order: Order, request: ClaimRequest, *, at: datetime) -> tuple[Judged, Fen]:
    """The papers as the policy sees them, and the subsidy to ask for, in fen.

    The order is loaded with voucher, holder and platform. Raises the Refusal that the papers would meet; whether
    others use the invoices is seen at the sending.
    """
    policy = policy_of(session, order.policy_code)
    subject = Subject(order, order.voucher, order.holder, order.platform, policy, order.voucher.holder_class)
    known = order_papers(session, [order])[order.id]
    accounts = accounts_in_use(session, [request.payee_account_id])
    judged = judge(session, subject, with_known(request.papers, known), accounts, at=at)
    return judged, claimed_of(subject, judged)
