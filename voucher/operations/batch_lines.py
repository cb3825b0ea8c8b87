"""The lines of a batch that is still collecting: what is paid, to whom, on which account."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.models.claims import Claim
from voucher.models.parties import Organisation, PayeeAccount
from voucher.models.settlements import SettlementBatch, SettlementLine
from voucher.terms import LineState


def add_lines(session: Session, batch: SettlementBatch, claims: Sequence[Claim]) -> None:
    """A line for each claim, in order, to the account it names. Refuses `payee_missing` for one that is closed."""
    query = (
        select(PayeeAccount, Organisation)
        .join(Organisation, Organisation.id == PayeeAccount.organisation_id)
        .where(PayeeAccount.id.in_({claim.payee_account_id for claim in claims}))
    )
    payees = {account.id: (account, payee) for account, payee in session.execute(query)}
    highest = select(func.coalesce(func.max(SettlementLine.seq), 0)).where(
        SettlementLine.batch_id == batch.id
    )
    first = int(session.execute(highest).scalar_one()) + 1
    rows = []
    for seq, claim in enumerate(claims, start=first):
        account, payee = payees[claim.payee_account_id]
        if not account.active:
            raise Refusal(Code.PAYEE_MISSING, payee=payee.uscc)
        rows.append(
            {
                "batch_id": batch.id,
                "seq": seq,
                "claim_id": claim.id,
                "order_id": claim.order_id,
                "payee_ref": payee.uscc,
                "payee_name": account.account_name,
                "bank": account.bank,
                "account_no": account.account_no,
                "amount_fen": claim.approved_fen,
                "state": LineState.PENDING.value,
            }
        )
    if rows:
        session.connection().execute(insert(SettlementLine), rows)


def remove_lines(session: Session, batch: SettlementBatch, claim_ids: Sequence[int]) -> None:
    """Take the claims' lines out. Refuses `not_found` where one is not in the batch."""
    query = select(SettlementLine).where(
        SettlementLine.batch_id == batch.id, SettlementLine.claim_id.in_(claim_ids)
    )
    lines = session.scalars(query).all()
    if len(lines) != len(claim_ids):
        raise Refusal(Code.NOT_FOUND, batch=batch.number)
    for line in lines:
        session.delete(line)
