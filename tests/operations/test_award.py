"""A post-subsidy: applied for without a voucher, awarded from a budget line in one posting, settled as ever."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.ledger.test_export import hledger
from tests.operations.awards import CAP, PROGRAMME, Awarding
from tests.operations.claiming import withdrawing
from tests.operations.test_settlement import bank, exported
from voucher.db import Database
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.ledger.export import hledger as hledger_lines
from voucher.ledger.verify import verify
from voucher.models.claims import Claim
from voucher.models.ledger import Posting
from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations import batch, settle
from voucher.operations.decide_objection import AnswerRequest, decide_objection
from voucher.operations.object_to import ObjectionRequest, object_publicly
from voucher.operations.outcome import Refused, only
from voucher.operations.publicise import NoticeRequest, publicise
from voucher.operations.revoke_award import Revoked, RevokeRequest, revoke_awards
from voucher.queries.claims import claim_file
from voucher.terms import ClaimState, OrderChannel, OrderState, PostingKind, Verdict

Answers = Callable[[Session, datetime], list[Revoked | Refused]]


@pytest.fixture
def told(database: Database) -> Awarding:
    return Awarding(database)


@pytest.fixture
def capped(database: Database) -> Awarding:
    return Awarding(database, fill=CAP)


def order_of(told: Awarding, number: str) -> Order:
    claim = told.one(Claim, number=number)
    return told.one(Order, id=claim.order_id)


def sound(told: Awarding) -> bool:
    """The ledger verifies, and hledger reads its export."""
    with told.database.read() as session:
        assert verify(session).faults == ()
        journal = "\n".join(hledger_lines(session)) + "\n"
    hledger(journal, "check", "--strict")
    return True


@pytest.mark.parametrize(
    ("cost_fen", "origin", "expected_fen"),
    [
        (2_000_000_00, "140525", 500_000_00),
        (1_000_000_00, "140525", 300_000_00),
        (1_000_000_00, "610100", 200_000_00),
        (2_000_000_00, "140500", 300_000_00),
        (1_000_003, "140525", 300_000),
    ],
)
def test_zezhou_pays_thirty_per_cent_up_to_500000_at_home_and_twenty_up_to_300000_from_elsewhere(
    told: Awarding, cost_fen: int, origin: str, expected_fen: int
) -> None:
    made = told.applied(cost_fen, origin=origin)
    assert (made.base_fen, made.claimed_fen) == (cost_fen, expected_fen)
    assert told.decided(made.number).approved_fen == expected_fen
    order = order_of(told, made.number)
    assert told.balance(accounts.order(order.number)) == expected_fen
    assert told.balance(accounts.budget(told.line, 2026)) == 10_000_000_00 - expected_fen


def test_applying_posts_nothing_and_makes_the_order(told: Awarding) -> None:
    made = told.applied(1_000_000_00)
    order = order_of(told, made.number)
    assert (order.channel, order.state) == (OrderChannel.POST_SUBSIDY.value, OrderState.CLAIMED.value)
    assert {order.voucher_id, order.platform_id} == {None}
    assert order.captured_fen == 0
    with told.database.read() as session:
        assert not session.scalars(select(Posting).where(Posting.kind == PostingKind.AWARD.value)).all()
    assert sound(told)


def test_an_award_is_one_posting_and_is_settled_and_paid_as_ever(told: Awarding) -> None:
    made = told.applied(1_000_000_00)
    told.decided(made.number)
    maker, checker = told.world.maker, told.world.checker
    wanted = [batch.BatchRequest(PROGRAMME, (made.number,))]
    number = told.do(lambda session, at: only(batch.make(session, wanted, actor=maker, at=at)).number)
    digest = told.do(
        lambda session, at: only(batch.submit(session, [number], actor=maker, at=at)).content_sha256
    )
    seen = [settle.ApprovalRequest(number, digest)]
    told.do(lambda session, at: only(settle.approve(session, seen, actor=checker, at=at)).number)
    exported(told, number)
    bank(told, number, 1, paid=True)
    assert order_of(told, made.number).state == OrderState.PAID.value
    assert told.one(Claim, number=made.number).state == ClaimState.PAID.value
    assert told.one(Posting, kind=PostingKind.AWARD.value).rule_version == "CN-140525-POSTSUB-2022"
    assert sound(told)


def test_an_award_is_cut_to_what_is_left_of_the_yearly_cap_and_says_so(capped: Awarding) -> None:
    first = capped.applied(2_000_000_00)
    second = capped.applied(1_000_000_00)
    third = capped.applied(1_000_000_00)
    assert capped.decided(first.number).approved_fen == 500_000_00
    assert capped.decided(second.number).approved_fen == 50_000_00
    order = order_of(capped, second.number)
    assert order.approved_fen == order.captured_fen == 50_000_00
    (cut,) = order.reductions
    assert (cut["limit"], cut["by_fen"]) == ("cap", 250_000_00)
    with capped.database.read() as session:
        file = claim_file(session, capped.world.firm.actor, second.number)
    assert file is not None
    assert (file.lines[-1].label[:10], file.lines[-1].value) == ("不超过持有人上限的余", 50_000_00)
    capped.refuses(Code.CAP_EXCEEDED, capped.deciding(third.number), left_fen=0)
    assert sound(capped)


def test_a_trimmed_award_takes_only_what_is_approved_from_line_and_cap(capped: Awarding) -> None:
    made = capped.applied(1_000_000_00)
    done = capped.decided(made.number, Verdict.TRIM, fen=120_000_00)
    assert (done.approved_fen, done.given_back_fen) == (120_000_00, 0)
    assert capped.balance(accounts.budget(capped.line, 2026)) == 10_000_000_00 - 120_000_00
    cap = accounts.cap(PROGRAMME, capped.world.firm.holder_ref, 2026)
    assert capped.balance(cap) == 550_000_00 - 120_000_00
    assert sound(capped)


def test_a_rejected_application_takes_nothing_and_frees_its_invoice(told: Awarding) -> None:
    invoice = told.invoice(net_fen=1_000_000_00, seller_uscc="91140100MA0KABCD1X")
    made = told.applied(1_000_000_00, invoices=(invoice,))
    told.decided(made.number, Verdict.REJECT)
    assert order_of(told, made.number).state == OrderState.DISALLOWED.value
    assert told.balance(accounts.budget(told.line, 2026)) == 10_000_000_00
    assert told.applied(1_000_000_00, invoices=(invoice,)).claimed_fen == 300_000_00
    assert sound(told)


def test_a_withdrawn_application_ends_its_order(told: Awarding) -> None:
    made = told.applied(1_000_000_00)
    told.do(lambda session, at: only(withdrawing(made.number, actor=told.world.firm.actor)(session, at)))
    assert order_of(told, made.number).state == OrderState.CANCELLED.value
    assert sound(told)


def test_money_that_the_line_does_not_have_is_not_awarded(database: Database) -> None:
    told = Awarding(database, funded_fen=100_000_00)
    made = told.applied(1_000_000_00)
    told.refuses(Code.BUDGET_EXCEEDED, told.deciding(made.number), left_fen=100_000_00)
    assert told.decided(made.number, Verdict.TRIM, fen=100_000_00).approved_fen == 100_000_00


def test_the_line_must_be_the_programmes_own(told: Awarding) -> None:
    made = told.applied(1_000_000_00)
    told.refuses(Code.NOT_FOUND, told.deciding(made.number, line=told.world.line_code))
    told.refuses(Code.NOT_FOUND, told.deciding(made.number, line="X"))


def test_the_papers_are_judged_as_those_of_any_claim(told: Awarding) -> None:
    wrong = told.wanted(1_000_000_00, payments=(told.payment(payer_name="王小明"),))
    told.refuses(Code.PAYER_MISMATCH, told.applying(wrong))
    lacking = told.wanted(1_000_000_00, documents=())
    told.refuses(Code.EVIDENCE_MISSING, told.applying(lacking), missing="invoice,payment_proof")
    elsewhere = told.wanted(1_000_000_00, programme_code=told.world.programme_code)
    told.refuses(Code.NOT_FOUND, told.applying(elsewhere))
    told.refuses(Code.NOT_FOUND, told.applying(told.wanted(1_000_000_00, origin="999999")))
    used = told.wanted(1_000_000_00)
    told.do(lambda session, at: only(told.applying(used)(session, at)))
    told.refuses(Code.INVOICE_USED, told.applying(used))


def test_a_firm_that_is_not_qualified_for_the_programme_is_refused(told: Awarding) -> None:
    told.after(days=365)
    told.refuses(Code.NOT_QUALIFIED, told.applying(told.wanted(1_000_000_00)), year=2027)


def test_a_reviewer_reads_an_application_without_platform_and_voucher(told: Awarding) -> None:
    made = told.applied(1_000_000_00, contract_fen=Fen(1_100_000_00), contract_no="ZR-1")
    with told.database.read() as session:
        file = claim_file(session, told.world.reviewer, made.number)
        assert file is not None
        assert (file.platform, file.voucher, file.computation.amount_fen) == (None, None, 300_000_00)
        assert all(check.passed for check in file.checks), [c for c in file.checks if not c.passed]


def test_an_objection_that_is_upheld_gives_the_award_back_to_line_and_cap(database: Database) -> None:
    told = Awarding(database, fill=CAP + "\n[notice_days]\nvalue = 5\n")
    made = told.applied(1_000_000_00)
    told.decided(made.number)
    officer, head = told.world.officer, "泽州县教育局"
    asked = [NoticeRequest(PROGRAMME, (made.number,), "后补助拟兑付名单公示", head, "0356-0000000")]
    notice = told.do(lambda session, at: only(publicise(session, asked, actor=officer, at=at)).number)
    said = ObjectionRequest(notice, made.number, "李某", "0351-1234567", "该成果并未转化，请核实。")
    number = told.do(lambda session, at: object_publicly(session, said, source="203.0.113.7", at=at).number)
    upheld = [AnswerRequest(number, upheld=True, reason="经核实未转化")]
    told.do(lambda session, at: only(decide_objection(session, upheld, actor=officer, at=at)))
    assert told.one(Claim, number=made.number).state == ClaimState.REJECTED.value
    assert told.balance(accounts.budget(told.line, 2026)) == 10_000_000_00
    assert told.balance(accounts.cap(PROGRAMME, told.world.firm.holder_ref, 2026)) == 550_000_00
    assert sound(told)


def revoking(told: Awarding, number: str, *, reason: str = "成果并未投产") -> Answers:
    asked = [RevokeRequest(number, reason)]
    return lambda session, at: revoke_awards(session, asked, actor=told.world.officer, at=at)


def test_an_award_that_was_approved_and_is_in_no_batch_is_taken_back_with_its_room(capped: Awarding) -> None:
    told = capped
    number = told.applied(100_000_00).number
    told.refuses(Code.STATE_CHANGED, revoking(told, number))
    told.decided(number)
    told.refuses(Code.REASON_MISSING, revoking(told, number, reason=" "))
    done = told.do(lambda session, at: only(revoking(told, number)(session, at)))
    assert done.given_back_fen == 30_000_00
    claim, order = told.one(Claim, number=number), order_of(told, number)
    assert (claim.state, claim.approved_fen) == (ClaimState.REJECTED.value, 0)
    assert order.state == OrderState.DISALLOWED.value
    assert told.balance(accounts.order(order.number)) == 0
    assert told.balance(accounts.budget(told.line, 2026)) == 10_000_000_00
    told.refuses(Code.STATE_CHANGED, revoking(told, number))
    assert sound(told)


def test_an_award_in_a_batch_or_approved_by_oneself_is_not_taken_back(told: Awarding) -> None:
    number = told.applied(100_000_00).number
    told.decided(number)
    asked = [RevokeRequest(number, "误批")]
    reviewer = told.world.reviewer
    told.refuses(Code.SELF_APPROVAL, lambda session, at: revoke_awards(session, asked, actor=reviewer, at=at))
    wanted = [batch.BatchRequest(PROGRAMME, (number,))]
    told.do(lambda session, at: only(batch.make(session, wanted, actor=told.world.maker, at=at)))
    told.refuses(Code.STATE_CHANGED, revoking(told, number))
