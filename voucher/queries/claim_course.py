"""What became of one claim, for the lines that tell its amount: the order's cuts, the review, the year, who pays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.models.claims import Claim
from voucher.models.cofunding import OrderShare
from voucher.models.ledger import Book
from voucher.models.orders import Order
from voucher.models.review import Review
from voucher.money import Fen
from voucher.queries.claim_papers import InvoiceLine
from voucher.queries.policies import agreement_of
from voucher.rules.claim_lines import Course, Cut, claim_lines, invoice_years
from voucher.rules.cofunding import within_ceilings
from voucher.rules.policy import Policy, Share
from voucher.rules.subsidy import Computation, Step
from voucher.terms import ClaimState, OrderChannel


@dataclass(frozen=True, slots=True)
class Told:
    """A claim with what became of it: its order, the class it was charged under, its review, and who pays."""

    claim: Claim
    order: Order
    holder_class: str
    review: Review | None
    payers: tuple[tuple[str, Share], ...]


def shares_of(session: Session, order: Order) -> tuple[tuple[str, Share], ...]:
    """The shares by which several funders pay an order, each with the authority of its book; none where one pays all."""
    if not order.funders:
        return ()
    query = (
        select(Book.authority, OrderShare.portions)
        .join(Book, Book.book_id == OrderShare.book_id)
        .where(OrderShare.order_id == order.id)
        .order_by(OrderShare.position)
    )
    return tuple(
        (authority, Share(**portion))
        for authority, portions in session.execute(query)
        for portion in portions
    )


def granted(told: Told, policy: Policy, computed: Computation) -> Computation:
    """A claim's computation within its funders' ceilings: those of the order, or the policy's where it has none yet."""
    return within_ceilings(policy, [share for _, share in told.payers] or policy.funding_shares, computed)


def lines_of(
    session: Session, told: Told, policy: Policy, *, computed: Computation, invoices: Sequence[InvoiceLine]
) -> tuple[Step, ...]:
    """How a claim's amount came about, with the clause of each step: as `policy explain` tells a case."""
    claim, order, review = told.claim, told.order, told.review
    is_award = order.channel == OrderChannel.POST_SUBSIDY.value
    cut_fen = sum(each["by_fen"] for each in order.reductions or []) if is_award else 0
    course = Course(
        claimed_fen=Fen(claim.claimed_fen),
        holder_class=told.holder_class,
        cuts=_cuts(session, order),
        at_review=is_award,
        reviewed_fen=None if review is None else Fen(review.approved_fen + cut_fen),
        years=None if is_award else _years(told, policy, invoices),
        factored=None if claim.factor_bp is None else (claim.factor_bp, Fen(claim.approved_fen or 0)),
        payers=told.payers if len(told.payers) > 1 else (),
        agreed=_agreed(session, order, "funding_shares[0]", "funding_shares") if told.payers else None,
    )
    return claim_lines(policy, computed, course)


def _cuts(session: Session, order: Order) -> tuple[Cut, ...]:
    """The limits that cut the order; what a funder's ceiling took stands in the computation."""
    return tuple(
        Cut(
            each["limit"],
            each.get("opened_fen"),
            each.get("left_fen") or 0,
            _agreed(session, order, *_ceiling(session, order, each)) if each["limit"] == "quota" else None,
        )
        for each in order.reductions or []
        if each["limit"] != "funder"
    )


def _ceiling(session: Session, order: Order, cut: dict[str, int]) -> tuple[str, ...]:
    """The ceiling of this height, as an agreement's file names it."""
    if order.agreement_version_id is None:
        return ()
    agreement = agreement_of(session, order.agreement_version_id)
    is_firms = cut.get("opened_fen") == agreement.firm_ceiling_fen
    return ("firm_ceiling_fen",) if is_firms else ("total_ceiling_fen",)


def _agreed(session: Session, order: Order, *keys: str) -> str | None:
    """The document and the item of an order's agreement that set a parameter; None where none does."""
    if order.agreement_version_id is None:
        return None
    agreement = agreement_of(session, order.agreement_version_id)
    item = agreement.clause(*keys)
    if not item:
        return None
    return f"{agreement.document_no} " + (f"第 {item} 条" if item.isdecimal() else item)


def _years(told: Told, policy: Policy, invoices: Sequence[InvoiceLine]) -> tuple[int, int] | None:
    """The cap's years of order and invoices, where review moves the charge from the one to the other."""
    if not invoices or told.claim.state == ClaimState.REJECTED.value:
        return None
    latest = max(line.issued_on for line in invoices)
    return invoice_years(policy, told.holder_class, business_date(told.order.placed_at), latest)
