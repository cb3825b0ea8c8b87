"""Who is paid for an order, and to which account."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.models.parties import Holder, Organisation, PayeeAccount, Platform
from voucher.rules.matching import bare_name
from voucher.rules.policy import Policy
from voucher.terms import PayoutMode


def payee_of(session: Session, policy: Policy, *, holder: Holder, platform: Platform | None) -> Organisation:
    """The firm or the provider's host, as the policy pays out.

    Refused as `payee_missing` where the policy pays an operator's escrow, the holder is no organisation, or the
    provider is to be paid for a post-subsidy, which has none.
    """
    if policy.payout_mode is PayoutMode.PAY_PROVIDER and platform is not None:
        return platform.organisation
    if policy.payout_mode is PayoutMode.REIMBURSE_ENTERPRISE and holder.organisation_id is not None:
        return session.get_one(Organisation, holder.organisation_id)
    raise Refusal(Code.PAYEE_MISSING, payee=holder.ref)


def accounts_in_use(session: Session, ids: Collection[int]) -> dict[int, PayeeAccount]:
    """Those of these accounts that are in use, by id."""
    query = select(PayeeAccount).where(PayeeAccount.id.in_(set(ids)), PayeeAccount.active.is_(True))
    return {account.id: account for account in session.scalars(query)}


def payable_to(payee: Organisation, accounts: Mapping[int, PayeeAccount], *, account_id: int) -> PayeeAccount:
    """The account of this id among those in use, in the payee's own name. Otherwise refused: `payee_missing`."""
    account = accounts.get(account_id)
    if (
        account is None
        or account.organisation_id != payee.id
        or bare_name(account.account_name) != bare_name(payee.name)
    ):
        raise Refusal(Code.PAYEE_MISSING, payee=payee.uscc)
    return account
