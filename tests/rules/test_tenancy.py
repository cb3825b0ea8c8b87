"""Centres before the rules: whether a base may use its voucher, and a startup the programme of its centre's region."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.rules.test_policy_files import filled
from voucher.errors import Code
from voucher.rules import tenancy
from voucher.rules.tenancy import Place, Stay
from voucher.terms import CertificationState, Certifier, TenancyState

DAY = date(2020, 6, 1)
LHASA = filled("lhasa-startup-2019")
XINING = filled("xining-startup-2018")
CENTRE = Place(
    name="城关区双创中心",
    authority=Certifier.HUMAN_RESOURCES,
    region="城关区",
    region_path="/000000/540000/540100/540102/",
    from_on=date(2019, 1, 1),
    to_on=None,
    state=CertificationState.CERTIFIED,
)
BASE = replace(CENTRE, region="西宁市", region_path="/000000/630000/630100/")


def stay(entered_on: date = DAY, left_on: date | None = None, *places: Place) -> Stay:
    return Stay(entered_on=entered_on, left_on=left_on, places=places or (CENTRE,))


@pytest.mark.parametrize(
    ("entered_on", "left_on", "reason"),
    [
        (DAY, None, None),
        (DAY + timedelta(days=1), None, "not_tenant"),
        (date(2020, 1, 1), DAY, "not_tenant"),
        (date(2020, 1, 1), DAY + timedelta(days=1), None),
        (date(2020, 1, 1), DAY - timedelta(days=1), "not_tenant"),
    ],
    ids=["enters today", "enters tomorrow", "leaves today", "leaves tomorrow", "left yesterday"],
)
def test_a_startup_is_inside_from_its_day_of_entry_until_before_its_day_of_leaving(
    entered_on: date, left_on: date | None, reason: str | None
) -> None:
    found = tenancy.tenant(LHASA, [stay(entered_on, left_on)], on=DAY)
    assert (found[1]["reason"] if found else None) == reason
    if found is not None:
        assert found[0] is Code.NOT_QUALIFIED
        assert found[1]["clause"] == "四（三）"
        assert ("left_on" in found[1]) is (left_on is not None and left_on <= DAY)


def test_an_enclave_centres_tenant_is_paid_by_the_programme_of_the_region_that_certified_it() -> None:
    enclave = replace(CENTRE, region="山南市", region_path="/000000/540000/540500/")
    found = tenancy.tenant(LHASA, [stay(DAY, None, enclave)], on=DAY)
    assert found is not None
    assert (found[1]["reason"], found[1]["centre_region"]) == ("centre_region", "山南市")
    assert tenancy.tenant(replace(LHASA, owner_region="540500"), [stay(DAY, None, enclave)], on=DAY) is None


def test_a_park_pays_for_its_own_centres_tenants_and_not_for_the_countys() -> None:
    park = replace(CENTRE, region_path="/000000/540000/540100/540102/540102-GX/")
    programme = replace(LHASA, owner_region="540102-GX")
    assert tenancy.tenant(programme, [stay(DAY, None, park)], on=DAY) is None
    assert tenancy.tenant(programme, [stay()], on=DAY) is not None


def test_what_became_of_a_centre_later_does_not_touch_what_was_ordered_before() -> None:
    revoked = replace(CENTRE, state=CertificationState.REVOKED)
    found = tenancy.tenant(LHASA, [stay(DAY, None, revoked)], on=DAY)
    assert found is not None
    assert found[1]["reason"] == "centre_state"
    assert tenancy.tenant(LHASA, [stay(DAY, None, revoked)], on=DAY, past=True) is None
    science = replace(LHASA, centre_certifiers=(Certifier.SCIENCE,))
    found = tenancy.tenant(science, [stay()], on=DAY)
    assert found is not None
    assert found[1]["reason"] == "centre_certifier"
    nowhere = tenancy.tenant(LHASA, [Stay(entered_on=DAY, left_on=None, places=())], on=DAY)
    assert nowhere is not None
    assert nowhere[1]["reason"] == "centre_state"


@pytest.mark.parametrize(
    ("places", "reason"),
    [
        ((BASE,), None),
        ((replace(BASE, state=CertificationState.RECTIFYING),), None),
        ((), "no_centre"),
        ((replace(BASE, authority=Certifier.SCIENCE),), "certifier"),
        ((CENTRE,), "centre_region"),
        ((replace(BASE, to_on=DAY),), "period"),
        ((replace(BASE, from_on=DAY + timedelta(days=1)),), "period"),
        ((replace(BASE, state=CertificationState.SUSPENDED),), "state"),
        ((replace(BASE, state=CertificationState.REVOKED), BASE), None),
    ],
)
def test_a_base_is_certified_by_the_authority_that_the_policy_names(
    places: tuple[Place, ...], reason: str | None
) -> None:
    found = tenancy.base(XINING, places, on=DAY)
    assert (found[1]["reason"] if found else None) == reason
    if found is not None:
        assert (found[0], found[1]["clause"]) == (Code.CENTRE_NOT_CERTIFIED, "13")


def test_a_policy_that_asks_for_no_centre_passes_everybody() -> None:
    plain = filled("xining-innovation-2018")
    assert tenancy.base(plain, [], on=DAY) is None
    assert tenancy.tenant(plain, [], on=DAY) is None
    assert not tenancy.asks_for_places(plain)
    assert tenancy.asks_for_places(LHASA)
    assert tenancy.is_for_tenants(XINING)


def test_a_stay_has_a_state_on_every_day() -> None:
    def state(graduated_on: date | None, left_on: date | None, on: date) -> TenancyState:
        return tenancy.state_of(DAY, graduated_on, left_on, on)

    later = DAY + timedelta(days=10)
    assert state(None, None, DAY - timedelta(days=1)) is TenancyState.COMING
    assert state(None, None, DAY) is TenancyState.INCUBATING
    assert state(later, None, DAY) is TenancyState.INCUBATING
    assert state(later, None, later) is TenancyState.GRADUATED
    assert state(later, later, later) is TenancyState.LEFT
