"""Qualifying holders: by class, roster of the year and region, with the facts kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import factories
from voucher.db import Database
from voucher.errors import Code
from voucher.models.parties import Organisation, Qualification
from voucher.operations.outcome import Refused
from voucher.operations.qualify import Qualified, QualifyRequest, qualify
from voucher.operations.register import register_firms
from voucher.terms import HolderClass

AT = datetime(2026, 5, 6, 2, 0, tzinfo=UTC)


def test_a_firm_on_the_roster_is_qualified_once_and_its_facts_are_kept(database: Database) -> None:
    world = database.transaction(lambda s, at: factories.shanxi(s, at=at), at=AT)

    def new_firm(session: Session, at: datetime) -> str:
        owner = factories.organisation(session, at=at)
        factories.holder(session, owner, at=at)
        factories.on_roster(session, owner, by=world.reviewer, year=2026, at=at)
        return owner.uscc

    uscc = database.transaction(new_firm, at=AT)
    requests = [QualifyRequest(uscc), QualifyRequest(uscc), QualifyRequest(world.firm.uscc)]
    answers = database.transaction(
        lambda s, at: qualify(s, world.programme_code, requests, actor=world.reviewer, at=at), at=AT
    )
    first, second, known = answers
    assert isinstance(first, Qualified) and first == second and first.year == 2026
    assert isinstance(known, Qualified) and known.holder_id == world.firm.holder_id
    with database.read() as session:
        assert session.execute(select(func.count()).select_from(Qualification)).scalar_one() == 2
        facts = session.get_one(Qualification, first.qualification_id).facts
        assert facts["policy"] == world.policy_code and facts["roster_no"].startswith("2026")


def test_whoever_does_not_meet_the_policy_is_refused_alone_with_the_reason(database: Database) -> None:
    world = database.transaction(lambda s, at: factories.shanxi(s, at=at), at=AT)
    national = replace(world.reviewer, region_codes=frozenset({"000000", "140000"}))

    def firms(session: Session, at: datetime) -> tuple[str, str]:
        owners: list[Organisation] = [
            factories.organisation(session, region_code=code, at=at) for code in ("140105", "610100")
        ]
        register_firms(session, [owner.uscc for owner in owners], actor=national, at=at)
        return owners[0].uscc, owners[1].uscc

    unlisted, foreign = database.transaction(firms, at=AT)
    requests = [
        QualifyRequest(unlisted),
        QualifyRequest(foreign),
        QualifyRequest(world.firm.uscc, HolderClass.TEAM),
        QualifyRequest("P202600000000"),
        QualifyRequest(world.firm.uscc),
    ]
    answers = database.transaction(
        lambda s, at: qualify(s, world.programme_code, requests, actor=national, at=at), at=AT
    )
    assert [
        (answer.code, answer.facts.get("reason")) if isinstance(answer, Refused) else None
        for answer in answers
    ] == [
        (Code.NOT_QUALIFIED, "roster"),
        (Code.NOT_QUALIFIED, "region"),
        (Code.NOT_QUALIFIED, "holder_class"),
        (Code.NOT_FOUND, None),
        None,
    ]


def test_last_years_roster_does_not_qualify_for_this_year(database: Database) -> None:
    world = database.transaction(lambda s, at: factories.shanxi(s, at=at), at=AT)
    new_year = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    (answer,) = database.transaction(
        lambda s, at: qualify(
            s, world.programme_code, [QualifyRequest(world.firm.uscc)], actor=world.reviewer, at=at
        ),
        at=new_year,
    )
    assert isinstance(answer, Refused) and answer.facts == {
        "holder": world.firm.uscc,
        "reason": "roster",
        "year": 2027,
    }


def test_a_reviewer_of_another_region_finds_no_such_firm(database: Database) -> None:
    world = database.transaction(lambda s, at: factories.shanxi(s, at=at), at=AT)
    elsewhere = replace(world.reviewer, region_codes=frozenset({"141100"}))
    (answer,) = database.transaction(
        lambda s, at: qualify(
            s, world.programme_code, [QualifyRequest(world.firm.uscc)], actor=elsewhere, at=at
        ),
        at=AT,
    )
    assert isinstance(answer, Refused) and answer.code is Code.NOT_FOUND
