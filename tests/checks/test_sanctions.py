"""The ladder of sanctions: what a decision does, its days, and where bans and rosters are asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from tests.checks import scenes
from tests.operations.awards import Awarding
from tests.operations.stories import Told, placed
from voucher.clock import business_date
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.models.checks import PartyBan
from voucher.models.claims import Claim
from voucher.models.parties import RosterEntry
from voucher.money import Fen
from voucher.operations.award import preview_award
from voucher.operations.ban import BanRequest, ban
from voucher.operations.batch import BatchRequest, make
from voucher.operations.file_contract import ContractRequest, file_contract
from voucher.operations.outcome import Refused
from voucher.schemas.messages import sentence
from voucher.terms import BanKind, Measure


def decision(told: Told, measure: Measure, **changes: object) -> BanRequest:
    """A decision against the story's firm from today on."""
    request = BanRequest(
        uscc=told.world.firm.uscc,
        kind=BanKind.SANCTION,
        measure=measure,
        legal_basis="晋科发〔2022〕1号第二十条",
        decision_no="晋科罚〔2026〕3号",
        from_on=business_date(told.at),
        to_on=business_date(told.at) + timedelta(days=180),
    )
    return replace(request, **changes)  # type: ignore[arg-type]


def entered(told: Told, request: BanRequest) -> PartyBan | Refused:
    return told.do(lambda s, at: ban(s, [request], actor=told.world.reviewer, at=at))[0]


@pytest.mark.parametrize("measure", list(Measure))
def test_only_a_suspension_and_a_ban_shut_out_of_vouchers(told: Told, measure: Measure) -> None:
    entered(told, decision(told, measure))
    (answer,) = scenes.placing(told)
    shut_out = isinstance(answer, Refused) and answer.code is Code.PARTY_BANNED
    assert shut_out is (measure in (Measure.SUSPEND, Measure.BAN))


def test_one_decision_may_bring_several_measures_and_the_same_again_changes_nothing(told: Told) -> None:
    for measure in (Measure.WARN, Measure.CREDIT_REPORT, Measure.WARN):
        assert isinstance(entered(told, decision(told, measure)), PartyBan)
    with told.database.read() as session:
        assert session.scalars(select(PartyBan.measure).order_by(PartyBan.id)).all() == [
            "warn",
            "credit_report",
        ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"to_on": date(2026, 3, 2)}, "end"),
        ({"to_on": None}, "endless"),
        ({"objection_until": date(2026, 2, 20)}, "notice"),
        ({"notified_on": date(2026, 2, 21), "objection_until": date(2026, 2, 20)}, "notice"),
        ({"notified_on": date(2026, 2, 20), "objection_until": date(2026, 3, 2)}, "objection"),
        ({"notified_on": date(2026, 3, 3)}, "objection"),
        ({"notified_on": date(2026, 2, 20), "objection_until": date(2026, 3, 1)}, None),
    ],
)
def test_a_decision_takes_effect_when_the_days_to_object_are_over(
    told: Told, changes: dict[str, object], reason: str | None
) -> None:
    answer = entered(told, decision(told, Measure.SUSPEND, **changes))
    if reason is None:
        assert isinstance(answer, PartyBan)
    else:
        assert isinstance(answer, Refused) and answer.code is Code.BAN_PERIOD
        assert answer.facts["reason"] == reason and "原因" in sentence(answer)


def test_a_lock_is_for_a_region_of_the_actors(told: Told) -> None:
    lock = decision(told, Measure.REAPPLY_LOCK, region_code="610000")
    answer = entered(told, lock)
    assert isinstance(answer, Refused) and answer.code is Code.NOT_FOUND


def test_an_award_of_a_banned_firm_is_refused_before_its_papers_are_judged(sqlite_database: Database) -> None:
    told = Awarding(sqlite_database)
    entered(told, decision(told, Measure.BAN))
    request = told.wanted(100_000_00, documents=())
    with pytest.raises(Refusal) as seen:
        told.do(lambda s, at: preview_award(s, request, actor=told.world.firm.actor, at=at))
    assert seen.value.code is Code.PARTY_BANNED
    (answer,) = told.do(told.applying(request))
    assert isinstance(answer, Refused) and answer.code is Code.PARTY_BANNED


def test_a_firm_that_left_the_roster_is_stopped_at_order_contract_claim_and_batch(told: Told) -> None:
    world = told.world
    voucher = told.voucher()
    ordered = told.do(lambda session, at: placed(session, world, voucher, at=at))
    captured, approved = told.captured_order(), told.approved(documents=scenes.papers())

    def leave(session: object, _at: object) -> None:
        query = select(RosterEntry).where(RosterEntry.uscc == world.firm.uscc)
        for row in session.scalars(query):  # type: ignore[attr-defined]
            session.delete(row)  # type: ignore[attr-defined]

    told.do(leave)
    scenes.place_refused(told, Code.NOT_QUALIFIED, reason="roster")
    contract = ContractRequest(ordered, "HT-1", business_date(told.at), Fen(50_000_00))
    (held,) = told.do(lambda s, at: file_contract(s, [contract], actor=world.platform.manager, at=at))
    claim = scenes.refused(told, order=captured)
    wanted = BatchRequest(world.programme_code, (approved,))
    (batch,) = told.do(lambda s, at: make(s, [wanted], actor=world.maker, at=at))
    assert isinstance(held, Refused) and isinstance(batch, Refused)
    assert {held.code, claim.code, batch.code} == {Code.NOT_QUALIFIED}
    with told.database.read() as session:
        assert session.scalars(select(Claim.state).where(Claim.number == approved)).one() != "rejected"


def test_a_decision_against_the_host_leaves_a_warned_platform_at_work(told: Told) -> None:
    host = decision(told, Measure.WARN, uscc=told.world.platform.uscc)
    assert isinstance(entered(told, host), PartyBan)
    (answer,) = scenes.placing(told)
    assert not isinstance(answer, Refused)
