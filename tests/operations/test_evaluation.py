"""What a year's evaluation brings: notice, order to put right, striking off, the fall of titles, the lock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from threading import Barrier

import pytest
from sqlalchemy import select

from tests import factories
from tests.operations import evaluating
from tests.operations.evaluating import (
    BAD,
    GOOD,
    base,
    centre_key,
    judged,
    order_of,
    published,
    registered,
    rules_text,
    scored,
    with_rules,
)
from tests.operations.stories import Told
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.models.centres import Centre
from voucher.models.checks import PartyBan
from voucher.models.evaluations import Evaluation
from voucher.models.messages import Message
from voucher.models.parties import Certification
from voucher.operations.centres import CentreRequest, register_centres
from voucher.operations.certify import CertifyRequest, certify
from voucher.operations.evaluate import EvaluateRequest, evaluate
from voucher.operations.evaluated import SubjectKey
from voucher.operations.evaluation_rules import RulesRequest, publish_rules
from voucher.operations.outcome import Refused, only
from voucher.operations.publish_evaluation import (
    PublishedResult,
    ResultRequest,
    ReturnResult,
    publish_results,
    return_results,
)
from voucher.operations.rectify import AnswerRequest, SettleRequest, answer_orders, settle_orders
from voucher.schemas.messages import sentence
from voucher.terms import (
    CertificationState,
    Certifier,
    EvaluationState,
    EvaluationSubject,
    RectificationState,
    VoucherKind,
)


def centre(told: Told, centre_id: int) -> tuple[CertificationState, list[bool]]:
    """The state that a centre is in, and which of its titles fell."""
    with told.database.read() as session:
        row = session.get_one(Centre, centre_id)
        return CertificationState(row.state), [each.fell_at is not None for each in row.titles]


def apply_again(told: Told, before: CentreRequest, at: datetime) -> Refused | str:
    """Certifying the organisation anew, by another document; for another city where nothing is said."""
    again = replace(before, document_no=f"新认〔{at:%Y%m%d%H}〕", from_on=at.date())
    (answer,) = told.do(lambda s, now: register_centres(s, [again], actor=told.world.reviewer, at=now), at=at)
    return answer if isinstance(answer, Refused) else answer.state.value


def test_two_failed_years_in_a_row_strike_off_titles_fall_and_three_years_are_locked(told: Told) -> None:
    with_rules(told)
    request = base(told)
    key = centre_key(registered(told, request).centre_id)
    first = judged(told, key, 2026, passed=False)
    assert not first.revoked
    assert centre(told, key.id) == (CertificationState.RECTIFYING, [False, False])
    second = judged(told, key, 2027, passed=False)
    assert second.revoked and second.evaluation.fails_in_row == 2
    assert centre(told, key.id) == (CertificationState.REVOKED, [True, True])
    assert order_of(told, first.evaluation).state == RectificationState.FAILED.value
    with told.database.read() as session:
        rows = session.scalars(select(PartyBan).order_by(PartyBan.id)).all()
        assert [each.measure for each in rows] == ["warn", "warn", "revoke_cert", "reapply_lock"]
        lock = rows[-1]
        assert (lock.from_on, lock.to_on, lock.region_code) == (date(2028, 2, 3), date(2031, 2, 3), "140100")
        assert lock.legal_basis.endswith("二（三）")
        assert lock.decision_no == "并双创评〔2027〕1号"
    last_day = datetime(2031, 2, 2, 15, 59, tzinfo=UTC)
    refused = apply_again(told, request, last_day)
    assert isinstance(refused, Refused) and refused.code is Code.REAPPLY_LOCKED
    assert "2031-02-03 起可以再次申报" in sentence(refused)
    county = replace(request, certifying_region="140105")
    assert isinstance(apply_again(told, county, last_day), Refused)
    elsewhere = replace(request, certifying_region="140500", location_region="140500")
    assert apply_again(told, elsewhere, last_day) == "certified"
    first_day = datetime(2031, 2, 2, 16, 0, tzinfo=UTC)
    assert apply_again(told, request, first_day) == "certified"


def test_fail_pass_fail_does_not_strike_off(told: Told) -> None:
    with_rules(told)
    key = centre_key(registered(told, base(told)).centre_id)
    results = [judged(told, key, year, passed=year == 2027) for year in (2026, 2027, 2028)]
    assert [each.revoked for each in results] == [False, False, False]
    assert [each.evaluation.fails_in_row for each in results] == [1, 0, 1]
    assert centre(told, key.id)[0] is CertificationState.RECTIFYING


def test_a_year_without_evaluation_breaks_the_row_unless_the_rules_pass_over_it(told: Told) -> None:
    with_rules(told)
    key = centre_key(registered(told, base(told)).centre_id)
    judged(told, key, 2026, passed=False)
    assert not judged(told, key, 2028, passed=False).revoked
    with_rules(
        told,
        rules_text(region="140500", code="SKIPS").replace('value = "breaks"', 'value = "skipped"'),
    )
    other = base(told, certifying_region="140500", location_region="140500")
    key = centre_key(registered(told, other).centre_id)
    judged(told, key, 2026, passed=False)
    assert judged(told, key, 2028, passed=False).revoked


def test_who_was_struck_off_and_certified_anew_begins_at_nothing(told: Told) -> None:
    with_rules(told, rules_text().replace("value = 3\n", "value = 0\n"))
    request = base(told)
    old = centre_key(registered(told, request).centre_id)
    judged(told, old, 2026, passed=False)
    assert judged(told, old, 2027, passed=False).revoked
    again = replace(request, document_no="并人社认〔2028〕1号", from_on=date(2028, 3, 1))
    key = centre_key(registered(told, again).centre_id)
    assert not judged(told, key, 2028, passed=False).revoked


def test_a_renewed_certification_goes_on_in_the_row(told: Told) -> None:
    with_rules(told)
    request = base(told, to_on=date(2027, 1, 1))
    judged(told, centre_key(registered(told, request).centre_id), 2026, passed=False)
    renewed = replace(request, document_no="并人社认〔2027〕8号", from_on=date(2027, 1, 1), to_on=None)
    key = centre_key(registered(told, renewed).centre_id)
    assert judged(told, key, 2027, passed=False).revoked


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (RectificationState.PASSED, CertificationState.CERTIFIED),
        (RectificationState.FAILED, CertificationState.SUSPENDED),
    ],
)
def test_a_centre_that_puts_things_right_is_certified_again_and_one_that_does_not_is_suspended(
    told: Told, outcome: RectificationState, state: CertificationState
) -> None:
    with_rules(told)
    request = base(told)
    key = centre_key(registered(told, request).centre_id)
    order = order_of(told, judged(told, key, 2026, passed=False).evaluation)
    assert (order.ordered_on, order.due_on) == (date(2027, 2, 3), date(2027, 4, 28))
    runs = evaluating.manager(told, request.organisation_id)
    stranger = told.world.firm.actor
    said = AnswerRequest(order.id, "已补齐 12 家企业备案。")
    (answer,) = told.do(lambda s, at: answer_orders(s, [said], actor=stranger, at=at))
    assert isinstance(answer, Refused) and answer.code is Code.NOT_FOUND
    silent = AnswerRequest(order.id, " ")
    (answer,) = told.do(lambda s, at: answer_orders(s, [silent], actor=runs, at=at))
    assert isinstance(answer, Refused) and answer.code is Code.REASON_MISSING
    back = SettleRequest(order.id, RectificationState.ORDERED, "材料不全")
    told.do(lambda s, at: only(answer_orders(s, [said], actor=runs, at=at)))
    told.do(lambda s, at: only(settle_orders(s, [back], actor=told.world.reviewer, at=at)))
    told.do(lambda s, at: only(answer_orders(s, [said], actor=runs, at=at)))
    without = SettleRequest(order.id, RectificationState.FAILED)
    (answer,) = told.do(lambda s, at: settle_orders(s, [without], actor=told.world.reviewer, at=at))
    assert isinstance(answer, Refused) and answer.code is Code.REASON_MISSING
    verdict = SettleRequest(order.id, outcome, "现场核验")
    told.do(lambda s, at: only(settle_orders(s, [verdict], actor=told.world.reviewer, at=at)))
    assert centre(told, key.id)[0] is state
    (again,) = told.do(lambda s, at: settle_orders(s, [verdict], actor=told.world.reviewer, at=at))
    assert isinstance(again, Refused) and again.code is Code.STATE_CHANGED
    with told.database.read() as session:
        events = session.scalars(select(Message.event).where(Message.person_id == runs.person_id)).all()
        assert "rectification_decided" in events


def test_the_one_who_scored_does_not_publish_and_a_returned_year_is_scored_anew(told: Told) -> None:
    with_rules(told)
    request = base(told)
    key = centre_key(registered(told, request).centre_id)
    runs = evaluating.manager(told, request.organisation_id)
    row = scored(told, key, 2026, BAD)
    wish = ResultRequest(evaluation_id=row.id, document_no="并双创评〔2026〕1号", demand="补齐备案")

    def refusal(actor: object, **changes: str) -> Code:
        asked = replace(wish, **changes)  # type: ignore[arg-type]
        (answer,) = told.do(lambda s, at: publish_results(s, [asked], actor=actor, at=at))  # type: ignore[arg-type]
        assert isinstance(answer, Refused)
        return answer.code

    assert refusal(told.world.reviewer) is Code.SELF_APPROVAL
    assert refusal(told.world.officer, document_no="") is Code.REASON_MISSING
    assert refusal(told.world.officer, demand=" ") is Code.REASON_MISSING
    assert refusal(replace(told.world.officer, region_codes=frozenset({"140500"}))) is Code.NOT_FOUND
    again = EvaluateRequest(key=key, year=2026, points=GOOD)
    (twice,) = told.do(lambda s, at: evaluate(s, [again], actor=told.world.reviewer, at=at))
    assert isinstance(twice, Refused) and twice.code is Code.ALREADY_EVALUATED
    sent_back = ReturnResult(row.id, "分值有误")
    told.do(lambda s, at: only(return_results(s, [sent_back], actor=told.world.officer, at=at)))
    assert refusal(told.world.officer) is Code.STATE_CHANGED
    anew = told.do(lambda s, at: only(evaluate(s, [again], actor=told.world.reviewer, at=at)))
    assert (anew.id, anew.passed, anew.state) == (row.id, True, EvaluationState.SCORED.value)
    assert not published(told, anew).revoked
    assert centre(told, key.id)[0] is CertificationState.CERTIFIED
    with told.database.read() as session:
        note = session.scalars(select(Message).where(Message.person_id == runs.person_id)).one()
        assert (note.event, note.facts["grade"]) == ("evaluation_published", "优秀")


def test_years_that_cannot_be_evaluated_say_why(told: Told) -> None:
    request = base(told, from_on=date(2025, 1, 1), to_on=date(2026, 7, 1))
    key = centre_key(registered(told, request).centre_id)

    def reason(year: int) -> object:
        wish = EvaluateRequest(key=key, year=year, points=GOOD)
        (answer,) = told.do(lambda s, at: evaluate(s, [wish], actor=told.world.reviewer, at=at))
        return answer.facts.get("reason") if isinstance(answer, Refused) else None

    assert reason(2025) == "no_rules"
    with_rules(told)
    assert [reason(year) for year in (2024, 2027, 2025)] == ["not_then", "future", None]
    told.after(days=400)
    assert reason(2027) == "not_then"


def test_rules_are_published_once_and_two_for_one_day_are_refused_with_both_documents(told: Told) -> None:
    with_rules(told)
    with_rules(told)

    def refusal(text: str, **changes: object) -> Refusal:
        actor = replace(told.world.officer, **changes)  # type: ignore[arg-type]
        with pytest.raises(Refusal) as refused:
            told.do(lambda s, at: publish_rules(s, RulesRequest(text), actor=actor, at=at))
        return refused.value

    assert refusal(rules_text() + "# more\n").code is Code.ALREADY_REGISTERED
    assert refusal(rules_text(code="ANOTHER")).code is Code.POLICY_OVERLAPS
    assert refusal(rules_text(region="610000", code="XA")).code is Code.NOT_FOUND
    broken = refusal(rules_text(code="BROKEN").replace("value = 2\n", "value = 0\n"))
    assert broken.code is Code.RULES_INVALID and "应为 1 至 10 的整数" in sentence(broken)


def test_two_failed_years_of_a_platform_stop_its_captures_and_lock_its_host(told: Told) -> None:
    with_rules(told, rules_text(region="140000", subject="platform", code="PLATFORMS"))
    world = told.world
    key = SubjectKey(EvaluationSubject.PLATFORM, world.platform.certification_id)
    judged(told, key, 2026, passed=False)
    assert judged(told, key, 2027, passed=False).revoked
    wish = CertifyRequest(
        platform_id=world.platform.platform_id,
        certifier=Certifier.SCIENCE,
        region_code="140100",
        kinds=(VoucherKind.INNOVATION,),
        services=factories.SERVICES,
        document_no="晋科认〔2028〕9号",
        from_on=date(2028, 3, 1),
    )
    (answer,) = told.do(lambda s, at: certify(s, [wish], actor=world.reviewer, at=at))
    assert isinstance(answer, Refused) and answer.code is Code.REAPPLY_LOCKED
    with told.database.read() as session:
        row = session.get_one(Certification, world.platform.certification_id)
        assert row.state == "revoked" and "连续 2 年评价不合格" in row.state_reason


def at_once(told: Told, works: list[object]) -> list[object]:
    """Works in threads that start together; each gives its answer."""
    start = Barrier(len(works))

    def run(work: object) -> object:
        start.wait(30)
        return told.do(work)  # type: ignore[arg-type]

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_of_two_evaluators_at_once_one_scores_and_the_other_is_told(pg_database: Database) -> None:
    told = Told(pg_database)
    with_rules(told)
    key = centre_key(registered(told, base(told)).centre_id)
    told.after(days=365)
    for year in (2024, 2025, 2026):
        wish = EvaluateRequest(key=key, year=year, points=GOOD)
        people = [told.world.reviewer, told.world.officer]
        works = [lambda s, at, who=who, wish=wish: evaluate(s, [wish], actor=who, at=at)[0] for who in people]
        answers = at_once(told, works)  # type: ignore[arg-type]
        assert sorted(type(each).__name__ for each in answers) == ["Evaluation", "Refused"]
        codes = [each.code for each in answers if isinstance(each, Refused)]
        assert codes == [Code.ALREADY_EVALUATED]


def test_two_failed_years_published_at_once_strike_off_exactly_once(pg_database: Database) -> None:
    told = Told(pg_database)
    with_rules(told)
    key = centre_key(registered(told, base(told)).centre_id)
    told.after(days=800)
    rows: list[Evaluation] = [scored(told, key, year, BAD) for year in (2026, 2027)]
    wishes = [ResultRequest(evaluation_id=row.id, document_no="评1号", demand="补齐") for row in rows]
    works = [
        lambda s, at, wish=wish: publish_results(s, [wish], actor=told.world.officer, at=at)[0]
        for wish in wishes
    ]
    answers = at_once(told, works)  # type: ignore[arg-type]
    assert sorted(each.revoked for each in answers if isinstance(each, PublishedResult)) == [False, True]
    assert centre(told, key.id) == (CertificationState.REVOKED, [True, True])
