"""One reviewer has a case: taking, giving away, standing in, recusal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.operations.reviewing import asks, deciding, mended, returning, reviewer, sent_back
from tests.operations.stories import Told
from voucher.clock import business_date
from voucher.errors import Code
from voucher.models.claims import Claim
from voucher.models.review import CaseTaking
from voucher.operations.outcome import Refused, only
from voucher.operations.recuse import RecusalRequest, Recused, end_recusals, recuse
from voucher.operations.stand_in import (
    Standing,
    StandInRequest,
    end_stand_ins,
    hand_back_over,
    name_stand_ins,
)
from voucher.operations.sweep import SYSTEM
from voucher.operations.take_case import HandOver, InHand, hand_over, release_cases, take_cases
from voucher.queries.review_desk import FIRM, US, DeskFilter, desk, desk_totals, next_case
from voucher.rules.permissions import Actor
from voucher.terms import ClaimItem, Verdict


def taking(number: str, *, actor: Actor) -> Callable[[Session, datetime], list[InHand | Refused]]:
    return lambda session, at: take_cases(session, [number], actor=actor, at=at)


def handing(request: HandOver, *, actor: Actor) -> Callable[[Session, datetime], list[InHand | Refused]]:
    return lambda session, at: hand_over(session, [request], actor=actor, at=at)


def naming(
    request: StandInRequest, *, actor: Actor
) -> Callable[[Session, datetime], list[Standing | Refused]]:
    return lambda session, at: name_stand_ins(session, [request], actor=actor, at=at)


def holder_of(told: Told, number: str) -> int | None:
    with told.database.read() as session:
        query = select(CaseTaking.person_id).join(Claim, Claim.id == CaseTaking.claim_id)
        return session.scalars(query.where(Claim.number == number)).one_or_none()


def recused_from_firm(told: Told, actor: Actor) -> Recused:
    request = RecusalRequest(actor.person_id, told.world.firm.uscc, "配偶任职")
    return told.do(lambda session, at: only(recuse(session, [request], actor=actor, at=at)))


def stand_in(told: Told, actor: Actor, colleague: Actor, *, days: int = 5) -> Standing:
    today = business_date(told.at)
    request = StandInRequest(actor.person_id, colleague.person_id, today, today + timedelta(days=days))
    return told.do(lambda session, at: only(name_stand_ins(session, [request], actor=actor, at=at)))


def listed(told: Told, actor: Actor, **wanted: object) -> list[str]:
    with told.database.read() as session:
        limits = DeskFilter(states=US + FIRM, **wanted)  # type: ignore[arg-type]
        return [line.case.number for line in desk(session, actor, limits, at=told.at).rows]


def test_a_case_is_with_one_reviewer_and_another_decides_nothing_on_it(told: Told) -> None:
    first, second, number = told.world.reviewer, reviewer(told), told.claimed()
    told.do(taking(number, actor=first))
    told.refuses(Code.CASE_TAKEN, taking(number, actor=second), reviewer=first.name)
    told.refuses(Code.CASE_TAKEN, deciding(number, Verdict.APPROVE, actor=second), reviewer=first.name)
    told.refuses(Code.CASE_TAKEN, returning(number, ClaimItem.OTHER, actor=second))
    told.do(deciding(number, Verdict.APPROVE, actor=first))
    assert holder_of(told, number) is None


def test_taking_a_case_again_changes_nothing(told: Told) -> None:
    number = told.claimed()
    told.do(taking(number, actor=told.world.reviewer))
    since = told.one(CaseTaking).taken_at
    told.after(hours=1)
    told.do(taking(number, actor=told.world.reviewer))
    assert told.one(CaseTaking).taken_at == since


def test_a_released_case_is_for_everybody(told: Told) -> None:
    first, second, number = told.world.reviewer, reviewer(told), told.claimed()
    told.do(taking(number, actor=first))
    told.refuses(Code.CASE_TAKEN, lambda session, at: release_cases(session, [number], actor=second, at=at))
    told.do(lambda session, at: only(release_cases(session, [number], actor=first, at=at)))
    told.do(taking(number, actor=second))
    assert holder_of(told, number) == second.person_id


def test_an_officer_may_release_the_case_of_somebody_who_left(told: Told) -> None:
    number = told.claimed()
    told.do(taking(number, actor=told.world.reviewer))
    told.do(lambda session, at: only(release_cases(session, [number], actor=told.world.officer, at=at)))
    assert holder_of(told, number) is None


def test_a_case_is_handed_over_with_a_note(told: Told) -> None:
    first, second, number = told.world.reviewer, reviewer(told), told.claimed()
    told.do(taking(number, actor=first))
    request = HandOver(number, second.person_id, "合同已核，只差发票")
    told.do(lambda session, at: only(hand_over(session, [request], actor=first, at=at)))
    assert (holder_of(told, number), told.one(CaseTaking).note) == (second.person_id, "合同已核，只差发票")


def test_a_case_is_not_handed_to_somebody_who_may_not_decide_it(told: Told) -> None:
    number = told.claimed()
    elsewhere, interested = reviewer(told, region_code="610000"), reviewer(told)
    recused_from_firm(told, interested)
    for person_id, reason in (
        (elsewhere.person_id, "not_reviewer"),
        (told.world.maker.person_id, "not_reviewer"),
        (interested.person_id, "interested"),
    ):
        request = HandOver(number, person_id)
        told.refuses(
            Code.COLLEAGUE_UNFIT,
            handing(request, actor=told.world.reviewer),
            reason=reason,
        )


def test_a_recused_reviewer_sees_no_such_case_in_the_list_and_decides_none(told: Told) -> None:
    actor, number = told.world.reviewer, told.claimed()
    told.do(taking(number, actor=actor))
    assert recused_from_firm(told, actor).given_back == 1
    assert holder_of(told, number) is None
    assert number not in listed(told, actor)
    assert number in listed(told, reviewer(told))
    for work in (
        taking(number, actor=actor),
        deciding(number, Verdict.APPROVE, actor=actor),
        deciding(number, Verdict.REJECT, actor=actor),
        returning(number, ClaimItem.OTHER, actor=actor),
    ):
        told.refuses(Code.RECUSED, work, organisation=told.world.firm.name)


def test_an_interest_in_the_platforms_host_recuses_too(told: Told) -> None:
    number, actor = told.claimed(), told.world.reviewer
    request = RecusalRequest(actor.person_id, told.world.platform.uscc, "持股")
    told.do(lambda session, at: only(recuse(session, [request], actor=actor, at=at)))
    told.refuses(Code.RECUSED, deciding(number, Verdict.APPROVE, actor=actor))


def test_an_interest_is_declared_once_and_ended_by_another(told: Told) -> None:
    actor, other = told.world.reviewer, reviewer(told)
    first = recused_from_firm(told, actor)
    assert recused_from_firm(told, actor).recusal_id == first.recusal_id
    own = [first.recusal_id]
    told.refuses(Code.SELF_APPROVAL, lambda session, at: end_recusals(session, own, actor=actor, at=at))
    told.do(lambda session, at: only(end_recusals(session, own, actor=other, at=at)))
    number = told.claimed()
    told.do(deciding(number, Verdict.APPROVE, actor=actor))
    told.refuses(Code.NOT_FOUND, lambda session, at: end_recusals(session, own, actor=other, at=at))


def test_a_recusal_needs_an_organisation_and_a_reason(told: Told) -> None:
    actor = told.world.reviewer
    unknown = RecusalRequest(actor.person_id, "91140105MA0000000X", "持股")
    silent = RecusalRequest(actor.person_id, told.world.firm.uscc, " ")
    told.refuses(Code.NOT_FOUND, lambda session, at: recuse(session, [unknown], actor=actor, at=at))
    told.refuses(Code.REASON_MISSING, lambda session, at: recuse(session, [silent], actor=actor, at=at))


def test_a_stand_in_takes_over_decides_and_hands_the_rest_back(told: Told) -> None:
    person, colleague = told.world.reviewer, reviewer(told)
    decided, left = told.claimed(), told.claimed()
    for number in (decided, left):
        told.do(taking(number, actor=person))
    told.refuses(Code.CASE_TAKEN, taking(decided, actor=colleague))
    standing = stand_in(told, person, colleague)
    assert set(listed(told, colleague, whose="mine")) == {decided, left}
    for number in (decided, left):
        told.do(taking(number, actor=colleague))
    told.do(deciding(decided, Verdict.APPROVE, actor=colleague))
    ids = [standing.stand_in_id]
    ended = told.do(lambda session, at: only(end_stand_ins(session, ids, actor=person, at=at)))
    assert ended.handed_back == 1
    assert holder_of(told, left) == person.person_id
    told.refuses(Code.CASE_TAKEN, taking(left, actor=colleague))
    told.refuses(Code.NOT_FOUND, lambda session, at: end_stand_ins(session, ids, actor=person, at=at))


def test_the_worker_ends_a_stand_in_whose_time_is_over(told: Told) -> None:
    person, colleague, number = told.world.reviewer, reviewer(told), told.claimed()
    told.do(taking(number, actor=person))
    stand_in(told, person, colleague, days=2)
    told.do(taking(number, actor=colleague))

    def end(session: Session, at: datetime) -> int:
        return hand_back_over(session, actor=SYSTEM, at=at, limit=10)

    assert told.do(end) == 0
    told.after(days=2)
    assert told.do(end) == 1
    assert told.do(end) == 0
    assert holder_of(told, number) == person.person_id


def test_what_a_stand_in_took_by_themself_stays_theirs(told: Told) -> None:
    person, colleague, number = told.world.reviewer, reviewer(told), told.claimed()
    standing = stand_in(told, person, colleague)
    told.do(taking(number, actor=colleague))
    told.do(lambda session, at: end_stand_ins(session, [standing.stand_in_id], actor=colleague, at=at))
    assert holder_of(told, number) == colleague.person_id


def test_only_reviewers_stand_in_and_nobody_for_themself(told: Told) -> None:
    person, today = told.world.reviewer, business_date(told.at)
    for colleague, reason in ((person, "same_person"), (told.world.maker, "not_reviewer")):
        request = StandInRequest(person.person_id, colleague.person_id, today, today + timedelta(days=1))
        told.refuses(
            Code.COLLEAGUE_UNFIT,
            naming(request, actor=person),
            reason=reason,
        )
    empty = StandInRequest(person.person_id, reviewer(told).person_id, today, today)
    with pytest.raises(ValueError, match="at least one day"):
        told.do(lambda session, at: name_stand_ins(session, [empty], actor=person, at=at))


def test_waiting_for_the_firm_stands_apart_and_stops_the_clock(told: Told) -> None:
    asks(told, review_days=5, defect_days=2)
    actor, ours, theirs = told.world.reviewer, told.claimed(), told.claimed()
    sent_back(told, theirs, ClaimItem.OTHER)
    told.after(days=14)
    with told.database.read() as session:
        totals = desk_totals(session, actor, at=told.at)
        late = desk(session, actor, DeskFilter(states=US, overdue=True), at=told.at).rows
        firms = desk(session, actor, DeskFilter(states=FIRM), at=told.at).rows
    assert (totals.us, totals.firm, totals.overdue, totals.firm_overdue) == (1, 1, 1, 1)
    assert [line.case.number for line in late] == [ours]
    assert (late[0].clock.used, late[0].clock.left) == (10, -5)
    assert [(line.case.number, line.clock.used, line.clock.paused) for line in firms] == [(theirs, 0, True)]


def test_a_claim_that_comes_back_stands_where_it_stood(told: Told) -> None:
    first = told.claimed()
    told.after(hours=1)
    second = told.claimed()
    sent_back(told, first, ClaimItem.OTHER)
    told.after(days=3)
    mended(told, first)
    assert listed(told, told.world.reviewer) == [first, second]
    with told.database.read() as session:
        assert next_case(session, told.world.reviewer, after="", at=told.at) == first
        assert next_case(session, told.world.reviewer, after=first, at=told.at) == second


def test_a_strangers_claim_stands_in_no_list(told: Told) -> None:
    told.claimed()
    elsewhere = replace(told.world.reviewer, region_codes=frozenset({"610000"}))
    assert listed(told, elsewhere) == []
