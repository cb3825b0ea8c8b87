"""A claim after it was handed in: the other side confirms it, it comes back and is mended, or it is withdrawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from tests.operations.claiming import answering, claiming, made, refused, withdrawing
from tests.operations.reviewing import asks, pays_provider, sent_back
from tests.operations.stories import Told, document, stranger
from voucher.errors import Code
from voucher.models.claims import Claim, ClaimPayment, Document, InvoiceUse
from voucher.models.journal import Journal
from voucher.models.messages import Message
from voucher.models.review import ClaimReturn
from voucher.money import Fen
from voucher.operations.confirm_claim import lapse_claims
from voucher.operations.outcome import only
from voucher.operations.resubmit import Mended, resubmit
from voucher.operations.review import ReviewRequest, review
from voucher.queries.claims import ClaimFilter, claims
from voucher.rules.permissions import Actor
from voucher.terms import ClaimItem, ClaimState, DocumentKind, MessageEvent, OrderState, Verdict


def claim_of(told: Told, number: str) -> Claim:
    return told.one(Claim, number=number)


def readers(told: Told, event: MessageEvent, subject: str) -> set[int]:
    with told.database.read() as session:
        query = select(Message.person_id).where(Message.event == event.value, Message.subject == subject)
        return set(session.scalars(query))


def mending(told: Told, number: str, *, actor: Actor | None = None, **changes: Any) -> Any:
    wanted = [Mended(claim_number=number, **changes)]
    who = actor or told.world.firm.actor
    return lambda session, at: resubmit(session, wanted, actor=who, at=at)


def mend(told: Told, number: str, **changes: Any) -> None:
    work = mending(told, number, **changes)
    told.do(lambda session, at: only(work(session, at)).number)


# --- the other side ---------------------------------------------------------------------------------


def awaiting(told: Told) -> str:
    asks(told, claim_confirm_days=5)
    number = told.claimed()
    assert claim_of(told, number).state == ClaimState.AWAITING.value
    return number


def test_without_days_in_the_policy_nobody_is_asked(told: Told) -> None:
    claim = claim_of(told, told.claimed())
    assert (claim.state, claim.confirm_by) == (ClaimState.SUBMITTED.value, None)


def test_the_platform_confirms_the_firms_claim_and_the_reviewers_are_told(told: Told) -> None:
    number = awaiting(told)
    # Monday 2026-03-02 and five working days: 3, 4, 5, 6, 9 March.
    assert claim_of(told, number).confirm_by == date(2026, 3, 9)
    assert readers(told, MessageEvent.CLAIM_TO_CONFIRM, number) == {
        told.world.platform.manager.person_id,
        told.world.platform.scanner.person_id,
    }
    told.after(days=7)
    manager = told.world.platform.manager
    told.do(lambda session, at: only(answering(number, actor=manager)(session, at)))
    claim = claim_of(told, number)
    assert (claim.state, claim.confirmed_by) == (ClaimState.SUBMITTED.value, manager.person_id)
    assert claim.queued_at < claim.confirmed_at  # type: ignore[operator]
    assert told.world.reviewer.person_id in readers(told, MessageEvent.CLAIM_SUBMITTED, number)
    assert readers(told, MessageEvent.CLAIM_CONFIRMED, number) == {told.world.firm.actor.person_id}


def test_a_claim_that_waits_for_the_other_side_is_not_decided(told: Told) -> None:
    number = awaiting(told)
    wanted = [ReviewRequest(number, Verdict.APPROVE)]
    told.refuses(
        Code.STATE_CHANGED,
        lambda session, at: review(session, wanted, actor=told.world.reviewer, at=at),
        state="awaiting",
    )


def test_a_denial_needs_a_reason_and_sends_the_claim_back_wholly_open(told: Told) -> None:
    number = awaiting(told)
    manager = told.world.platform.manager
    told.refuses(Code.REASON_MISSING, answering(number, actor=manager, agreed=False, reason=" "))
    no = answering(number, actor=manager, agreed=False, reason="合同金额不符")
    told.do(lambda session, at: only(no(session, at)))
    claim = claim_of(told, number)
    assert (claim.state, claim.round, claim.return_reason) == ("returned", 1, "合同金额不符")
    assert readers(told, MessageEvent.CLAIM_DENIED, number) == {told.world.firm.actor.person_id}
    told.after(days=1)
    mend(told, number, contract_fen=Fen(90_000_00))
    again = claim_of(told, number)
    assert (again.state, again.base_fen, again.round) == (ClaimState.AWAITING.value, 90_000_00, 1)
    assert again.confirm_by == date(2026, 3, 10)
    assert again.queued_at == claim.queued_at


def test_only_the_other_side_answers_and_only_once(told: Told) -> None:
    number = awaiting(told)
    firm, manager = told.world.firm.actor, told.world.platform.manager
    told.refuses(Code.NOT_PERMITTED, answering(number, actor=firm))
    both = replace(firm, platform_ids=manager.platform_ids)
    told.refuses(Code.NOT_PERMITTED, answering(number, actor=both))
    told.refuses(Code.NOT_FOUND, answering(number, actor=stranger(told, like=manager)))
    told.do(lambda session, at: only(answering(number, actor=manager)(session, at)))
    told.refuses(Code.STATE_CHANGED, answering(number, actor=manager), state="submitted")


def test_a_claim_whose_other_side_says_nothing_goes_back_after_the_last_day_and_both_are_told(
    told: Told,
) -> None:
    number = awaiting(told)
    told.after(days=7)
    assert told.do(lambda session, at: lapse_claims(session, at=at, limit=100)) == 0
    told.after(days=1)
    manager = told.world.platform.manager
    told.refuses(Code.STATE_CHANGED, answering(number, actor=manager), state="returned")
    assert told.do(lambda session, at: lapse_claims(session, at=at, limit=100)) == 1
    assert told.do(lambda session, at: lapse_claims(session, at=at, limit=100)) == 0
    claim = claim_of(told, number)
    assert (claim.state, claim.return_reason) == (ClaimState.RETURNED.value, "confirm_by")
    told_of = readers(told, MessageEvent.CLAIM_DENIED, number)
    assert {told.world.firm.actor.person_id, manager.person_id} <= told_of
    assert told.one(Journal, action="claim.lapse").actor_ref == "system"


def test_where_the_provider_is_paid_it_claims_and_the_firm_confirms(told: Told) -> None:
    asks(told, claim_confirm_days=5)
    pays_provider(told)
    manager, firm = told.world.platform.manager, told.world.firm.actor
    account = told.account(told.world.platform.organisation_id)
    request = told.claim_request(told.captured_order(), payee_account_id=account)
    refused(told, Code.OTHER_SIDE_CLAIMS, request, claimant="provider")
    number = told.do(lambda session, at: only(claiming(request, actor=manager)(session, at)).number)
    claim = claim_of(told, number)
    assert (claim.by_platform, claim.state) == (True, ClaimState.AWAITING.value)
    assert readers(told, MessageEvent.CLAIM_TO_CONFIRM, number) == {firm.person_id}
    told.refuses(Code.NOT_PERMITTED, answering(number, actor=manager))
    told.do(lambda session, at: only(answering(number, actor=firm)(session, at)))
    assert claim_of(told, number).state == ClaimState.SUBMITTED.value


# --- mending ----------------------------------------------------------------------------------------


def test_a_claim_comes_back_with_three_defects_and_only_those_three_can_be_mended(told: Told) -> None:
    asks(told, defect_days=10)
    number = told.claimed()
    before = claim_of(told, number)
    sent_back(told, number, ClaimItem.CONTRACT, ClaimItem.INVOICES, ClaimItem.RESULT)
    told.after(days=2)
    told.refuses(Code.ITEM_NOT_OPEN, mending(told, number, payments=(told.payment(),)), item="payment")
    proof = (document(DocumentKind.PAYMENT_PROOF),)
    told.refuses(Code.ITEM_NOT_OPEN, mending(told, number, documents=proof), item="payment")
    account = told.account(told.world.firm.organisation_id)
    told.refuses(Code.ITEM_NOT_OPEN, mending(told, number, payee_account_id=account), item="payee")
    result = replace(document(DocumentKind.RESULT), sha256="f" * 64, file_name="新报告.pdf")
    invoice = told.invoice(net_fen=80_000_00)
    mend(told, number, contract_fen=Fen(95_000_00), invoices=(invoice,), documents=(result,))
    claim = claim_of(told, number)
    assert (claim.state, claim.round) == (ClaimState.SUBMITTED.value, 1)
    assert (claim.contract_fen, claim.base_fen, claim.claimed_fen) == (95_000_00, 80_000_00, 40_000_00)
    assert (claim.queued_at, claim.submitted_at > before.submitted_at) == (before.queued_at, True)
    assert told.one(ClaimReturn, claim_id=claim.id).answered_at == told.at
    with told.database.read() as session:
        kept = session.scalars(select(Document).where(Document.kind == "result").order_by(Document.id)).all()
        assert [(row.round, row.dropped_at is None) for row in kept] == [(0, False), (1, True)]
        uses = session.scalars(select(InvoiceUse).order_by(InvoiceUse.id)).all()
        assert [(use.allocated_fen, use.released_at is None) for use in uses] == [
            (100_000_00, False),
            (80_000_00, True),
        ]
        assert len(session.scalars(select(ClaimPayment)).all()) == 1


def test_what_is_mended_is_judged_as_strictly_as_at_first(told: Told) -> None:
    number = told.claimed()
    sent_back(told, number, ClaimItem.INVOICES, ClaimItem.PAYMENT)
    wrong = told.invoice(seller_uscc=told.world.firm.uscc)
    told.refuses(Code.INVOICE_MISMATCH, mending(told, number, invoices=(wrong,)), field="seller")
    cash = told.payment(payer_name="王小明")
    told.refuses(Code.PAYER_MISMATCH, mending(told, number, payments=(cash,)))


def test_the_same_invoice_may_be_kept_and_a_rivals_may_not_be_taken(told: Told) -> None:
    own, rivals = told.invoice(), told.invoice()
    number = told.claimed(invoices=(own,))
    told.claimed(order=told.captured_order(voucher=told.voucher()), invoices=(rivals,))
    sent_back(told, number, ClaimItem.INVOICES)
    told.refuses(Code.INVOICE_USED, mending(told, number, invoices=(rivals,)))
    mend(told, number, invoices=(replace(own, allocated_fen=Fen(70_000_00)),))
    assert claim_of(told, number).base_fen == 70_000_00


def test_a_claim_that_is_not_back_cannot_be_mended(told: Told) -> None:
    told.refuses(Code.STATE_CHANGED, mending(told, told.claimed(), contract_fen=Fen(1_00)))


def test_a_claim_mended_in_its_queue_place_stands_before_later_ones(told: Told) -> None:
    first = told.claimed()
    told.after(hours=1)
    second = told.claimed(order=told.captured_order(voucher=told.voucher()))
    sent_back(told, first, ClaimItem.OTHER)
    told.after(hours=1)
    mend(told, first, documents=(replace(document(DocumentKind.RESULT), sha256="e" * 64),))
    with told.database.read() as session:
        page = claims(session, told.world.reviewer, ClaimFilter(ClaimState.SUBMITTED))
        assert [line.number for line in page.rows] == [first, second]


# --- withdrawing ------------------------------------------------------------------------------------


def test_a_withdrawn_claim_frees_order_and_invoice_and_the_order_is_claimed_anew(told: Told) -> None:
    order, invoice = told.captured_order(), told.invoice()
    number = made(told, told.claim_request(order, invoices=(invoice,)))
    told.do(lambda session, at: only(withdrawing(number, actor=told.world.firm.actor)(session, at)))
    assert claim_of(told, number).state == ClaimState.WITHDRAWN.value
    assert told.order(order).state == OrderState.CAPTURED.value
    again = told.approved(order=order, invoices=(invoice,))
    assert again != number
    assert told.order(order).state == OrderState.APPROVED.value


@pytest.mark.parametrize("state", ["awaiting", "returned"])
def test_a_claim_that_waits_elsewhere_can_be_withdrawn_too(told: Told, state: str) -> None:
    if state == "awaiting":
        asks(told, claim_confirm_days=5)
    number = told.claimed()
    if state == "returned":
        sent_back(told, number, ClaimItem.OTHER)
    told.do(lambda session, at: only(withdrawing(number, actor=told.world.firm.actor)(session, at)))
    assert claim_of(told, number).state == ClaimState.WITHDRAWN.value


def test_a_decided_claim_is_not_withdrawn_nor_one_of_another_side(told: Told) -> None:
    number = told.claimed()
    told.refuses(Code.OTHER_SIDE_CLAIMS, withdrawing(number, actor=told.world.platform.manager))
    told.refuses(Code.NOT_FOUND, withdrawing(number, actor=stranger(told, like=told.world.firm.actor)))
    done = told.approved(order=told.captured_order(voucher=told.voucher()))
    told.refuses(Code.STATE_CHANGED, withdrawing(done, actor=told.world.firm.actor), state="approved")
