"""What a decision posts: the part of a captured order that was not approved goes back where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from voucher.ledger.events import Accepted, Rejected, posting_id
from voucher.models.claims import Claim
from voucher.money import Fen
from voucher.operations.cases import Case
from voucher.operations.give_back import Back, post_backs
from voucher.operations.outcome import one_book
from voucher.rules.permissions import Actor
from voucher.terms import PostingKind, Verdict


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that is fit to be posted: what of the captured order is approved, in fen."""

    case: Case
    verdict: Verdict
    approved_fen: Fen

    @property
    def number(self) -> str:
        """The claim's number."""
        return self.case.claim.number

    @property
    def base_fen(self) -> Fen:
        """What the ceilings of funders in basis points count on."""
        return Fen(self.case.claim.base_fen)

    @property
    def given_back_fen(self) -> Fen:
        """What of the order's money goes back."""
        return Fen(self.case.order.captured_fen - self.approved_fen)

    @property
    def posting(self) -> UUID:
        """The id of what it posts: one decision for one hearing of a claim."""
        return decision_posting(self.case.claim)


def decision_posting(claim: Claim) -> UUID:
    """The id of what the decision of a claim's present hearing posts."""
    again = (claim.hearing,) if claim.hearing > 1 else ()
    return posting_id("review", claim.number, *again)


def post_decisions(
    session: Session, decisions: Sequence[Decided], *, actor: Actor, at: datetime
) -> list[Accepted | Rejected]:
    """One answer for each decision; one that takes nothing back posts nothing and is accepted.

    The caller has locked the orders' vouchers, before the orders (docs/locking.md). Decisions of one book (ValueError
    for several).
    """
    one_book(each.case.order.book_id for each in decisions)
    backs = [
        Back(
            each.case.order,
            each.case.policy,
            PostingKind.DISALLOW if each.verdict is Verdict.REJECT else PostingKind.TRIM,
            each.posting,
            each.given_back_fen,
            each.base_fen,
        )
        for each in decisions
    ]
    return post_backs(session, backs, actor=actor, at=at)
