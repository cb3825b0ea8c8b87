"""Rows 1 to 4, 8 and 22 of domain section 4: who belongs to whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.checks import scenes
from tests.checks.scenes import claimed, findings, kinds
from tests.operations.stories import Told, placed
from voucher.errors import Code
from voucher.models.checks import FactSnapshot, PartyDirector
from voucher.models.parties import Organisation, Platform
from voucher.operations.affiliate import AffiliationRequest, affiliate
from voucher.operations.registry import RegistryRow, note_registry
from voucher.terms import AffiliationKind

KEY = b"a key of the installation"


def registered(told: Told, uscc: str, **said: str | int | Sequence[str]) -> None:
    row = RegistryRow(uscc=uscc, source="工商登记", **said)  # type: ignore[arg-type]
    reviewer = told.world.reviewer
    scenes.one(told, lambda session, at: note_registry(session, [row], key=KEY, actor=reviewer, at=at))


def buys(told: Told) -> None:
    voucher = told.voucher()
    told.do(lambda session, at: placed(session, told.world, voucher, at=at))


def tied(told: Told, kind: AffiliationKind) -> None:
    world = told.world
    request = AffiliationRequest(
        one_uscc=world.firm.uscc, other_uscc=world.platform.uscc, kind=kind, source="企业申报"
    )
    scenes.one(told, lambda session, at: affiliate(session, [request], actor=world.reviewer, at=at))


def test_row_01_a_firm_cannot_buy_from_its_own_platform(told: Told) -> None:
    def own(session: Session, at: datetime) -> factories.Provider:
        host = session.get_one(Organisation, told.world.firm.organisation_id)
        place = factories.platform(session, host, at=at)
        certified = factories.certification(session, place)
        world = told.world.platform
        return factories.Provider(
            place.id, place.name, host.id, host.uscc, certified.id, world.scanner, world.manager
        )

    told.voucher()
    scenes.place_refused(scenes.another(told, platform=told.do(own)), Code.AFFILIATED, relation="same_party")


@pytest.mark.parametrize("kind", AffiliationKind)
def test_row_02_a_declared_tie_blocks_the_order_and_a_later_one_the_claim(
    told: Told, kind: AffiliationKind
) -> None:
    order = told.captured_order()
    tied(told, kind)
    scenes.place_refused(told, Code.AFFILIATED, relation=kind.value)
    assert scenes.refused(told, order=order).code is Code.AFFILIATED


def test_row_02_parent_and_branches_are_one_family(told: Told) -> None:
    group = told.do(lambda session, at: factories.organisation(session, name="集团有限公司", at=at).uscc)
    registered(told, told.world.firm.uscc, parent_uscc=group)
    registered(told, told.world.platform.uscc, parent_uscc=group)
    scenes.place_refused(told, Code.AFFILIATED, relation="subordination")


@pytest.mark.parametrize(
    ("said", "relation"),
    [("controller_id", "same_controller"), ("legal_rep_id", "same_legal_representative")],
)
def test_row_02_one_person_behind_both_blocks_and_is_kept_as_a_keyed_hash(
    told: Told, said: str, relation: str
) -> None:
    number = "14010519790101123X"
    registered(told, told.world.firm.uscc, **{said: number})
    registered(told, told.world.platform.uscc, **{said: "1401 0519 7901 0112 3x"})
    scenes.place_refused(told, Code.AFFILIATED, relation=relation)
    kept = told.one(Organisation, id=told.world.firm.organisation_id)
    hashed = kept.controller_key or kept.legal_rep_key or ""
    assert len(hashed) == 64 and number not in repr(vars(kept))


def test_row_02_one_of_several_directors_on_both_boards_blocks_order_and_claim_and_is_kept_as_a_keyed_hash(
    told: Told,
) -> None:
    shared, firm, host = "14010519790101123X", told.world.firm.uscc, told.world.platform.uscc
    order = told.captured_order()
    registered(told, firm, director_ids=["140105197001010011", shared])
    registered(told, host, director_ids=["140105197001010022", "140105197001010033"])
    buys(told)
    registered(told, host, director_ids=["140105197001010022", "1401 0519 7901 0112 3x"])
    scenes.place_refused(told, Code.AFFILIATED, relation="same_director")
    assert scenes.refused(told, order=order).code is Code.AFFILIATED
    with told.database.read() as session:
        kept = session.scalars(select(PartyDirector)).all()
    assert len(kept) == 4 and {len(each.person_key) for each in kept} == {64}
    assert shared not in repr([vars(each) for each in kept])


def test_row_02_a_board_given_anew_replaces_the_one_before_and_none_given_changes_nothing(told: Told) -> None:
    for uscc in (told.world.firm.uscc, told.world.platform.uscc):
        registered(told, uscc, director_ids=["14010519790101123X", "14010519790101123x"])
    registered(told, told.world.firm.uscc, phone="0351-123 4567")
    scenes.place_refused(told, Code.AFFILIATED, relation="same_director")
    registered(told, told.world.firm.uscc, director_ids=["140105197001010011"])
    buys(told)


def test_row_02_a_holding_below_the_threshold_is_a_flag(told: Told) -> None:
    scenes.fill(told, "[affiliation_share_bp]\nvalue = 2_500")
    registered(told, told.world.firm.uscc, shareholder_uscc=told.world.platform.uscc, share_bp=1_000)
    row = findings(told, claimed(told))["weak_holding"]
    assert (row.row_no, row.facts) == (2, {"share_bp": 1_000, "limit_bp": 2_500})
    registered(told, told.world.firm.uscc, shareholder_uscc=told.world.platform.uscc, share_bp=2_500)
    scenes.place_refused(told, Code.AFFILIATED, relation="shareholding")


@pytest.mark.parametrize("mark", ["phone", "contact", "email"])
def test_row_03_a_shared_mark_is_a_flag_and_no_block(told: Told, mark: str) -> None:
    written = {
        "phone": ("0351-123 4567", "03511234567"),
        "contact": ("王 某", "王某"),
        "email": ("a@Firm.example", "b@firm.example"),
    }[mark]
    for uscc, value in zip((told.world.firm.uscc, told.world.platform.uscc), written, strict=True):
        registered(told, uscc, **{mark: value})
    number = claimed(told)
    assert "shared_mark" in kinds(told, number, 3)
    assert not set(written) & {str(value) for value in findings(told, number)["shared_mark"].facts.values()}


def test_row_03_money_from_the_providers_account_is_a_flag(told: Told) -> None:
    told.account(told.world.platform.organisation_id, account_no="622700000000001")
    payments = (told.payment(payer_account="622700000000001"),)
    assert "same_account" in kinds(told, claimed(told, payments=payments), 3)
    assert "same_account" not in kinds(told, claimed(told), 3)


def test_row_03_deeds_of_both_sides_from_one_network_address_are_a_flag(told: Told) -> None:
    def seen_from(firm: str, provider: str) -> set[str]:
        world = told.world
        there = (
            replace(world.platform.manager, source=provider),
            replace(world.platform.scanner, source=provider),
        )
        story = scenes.another(
            told,
            firm=replace(world.firm, actor=replace(world.firm.actor, source=firm)),
            platform=replace(world.platform, manager=there[0], scanner=there[1]),
        )
        return kinds(story, claimed(story), 3)

    assert seen_from("10.1.1.1", "10.1.1.1") == {"same_source"}
    assert not seen_from("10.1.1.1", "10.2.2.2")


def test_row_04_one_address_weighs_little_and_never_blocks(told: Told) -> None:
    registered(told, told.world.firm.uscc, address="太原市 小店区 学府街 1 号")
    registered(told, told.world.platform.uscc, address="太原市小店区学府街1号")
    row = findings(told, claimed(told))["same_address"]
    assert (row.row_no, row.weight) == (4, 1)


def test_row_08_other_firms_of_one_controller_are_a_flag(told: Told) -> None:
    sister = scenes.new_firm(told)
    sister.voucher()
    for firm in (told.world.firm, sister.world.firm):
        registered(told, firm.uscc, controller_id="14010519790101123X")
    row = findings(told, claimed(told))["one_controller"]
    assert (row.row_no, row.facts) == (8, {"count": 1})
    assert not kinds(told, claimed(scenes.new_firm(told)), 8)


def ring(told: Told, sellers: int) -> str:
    """Each party buys from the next; the last one from the first. The claim that closes it."""
    parties = [scenes.new_firm(scenes.new_provider(told)) for _ in range(sellers)]

    def join(session: Session, _at: datetime) -> None:
        for each in parties:
            host = session.get_one(Organisation, each.world.platform.organisation_id)
            owner = session.get_one(Organisation, each.world.firm.organisation_id)
            place = session.get_one(Platform, each.world.platform.platform_id)
            assert host.id != owner.id
            place.organisation_id = owner.id

    told.do(join)
    numbers = []
    for buyer, seller in zip(parties, [*parties[1:], parties[0]], strict=True):
        story = scenes.another(buyer, platform=_of(seller))
        numbers.append(claimed(story))
    return numbers[-1]


def _of(told: Told) -> factories.Provider:
    """The provider that is the story's firm by now."""
    place, firm = told.world.platform, told.world.firm
    return factories.Provider(
        place.platform_id,
        place.name,
        firm.organisation_id,
        firm.uscc,
        place.certification_id,
        place.scanner,
        place.manager,
    )


@pytest.mark.parametrize("parties", [2, 3])
def test_row_22_firms_that_buy_from_each_other_in_a_ring_are_a_flag(told: Told, parties: int) -> None:
    row = findings(told, ring(told, parties))["ring"]
    assert (row.row_no, row.facts) == (22, {"count": parties})


def test_the_facts_of_a_check_are_kept_with_the_version_that_ruled(told: Told) -> None:
    number = claimed(told)
    kept = told.one(FactSnapshot, subject=number)
    assert kept.rule_version == told.world.policy_code
    assert kept.facts["contract_fen"] == 100_000_00
    assert kept.facts["holder"] == told.world.firm.holder_ref
