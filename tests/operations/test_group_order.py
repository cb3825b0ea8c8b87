"""Orders that a base places for its tenants: money from each allotment, captured for those who attended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests.operations.startup_world import SERVICE, Base, platform
from tests.operations.stories import snapshot
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.models.centres import Centre
from voucher.models.orders import Order
from voucher.models.parties import Affiliation, Holder, Organisation
from voucher.models.tenancies import OrderBeneficiary, Tenancy
from voucher.money import Fen
from voucher.operations.bar_claim import Wanted, bars
from voucher.operations.centre_states import CentreChange, change_centres
from voucher.operations.confirm_order import ConfirmRequest, confirm_order
from voucher.operations.group_order import Line, TenantOrderRequest, place_for_tenants
from voucher.operations.outcome import Refused, only
from voucher.operations.place_order import PlaceRequest
from voucher.operations.policies import policy_of
from voucher.operations.reverse import ReverseRequest, reverse
from voucher.operations.tenancies import LeaveRequest, leave
from voucher.rules.lifecycle import Event
from voucher.terms import AffiliationKind, CentreKind, CertificationState, OrderState

TODAY = date(2026, 3, 2)


@pytest.fixture
def base(database: Database) -> Base:
    return Base(database)


def group(base: Base, many: int, *, each_fen: int = 5_000_00) -> tuple[str, list[str]]:
    """A voucher, and as many allotments of it, each for a tenant of its own."""
    voucher = base.voucher(face_fen=200_000_00)
    tenants = [base.tenant() for _ in range(many)]
    return voucher, base.allot(voucher, [(tenant, each_fen) for tenant in tenants])


def attended(base: Base, order: str, who: list[bool]) -> None:
    """Say of each line whether its tenant attended."""

    def work(session: Session, at: datetime) -> None:
        query = select(OrderBeneficiary).join(Order, Order.id == OrderBeneficiary.order_id)
        rows = session.scalars(query.where(Order.number == order).order_by(OrderBeneficiary.position))
        for row, there in zip(rows, who, strict=True):
            row.attended = there

    base.do(work)


def test_a_group_order_of_twelve_draws_on_each_allotment_to_the_fen(base: Base) -> None:
    voucher, numbers = group(base, 12)
    # 12 × 333.33 and one fen more: half of 3,999.97 is 1,999.98, and the odd fen find their places.
    lines = [(number, 333_33 + (1 if place == 0 else 0)) for place, number in enumerate(numbers)]
    order = base.held(voucher, lines)
    held = [5_000_00 - base.left(number) for number in numbers]
    assert sum(held) == base.order(order).held_fen == 1_999_98
    assert set(held) == {166_66, 166_67}
    base.sound()


@pytest.mark.parametrize("present", [12, 5, 0])
def test_of_a_group_order_those_who_attended_are_captured_and_the_absent_get_theirs_back(
    base: Base, present: int
) -> None:
    voucher, numbers = group(base, 12)
    order = base.held(voucher, [(number, 1_000_01) for number in numbers])
    held = [5_000_00 - base.left(number) for number in numbers]
    base.deliver(order)
    attended(base, order, [place < present for place in range(12)])
    assert base.confirm(order) == sum(held[:present])
    spent = [5_000_00 - base.left(number) for number in numbers]
    assert spent == held[:present] + [0] * (12 - present)
    state = base.order(order).state
    assert state == (OrderState.CAPTURED if present else OrderState.RELEASED).value
    base.sound()


def test_a_group_order_is_not_captured_before_it_is_known_who_attended(base: Base) -> None:
    voucher, numbers = group(base, 2)
    order = base.held(voucher, [(number, 1_000_00) for number in numbers])
    base.deliver(order)
    before = snapshot(base.database)
    (answer,) = base.do(lambda s, at: confirm_order(s, [ConfirmRequest(order)], actor=base.manager, at=at))
    assert isinstance(answer, Refused)
    assert (answer.code, answer.facts["unknown"]) == (Code.ATTENDANCE_MISSING, 2)
    assert snapshot(base.database) == before


def test_a_reversal_gives_each_tenant_its_part_back_and_to_the_voucher_for_one_that_left(base: Base) -> None:
    voucher = base.voucher()
    tenants = [base.tenant() for _ in range(3)]
    numbers = base.allot(voucher, [(tenant, 1_000_00) for tenant in tenants])
    order = base.held(voucher, [(number, 1_000_01) for number in numbers])
    base.deliver(order)
    attended(base, order, [True, True, False])
    base.confirm(order)
    gone = [LeaveRequest(tenants[0].tenancy_id, TODAY)]
    base.do(lambda s, at: only(leave(s, gone, actor=base.manager, at=at)))
    asked = [ReverseRequest(order, "办错")]
    base.do(lambda s, at: only(reverse(s, asked, actor=base.platform.manager, at=at)))
    assert [base.left(number) for number in numbers] == [0, 1_000_00, 1_000_00]
    assert base.free(accounts.voucher(voucher)) == 98_000_00
    base.sound()


def test_a_part_that_is_more_than_the_allotment_leaves_is_cut_to_it_and_the_others_are_not(
    base: Base,
) -> None:
    voucher = base.voucher()
    rich, poor = base.tenant(), base.tenant()
    numbers = base.allot(voucher, [(rich, 10_000_00), (poor, 100_00)])
    order = base.held(voucher, [(number, 4_000_00) for number in numbers])
    assert [base.left(number) for number in numbers] == [8_000_00, 0]
    row = base.order(order)
    assert (row.held_fen, row.reductions[0]["limit"]) == (2_100_00, "allotment")
    base.sound()


def related(base: Base, kind: str) -> None:
    """The platform's host is the base itself, or a firm that it holds shares of."""

    def work(session: Session, at: datetime) -> None:
        owner = session.get_one(Organisation, base.organisation_id)
        if kind == "itself":
            base.platform = platform(session, host=owner)
            return
        first, second = sorted((owner.id, base.platform.organisation_id))
        held = AffiliationKind.SHAREHOLDING.value
        session.add(Affiliation(first_id=first, second_id=second, kind=held, source="申报", share_bp=5_000))

    base.do(work)


@pytest.mark.parametrize("kind", ["itself", "an affiliate"])
@pytest.mark.parametrize("allowed", [False, True])
def test_a_base_sells_to_its_tenants_neither_itself_nor_by_an_affiliate_unless_the_authority_allows_it(
    database: Database, kind: str, allowed: bool
) -> None:
    base = Base(database, extra="\n[own_services]\nvalue = true\n" if allowed else "")
    related(base, kind)
    voucher, numbers = group(base, 1)
    asked = [base.asking(voucher, [(numbers[0], 1_000_00)])]
    (answer,) = base.do(lambda s, at: place_for_tenants(s, asked, actor=base.manager, at=at))
    assert isinstance(answer, Refused) is not allowed
    if isinstance(answer, Refused):
        assert answer.code is Code.AFFILIATED


def test_a_tenant_buys_nothing_from_itself(base: Base) -> None:
    tenant, voucher = base.tenant(), base.voucher()
    (number,) = base.allot(voucher, [(tenant, 1_000_00)])

    def work(session: Session, at: datetime) -> object:
        own = platform(session, host=session.get_one(Organisation, tenant.organisation_id))
        asked = TenantOrderRequest(
            PlaceRequest(voucher, own.platform_id, SERVICE), (Line(number, Fen(1_00)),)
        )
        return place_for_tenants(session, [asked], actor=base.manager, at=at)[0]

    answer = base.do(work)
    assert isinstance(answer, Refused)
    assert answer.code is Code.AFFILIATED


@pytest.mark.parametrize(
    ("left_on", "allowed"), [(TODAY, False), (date(2026, 3, 3), True), (date(2026, 3, 1), False)]
)
def test_a_tenant_that_left_yesterday_or_leaves_today_is_out_and_one_that_leaves_tomorrow_is_in(
    base: Base, left_on: date, allowed: bool
) -> None:
    tenant, voucher = base.tenant(), base.voucher()
    (number,) = base.allot(voucher, [(tenant, 1_000_00)])
    away = update(Tenancy).where(Tenancy.id == tenant.tenancy_id).values(left_on=left_on)
    base.do(lambda s, at: s.execute(away).close())
    asked = [base.asking(voucher, [(number, 1_000_00)])]
    (answer,) = base.do(lambda s, at: place_for_tenants(s, asked, actor=base.manager, at=at))
    assert isinstance(answer, Refused) is not allowed
    if isinstance(answer, Refused):
        assert (answer.code, answer.facts["reason"]) == (Code.TENANCY_INVALID, "outside")


def test_an_order_for_a_tenant_whose_centre_is_suspended_is_refused_though_another_of_the_base_is_not(
    base: Base,
) -> None:
    tenant, voucher = base.tenant(), base.voucher()
    (number,) = base.allot(voucher, [(tenant, 1_000_00)])

    def work(session: Session, at: datetime) -> None:
        base.certified(session, base.organisation_id, kind=CentreKind.STARTUP_PARK)
        session.get_one(Centre, base.centre_id).state = CertificationState.SUSPENDED.value

    base.do(work)
    asked = [base.asking(voucher, [(number, 1_000_00)])]
    (answer,) = base.do(lambda s, at: place_for_tenants(s, asked, actor=base.manager, at=at))
    assert isinstance(answer, Refused) and answer.code is Code.CENTRE_NOT_CERTIFIED
    assert answer.facts["reason"] == "state"


def test_lines_name_tenants_of_this_voucher_each_once(base: Base) -> None:
    voucher, (number,) = group(base, 1)
    other, (foreign,) = group(base, 1)

    def code(lines: list[tuple[str, int]]) -> Code:
        asked = [base.asking(voucher, lines)]
        (answer,) = base.do(lambda s, at: place_for_tenants(s, asked, actor=base.manager, at=at))
        assert isinstance(answer, Refused)
        return answer.code

    assert code([]) is Code.TENANT_NEEDED
    assert code([(number, 1), (number, 2)]) is Code.TENANT_NEEDED
    assert code([(foreign, 1)]) is Code.NOT_FOUND
    assert other != voucher


def test_an_exit_written_down_late_stops_the_claim_of_what_was_ordered_after_it(base: Base) -> None:
    tenant, voucher = base.tenant(), base.voucher()
    (number,) = base.allot(voucher, [(tenant, 10_000_00)])
    order = base.held(voucher, [(number, 2_000_00)])
    base.deliver(order)
    base.confirm(order)

    def bar(session: Session, at: datetime) -> Refused | None:
        row = session.scalars(select(Order).where(Order.number == order)).one()
        holder = session.get_one(Holder, row.holder_id)
        policy = policy_of(session, row.policy_code)
        host = base.platform.organisation_id
        return bars(session, [Wanted(order=row, holder=holder, host_id=host, policy=policy)], at=at)[0]

    assert base.do(bar) is None
    late = [LeaveRequest(tenant.tenancy_id, date(2026, 3, 1))]
    base.do(lambda s, at: only(leave(s, late, actor=base.manager, at=at)))
    answer = base.do(bar)
    assert answer is not None
    assert (answer.code, answer.facts["reason"]) == (Code.TENANCY_INVALID, "outside")


def test_an_order_in_flight_stops_with_its_tenants_centre_and_goes_on_when_that_is_restored(
    base: Base,
) -> None:
    tenant, voucher = base.tenant(), base.voucher()
    (number,) = base.allot(voucher, [(tenant, 1_000_00)])
    delivered, accepted = base.held(voucher, [(number, 1_000_00)]), base.placed(voucher, [(number, 500_00)])
    base.deliver(delivered)

    def change(event: Event) -> None:
        asked = [CentreChange(base.centre_id, event, "抽查不合格")]
        base.do(lambda s, at: only(change_centres(s, asked, actor=base.reviewer, at=at)))

    def refusal(work: Callable[[], object]) -> Refusal:
        with pytest.raises(Refusal) as stopped:
            work()
        return stopped.value

    base.do(lambda s, at: base.certified(s, base.organisation_id, kind=CentreKind.STARTUP_PARK))
    change(Event.SUSPEND)
    for stopped in (
        refusal(lambda: base.confirm(delivered)),
        refusal(lambda: base.file(accepted, 500_00)),
    ):
        assert (stopped.code, stopped.facts["reason"]) == (Code.CENTRE_NOT_CERTIFIED, "state")
        assert stopped.facts["clause"]
    assert base.order(delivered).state == OrderState.DELIVERED.value
    change(Event.RESTORE)
    assert base.confirm(delivered) == 500_00
    assert base.file(accepted, 500_00) == 250_00
    change(Event.REVOKE)
    base.deliver(accepted)
    assert refusal(lambda: base.confirm(accepted)).code is Code.CENTRE_NOT_CERTIFIED
    base.sound()
