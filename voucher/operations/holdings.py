"""What holders have on their live vouchers, asked when a voucher is issued by hand (同时持有的最高额)."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Refusal
from voucher.ledger import accounts
from voucher.ledger.balances import standings
from voucher.models.parties import Holder
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.rules import applying
from voucher.rules.policy import Policy
from voucher.terms import VoucherState


class Holdings:
    """What each of these holders has of a programme, growing with what is issued to it in the same sequence.

    Where the policy sets no highest amount nothing is asked. The caller holds the holders FOR NO KEY UPDATE, so that two
    who issue to one holder at once are seen one after the other.
    """

    def __init__(self, session: Session, policy: Policy, book_id: int, holders: Collection[Holder]) -> None:
        self._policy = policy
        self._held: dict[int, int] = {}
        if policy.held_most_fen is None:
            return
        query = select(Voucher.holder_id, Voucher.number).where(
            Voucher.programme_code == policy.programme,
            Voucher.holder_id.in_([holder.id for holder in holders]),
            Voucher.state == VoucherState.LIVE.value,
        )
        owners = {accounts.voucher(number): holder_id for holder_id, number in session.execute(query)}
        for ref, standing in standings(session, book_id, owners).items():
            self._held[owners[ref]] = self._held.get(owners[ref], 0) + standing.posted_fen

    def refuse(self, holder: Holder, face_fen: Fen) -> None:
        """Refuse (`holding_exceeded`) a face that passes the highest amount; another one counts for what follows."""
        held = Fen(self._held.get(holder.id, 0))
        finding = applying.held(self._policy, applying.Holding(held_fen=held), face_fen)
        if finding is not None:
            raise Refusal(finding[0], **finding[1])
        self._held[holder.id] = held + face_fen
