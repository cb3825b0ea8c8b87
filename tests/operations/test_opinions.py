"""Experts, third parties, cosigners and minutes: what a policy asks for before a yes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from tests.operations.reviewing import (
    asks,
    cosigner,
    deciding,
    expert,
    mended,
    returning,
    reviewer,
    sent_back,
)
from tests.operations.stories import Told
from voucher.clock import business_date
from voucher.errors import Code
from voucher.models.review import AuditReport, ExpertOpinion, Review
from voucher.money import Fen
from voucher.operations.cosign import SignRequest, cosign
from voucher.operations.decision_basis import Minutes
from voucher.operations.opinions import (
    Invitation,
    OpinionRequest,
    ReportRequest,
    give_opinions,
    invite_experts,
    record_reports,
)
from voucher.operations.outcome import Refused, only
from voucher.operations.recuse import RecusalRequest, recuse
from voucher.operations.review import ReviewRequest, review
from voucher.operations.take_case import take_cases
from voucher.queries.opinions import asked_of, expert_file
from voucher.rules.permissions import Actor
from voucher.store import Stored
from voucher.terms import ClaimItem, OpinionVerdict, Role, Verdict

PAPER = Stored("a" * 64, 1234, "application/pdf", "纪要.pdf")

Answers = Callable[[Session, datetime], list[str | Refused]]


def inviting(told: Told, number: str, asked: Actor, *, actor: Actor | None = None) -> Answers:
    due_on = business_date(told.at) + timedelta(days=7)
    request = Invitation(number, asked.person_id, due_on)
    return lambda session, at: invite_experts(session, [request], actor=actor or told.world.reviewer, at=at)


def answering(number: str, *, actor: Actor, **said: object) -> Answers:
    request = OpinionRequest(number, **said)  # type: ignore[arg-type]
    return lambda session, at: give_opinions(session, [request], actor=actor, at=at)


def signing(number: str, function: str, *, actor: Actor, agreed: bool = True, text: str = "") -> Answers:
    request = SignRequest(number, function, agreed, text)
    return lambda session, at: cosign(session, [request], actor=actor, at=at)


def test_a_policy_that_asks_for_experts_approves_nothing_without_one(told: Told) -> None:
    asks(told, expert_review=True)
    number, asked = told.claimed(), expert(told)
    approve = deciding(number, Verdict.APPROVE, actor=told.world.reviewer)
    told.refuses(Code.OPINION_MISSING, approve)
    told.do(lambda session, at: only(inviting(told, number, asked)(session, at)))
    told.refuses(Code.OPINION_MISSING, approve)
    told.do(answering(number, actor=asked, verdict=OpinionVerdict.SUPPORT, text="技术路线合理"))
    told.do(lambda session, at: only(approve(session, at)))
    facts = told.one(Review).facts
    assert facts is not None
    assert [each["verdict"] for each in facts["opinions"]] == ["support"]


def test_a_declared_conflict_is_no_opinion_and_closes_the_file(told: Told) -> None:
    asks(told, expert_review=True)
    number, asked = told.claimed(), expert(told)
    told.do(inviting(told, number, asked))
    told.do(answering(number, actor=asked, conflict="曾任该企业顾问"))
    told.refuses(Code.OPINION_MISSING, deciding(number, Verdict.APPROVE, actor=told.world.reviewer))
    with told.database.read() as session:
        assert expert_file(session, asked, number) is None


def test_an_expert_sees_only_the_claims_asked_about(told: Told) -> None:
    number, other, asked = told.claimed(), told.claimed(), expert(told)
    told.do(inviting(told, number, asked))
    with told.database.read() as session:
        assert [row.number for row in asked_of(session, asked)] == [number]
        assert expert_file(session, asked, number) is not None
        assert expert_file(session, asked, other) is None
    told.refuses(Code.NOT_FOUND, answering(other, actor=asked, verdict=OpinionVerdict.SUPPORT, text="好"))


def test_an_opinion_is_given_once(told: Told) -> None:
    number, asked = told.claimed(), expert(told)
    told.do(inviting(told, number, asked))
    told.do(answering(number, actor=asked, verdict=OpinionVerdict.OPPOSE, text="与创新无关"))
    again = answering(number, actor=asked, verdict=OpinionVerdict.SUPPORT, text="改主意了")
    told.refuses(Code.OPINION_GIVEN, again)
    told.do(inviting(told, number, asked))
    assert told.one(ExpertOpinion).verdict == "oppose"


def test_an_opinion_has_reasons_and_no_more_than_was_claimed(told: Told) -> None:
    number, asked = told.claimed(), expert(told)
    told.do(inviting(told, number, asked))
    less = OpinionVerdict.SUPPORT_LESS
    told.refuses(Code.REASON_MISSING, answering(number, actor=asked, verdict=less, text=" "))
    above = answering(number, actor=asked, verdict=less, text="多给", amount_fen=Fen(50_000_01))
    told.refuses(Code.APPROVED_ABOVE_CLAIM, above)
    with pytest.raises(ValueError, match="verdict or declares"):
        told.do(answering(number, actor=asked))


def test_a_decided_claim_takes_no_opinion(told: Told) -> None:
    number, asked = told.claimed(), expert(told)
    told.do(inviting(told, number, asked))
    told.do(deciding(number, Verdict.APPROVE, actor=told.world.reviewer))
    late = answering(number, actor=asked, verdict=OpinionVerdict.SUPPORT, text="好")
    told.refuses(Code.STATE_CHANGED, late)
    told.refuses(Code.STATE_CHANGED, inviting(told, number, expert(told)))


def test_a_decided_claim_is_closed_to_the_expert_who_was_asked(told: Told) -> None:
    number, asked = told.claimed(), expert(told)
    told.do(inviting(told, number, asked))
    told.do(deciding(number, Verdict.APPROVE, actor=told.world.reviewer))
    with told.database.read() as session:
        assert expert_file(session, asked, number) is None
        assert [(row.number, row.open) for row in asked_of(session, asked)] == [(number, False)]


def test_an_opinion_on_what_was_mended_since_no_longer_counts(told: Told) -> None:
    asks(told, expert_review=True)
    number, early, late = told.claimed(), expert(told), expert(told)
    told.do(inviting(told, number, early))
    told.do(inviting(told, number, late))
    told.do(answering(number, actor=early, verdict=OpinionVerdict.SUPPORT, text="好"))
    sent_back(told, number, ClaimItem.OTHER)
    told.refuses(Code.STATE_CHANGED, answering(number, actor=late, verdict=OpinionVerdict.SUPPORT, text="好"))
    mended(told, number)
    approve = deciding(number, Verdict.APPROVE, actor=told.world.reviewer)
    told.refuses(Code.OPINION_MISSING, approve)
    with told.database.read() as session:
        assert expert_file(session, early, number) is None
        assert expert_file(session, late, number) is not None
    told.do(inviting(told, number, early))
    told.do(answering(number, actor=early, verdict=OpinionVerdict.SUPPORT, text="补正后仍然支持"))
    told.do(lambda session, at: only(approve(session, at)))
    facts = told.one(Review).facts
    assert facts is not None
    assert [each["round"] for each in facts["opinions"] if each["verdict"]] == [0, 1]


def test_a_conflict_declared_before_a_claim_came_back_still_stands(told: Told) -> None:
    number, asked = told.claimed(), expert(told)
    told.do(inviting(told, number, asked))
    told.do(answering(number, actor=asked, conflict="曾任该企业顾问"))
    sent_back(told, number, ClaimItem.OTHER)
    mended(told, number)
    told.refuses(Code.RECUSED, inviting(told, number, asked))


def test_whoever_signed_for_an_authority_neither_takes_nor_decides_the_case(told: Told) -> None:
    asks(told, cosigners=["finance"])
    number, finance = told.claimed(), cosigner(told, "finance")
    both = replace(finance, roles=finance.roles | {Role.REVIEWER})
    told.do(lambda session, at: only(signing(number, "finance", actor=finance)(session, at)))
    told.refuses(Code.SELF_APPROVAL, lambda session, at: take_cases(session, [number], actor=both, at=at))
    told.refuses(Code.SELF_APPROVAL, deciding(number, Verdict.APPROVE, actor=both))
    told.refuses(Code.SELF_APPROVAL, returning(number, ClaimItem.OTHER, actor=both))
    told.do(
        lambda session, at: only(deciding(number, Verdict.APPROVE, actor=told.world.reviewer)(session, at))
    )


def test_only_experts_without_interest_are_asked(told: Told) -> None:
    number, interested = told.claimed(), expert(told)
    request = RecusalRequest(interested.person_id, told.world.firm.uscc, "持股")
    told.do(lambda session, at: recuse(session, [request], actor=told.world.officer, at=at))
    told.refuses(Code.RECUSED, inviting(told, number, interested))
    told.refuses(Code.NOT_FOUND, inviting(told, number, told.world.maker))


def test_a_report_of_a_third_party_is_filed_once(told: Told) -> None:
    number = told.claimed()
    day = date(2026, 3, 1)
    request = ReportRequest(
        number,
        "某会计师事务所",
        "晋审〔2026〕8号",
        day,
        Fen(40_000_00),
        Stored("b" * 64, 9, "application/pdf", "报告.pdf"),
    )

    def work(session: Session, at: datetime) -> list[str | Refused]:
        return record_reports(session, [request], actor=told.world.reviewer, at=at)

    told.do(lambda session, at: only(work(session, at)))
    assert told.one(AuditReport).amount_fen == 40_000_00
    told.refuses(Code.ALREADY_REGISTERED, work, subject="晋审〔2026〕8号")


def test_approval_waits_for_every_authority_that_the_document_names(told: Told) -> None:
    asks(told, cosigners=["finance", "tax"])
    number = told.claimed()
    finance, tax = cosigner(told, "finance"), cosigner(told, "tax")
    approve = deciding(number, Verdict.APPROVE, actor=told.world.reviewer)
    told.refuses(Code.COSIGN_MISSING, approve, functions="finance,tax")
    told.do(lambda session, at: only(signing(number, "finance", actor=finance)(session, at)))
    told.refuses(Code.COSIGN_MISSING, approve, functions="tax")
    told.do(signing(number, "tax", actor=tax, agreed=False, text="已享受其他政策"))
    told.refuses(Code.COSIGN_MISSING, approve, functions="tax")
    told.do(signing(number, "tax", actor=tax))
    told.do(lambda session, at: only(approve(session, at)))
    facts = told.one(Review).facts
    assert facts is not None
    assert [(each["function"], each["agreed"]) for each in facts["signatures"]] == [
        ("finance", True),
        ("tax", False),
        ("tax", True),
    ]


def test_a_no_needs_no_signatures(told: Told) -> None:
    asks(told, cosigners=["finance"], minutes_required=True, expert_review=True)
    number = told.claimed()
    told.do(
        lambda session, at: only(deciding(number, Verdict.REJECT, actor=told.world.reviewer)(session, at))
    )


def test_a_mended_claim_is_signed_afresh(told: Told) -> None:
    asks(told, cosigners=["finance"])
    number, finance = told.claimed(), cosigner(told, "finance")
    told.do(signing(number, "finance", actor=finance))
    sent_back(told, number, ClaimItem.OTHER)
    told.refuses(Code.STATE_CHANGED, signing(number, "finance", actor=finance))
    mended(told, number)
    told.refuses(Code.COSIGN_MISSING, deciding(number, Verdict.APPROVE, actor=told.world.reviewer))
    told.do(signing(number, "finance", actor=finance))
    told.do(
        lambda session, at: only(deciding(number, Verdict.APPROVE, actor=told.world.reviewer)(session, at))
    )


def test_nobody_signs_for_another_authority_region_or_own_house(told: Told) -> None:
    asks(told, cosigners=["finance"])
    number, tax = told.claimed(), cosigner(told, "tax")
    told.refuses(Code.NOT_PERMITTED, signing(number, "finance", actor=tax))
    told.refuses(Code.NOT_PERMITTED, signing(number, "tax", actor=tax))
    elsewhere = cosigner(told, "finance", region_code="610000")
    told.refuses(Code.NOT_FOUND, signing(number, "finance", actor=elsewhere))
    finance = cosigner(told, "finance")
    own = replace(finance, organisation_ids=frozenset({told.world.firm.organisation_id}))
    told.refuses(Code.SELF_APPROVAL, signing(number, "finance", actor=own))
    told.refuses(Code.REASON_MISSING, signing(number, "finance", actor=finance, agreed=False, text=" "))


def test_where_minutes_are_asked_for_a_yes_cites_them(told: Told) -> None:
    asks(told, minutes_required=True)
    number, actor = told.claimed(), told.world.reviewer
    told.refuses(Code.MINUTES_MISSING, deciding(number, Verdict.APPROVE, actor=actor))
    minutes = Minutes("局务会纪要〔2026〕12号", business_date(told.at), PAPER)
    request = ReviewRequest(number, Verdict.APPROVE, minutes=minutes)
    told.do(lambda session, at: only(review(session, [request], actor=actor, at=at)))
    row = told.one(Review)
    assert (row.minutes_no, row.minutes_sha256, row.minutes_name) == (minutes.number, "a" * 64, "纪要.pdf")


def test_another_reviewer_invites_nobody_to_a_case_that_is_taken(told: Told) -> None:
    number, asked, other = told.claimed(), expert(told), reviewer(told)
    told.do(lambda session, at: only(inviting(told, number, asked)(session, at)))
    elsewhere = reviewer(told, region_code="610000")
    told.refuses(Code.NOT_FOUND, inviting(told, number, asked, actor=elsewhere))
    told.do(inviting(told, number, expert(told), actor=other))
