"""Which agreement recognises a platform of another region, and the one reason where none does."""

from __future__ import annotations

import time
from datetime import date, timedelta

import pytest

from tests.pace import within
from tests.rules.agreements import agreement
from voucher.rules.agreement_overlap import overlap
from voucher.rules.recognition import (
    Foreign,
    Listing,
    NotRecognised,
    Recognised,
    Standing,
    Wanted,
    not_recognised,
    recognise,
    still_recognised,
)
from voucher.terms import CertificationState, RecognitionReason, VoucherKind

FIRST, LAST = date(2026, 1, 1), date(2027, 12, 31)
LISTED = (Listing(FIRST),)
SHAANXI = [Foreign("610000", CertificationState.CERTIFIED)]
Pairs = tuple[tuple[str, str], ...]


def wanted(**changes: object) -> Wanted:
    given = {
        "home": "140000",
        "kind": VoucherKind.INNOVATION,
        "service": "technical_cooperation",
        "on": date(2026, 3, 2),
    }
    return Wanted(**given | changes)  # type: ignore[arg-type]


def standing(*pairs: tuple[str, str], version_id: int = 1, **changes: object) -> Standing:
    given = {"version_id": version_id, "agreement": agreement(*pairs), "listings": LISTED}
    return Standing(**given | changes)  # type: ignore[arg-type]


def between(home: str, other: str, **changes: object) -> Standing:
    pairs = (
        ('region = "140000"', 'region = "HOME"'),
        ('region = "610000"', f'region = "{other}"'),
        ('region = "HOME"', f'region = "{home}"'),
        ('agreement = "JINSHAN"', f'agreement = "{home}-{other}"'),
        ('code = "JINSHAN-2026"', f'code = "{home}-{other}-1"'),
    )
    return standing(*pairs, **changes)  # type: ignore[arg-type]


def refused(found: Recognised | NotRecognised) -> tuple[str, str]:
    assert isinstance(found, NotRecognised), found
    return found.reason.value, found.clause


def test_a_platform_on_the_registry_of_the_other_party_is_recognised_and_the_books_are_named() -> None:
    found = recognise(wanted(), SHAANXI, [standing()])
    assert isinstance(found, Recognised)
    assert (found.version_id, found.home.book, found.other.book, found.region) == (
        1,
        "140000",
        "610000",
        "610000",
    )


@pytest.mark.parametrize(
    ("on", "is_recognised"),
    [
        (FIRST - timedelta(days=1), False),
        (FIRST, True),
        (LAST, True),
        (LAST + timedelta(days=1), False),
    ],
)
def test_an_agreement_holds_from_its_first_day_to_its_last(on: date, *, is_recognised: bool) -> None:
    listed = standing(listings=(Listing(date(2020, 1, 1)),))
    found = recognise(wanted(on=on), SHAANXI, [listed])
    assert isinstance(found, Recognised) is is_recognised
    if not is_recognised:
        assert refused(found) == ("agreement_expired", "7")


def test_an_agreement_that_was_ended_early_admits_until_the_day_before() -> None:
    ended = standing(ended_on=date(2026, 3, 2))
    assert isinstance(recognise(wanted(on=date(2026, 3, 1)), SHAANXI, [ended]), Recognised)
    assert refused(recognise(wanted(), SHAANXI, [ended]))[0] == "agreement_expired"


def test_one_reason_for_each_refusal_with_the_clause_that_it_rests_on() -> None:
    one_way = (
        ('value = "both"', 'value = "one_way"'),
        ('book = "140000"', 'book = "140000"\npart = "provider"'),
        ('book = "610000"', 'book = "610000"\npart = "home"'),
    )
    suspended = [Foreign("610000", CertificationState.SUSPENDED)]
    cases = {
        ("no_agreement", ""): recognise(wanted(home="310000"), SHAANXI, [standing()]),
        ("agreement_expired", "7"): recognise(wanted(), SHAANXI, [standing(is_revoked=True)]),
        ("direction", "1"): recognise(wanted(), SHAANXI, [standing(*one_way)]),
        ("kind", "2"): recognise(wanted(kind=VoucherKind.STARTUP), SHAANXI, [standing()]),
        ("service", "3"): recognise(wanted(service="tax"), SHAANXI, [standing()]),
        ("registry", "4"): recognise(wanted(), SHAANXI, [standing(listings=())]),
        ("provider_status", "4"): recognise(wanted(), SHAANXI, [standing(suspended_in=("140000",))]),
    }
    assert {refused(found): key for key, found in cases.items()} == {key: key for key in cases}
    assert refused(recognise(wanted(), suspended, [standing()])) == ("provider_status", "4")
    assert refused(recognise(wanted(), SHAANXI, [])) == ("no_agreement", "")


def test_one_way_admits_that_way_and_not_the_other() -> None:
    buys = standing(
        ('value = "both"', 'value = "one_way"'),
        ('book = "140000"', 'book = "140000"\npart = "home"'),
        ('book = "610000"', 'book = "610000"\npart = "provider"'),
    )
    assert isinstance(recognise(wanted(), SHAANXI, [buys]), Recognised)
    shanxi = [Foreign("140000", CertificationState.CERTIFIED)]
    assert refused(recognise(wanted(home="610000"), shanxi, [buys]))[0] == "direction"


@pytest.mark.parametrize(
    ("on", "is_recognised"),
    [
        (date(2026, 2, 28), False),
        (date(2026, 3, 1), True),
        (date(2026, 3, 31), True),
        (date(2026, 4, 1), False),
    ],
)
def test_an_entry_of_the_registry_counts_on_its_days(on: date, *, is_recognised: bool) -> None:
    listed = standing(listings=(Listing(date(2026, 3, 1), date(2026, 4, 1)),))
    assert isinstance(recognise(wanted(on=on), SHAANXI, [listed]), Recognised) is is_recognised


def test_without_a_registry_every_platform_that_the_other_region_certified_is_recognised() -> None:
    every = standing(('value = "listed"', 'value = "certified"'), listings=())
    assert isinstance(recognise(wanted(), SHAANXI, [every]), Recognised)
    assert still_recognised(every, SHAANXI) is None
    away = standing(('value = "listed"', 'value = "certified"'), listings=(), suspended_in=("610000",))
    assert refused(recognise(wanted(), SHAANXI, [away]))[0] == "provider_status"


def test_an_ancestor_binds_its_children_only_where_the_agreement_says_so() -> None:
    xian = [Foreign("610100", CertificationState.CERTIFIED)]
    assert isinstance(recognise(wanted(home="140525"), xian, [standing()]), Recognised)
    free = standing(("binds_children = true", "binds_children = false"))
    assert refused(recognise(wanted(home="140525"), xian, [free]))[0] == "no_agreement"
    assert refused(recognise(wanted(), xian, [free]))[0] == "no_agreement"


def test_two_regions_below_one_party_are_no_two_parties() -> None:
    taiyuan = [Foreign("140100", CertificationState.CERTIFIED)]
    assert refused(recognise(wanted(home="140500"), taiyuan, [standing()]))[0] == "no_agreement"


def test_a_with_b_and_b_with_c_do_not_give_a_with_c() -> None:
    pair = [between("140000", "610000"), between("610000", "410000", version_id=2)]
    henan = [Foreign("410000", CertificationState.CERTIFIED)]
    assert refused(recognise(wanted(), henan, pair)) == ("no_agreement", "")
    assert isinstance(recognise(wanted(home="610000"), henan, pair), Recognised)


def test_of_two_that_admit_the_nearest_rules_then_the_later_then_the_code() -> None:
    xian = [Foreign("610100", CertificationState.CERTIFIED)]
    provinces, cities = standing(), between("140100", "610100", version_id=2)
    mixed = between("140100", "610000", version_id=3)
    for given in ([provinces, cities, mixed], [mixed, cities, provinces]):
        found = recognise(wanted(home="140105"), xian, given)
        assert isinstance(found, Recognised) and found.version_id == 2
    xian_by_province = recognise(wanted(home="140105"), SHAANXI, [provinces, mixed])
    assert isinstance(xian_by_province, Recognised) and xian_by_province.version_id == 3
    later = standing(("value = 2026-01-01", "value = 2026-02-01"), ('"JINSHAN-2026"', '"ZZ"'), version_id=4)
    found = recognise(wanted(), SHAANXI, [provinces, later])
    assert isinstance(found, Recognised) and found.version_id == 4
    twin = standing(('"JINSHAN-2026"', '"JINSHAN-2025"'), version_id=5)
    found = recognise(wanted(), SHAANXI, [provinces, twin])
    assert isinstance(found, Recognised) and found.version_id == 5


def test_a_nearer_agreement_that_does_not_admit_leaves_it_to_the_farther_one() -> None:
    xian = [Foreign("610100", CertificationState.CERTIFIED)]
    cities = between("140100", "610100", version_id=2, listings=())
    found = recognise(wanted(home="140105"), xian, [cities, standing()])
    assert isinstance(found, Recognised) and found.version_id == 1


def test_of_several_that_refuse_the_one_that_came_furthest_says_why() -> None:
    expired = standing(("value = 2027-12-31", "value = 2026-02-28"))
    unlisted = standing(version_id=2, listings=())
    assert refused(recognise(wanted(), SHAANXI, [expired, unlisted]))[0] == "registry"
    assert refused(recognise(wanted(), SHAANXI, [unlisted, expired]))[0] == "registry"


def test_an_order_placed_under_an_agreement_goes_on_after_its_end_and_stops_when_something_is_withdrawn() -> (
    None
):
    assert still_recognised(standing(ended_on=FIRST), SHAANXI) is None
    stops = {
        "agreement_expired": standing(is_revoked=True),
        "registry": standing(listings=()),
        "provider_status": standing(suspended_in=("610000",)),
    }
    for reason, each in stops.items():
        found = still_recognised(each, SHAANXI)
        assert found is not None
        assert found.reason.value == reason
        assert found.clause
    lost = still_recognised(standing(), [])
    assert lost is not None and lost.reason is RecognitionReason.PROVIDER_STATUS
    suspended = [Foreign("610000", CertificationState.SUSPENDED)]
    assert still_recognised(standing(), suspended) is not None


def test_the_facts_of_a_refusal_name_document_and_clause() -> None:
    found = recognise(wanted(), SHAANXI, [standing(listings=())])
    assert isinstance(found, NotRecognised)
    assert found.facts("140000") == {
        "reason": "registry",
        "agreement": "JINSHAN",
        "document_no": "演晋陕互认〔2026〕1号",
        "clause": "4",
        "home": "140000",
        "certifying_region": "610000",
    }


def test_two_agreements_overlap_only_for_the_same_regions_kinds_services_and_days() -> None:
    ours = agreement()
    other: Pairs = (('agreement = "JINSHAN"', 'agreement = "OTHER"'),)
    assert overlap(ours, agreement(*other)) == ("140000", "610000")
    assert overlap(ours, agreement(*other), other_ends_on=date(2026, 1, 1)) is None
    assert overlap(ours, agreement(*other), other_ends_on=date(2026, 1, 2)) == ("140000", "610000")
    apart: tuple[Pairs, ...] = (
        (("value = 2026-01-01", "value = 2028-01-01"), ("2027-12-31", "2029-12-31")),
        (("value = 2026-01-01", "value = 2024-01-01"), ("2027-12-31", "2025-12-31")),
        (('["innovation_voucher"]', '["startup_voucher"]'),),
        (('["innovation_service_purchase", "technical_cooperation"]', '["tax"]'),),
        (('region = "610000"', 'region = "410000"'),),
        (('region = "610000"', 'region = "610100"'),),
    )
    for pairs in apart:
        assert overlap(ours, agreement(*other, *pairs)) is None, pairs
    buys = agreement(
        ('value = "both"', 'value = "one_way"'),
        ('book = "140000"', 'book = "140000"\npart = "home"'),
        ('book = "610000"', 'book = "610000"\npart = "provider"'),
    )
    sells = agreement(
        ('value = "both"', 'value = "one_way"'),
        ('book = "140000"', 'book = "140000"\npart = "provider"'),
        ('book = "610000"', 'book = "610000"\npart = "home"'),
    )
    assert overlap(buys, sells) is None
    assert overlap(buys, ours) == ("140000", "610000")


def test_a_decision_among_twenty_agreements_takes_less_than_a_fifth_of_a_millisecond() -> None:
    many = [between("140000", f"{code:02d}0000", version_id=code) for code in range(41, 60)] + [standing()]
    asked, rounds = wanted(), 500
    with within(rounds * 0.0002, time.process_time):
        for _ in range(rounds):
            recognise(asked, SHAANXI, many)


def test_a_refusal_without_a_clause_names_none() -> None:
    bare = not_recognised(RecognitionReason.NO_AGREEMENT, None, "")
    assert bare == {"reason": "no_agreement"}
    named = not_recognised(RecognitionReason.KIND, agreement(), "")
    assert set(named) == {"reason", "agreement", "document_no"}
