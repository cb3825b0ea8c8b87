"""An exit that was announced, and brought forward."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import FOLDER
from tests.operations.startup_world import PROGRAMME, Base, Tenant
from voucher.db import Database
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.models.journal import Journal
from voucher.models.orders import Order
from voucher.models.tenancies import Tenancy
from voucher.operations.cancel_order import CancelRequest, cancel_order
from voucher.operations.outcome import Refused, only
from voucher.operations.tenancies import GraduateRequest, LeaveRequest, Left, graduate, leave

TODAY = date(2026, 3, 2)
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def base(database: Database) -> Base:
    return Base(database)


@pytest.fixture
def tenant(base: Base) -> Tenant:
    """One that is to leave at the end of the year."""
    made = base.tenant()

    def announce(session: Session, at: datetime) -> None:
        session.get_one(Tenancy, made.tenancy_id).left_on = date(2026, 12, 31)

    base.do(announce)
    return made


def leaving(base: Base, tenant: Tenant, on: date) -> Left | Refused:
    """What becomes of an exit on this day."""
    asked = [LeaveRequest(tenant.tenancy_id, on)]
    return base.do(lambda s, at: leave(s, asked, actor=base.manager, at=at)[0])


def reason(answer: Left | Refused) -> object:
    assert isinstance(answer, Refused) and answer.code is Code.TENANCY_INVALID
    return answer.facts["reason"]


def test_an_announced_exit_is_brought_forward_once_and_gives_back_what_is_free(
    base: Base, tenant: Tenant
) -> None:
    voucher = base.voucher(face_fen=10_000_00)
    base.allot(voucher, [(tenant, 1_000_00)])
    assert reason(leaving(base, tenant, TODAY + timedelta(days=1))) == "days"
    gone = leaving(base, tenant, TODAY)
    assert isinstance(gone, Left)
    assert (gone.tenancy.left_on, gone.returned_fen) == (TODAY, 1_000_00)
    assert base.free(accounts.voucher(voucher)) == 10_000_00
    with base.database.read() as session:
        query = select(Journal.facts).where(Journal.action == "tenancy.leave")
        assert session.scalars(query).one() == {
            "on": "2026-03-02",
            "announced_on": "2026-12-31",
            "returned_fen": 1_000_00,
        }
    assert reason(leaving(base, tenant, YESTERDAY)) == "left"
    base.sound()


def test_an_announced_exit_is_not_brought_before_an_order_for_the_tenant(base: Base, tenant: Tenant) -> None:
    (number,) = base.allot(voucher := base.voucher(), [(tenant, 1_000_00)])
    order = base.placed(voucher, [(number, 100_00)])
    answer = leaving(base, tenant, TODAY)
    assert reason(answer) == "ordered" and isinstance(answer, Refused)
    assert (answer.facts["order"], answer.facts["earliest_on"]) == (order, "2026-03-03")
    cancelled = [CancelRequest(order, "不做了")]
    base.do(lambda s, at: only(cancel_order(s, cancelled, actor=base.manager, at=at)))
    assert isinstance(leaving(base, tenant, TODAY), Left)


def test_an_order_of_the_startup_itself_counts_where_its_programme_asks_for_the_centre(
    base: Base, tenant: Tenant
) -> None:
    other = base.tenant()
    (number,) = base.allot(voucher := base.voucher(), [(other, 1_000_00)])
    order = base.placed(voucher, [(number, 100_00)])
    text = (FOLDER / "lhasa-startup-2019.toml").read_text("utf-8")
    fill = (FOLDER / "fills" / "lhasa-startup-2019-demo.toml").read_text("utf-8")
    text = text.replace('"CN-540100-STARTUP"', f'"{PROGRAMME}"', 1).replace('"540100"', '"630100"')

    def its_own(session: Session, at: datetime) -> None:
        session.execute(update(Order).where(Order.number == order).values(holder_id=tenant.holder_id))

    base.do(its_own)

    def under_lhasas(session: Session, at: datetime) -> None:
        code = factories.policy_version(session, base.officer, text=text, fills=(fill,)).code
        session.execute(update(Order).where(Order.number == order).values(policy_code=code))

    base.do(under_lhasas)
    assert reason(leaving(base, tenant, TODAY)) == "ordered"


def test_nobody_leaves_before_graduating(base: Base, tenant: Tenant) -> None:
    asked = [GraduateRequest(tenant.tenancy_id, TODAY)]
    base.do(lambda s, at: only(graduate(s, asked, actor=base.manager, at=at)))
    assert reason(leaving(base, tenant, YESTERDAY)) == "days"
    assert isinstance(leaving(base, tenant, TODAY), Left)
