"""Who is paid for an order, and to which account."""

from __future__ import annotations

import unicodedata

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.models.parties import Holder, Organisation, PayeeAccount, Platform
from voucher.rules.policy import Policy
from voucher.terms import PayoutMode


def payee_of(session: Session, policy: Policy, *, holder: Holder, platform: Platform) -> Organisation:
    """The firm or the provider's host, as the policy pays out.

    Refused as `payee_missing` where the policy pays an operator's escrow, or the holder is no organisation.
    """
    if policy.payout_mode is PayoutMode.PAY_PROVIDER:
        return platform.organisation
    if policy.payout_mode is PayoutMode.REIMBURSE_ENTERPRISE and holder.organisation_id is not None:
        return session.get_one(Organisation, holder.organisation_id)
    raise Refusal(Code.PAYEE_MISSING, payee=holder.ref)


def payable_to(session: Session, payee: Organisation, *, account_id: int) -> PayeeAccount:
    """The payee's account of this id: in use, and in the payee's own name. Otherwise refused: `payee_missing`."""
    account = session.scalars(
        select(PayeeAccount).where(
            PayeeAccount.id == account_id,
            PayeeAccount.organisation_id == payee.id,
            PayeeAccount.active.is_(True),
        )
    ).one_or_none()
    if account is None or _bare(account.account_name) != _bare(payee.name):
        raise Refusal(Code.PAYEE_MISSING, payee=payee.uscc)
    return account


def _bare(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split())
