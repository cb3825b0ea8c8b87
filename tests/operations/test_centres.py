"""Registering centres, and asking whether one is certified by the right authority."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.operations.evaluating import base, registered
from tests.operations.stories import Told
from voucher.errors import Code, Refusal
from voucher.models.centres import Centre
from voucher.operations.centres import (
    certified_base,
    refuse_uncertified,
    register_centres,
)
from voucher.operations.outcome import Refused
from voucher.schemas.messages import sentence
from voucher.terms import CertificationState, Certifier


def test_a_centre_is_registered_once_with_its_titles(told: Told) -> None:
    request = base(told)
    first = registered(told, request)
    assert first.is_new and first.state is CertificationState.CERTIFIED
    assert registered(told, request) == replace(first, is_new=False)
    with told.database.read() as session:
        row = session.get_one(Centre, first.centre_id)
        assert [(each.kind, each.document_no) for each in row.titles] == [
            ("makerspace", "并人社认〔2025〕3号"),
            ("ie_base", "并双创〔2025〕1号"),
        ]
    reviewer = told.world.reviewer
    wrong = [
        replace(request, grade="省级"),
        replace(request, organisation_id=987_654),
        replace(request, certifying_region="610100"),
        replace(request, location_region="999999"),
    ]
    answers = told.do(lambda s, at: register_centres(s, wrong, actor=reviewer, at=at))
    assert [each.code for each in answers if isinstance(each, Refused)] == [
        Code.ALREADY_REGISTERED,
        Code.NOT_FOUND,
        Code.NOT_FOUND,
        Code.NOT_FOUND,
    ]
    backwards = replace(request, to_on=request.from_on)
    with pytest.raises(ValueError, match="ends after it begins"):
        told.do(lambda s, at: register_centres(s, [backwards], actor=reviewer, at=at))


def test_a_base_certified_by_the_wrong_authority_is_told_so_by_name(told: Told) -> None:
    request = base(told, authority=Certifier.SCIENCE)
    registered(told, request)
    with pytest.raises(Refusal) as told_so:
        told.do(lambda s, at: refuse_uncertified(s, request.organisation_id, at=at))
    assert told_so.value.code is Code.CENTRE_NOT_CERTIFIED
    said = sentence(told_so.value)
    assert "小店创业孵化基地" in said
    assert "应由人社部门认定" in said and "现由科技主管部门认定" in said


def test_a_base_holds_from_its_first_day_until_before_its_last_and_no_longer_than_it_is_certified(
    told: Told,
) -> None:
    request = base(told, to_on=date(2028, 1, 1))
    made = registered(told, request)
    host = request.organisation_id

    def live(on: date) -> bool:
        with told.database.read() as session:
            return host in certified_base(session, [host], on=on)

    assert [live(date(2019, 12, 31)), live(date(2020, 1, 1))] == [False, True]
    assert [live(date(2027, 12, 31)), live(date(2028, 1, 1))] == [True, False]

    def reason(state: CertificationState, to_on: date | None = None) -> object:
        def work(session: object, _at: object) -> None:
            row = session.get_one(Centre, made.centre_id)  # type: ignore[attr-defined]
            row.state, row.to_on = state.value, to_on

        told.do(work)
        try:
            told.do(lambda s, at: refuse_uncertified(s, host, at=at))
        except Refusal as refusal:
            return refusal.facts["reason"]
        return None

    assert reason(CertificationState.RECTIFYING) is None
    assert reason(CertificationState.SUSPENDED) == "state"
    assert reason(CertificationState.CERTIFIED, date(2025, 2, 1)) == "period"
    with pytest.raises(Refusal) as nobody:
        told.do(lambda s, at: refuse_uncertified(s, told.world.firm.organisation_id, at=at))
    assert nobody.value.facts["reason"] == "no_centre"
