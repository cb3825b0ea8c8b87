from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.rules.policies import policy
from voucher.errors import Code
from voucher.money import Fen
from voucher.rules import eligibility
from voucher.rules.eligibility import Certification, Edge
from voucher.terms import AffiliationKind, CertificationState, Certifier, VoucherKind, VoucherState

DAY = date(2026, 6, 1)
LAB = Certification(
    certifier=Certifier.SCIENCE,
    kinds=(VoucherKind.INNOVATION,),
    services=("testing",),
    valid_from=date(2026, 6, 1),
    valid_to=date(2026, 6, 2),
    state=CertificationState.CERTIFIED,
)
SUSPENDED = replace(LAB, state=CertificationState.SUSPENDED)
REVOKED = replace(LAB, state=CertificationState.REVOKED)


def code_and(fact: str, finding: eligibility.Finding) -> tuple[Code, Any] | None:
    return None if finding is None else (finding[0], finding[1][fact])


def test_only_the_classes_of_the_policy_are_served() -> None:
    assert eligibility.holder_class(policy(), "tech_sme") is None
    refused = eligibility.holder_class(policy(), "team")
    assert code_and("reason", refused) == (Code.NOT_QUALIFIED, "holder_class")


def test_the_roster_of_last_year_does_not_qualify_this_year() -> None:
    assert eligibility.roster(policy(), {2025, 2026}, DAY) is None
    assert code_and("year", eligibility.roster(policy(), {2025}, DAY)) == (Code.NOT_QUALIFIED, 2026)
    assert eligibility.roster(policy(), {2026}, date(2027, 1, 1)) is not None


def test_a_policy_that_asks_for_no_roster_takes_everybody() -> None:
    assert eligibility.roster(policy(eligibility=()), (), DAY) is None


def affiliation(*edges: Edge, host: str = "HOST", **changes: Any) -> tuple[Code, Any] | None:
    found = eligibility.affiliation(policy(**changes), enterprise_uscc="FIRM", host_uscc=host, edges=edges)
    return code_and("relation", found)


def test_a_firm_cannot_redeem_at_its_own_platform() -> None:
    assert affiliation(host="FIRM") == (Code.AFFILIATED, "same_party")


@pytest.mark.parametrize("kind", list(AffiliationKind))
@pytest.mark.parametrize("ends", [("FIRM", "HOST"), ("HOST", "FIRM")])
def test_a_registered_relation_in_either_direction_is_refused(
    kind: AffiliationKind, ends: tuple[str, str]
) -> None:
    assert affiliation(Edge(kind=kind, one=ends[0], other=ends[1])) == (Code.AFFILIATED, kind.value)


def test_relations_with_others_do_not_count() -> None:
    assert affiliation(Edge(kind=AffiliationKind.SUBORDINATION, one="FIRM", other="THIRD")) is None
    assert affiliation() is None


@pytest.mark.parametrize(
    ("threshold", "share", "refused"),
    [(2_500, 2_499, False), (2_500, 2_500, True), (2_500, None, True), (None, 1, True)],
)
def test_a_shareholding_counts_from_the_threshold_of_the_policy(
    threshold: int | None, share: int | None, refused: bool
) -> None:
    edge = Edge(kind=AffiliationKind.SHAREHOLDING, one="FIRM", other="HOST", share_bp=share)
    assert (affiliation(edge, affiliation_share_bp=threshold) is not None) is refused


def platform(*certifications: Certification, on: date = DAY, service: str = "testing") -> eligibility.Finding:
    return eligibility.platform(policy(), certifications, service=service, on=on)


def test_a_platform_certified_for_kind_and_service_on_the_day_may_redeem() -> None:
    assert platform(LAB) is None
    assert platform(SUSPENDED, LAB) is None
    assert platform(replace(LAB, valid_to=None), on=date(2040, 1, 1)) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"certifier": Certifier.HUMAN_RESOURCES}, "certifier"),
        ({"kinds": (VoucherKind.STARTUP,)}, "kind"),
        ({"services": ("training",)}, "service"),
        ({"valid_from": date(2026, 6, 2)}, "period"),
        ({"valid_to": date(2026, 6, 1)}, "period"),
    ],
)
def test_a_certification_of_another_sort_does_not_serve_this_voucher(
    change: dict[str, Any], reason: str
) -> None:
    assert code_and("reason", platform(replace(LAB, **change))) == (Code.SERVICE_NOT_CERTIFIED, reason)


def test_a_platform_without_any_certification_is_refused() -> None:
    assert code_and("reason", platform()) == (Code.SERVICE_NOT_CERTIFIED, "certifier")


def test_conditions_met_by_two_different_certifications_do_not_add_up() -> None:
    other_kind = replace(LAB, kinds=(VoucherKind.STARTUP,))
    other_service = replace(LAB, services=("training",))
    assert code_and("reason", platform(other_kind, other_service)) == (Code.SERVICE_NOT_CERTIFIED, "service")


def test_a_suspended_or_revoked_platform_is_refused_with_its_state() -> None:
    assert code_and("state", platform(SUSPENDED, REVOKED)) == (Code.PROVIDER_SUSPENDED, "suspended")
    assert code_and("state", platform(REVOKED)) == (Code.PROVIDER_SUSPENDED, "revoked")


@pytest.mark.parametrize(
    ("state", "on", "code"),
    [
        (VoucherState.LIVE, date(2026, 6, 1), None),
        (VoucherState.LIVE, date(2026, 6, 2), Code.VOUCHER_EXPIRED),
        (VoucherState.EXPIRED, date(2026, 1, 1), Code.VOUCHER_EXPIRED),
        (VoucherState.REVOKED, date(2026, 1, 1), Code.VOUCHER_REVOKED),
        (VoucherState.REVOKED, date(2026, 6, 2), Code.VOUCHER_REVOKED),
        (VoucherState.RETURNED, date(2026, 1, 1), Code.VOUCHER_NOT_USABLE),
    ],
)
def test_a_voucher_lives_to_the_end_of_its_last_day_and_revoked_wins(
    state: VoucherState, on: date, code: Code | None
) -> None:
    found = eligibility.voucher_live(state, DAY, on)
    assert (found[0] if found else None) is code


@pytest.mark.parametrize(
    ("amount", "fits"), [(999_99, False), (1_000_00, True), (200_000_00, True), (200_000_01, False)]
)
def test_a_face_value_keeps_within_the_bounds_of_the_policy(amount: int, fits: bool) -> None:
    found = eligibility.face(policy(), Fen(amount))
    assert (found is None) is fits
    assert found is None or found[0] is Code.FACE_OUT_OF_RANGE


def test_a_policy_without_bounds_takes_any_face_value() -> None:
    assert eligibility.face(policy(face_min_fen=None, face_max_fen=None), Fen(1)) is None


@pytest.mark.parametrize(
    ("contract", "fits"),
    [(date(2026, 5, 31), False), (DAY, True), (date(2026, 6, 5), True), (date(2026, 6, 6), False)],
)
def test_a_contract_is_neither_older_than_the_order_nor_of_tomorrow(contract: date, fits: bool) -> None:
    found = eligibility.contract_date(contract, DAY, today=date(2026, 6, 5))
    assert (found is None) is fits
    assert found is None or found[0] is Code.CONTRACT_DATE_INVALID


def test_a_team_stands_on_no_roster_of_firms() -> None:
    assert eligibility.roster(policy(), set(), DAY, held="team") is None
