"""Whether a voucher may buy a service somewhere: every verdict, and which one is told first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import SERVICES, Provider
from tests.operations.counter import refuses
from tests.operations.stories import Told
from tests.published import change as rewritten
from voucher.errors import Code
from voucher.models.parties import Affiliation, Certification, Organisation, Platform
from voucher.models.vouchers import Voucher
from voucher.operations.outcome import only
from voucher.operations.place_order import PlaceRequest, place_order
from voucher.terms import AffiliationKind, CertificationState, Certifier, VoucherState

TODAY = date(2026, 3, 2)


def placing(
    told: Told, voucher: str, *, service: str = SERVICES[0], platform_id: int = 0
) -> Callable[[Session, datetime], object]:
    request = PlaceRequest(voucher, platform_id or told.world.platform.platform_id, service)
    actor = told.world.firm.actor
    return lambda session, at: only(place_order(session, [request], actor=actor, at=at))


def change(told: Told, table: type[Any], key: Any, **values: object) -> None:
    def work(session: Session, _at: datetime) -> None:
        row = session.get_one(table, key)
        for name, value in values.items():
            setattr(row, name, value)

    told.do(work)


def certified(told: Told, **values: object) -> None:
    change(told, Certification, told.world.platform.certification_id, **values)


def tie(told: Told, kind: AffiliationKind) -> None:
    first, second = sorted((told.world.firm.organisation_id, told.world.platform.organisation_id))
    told.do(
        lambda session, _at: session.add(
            Affiliation(first_id=first, second_id=second, kind=kind.value, source="申报")
        )
    )


@pytest.mark.parametrize("service", SERVICES)
def test_a_certified_platform_of_the_region_sells_every_service_of_the_policy(
    told: Told, service: str
) -> None:
    told.do(placing(told, told.voucher(), service=service))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"authority": Certifier.EDUCATION.value}, "certifier"),
        ({"kinds": ["startup_voucher"]}, "kind"),
        ({"services": [SERVICES[1]]}, "service"),
        ({"from_on": TODAY + timedelta(days=1)}, "period"),
        ({"to_on": TODAY}, "period"),
    ],
)
def test_a_certification_that_does_not_cover_the_service_today_is_none(
    told: Told, values: dict[str, object], reason: str
) -> None:
    certified(told, **values)
    refuses(told, Code.SERVICE_NOT_CERTIFIED, placing(told, told.voucher()), reason=reason)


def test_a_certification_counts_from_its_first_day_to_the_day_before_its_end(told: Told) -> None:
    certified(told, from_on=TODAY, to_on=TODAY + timedelta(days=1))
    told.do(placing(told, told.voucher()))


def test_a_platform_or_service_that_does_not_exist_is_named(told: Told) -> None:
    voucher = told.voucher()
    refuses(told, Code.NOT_FOUND, placing(told, voucher, platform_id=99), platform=99)
    refuses(told, Code.SERVICE_NOT_CERTIFIED, placing(told, voucher, service="tax"), reason="not_in_policy")


def test_a_platform_without_any_certification_sells_nothing(told: Told) -> None:
    def bare(session: Session, at: datetime) -> int:
        return factories.platform(session, factories.organisation(session, at=at), at=at).id

    refuses(
        told,
        Code.SERVICE_NOT_CERTIFIED,
        placing(told, told.voucher(), platform_id=told.do(bare)),
        reason="certifier",
    )


@pytest.mark.parametrize("state", [CertificationState.SUSPENDED, CertificationState.REVOKED])
def test_a_platform_that_is_suspended_or_struck_off_sells_nothing(
    told: Told, state: CertificationState
) -> None:
    certified(told, state=state.value)
    refuses(told, Code.PROVIDER_SUSPENDED, placing(told, told.voucher()), state=state.value)


def test_a_certification_of_another_region_is_not_recognised_wherever_the_platform_stands(told: Told) -> None:
    certified(told, region_code="610000")
    voucher = told.voucher()
    facts = {"reason": "no_agreement", "home": "140000"}
    refuses(told, Code.NOT_RECOGNISED, placing(told, voucher), **facts)

    def another_service(session: Session, _at: datetime) -> None:
        place = session.get_one(Platform, told.world.platform.platform_id)
        factories.certification(session, place, services=(SERVICES[1],))

    told.do(another_service)
    refuses(told, Code.NOT_RECOGNISED, placing(told, voucher), **facts)
    certified(told, region_code="140100")
    told.do(placing(told, voucher))


def test_a_platform_outside_that_the_region_certified_is_recognised(told: Told) -> None:
    def in_xian(session: Session, at: datetime) -> Provider:
        return factories.provider(session, region_code="610100", at=at)

    told.do(placing(told, told.voucher(), platform_id=told.do(in_xian).platform_id))


@pytest.mark.parametrize("kind", AffiliationKind)
def test_a_firm_tied_to_the_platforms_host_buys_nothing_there(told: Told, kind: AffiliationKind) -> None:
    tie(told, kind)
    refuses(told, Code.AFFILIATED, placing(told, told.voucher()), relation=kind.value)


def test_a_firm_buys_nothing_from_itself(told: Told) -> None:
    change(told, Platform, told.world.platform.platform_id, organisation_id=told.world.firm.organisation_id)
    refuses(told, Code.AFFILIATED, placing(told, told.voucher()), relation="same_party")


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (VoucherState.REVOKED, Code.VOUCHER_REVOKED),
        (VoucherState.EXPIRED, Code.VOUCHER_EXPIRED),
        (VoucherState.RETURNED, Code.VOUCHER_NOT_USABLE),
    ],
)
def test_a_voucher_that_is_no_longer_live_buys_nothing(told: Told, state: VoucherState, code: Code) -> None:
    voucher = told.voucher()
    change(told, Voucher, told.one(Voucher, number=voucher).id, state=state.value)
    refuses(told, code, placing(told, voucher))


def test_a_programme_without_a_version_in_force_sells_nothing(told: Told) -> None:
    voucher = told.voucher()
    told.do(lambda s, _: rewritten(s, factories.POLICY, effective_to=TODAY))
    through = (TODAY - timedelta(days=1)).isoformat()
    refuses(told, Code.POLICY_EXPIRED, placing(told, voucher), policy=factories.POLICY, through=through)
    tomorrow = TODAY + timedelta(days=1)
    told.do(lambda s, _: rewritten(s, factories.POLICY, effective_from=tomorrow, effective_to=None))
    refuses(told, Code.POLICY_NOT_PUBLISHED, placing(told, voucher), on=TODAY.isoformat())


def test_a_firm_that_left_the_roster_next_year_buys_nothing(told: Told) -> None:
    voucher = told.voucher()
    told.at = datetime.fromisoformat("2027-01-01T00:00+08:00")
    refuses(told, Code.NOT_QUALIFIED, placing(told, voucher), reason="roster", year=2027)


def test_the_verdicts_come_in_their_order(told: Told) -> None:
    """Everything is wrong at once; one fault after the other is mended, and the next one is told."""
    voucher = told.voucher()
    key = told.one(Voucher, number=voucher).id
    change(told, Voucher, key, state=VoucherState.REVOKED.value)
    certified(told, services=["x"], state=CertificationState.SUSPENDED.value, region_code="610000")
    tie(told, AffiliationKind.CO_BUILDING)
    told.at = datetime.fromisoformat("2027-03-03T00:00+08:00")
    refuses(told, Code.VOUCHER_REVOKED, placing(told, voucher))
    change(told, Voucher, key, state=VoucherState.LIVE.value)
    refuses(told, Code.SERVICE_NOT_CERTIFIED, placing(told, voucher))
    certified(told, services=list(SERVICES))
    refuses(told, Code.PROVIDER_SUSPENDED, placing(told, voucher))
    certified(told, state=CertificationState.CERTIFIED.value)
    refuses(told, Code.NOT_RECOGNISED, placing(told, voucher))
    certified(told, region_code="140000")
    refuses(told, Code.AFFILIATED, placing(told, voucher))
    told.do(lambda session, _at: session.delete(session.scalars(select(Affiliation)).one()))
    refuses(told, Code.NOT_QUALIFIED, placing(told, voucher))

    def rostered(session: Session, at: datetime) -> None:
        owner = session.get_one(Organisation, told.world.firm.organisation_id)
        factories.on_roster(session, owner, by=told.world.reviewer, year=2027, at=at)

    told.do(rostered)
    refuses(told, Code.VOUCHER_EXPIRED, placing(told, voucher))
    change(told, Voucher, key, use_by=date(2027, 3, 3))
    told.do(placing(told, voucher))
