"""A base allots its voucher to tenants, and it comes back when they leave."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from tests.operations.startup_world import AT, Base, Tenant
from tests.operations.stories import snapshot
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.ledger.verify import verify
from voucher.models.centres import Centre
from voucher.models.tenancies import Allotment
from voucher.money import Fen
from voucher.operations.allot import AllotRequest, TakeBackRequest, allot, take_back
from voucher.operations.cancel_order import CancelRequest, cancel_order
from voucher.operations.expire import Slice, expire_vouchers, revoke
from voucher.operations.expire import TakeBackRequest as TakeAwayRequest
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.outcome import Refused, only
from voucher.operations.place_order import PlaceRequest, place_order
from voucher.operations.reverse import ReverseRequest, reverse
from voucher.operations.tenancies import EnterRequest, GraduateRequest, LeaveRequest, enter, graduate, leave
from voucher.queries.issued import VoucherFilter, issued_vouchers
from voucher.queries.vouchers import own_voucher
from voucher.terms import AllotmentState, CentreKind, CertificationState, Certifier, OrderState

TODAY = date(2026, 3, 2)


@pytest.fixture
def base(database: Database) -> Base:
    return Base(database)


def left_today(base: Base, tenant: Tenant, on: date = TODAY) -> int:
    asked = [LeaveRequest(tenant.tenancy_id, on)]
    return base.do(lambda s, at: only(leave(s, asked, actor=base.manager, at=at)).returned_fen)


def test_an_allotment_moves_the_vouchers_money_to_the_tenant_and_back(base: Base) -> None:
    first, second, voucher = base.tenant(), base.tenant(), base.voucher()
    one, two = base.allot(voucher, [(first, 30_000_01), (second, 20_000_00)])
    assert base.free(accounts.voucher(voucher)) == 49_999_99
    base.allot(voucher, [(first, 1)])
    asked = [TakeBackRequest(two, Fen(5_000_00)), TakeBackRequest(one)]
    back = base.do(
        lambda s, at: [only([each]).amount_fen for each in take_back(s, asked, actor=base.manager, at=at)]
    )
    assert back == [5_000_00, 30_000_02]
    assert (base.left(one), base.left(two), base.free(accounts.voucher(voucher))) == (0, 15_000_00, 85_000_00)
    base.sound()


def test_more_than_the_voucher_leaves_is_not_allotted_and_the_others_are(base: Base) -> None:
    first, second, voucher = base.tenant(), base.tenant(), base.voucher(face_fen=10_000_00)
    asked = [AllotRequest(first.tenancy_id, Fen(6_000_00)), AllotRequest(second.tenancy_id, Fen(4_000_01))]
    answers = base.do(lambda s, at: allot(s, voucher, asked, actor=base.manager, at=at))
    assert not isinstance(answers[0], Refused)
    assert isinstance(answers[1], Refused)
    assert answers[1].code is Code.VOUCHER_EXHAUSTED
    assert answers[1].facts["left_fen"] == 4_000_00
    base.sound()


def test_more_than_a_tenant_has_is_not_taken_back(base: Base) -> None:
    tenant, voucher = base.tenant(), base.voucher()
    (number,) = base.allot(voucher, [(tenant, 1_000_00)])
    before = snapshot(base.database)
    (answer,) = base.do(
        lambda s, at: take_back(s, [TakeBackRequest(number, Fen(1_000_01))], actor=base.manager, at=at)
    )
    assert isinstance(answer, Refused)
    assert (answer.code, answer.facts["left_fen"]) == (Code.ALLOTMENT_EXHAUSTED, 1_000_00)
    assert snapshot(base.database) == before


@pytest.mark.parametrize(("entered", "allowed"), [(TODAY, True), (TODAY + timedelta(days=1), False)])
def test_a_tenant_that_enters_today_is_allotted_and_one_that_enters_tomorrow_is_not(
    base: Base, entered: date, allowed: bool
) -> None:
    tenant, voucher = base.tenant(entered_on=entered), base.voucher()
    asked = [AllotRequest(tenant.tenancy_id, Fen(1_000_00))]
    (answer,) = base.do(lambda s, at: allot(s, voucher, asked, actor=base.manager, at=at))
    assert isinstance(answer, Refused) is not allowed
    if isinstance(answer, Refused):
        assert (answer.code, answer.facts["reason"]) == (Code.TENANCY_INVALID, "outside")


def test_a_tenant_that_leaves_gives_back_what_it_did_not_spend_at_once(base: Base) -> None:
    tenant, voucher = base.tenant(), base.voucher()
    (number,) = base.allot(voucher, [(tenant, 30_000_00)])
    order = base.held(voucher, [(number, 20_000_00)])
    base.deliver(order)
    assert base.confirm(order) == 10_000_00
    assert left_today(base, tenant) == 20_000_00
    assert base.free(accounts.voucher(voucher)) == 90_000_00
    assert base.allotment(number).state == AllotmentState.ENDED.value
    base.sound()


def test_what_an_open_hold_keeps_when_the_tenant_leaves_goes_on_to_the_voucher_when_it_resolves(
    base: Base,
) -> None:
    tenant, voucher = base.tenant(), base.voucher()
    (number,) = base.allot(voucher, [(tenant, 30_000_00)])
    order = base.held(voucher, [(number, 20_000_00)])
    assert left_today(base, tenant) == 20_000_00
    assert base.free(accounts.voucher(voucher)) == 90_000_00
    base.sound()
    base.do(
        lambda s, at: only(cancel_order(s, [CancelRequest(order, "企业退出")], actor=base.manager, at=at))
    )
    assert base.order(order).state == OrderState.RELEASED.value
    assert (base.left(number), base.free(accounts.voucher(voucher))) == (0, 100_000_00)
    assert base.allotment(number).allotted_fen == 0
    base.sound()


def test_a_base_of_another_department_a_suspended_and_an_uncertified_one_are_refused_with_the_clause(
    base: Base,
) -> None:
    request = IssueRequest(base.holder_ref, Fen(10_000_00))

    def issued() -> Refused:
        (answer,) = base.do(lambda s, at: issue(s, base.line_code, [request], actor=base.officer, at=at))
        assert isinstance(answer, Refused)
        return answer

    def change(**values: str) -> None:
        def work(session: Session, at: datetime) -> None:
            row = session.get_one(Centre, base.centre_id)
            for name, value in values.items():
                setattr(row, name, value)

        base.do(work)

    change(authority=Certifier.SCIENCE.value)
    answer = issued()
    assert answer.code is Code.CENTRE_NOT_CERTIFIED
    assert (answer.facts["reason"], answer.facts["clause"]) == ("certifier", "13")
    change(authority=Certifier.HUMAN_RESOURCES.value, state=CertificationState.SUSPENDED.value)
    assert issued().facts["reason"] == "state"
    change(state=CertificationState.CERTIFIED.value, certifying_region="630200")
    assert issued().facts["reason"] == "centre_region"
    change(state=CertificationState.RECTIFYING.value, certifying_region="630100")
    base.do(lambda s, at: only(issue(s, base.line_code, [request], actor=base.officer, at=at)))


def test_a_tenant_of_the_bases_other_centre_that_no_labour_authority_certified_is_allotted_nothing(
    base: Base,
) -> None:
    voucher, firm = base.voucher(), base.tenant()

    def elsewhere(session: Session, at: datetime) -> int:
        other = base.certified(
            session, base.organisation_id, authority=Certifier.SCIENCE, kind=CentreKind.MAKERSPACE
        )
        request = EnterRequest(other, firm.ref, date(2025, 6, 1))
        return only(enter(session, [request], actor=base.manager, at=at)).id

    asked = [AllotRequest(base.do(elsewhere), Fen(1_00)), AllotRequest(firm.tenancy_id, Fen(1_00))]
    refused, moved = base.do(lambda s, at: allot(s, voucher, asked, actor=base.manager, at=at))
    assert isinstance(refused, Refused) and not isinstance(moved, Refused)
    assert refused.code is Code.CENTRE_NOT_CERTIFIED
    assert (refused.facts["reason"], refused.facts["clause"]) == ("certifier", "13")
    base.sound()


def test_a_voucher_for_tenants_buys_nothing_without_one(base: Base) -> None:
    voucher = base.voucher()
    request = PlaceRequest(voucher, base.platform.platform_id, "third_party_service")
    (answer,) = base.do(lambda s, at: place_order(s, [request], actor=base.manager, at=at))
    assert isinstance(answer, Refused)
    assert answer.code is Code.TENANT_NEEDED


def test_stays_do_not_overlap_and_end_once(base: Base) -> None:
    tenant = base.tenant(entered_on=date(2026, 1, 1))
    again = EnterRequest(base.centre_id, tenant.ref, date(2026, 2, 1))
    graduated = [GraduateRequest(tenant.tenancy_id, date(2026, 2, 28))]

    def reason(work: object) -> object:
        assert isinstance(work, Refused)
        assert work.code is Code.TENANCY_INVALID
        return work.facts["reason"]

    (answer,) = base.do(lambda s, at: enter(s, [again], actor=base.manager, at=at))
    assert reason(answer) == "overlaps"
    own = EnterRequest(base.centre_id, base.holder_ref, date(2026, 2, 1))
    assert reason(base.do(lambda s, at: enter(s, [own], actor=base.manager, at=at))[0]) == "own"
    base.do(lambda s, at: only(graduate(s, graduated, actor=base.manager, at=at)))
    assert reason(base.do(lambda s, at: graduate(s, graduated, actor=base.manager, at=at))[0]) == "graduated"
    late = [LeaveRequest(tenant.tenancy_id, TODAY + timedelta(days=1))]
    assert reason(base.do(lambda s, at: leave(s, late, actor=base.manager, at=at))[0]) == "days"
    left_today(base, tenant)
    gone = [LeaveRequest(tenant.tenancy_id, TODAY)]
    assert reason(base.do(lambda s, at: leave(s, gone, actor=base.manager, at=at))[0]) == "left"
    # The day of leaving is the first on which it may be a tenant again.
    back = EnterRequest(base.centre_id, tenant.ref, TODAY)
    base.do(lambda s, at: only(enter(s, [back], actor=base.manager, at=at)))


def test_another_bases_tenants_vouchers_and_allotments_do_not_exist(base: Base) -> None:
    tenant, voucher = base.tenant(), base.voucher()
    (number,) = base.allot(voucher, [(tenant, 1_000_00)])
    stranger = base.platform.manager
    before = snapshot(base.database)
    with pytest.raises(Refusal) as caught:
        base.do(
            lambda s, at: allot(s, voucher, [AllotRequest(tenant.tenancy_id, Fen(1))], actor=stranger, at=at)
        )
    assert caught.value.code is Code.NOT_FOUND
    for answers in (
        base.do(lambda s, at: take_back(s, [TakeBackRequest(number)], actor=stranger, at=at)),
        base.do(lambda s, at: leave(s, [LeaveRequest(tenant.tenancy_id, TODAY)], actor=stranger, at=at)),
    ):
        assert isinstance(answers[0], Refused)
        assert answers[0].code is Code.NOT_FOUND
    assert snapshot(base.database) == before
    assert AT.date() == TODAY


@pytest.mark.parametrize("end", ["expired", "revoked"])
def test_a_voucher_that_ends_takes_what_it_allotted_back_to_its_budget(base: Base, end: str) -> None:
    tenant, voucher = base.tenant(), base.voucher()
    (number,) = base.allot(voucher, [(tenant, 30_000_00)])
    order = base.held(voucher, [(number, 20_000_00)])
    held = [TakeAwayRequest(voucher, "违规")]
    (answer,) = base.do(lambda s, at: revoke(s, held, actor=base.officer, at=at))
    assert isinstance(answer, Refused)
    assert (answer.code, answer.facts["held_fen"]) == (Code.VOUCHER_NOT_USABLE, 10_000_00)
    base.deliver(order)
    base.confirm(order)
    if end == "revoked":
        base.do(lambda s, at: only(revoke(s, held, actor=base.officer, at=at)))
    else:
        part = Slice(on=date(2028, 1, 1))
        assert base.do(lambda s, at: expire_vouchers(s, part, actor=base.officer, at=at)).done == 1
    assert (base.left(number), base.free(accounts.voucher(voucher))) == (0, 0)
    base.sound()
    asked = [ReverseRequest(order, "办错")]
    base.do(lambda s, at: only(reverse(s, asked, actor=base.platform.manager, at=at)))
    assert base.free(accounts.budget(base.line_code, 2026)) == 10_000_000_00
    base.sound()


@pytest.mark.parametrize(
    ("change", "check"),
    [({"allotted_fen": 1}, "allotment_amount"), ({"state": "ended"}, "allotment_state")],
)
def test_verify_names_an_allotment_that_says_something_else_than_its_account(
    base: Base, change: dict[str, object], check: str
) -> None:
    tenant, voucher = base.tenant(), base.voucher()
    base.allot(voucher, [(tenant, 1_000_00)])
    base.do(lambda s, at: s.execute(update(Allotment).values(**change)).close())
    with base.database.read() as session:
        assert [fault.check for fault in verify(session).faults] == [check]


def test_what_is_allotted_is_told_apart_from_what_is_used(base: Base) -> None:
    first, second, voucher = base.tenant(), base.tenant(), base.voucher()
    one, two = base.allot(voucher, [(first, 30_000_00), (second, 20_000_00)])
    waiting = base.order(base.held(voucher, [(one, 8_000_00)])).held_fen
    used = base.held(voucher, [(two, 5_000_00)])
    base.deliver(used)
    base.confirm(used)
    held = base.order(base.held(voucher, [(two, 6_000_00)])).held_fen
    before = seen(base, voucher)
    captured = base.order(used).captured_fen
    assert before == (50_000_00, 50_000_00 - waiting - captured - held, waiting + held, captured)
    with base.database.read() as session:
        (line,) = issued_vouchers(session, base.officer, VoucherFilter()).rows
        assert (line.left_fen, line.allotted_fen, line.held_fen) == before[:3]
        figures = "available_fen, allotted_fen, held_fen, redeemed_fen"
        assert tuple(session.execute(text(f"SELECT {figures} FROM audit_voucher")).one()) == before


def test_a_voucher_that_ended_says_what_was_used_and_not_what_went_back(base: Base) -> None:
    first, voucher = base.tenant(), base.voucher()
    (one,) = base.allot(voucher, [(first, 30_000_00)])
    used = base.held(voucher, [(one, 4_000_00)])
    base.deliver(used)
    base.confirm(used)
    asked = [TakeAwayRequest(voucher, "认定被取消")]
    base.do(lambda s, at: only(revoke(s, asked, actor=base.officer, at=at)))
    assert seen(base, voucher) == (0, 0, 0, base.order(used).captured_fen)


def seen(base: Base, voucher: str) -> tuple[int, int, int, int]:
    """What the holder's page says is left, allotted and free, held, and used."""
    with base.database.read() as session:
        view = own_voucher(session, voucher, actor=base.manager)
        assert view is not None
        return view.left_fen, view.allotted_fen, view.held_fen, view.used_fen
