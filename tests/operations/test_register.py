"""Regions, organisations, platforms, holders, ties and payee accounts."""

from __future__ import annotations

from threading import Barrier, Thread

from sqlalchemy import func, select

from tests import factories
from voucher.codes import is_temporary, make_uscc
from voucher.db import Database
from voucher.errors import Code
from voucher.models.journal import Journal
from voucher.models.parties import Affiliation, Organisation, PayeeAccount, Platform
from voucher.models.regions import Region
from voucher.operations.affiliate import AffiliationRequest, PayeeRequest, affiliate, set_payees
from voucher.operations.outcome import Refused, only
from voucher.operations.regions import ZoneRequest, add_zones, load_divisions
from voucher.operations.register import (
    OrganisationRequest,
    PlatformRequest,
    Registered,
    register_firms,
    register_organisations,
    register_platforms,
)
from voucher.operations.teams import TeamRequest, register_teams
from voucher.terms import AffiliationKind, HolderKind, PlatformKind

USCC = make_uscc("140105", 77_001)
OTHER = make_uscc("140105", 77_002)


def firm(uscc: str = USCC, **changes: str) -> OrganisationRequest:
    return OrganisationRequest(**{"uscc": uscc, "name": "晋科有限公司", "region_code": "140105", **changes})


def test_the_whole_country_is_loaded_once_with_its_paths(database: Database) -> None:
    actor = database.transaction(lambda s, at: factories.person(s, at=at))
    assert database.transaction(lambda s, at: load_divisions(s, actor=actor, at=at)) == 3_215
    assert database.transaction(lambda s, at: load_divisions(s, actor=actor, at=at)) == 0
    with database.read() as session:
        zezhou = session.get_one(Region, "140525")
        assert (zezhou.name, zezhou.path) == ("泽州县", "/000000/140000/140500/140525/")


def test_a_park_stands_under_any_region_and_only_once(database: Database) -> None:
    world = database.transaction(lambda s, at: factories.shanxi(s, at=at))
    park = ZoneRequest("140100", "GXQ", "太原高新区", "140105")

    def add(request: ZoneRequest) -> str | Refused:
        return database.transaction(lambda s, at: add_zones(s, [request], actor=world.officer, at=at))[0]

    assert add(park) == add(park) == "140100-GXQ"
    assert add(ZoneRequest("140100-GXQ", "A", "北园")) == "140100-GXQ-A"
    taken = add(ZoneRequest("140100", "GXQ", "别的园区"))
    assert isinstance(taken, Refused) and taken.code is Code.ALREADY_REGISTERED
    foreign = add(ZoneRequest("610100", "GXQ", "西安高新区"))
    assert isinstance(foreign, Refused) and foreign.code is Code.NOT_FOUND


def test_one_uscc_is_one_organisation_whatever_its_spelling(database: Database) -> None:
    world = database.transaction(lambda s, at: factories.shanxi(s, at=at))
    full_width = "".join(chr(ord(each) + 0xFEE0) for each in USCC)
    spellings = [USCC, USCC.lower(), f" {USCC[:8]}-{USCC[8:]} ", full_width]
    answers = database.transaction(
        lambda s, at: register_organisations(
            s, [firm(text) for text in spellings], actor=world.reviewer, at=at
        )
    )
    assert len({answer.id for answer in answers if isinstance(answer, Registered)}) == 1
    again = database.transaction(
        lambda s, at: only(register_organisations(s, [firm()], actor=world.reviewer, at=at))
    )
    assert not again.is_new and again.ref == USCC
    with database.read() as session:
        count = select(func.count()).select_from(Organisation).where(Organisation.uscc == USCC)
        assert session.execute(count).scalar_one() == 1
        written = select(func.count()).select_from(Journal).where(Journal.subject == f"organisation:{USCC}")
        assert session.execute(written).scalar_one() == 1


def test_a_wrong_check_character_and_an_unknown_region_are_refused_alone(database: Database) -> None:
    world = database.transaction(lambda s, at: factories.shanxi(s, at=at))
    wrong = USCC[:-1] + ("0" if USCC[-1] != "0" else "1")
    requests = [firm(wrong), firm(OTHER, region_code="999999"), firm()]
    answers = database.transaction(
        lambda s, at: register_organisations(s, requests, actor=world.reviewer, at=at)
    )
    assert [answer.code if isinstance(answer, Refused) else None for answer in answers] == [
        Code.USCC_INVALID,
        Code.NOT_FOUND,
        None,
    ]


def test_two_registrations_at_once_make_one_row(pg_database: Database) -> None:
    world = pg_database.transaction(lambda s, at: factories.shanxi(s, at=at))
    start = Barrier(8)
    ids: list[int] = []

    def register() -> None:
        start.wait()
        answer = pg_database.transaction(
            lambda s, at: only(
                register_organisations(s, [firm(OTHER), firm()], actor=world.reviewer, at=at)[1:]
            )
        )
        ids.append(answer.id)

    threads = [Thread(target=register) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8 and len(set(ids)) == 1


def test_a_host_has_several_platforms_each_name_once(database: Database) -> None:
    world = database.transaction(lambda s, at: factories.shanxi(s, at=at))

    def add(name: str, kind: PlatformKind = PlatformKind.KEY_LAB) -> Registered | Refused:
        request = PlatformRequest(host_uscc=world.platform.uscc, name=name, kind=kind, region_code="140100")
        return database.transaction(
            lambda s, at: register_platforms(s, [request], actor=world.reviewer, at=at)
        )[0]

    first, second, again = add("煤化工重点实验室"), add("铸造中心"), add("煤化工重点实验室")
    assert isinstance(first, Registered) and isinstance(second, Registered) and isinstance(again, Registered)
    assert first.id != second.id and again.id == first.id and not again.is_new
    other_kind = add("铸造中心", PlatformKind.ETRC)
    assert isinstance(other_kind, Refused) and other_kind.code is Code.ALREADY_REGISTERED
    with database.read() as session:
        count = select(func.count()).where(Platform.organisation_id == world.platform.organisation_id)
        assert session.execute(count).scalar_one() == 3


def test_a_firm_holds_under_its_uscc_and_a_team_under_a_temporary_number(database: Database) -> None:
    world = database.transaction(lambda s, at: factories.shanxi(s, at=at))
    names = ("甲", "乙", "丙")
    team = TeamRequest(kind=HolderKind.TEAM, name="星火团队", region_code="140100", members=names)
    base = TeamRequest(kind=HolderKind.BASE, name="无证基地", region_code="140100", members=names)
    made, refused = database.transaction(
        lambda s, at: register_teams(s, [team, base], actor=world.reviewer, at=at)
    )
    assert isinstance(made, Registered) and is_temporary(made.ref)
    assert isinstance(refused, Refused) and refused.code is Code.USCC_INVALID
    firms = database.transaction(
        lambda s, at: register_firms(
            s, [world.firm.uscc, world.platform.uscc, USCC], actor=world.reviewer, at=at
        )
    )
    known, new, unknown = firms
    assert isinstance(known, Registered) and known.id == world.firm.holder_id and not known.is_new
    assert isinstance(new, Registered) and new.is_new
    assert isinstance(unknown, Refused) and unknown.code is Code.NOT_FOUND


def test_a_tie_is_stored_once_in_one_order(database: Database) -> None:
    world = database.transaction(lambda s, at: factories.shanxi(s, at=at))
    kind = AffiliationKind.SHAREHOLDING

    def tie(one: str, other: str) -> object:
        request = AffiliationRequest(one_uscc=one, other_uscc=other, kind=kind, source="企业年报")
        return database.transaction(lambda s, at: affiliate(s, [request], actor=world.reviewer, at=at))[0]

    assert tie(world.firm.uscc, world.platform.uscc) == tie(world.platform.uscc, world.firm.uscc)
    itself = tie(world.firm.uscc, world.firm.uscc)
    assert isinstance(itself, Refused) and itself.code is Code.AFFILIATED
    with database.read() as session:
        assert session.execute(select(func.count()).select_from(Affiliation)).scalar_one() == 1


def test_a_second_payee_account_does_not_take_the_place_of_the_first(database: Database) -> None:
    world = database.transaction(lambda s, at: factories.shanxi(s, at=at))

    def pay_to(number: str, uscc: str = world.firm.uscc) -> int | Refused:
        request = PayeeRequest(uscc=uscc, account_name="测试企业", bank="工行太原分行", account_no=number)
        return database.transaction(lambda s, at: set_payees(s, [request], actor=world.firm.actor, at=at))[0]

    first, again, second = (
        pay_to("6222 0200 0000 0001"),
        pay_to("６２２２０２０００００００００１"),
        pay_to("6222020000000002"),
    )
    assert first == again
    assert isinstance(second, Refused) and second.code is Code.ALREADY_REGISTERED
    wrong, foreign = pay_to("12AB"), pay_to("6222020000000003", world.platform.uscc)
    assert isinstance(wrong, Refused) and wrong.code is Code.PAYEE_MISSING
    assert isinstance(foreign, Refused) and foreign.code is Code.NOT_FOUND
    with database.read() as session:
        live = session.scalars(select(PayeeAccount.id).where(PayeeAccount.active)).all()
        assert live == [first]
