"""The subsidy on the amount that review recognises (余杭: 50 % of the audited amount; domain 3.4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from tests.operations.shapes import AUDITED, shaped, sound
from tests.operations.stories import Told
from voucher.clock import business_date
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.models.claims import Claim
from voucher.models.messages import Message
from voucher.models.orders import Order
from voucher.models.review import Review
from voucher.money import Fen
from voucher.operations.opinions import ReportRequest, record_reports
from voucher.operations.outcome import Refused, only
from voucher.operations.review import Reviewed, ReviewRequest, review
from voucher.queries.claims import ClaimFile, claim_file
from voucher.schemas import notes as words
from voucher.store import Stored
from voucher.terms import MessageEvent, TrimCause, Verdict


@pytest.fixture
def audited(told: Told) -> Told:
    shaped(told, AUDITED)
    return told


def deciding(
    told: Told,
    number: str,
    audited_fen: int | None,
    *,
    verdict: Verdict = Verdict.APPROVE,
    approved_fen: int | None = None,
) -> Callable[[Session, datetime], list[Reviewed | Refused]]:
    request = ReviewRequest(
        number,
        verdict,
        None if approved_fen is None else Fen(approved_fen),
        "" if verdict is Verdict.APPROVE else "与合同不符",
        audited_fen=None if audited_fen is None else Fen(audited_fen),
    )
    return lambda session, at: review(session, [request], actor=told.world.reviewer, at=at)


def decided(told: Told, number: str, audited_fen: int | None, **how: object) -> Reviewed:
    work = deciding(told, number, audited_fen, **how)  # type: ignore[arg-type]
    return told.do(lambda session, at: only(work(session, at)))


def filed(told: Told, number: str) -> ClaimFile:
    with told.database.read() as session:
        file = claim_file(session, told.world.firm.actor, number)
    assert file is not None
    return file


def test_half_of_the_recognised_amount_is_approved_and_the_rest_goes_back_to_the_voucher(
    audited: Told,
) -> None:
    number = audited.claimed()
    before = filed(audited, number).lines
    assert "以审核认定金额为准" in before[0].label
    made = decided(audited, number, 64_000_00)
    assert (made.verdict, made.approved_fen, made.given_back_fen) == (Verdict.TRIM, 32_000_00, 18_000_00)
    claim = audited.one(Claim, number=number)
    assert (claim.audited_fen, claim.base_fen, claim.approved_fen) == (64_000_00, 64_000_00, 32_000_00)
    order = audited.one(Order, id=claim.order_id)
    assert audited.balance(accounts.order(order.number)) == order.approved_fen == 32_000_00
    row = audited.one(Review, claim_id=claim.id)
    assert (row.cause, row.verdict) == (TrimCause.RECOGNISED.value, Verdict.TRIM.value)
    assert row.facts is not None
    assert row.facts["computed"]["amount_fen"] == 32_000_00
    assert sound(audited)
    lines = filed(audited, number).lines
    assert (lines[0].label, lines[0].value) == ("补助基数：审核认定金额", 64_000_00)
    assert lines[-1].value == 32_000_00
    told_so = [row for row in audited.rows(Message) if row.event == MessageEvent.CLAIM_DECIDED.value]
    assert told_so
    assert all(
        "按审核认定金额 64,000.00 元计算" in words.told(MessageEvent(row.event), row.subject, row.facts).text
        for row in told_so
    )


def test_more_than_was_claimed_changes_nothing_and_is_never_above_what_was_captured(audited: Told) -> None:
    number = audited.claimed()
    made = decided(audited, number, 900_000_00)
    assert (made.verdict, made.approved_fen, made.given_back_fen) == (Verdict.APPROVE, 50_000_00, 0)
    assert audited.one(Claim, number=number).audited_fen == 100_000_00


def test_without_an_amount_the_latest_report_of_a_third_party_counts_and_without_a_report_nothing_does(
    audited: Told,
) -> None:
    number = audited.claimed()
    audited.refuses(Code.AUDIT_MISSING, deciding(audited, number, None), claim=number)
    for no, amount in (("1", 90_000_00), ("2", 70_000_00)):
        report = Stored(no * 64, 10, "application/pdf", f"{no}.pdf")
        request = ReportRequest(
            number, "晋阳会计师事务所", f"晋审{no}号", business_date(audited.at), Fen(amount), report
        )
        audited.do(
            lambda s, at, request=request: only(  # type: ignore[misc]
                record_reports(s, [request], actor=audited.world.reviewer, at=at)
            )
        )
    assert decided(audited, number, None).approved_fen == 35_000_00


def test_a_reviewer_may_trim_below_the_recognised_amount_and_never_above_it(audited: Told) -> None:
    number = audited.claimed()
    above = deciding(audited, number, 60_000_00, verdict=Verdict.TRIM, approved_fen=30_000_01)
    audited.refuses(Code.APPROVED_ABOVE_AUDIT, above, most_fen=30_000_00, audited_fen=60_000_00)
    made = decided(audited, number, 60_000_00, verdict=Verdict.TRIM, approved_fen=20_000_00)
    assert (made.approved_fen, made.given_back_fen) == (20_000_00, 30_000_00)
    assert [line.label for line in filed(audited, number).lines][-1] == "审核核定的金额"


def test_an_amount_that_gives_nothing_is_for_a_rejection(audited: Told) -> None:
    number = audited.claimed()
    audited.refuses(Code.SUBSIDY_ZERO, deciding(audited, number, 1))
    assert decided(audited, number, None, verdict=Verdict.REJECT).approved_fen == 0
    assert audited.one(Claim, number=number).audited_fen is None


def test_other_policies_ask_for_no_recognised_amount(told: Told) -> None:
    number = told.claimed()
    assert decided(told, number, 10_00).approved_fen == 50_000_00
    assert told.one(Claim, number=number).audited_fen is None
