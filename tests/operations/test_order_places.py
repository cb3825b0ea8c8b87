"""The centre that a startup's own order rests on, when its money is held or captured."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.operations.stories import Told
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.models.centres import Centre
from voucher.models.orders import Order
from voucher.models.tenancies import Tenancy
from voucher.operations.order_places import OrderPlaces
from voucher.operations.policies import policy_of
from voucher.terms import CentreKind, CertificationState, Certifier, EligibilityRule

ORDERED_ON = factories.AT.date()


@pytest.fixture
def told(database: Database) -> Told:
    return Told(database)


def inside(told: Told, *, left_on: date | None = None) -> int:
    """The id of a live centre that the world's firm is inside."""

    def work(session: Session, at: datetime) -> int:
        host = factories.organisation(session, region_code="140105")
        centre = Centre(
            organisation_id=host.id,
            name="小店区双创中心",
            kind=CentreKind.IE_CENTRE.value,
            authority=Certifier.SCIENCE.value,
            certifying_region="140105",
            location_region="140105",
            grade="",
            document_no="小科认〔2025〕1号",
            from_on=date(2025, 1, 1),
            state=CertificationState.CERTIFIED.value,
            created_at=at,
        )
        session.add(centre)
        session.flush()
        stay = Tenancy(
            centre_id=centre.id,
            holder_id=told.world.firm.holder_id,
            entered_on=date(2025, 6, 1),
            left_on=left_on,
            registered_by=told.world.officer.person_id,
            registered_at=at,
        )
        session.add(stay)
        session.flush()
        return centre.id

    return told.do(work)


def check(told: Told, number: str) -> None:
    """What is asked of an order under a policy for startups inside a centre."""

    def work(session: Session, at: datetime) -> None:
        order = session.scalars(select(Order).where(Order.number == number)).one()
        asking = replace(
            policy_of(session, order.policy_code),
            eligibility=(EligibilityRule.TENANT_OF_CENTRE,),
            centre_certifiers=(),
        )
        OrderPlaces(session, [(order, asking)]).check(order, asking)

    told.do(work)


def test_a_startups_order_stops_with_the_centre_that_it_is_in(told: Told) -> None:
    centre_id, order = inside(told), told.held_order()
    check(told, order)

    def suspend(session: Session, at: datetime) -> None:
        session.get_one(Centre, centre_id).state = CertificationState.SUSPENDED.value

    told.do(suspend)
    with pytest.raises(Refusal) as stopped:
        check(told, order)
    assert (stopped.value.code, stopped.value.facts["reason"]) == (Code.NOT_QUALIFIED, "centre_state")


def test_who_left_after_ordering_may_finish_the_order(told: Told) -> None:
    inside(told, left_on=date(2026, 3, 5))
    order = told.held_order()
    told.after(days=10)
    check(told, order)


def test_who_was_in_no_centre_on_the_orders_day_is_refused(told: Told) -> None:
    inside(told, left_on=ORDERED_ON)
    with pytest.raises(Refusal) as stopped:
        check(told, told.held_order())
    assert stopped.value.facts["reason"] == "not_tenant"
