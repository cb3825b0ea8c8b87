"""The side that sent a claim appeals against its rejection: under 通兑 the provider, otherwise the firm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.operations.reviewing import asks, deciding, pays_provider, providers_claim
from tests.operations.stories import Told
from voucher.db import Database
from voucher.errors import Code
from voucher.ledger.verify import verify
from voucher.models.claims import Claim
from voucher.models.messages import Message
from voucher.operations.appeal import AppealDecision, Appealed, AppealRequest, decide_appeals, lodge
from voucher.operations.outcome import Refused, only
from voucher.operations.recuse import RecusalRequest, recuse
from voucher.rules.permissions import Actor
from voucher.terms import AppealChannel, AppealState, ClaimState, MessageEvent, Verdict

Appeals = Callable[[Session, datetime], list[Appealed | Refused]]


@pytest.fixture
def told(sqlite_database: Database) -> Told:
    return Told(sqlite_database)


def lodging(number: str, actor: Actor, channel: AppealChannel = AppealChannel.PAGE) -> Appeals:
    request = AppealRequest(number, "合同附件写明了服务内容", channel)
    return lambda session, at: lodge(session, [request], actor=actor, at=at)


def upholding(number: str, actor: Actor) -> Appeals:
    wanted = AppealDecision(number, True, "服务内容与合同附件一致")
    return lambda session, at: decide_appeals(session, [wanted], actor=actor, at=at)


def rejected(told: Told) -> str:
    """A claim that the provider sent, rejected."""
    pays_provider(told)
    number = providers_claim(told)
    told.do(deciding(number, Verdict.REJECT, actor=told.world.reviewer))
    return number


def read(told: Told, event: MessageEvent, subject: str) -> dict[int | None, dict[str, object]]:
    """What each person was told, by person."""
    query = select(Message).where(Message.event == event.value, Message.subject == subject)
    with told.database.read() as session:
        return {row.person_id: row.facts for row in session.scalars(query)}


def test_a_provider_that_claims_itself_appeals_and_another_reviewer_hears_it_again(told: Told) -> None:
    number, manager = rejected(told), told.world.platform.manager
    made = told.do(lambda session, at: only(lodging(number, manager)(session, at)))
    done = told.do(lambda session, at: only(upholding(made.number, told.world.officer)(session, at)))
    assert (done.state, done.held_fen) == (AppealState.UPHELD, 50_000_00)
    assert told.one(Claim, number=number).state == ClaimState.SUBMITTED.value
    assert manager.person_id in read(told, MessageEvent.APPEAL_DECIDED, made.number)
    with told.database.read() as session:
        assert verify(session).faults == ()


def test_the_side_that_did_not_send_the_claim_does_not_appeal(told: Told) -> None:
    firms = told.claimed()
    told.do(deciding(firms, Verdict.REJECT, actor=told.world.reviewer))
    manager, firm = told.world.platform.manager, told.world.firm.actor
    told.refuses(Code.OTHER_SIDE_CLAIMS, lodging(firms, manager), claimant="enterprise")
    providers = rejected(told)
    told.refuses(Code.OTHER_SIDE_CLAIMS, lodging(providers, firm), claimant="provider")
    told.refuses(Code.NOT_PERMITTED, lodging(providers, told.world.platform.scanner))
    told.refuses(Code.NOT_FOUND, lodging(providers, replace(manager, platform_ids=frozenset())))


def test_the_notice_of_a_rejection_says_how_to_appeal_and_until_when(told: Told) -> None:
    asks(told, appeal_days=5)
    number = rejected(told)
    facts = read(told, MessageEvent.CLAIM_DECIDED, number)[told.world.platform.manager.person_id]
    # Monday 2026-03-02 and five working days.
    assert (facts["appeal_subject"], facts["appeal_by_on"]) == (number, "2026-03-09")
    approved = providers_claim(told)
    told.do(deciding(approved, Verdict.APPROVE, actor=told.world.reviewer))
    said = read(told, MessageEvent.CLAIM_DECIDED, approved)[told.world.platform.manager.person_id]
    assert not {"appeal_subject", "appeal_by_on"} & {name for name, fact in said.items() if fact is not None}
    told.after(days=8)
    told.refuses(Code.APPEAL_LATE, lodging(number, told.world.platform.manager), appeal_by_on="2026-03-09")


def test_nobody_of_the_side_that_appeals_decides_its_appeal(told: Told) -> None:
    number, place, officer = rejected(told), told.world.platform, told.world.officer
    appeal = told.do(lambda session, at: only(lodging(number, place.manager)(session, at))).number
    employed = replace(officer, platform_ids=frozenset({place.platform_id}))
    hosts = replace(officer, organisation_ids=frozenset({place.organisation_id}))
    for actor in (employed, hosts, told.world.reviewer):
        told.refuses(Code.SELF_APPROVAL, upholding(appeal, actor))
    interest = RecusalRequest(officer.person_id, place.uscc, "配偶任职")
    told.do(lambda session, at: only(recuse(session, [interest], actor=officer, at=at)))
    told.refuses(Code.RECUSED, upholding(appeal, officer))
