"""Settling: made by one, checked by another, paid line by line, returned by the bank and paid again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.operations.stories import Told
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.ledger.balances import free_balance
from voucher.models.claims import Claim
from voucher.models.ledger import Posting
from voucher.models.orders import Order
from voucher.models.parties import PayeeAccount
from voucher.models.settlements import SettlementBatch, SettlementLine
from voucher.operations import batch as batches
from voucher.operations.outcome import Refused, only
from voucher.operations.pay import PaymentOrder, RepayRequest, export, pay_again
from voucher.operations.reconcile import BankResult, Reconciled, reconcile
from voucher.operations.settle import ApprovalRequest, approve
from voucher.rules.permissions import Actor
from voucher.terms import BatchState, ClaimState, LineState, OrderState, PostingKind


def making(told: Told, *claims: str) -> Callable[[Session, datetime], list[batches.Batch | Refused]]:
    request = batches.BatchRequest(told.world.programme_code, claims)
    return lambda session, at: batches.make(session, [request], actor=told.world.maker, at=at)


def made(told: Told, *claims: str) -> batches.Batch:
    return told.do(lambda session, at: only(making(told, *claims)(session, at)))


def submitted(told: Told, *claims: str) -> batches.Batch:
    number = made(told, *claims).number
    return told.do(lambda session, at: only(batches.submit(session, [number], actor=told.world.maker, at=at)))


def approving(
    number: str, content: str, actor: Actor
) -> Callable[[Session, datetime], list[batches.Batch | Refused]]:
    return lambda session, at: approve(session, [ApprovalRequest(number, content)], actor=actor, at=at)


def settled(told: Told, *claims: str) -> str:
    batch = submitted(told, *claims)
    work = approving(batch.number, batch.content_sha256, told.world.checker)
    return told.do(lambda session, at: only(work(session, at))).number


def exported(told: Told, number: str) -> PaymentOrder:
    return told.do(lambda session, at: only(export(session, [number], actor=told.world.maker, at=at)))


def banking(told: Told, *results: BankResult) -> Callable[[Session, datetime], list[Reconciled | Refused]]:
    return lambda session, at: reconcile(session, results, actor=told.world.maker, at=at)


def bank(told: Told, number: str, seq: int, *, paid: bool, attempt: int = 1) -> Reconciled:
    result = BankResult(number, seq, attempt, paid, f"{seq}-{attempt}-{paid}", "" if paid else "账号有误")
    return told.do(lambda session, at: only(banking(told, result)(session, at)))


def paid_out(told: Told) -> int:
    with told.database.read() as session:
        return free_balance(session, told.world.book_id, accounts.paid())


def payable(told: Told) -> int:
    return told.balance(accounts.payable(told.world.firm.uscc))


def states(told: Told, number: str) -> tuple[str, str]:
    query = select(Claim.state, Order.state).join(Order, Order.id == Claim.order_id)
    with told.database.read() as session:
        claim, order = session.execute(query.where(Claim.number == number)).one()
    return claim, order


def test_a_batch_goes_its_way_to_the_money(told: Told) -> None:
    voucher = told.voucher()
    claims = [
        told.approved(order=told.captured_order(voucher=voucher), approved_fen=amount)
        for amount in (None, 30_000_00)
    ]
    batch = submitted(told, *claims)
    assert (batch.state, batch.line_count, batch.total_fen) == (BatchState.SUBMITTED, 2, 80_000_00)
    assert len(batch.content_sha256) == 64
    told.do(approving(batch.number, batch.content_sha256, told.world.checker))
    assert payable(told) == 80_000_00
    assert [states(told, number) for number in claims] == [(ClaimState.IN_BATCH, OrderState.SETTLED)] * 2
    order = exported(told, batch.number)
    assert [each.amount_fen for each in order.instructions] == [50_000_00, 30_000_00]
    assert order.instructions[0].reference == f"{batch.number}-0001-1"
    assert bank(told, batch.number, 1, paid=True).batch_state is BatchState.EXPORTED
    assert (payable(told), paid_out(told)) == (30_000_00, 50_000_00)
    assert bank(told, batch.number, 2, paid=True).batch_state is BatchState.RECONCILED
    assert (payable(told), paid_out(told)) == (0, 80_000_00)
    assert [states(told, number) for number in claims] == [(ClaimState.PAID, OrderState.PAID)] * 2


def test_a_bounced_line_is_paid_again_to_a_corrected_account_by_another_person_than_booked_it(
    told: Told,
) -> None:
    claim = told.approved()
    number = settled(told, claim)
    exported(told, number)
    bounced = bank(told, number, 1, paid=False)
    assert (bounced.state, bounced.batch_state) == (LineState.BOUNCED, BatchState.EXPORTED)
    assert (payable(told), paid_out(told)) == (50_000_00, 0)
    assert told.one(SettlementLine).state_reason == "账号有误"
    account = told.account(told.world.firm.organisation_id, account_no="6217000180001234567")
    request = RepayRequest(number, 1, account)
    told.refuses(
        Code.SELF_APPROVAL, lambda session, at: pay_again(session, [request], actor=told.world.maker, at=at)
    )
    again = told.do(lambda session, at: only(pay_again(session, [request], actor=told.world.checker, at=at)))
    assert again.attempt == 2
    (instruction,) = exported(told, number).instructions
    assert (instruction.reference, instruction.account_no) == (f"{number}-0001-2", "6217000180001234567")
    assert bank(told, number, 1, paid=True, attempt=2).batch_state is BatchState.RECONCILED
    assert (payable(told), paid_out(told)) == (0, 50_000_00)
    with told.database.read() as session:
        kinds = session.scalars(select(Posting.kind).order_by(Posting.posted_at, Posting.kind)).all()
    assert [kinds.count(kind) for kind in (PostingKind.PAY, PostingKind.BANK_RETURN)] == [2, 1]


def test_a_line_returned_after_it_was_booked_as_paid_opens_the_batch_again(told: Told) -> None:
    claim = told.approved()
    number = settled(told, claim)
    exported(told, number)
    assert bank(told, number, 1, paid=True).batch_state is BatchState.RECONCILED
    returned = bank(told, number, 1, paid=False)
    assert (returned.state, returned.batch_state) == (LineState.BOUNCED, BatchState.EXPORTED)
    assert (payable(told), paid_out(told)) == (50_000_00, 0)
    assert states(told, claim) == (ClaimState.IN_BATCH, OrderState.SETTLED)


def test_the_banks_answer_brought_twice_counts_once(told: Told) -> None:
    number = settled(told, told.approved())
    exported(told, number)
    for _ in range(2):
        assert bank(told, number, 1, paid=True).state is LineState.PAID
    result = BankResult(number, 1, 1, True, "1-1-True")
    told.do(banking(told, result, result))
    assert paid_out(told) == 50_000_00


def test_an_answer_that_does_not_fit_is_refused(told: Told) -> None:
    number = settled(told, told.approved())
    told.refuses(Code.STATE_CHANGED, banking(told, BankResult(number, 1, 1, True, "before the file")))
    exported(told, number)
    told.refuses(Code.STATE_CHANGED, banking(told, BankResult(number, 1, 2, True, "another attempt")))
    told.refuses(Code.NOT_FOUND, banking(told, BankResult(number, 2, 1, True, "no such line")))
    told.refuses(Code.NOT_FOUND, banking(told, BankResult("B202600000017", 1, 1, True, "no such batch")))
    bank(told, number, 1, paid=True)
    told.refuses(Code.STATE_CHANGED, banking(told, BankResult(number, 1, 1, True, "another serial")))


def test_a_line_that_did_not_bounce_is_not_paid_again(told: Told) -> None:
    number = settled(told, told.approved())
    exported(told, number)
    request = RepayRequest(number, 1)
    for _ in range(2):
        told.refuses(
            Code.STATE_CHANGED,
            lambda session, at: pay_again(session, [request], actor=told.world.maker, at=at),
        )
        bank(told, number, 1, paid=True)


def test_a_bounced_line_goes_to_no_account_of_somebody_else(told: Told) -> None:
    number = settled(told, told.approved())
    exported(told, number)
    bank(told, number, 1, paid=False)
    request = RepayRequest(number, 1, told.account(told.world.platform.organisation_id))
    told.refuses(
        Code.PAYEE_MISSING, lambda session, at: pay_again(session, [request], actor=told.world.maker, at=at)
    )


def test_the_maker_cannot_approve_their_own_batch(told: Told) -> None:
    batch = submitted(told, told.approved())
    told.refuses(Code.SELF_APPROVAL, approving(batch.number, batch.content_sha256, told.world.maker))


def test_only_its_maker_changes_a_batch_so_that_a_checker_never_made_it(told: Told) -> None:
    claim, number = told.approved(), made(told).number
    change = [batches.ChangeRequest(number, (claim,))]
    told.refuses(
        Code.NOT_PERMITTED,
        lambda session, at: batches.take_in(session, change, actor=told.world.checker, at=at),
    )


def test_the_database_itself_keeps_maker_and_checker_apart(told: Told) -> None:
    batch = submitted(told, told.approved())

    def cheat(session: Session, at: datetime) -> None:
        row = session.scalars(select(SettlementBatch).where(SettlementBatch.number == batch.number)).one()
        row.checker_id = row.maker_id

    with pytest.raises(Exception, match="two_persons"):
        told.do(cheat)


@pytest.mark.parametrize("change", ["amount", "account", "closed", "line_account", "claim", "unseen"])
def test_a_batch_that_is_not_what_the_checker_saw_is_refused(told: Told, change: str) -> None:
    claim = told.approved()
    batch = submitted(told, claim)
    other = told.account(told.world.firm.organisation_id, account_no="6217000180001234567")

    def tamper(session: Session, at: datetime) -> None:
        row = session.scalars(select(Claim).where(Claim.number == claim)).one()
        line = session.scalars(select(SettlementLine)).one()
        account = session.get_one(PayeeAccount, row.payee_account_id)
        if change == "amount":
            line.amount_fen -= 1
        elif change == "account":
            row.payee_account_id = other
        elif change == "closed":
            account.active = False
        elif change == "line_account":
            line.account_no = "6217000180009999999"
        elif change == "claim":
            row.approved_fen = 1

    told.do(tamper)
    seen = "0" * 64 if change == "unseen" else batch.content_sha256
    told.refuses(Code.BATCH_CHANGED, approving(batch.number, seen, told.world.checker), batch=batch.number)


def test_a_batch_that_was_sent_back_and_changed_is_not_approved_by_the_old_look(told: Told) -> None:
    voucher = told.voucher()
    claims = [told.approved(order=told.captured_order(voucher=voucher)) for _ in range(2)]
    old = submitted(told, *claims)
    told.do(lambda session, at: batches.send_back(session, [old.number], actor=told.world.checker, at=at))
    change = [batches.ChangeRequest(old.number, (claims[1],))]
    told.do(lambda session, at: batches.take_out(session, change, actor=told.world.maker, at=at))
    assert states(told, claims[1]) == (ClaimState.APPROVED, OrderState.APPROVED)
    work = approving(old.number, old.content_sha256, told.world.checker)
    told.refuses(Code.STATE_CHANGED, work)
    told.do(lambda session, at: batches.submit(session, [old.number], actor=told.world.maker, at=at))
    told.refuses(Code.BATCH_CHANGED, work)


def test_a_batch_is_approved_once(told: Told) -> None:
    batch = submitted(told, told.approved())
    work = approving(batch.number, batch.content_sha256, told.world.checker)
    told.do(work)
    told.refuses(Code.STATE_CHANGED, work)


def test_an_empty_batch_is_not_submitted(told: Told) -> None:
    number = made(told).number
    told.refuses(
        Code.BATCH_EMPTY, lambda session, at: batches.submit(session, [number], actor=told.world.maker, at=at)
    )


def test_a_claim_is_in_one_batch_only_and_only_when_approved(told: Told) -> None:
    voucher = told.voucher()
    taken, open_claim = (
        told.approved(order=told.captured_order(voucher=voucher)),
        told.claimed(order=told.captured_order(voucher=voucher)),
    )
    made(told, taken)
    for claim in (taken, open_claim):
        told.refuses(Code.STATE_CHANGED, making(told, claim))


def test_finance_of_another_book_finds_neither_programme_nor_batch(told: Told) -> None:
    batch = submitted(told, told.approved())
    elsewhere = replace(told.world.checker, book_ids=frozenset({999}))
    told.refuses(Code.NOT_FOUND, approving(batch.number, batch.content_sha256, elsewhere))
    request = batches.BatchRequest(told.world.programme_code)
    told.refuses(Code.NOT_FOUND, lambda session, at: batches.make(session, [request], actor=elsewhere, at=at))


def test_an_unapproved_batch_has_no_payment_file(told: Told) -> None:
    batch = submitted(told, told.approved())
    told.refuses(
        Code.STATE_CHANGED,
        lambda session, at: export(session, [batch.number], actor=told.world.maker, at=at),
    )
