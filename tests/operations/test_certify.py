"""Certifying platforms, and what suspension does to a capture under way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from threading import Event, Thread

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from voucher.db import Database
from voucher.errors import Code
from voucher.models.journal import Journal
from voucher.models.parties import Certification
from voucher.operations.certify import (
    Certified,
    CertifyRequest,
    ChangeRequest,
    certify,
    reinstate,
    revoke,
    suspend,
)
from voucher.operations.outcome import Refused, only
from voucher.terms import CertificationState, Certifier, VoucherKind


def request(platform_id: int) -> CertifyRequest:
    return CertifyRequest(
        platform_id=platform_id,
        certifier=Certifier.SCIENCE,
        region_code="140000",
        kinds=(VoucherKind.INNOVATION,),
        services=("technical_cooperation",),
        document_no="晋科认〔2026〕9号",
        from_on=date(2026, 1, 1),
        to_on=date(2029, 1, 1),
    )


def test_a_platform_is_certified_once_per_document(database: Database) -> None:
    world = database.transaction(lambda s, at: factories.shanxi(s, at=at))
    wish = request(world.platform.platform_id)

    def ask(asked: CertifyRequest) -> Certified | Refused:
        return database.transaction(lambda s, at: certify(s, [asked], actor=world.reviewer, at=at))[0]

    first = ask(wish)
    assert isinstance(first, Certified) and first == ask(wish)
    other = ask(replace(wish, services=("innovation_service_purchase",)))
    assert isinstance(other, Refused) and other.code is Code.ALREADY_REGISTERED
    for wrong in (replace(wish, platform_id=987_654), replace(wish, region_code="610000")):
        answer = ask(wrong)
        assert isinstance(answer, Refused) and answer.code is Code.NOT_FOUND
    with pytest.raises(ValueError, match="kinds, services and a time"):
        ask(replace(wish, to_on=date(2025, 1, 1)))


def test_what_is_suspended_may_come_back_and_what_is_revoked_may_not(database: Database) -> None:
    world = database.transaction(lambda s, at: factories.shanxi(s, at=at))
    change = [ChangeRequest(world.platform.certification_id, "年度评价不合格")]

    def state_after(verb: Callable[..., list[Certified | Refused]]) -> CertificationState:
        return database.transaction(lambda s, at: only(verb(s, change, actor=world.reviewer, at=at))).state

    states = [state_after(verb) for verb in (suspend, reinstate, suspend, revoke)]
    assert states == [
        CertificationState.SUSPENDED,
        CertificationState.CERTIFIED,
        CertificationState.SUSPENDED,
        CertificationState.REVOKED,
    ]
    (again,) = database.transaction(lambda s, at: reinstate(s, change, actor=world.reviewer, at=at))
    assert isinstance(again, Refused) and again.code is Code.STATE_CHANGED
    with database.read() as session:
        row = session.get_one(Certification, world.platform.certification_id)
        assert (row.state, row.state_reason) == ("revoked", "年度评价不合格")
        actions = session.scalars(select(Journal.action).order_by(Journal.id)).all()
        assert actions == ["platform.suspend", "platform.restore", "platform.suspend", "platform.revoke"]


def test_another_regions_authority_cannot_suspend(database: Database) -> None:
    world = database.transaction(lambda s, at: factories.shanxi(s, at=at))
    county = replace(world.reviewer, region_codes=frozenset({"140105"}))
    change = [ChangeRequest(world.platform.certification_id, "越权"), ChangeRequest(987_654, "没有")]
    answers = database.transaction(lambda s, at: suspend(s, change, actor=county, at=at))
    assert [answer.code for answer in answers if isinstance(answer, Refused)] == [Code.NOT_FOUND] * 2


def test_a_suspension_waits_for_a_capture_that_has_read_the_certification(pg_database: Database) -> None:
    world = pg_database.transaction(lambda s, at: factories.shanxi(s, at=at))
    change = [ChangeRequest(world.platform.certification_id, "抽查")]
    order: list[str] = []
    reading, asked = Event(), Event()

    def capture(session: Session, at: datetime) -> None:
        query = select(Certification.id).with_for_update(read=True)
        session.execute(query)
        reading.set()
        asked.wait(5)
        order.append("captured")

    def stop() -> None:
        reading.wait(5)
        asked.set()
        pg_database.transaction(lambda s, at: suspend(s, change, actor=world.reviewer, at=at))
        order.append("suspended")

    thread = Thread(target=stop)
    thread.start()
    pg_database.transaction(capture)
    thread.join()
    assert order == ["captured", "suspended"]
