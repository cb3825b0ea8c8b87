"""The redemption session at the counter, from the code shown to the money captured (counter.md)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import factories
from tests.operations import counter
from tests.operations.counter import cap_of, code_of, opened, refuses, revoke, scan_refused, state_of, suspend
from tests.operations.stories import Told
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.models.journal import Journal
from voucher.models.sessions import RedemptionSession
from voucher.operations import cancel_order, deliver
from voucher.operations.confirm_session import cancel_session, confirm_session, reject_session
from voucher.operations.open_session import open_session
from voucher.operations.outcome import only
from voucher.operations.propose import propose
from voucher.operations.sweep import sweep_holds, sweep_sessions
from voucher.terms import OrderState, SessionState

Work = Callable[[Session, datetime], object]


def confirming(told: Told, number: str) -> Work:
    firm = told.world.firm.actor
    return lambda session, at: only(confirm_session(session, [number], actor=firm, at=at))


def proposing(told: Told, number: str, gross_fen: int = 20_000_00) -> Work:
    scanner, request = told.world.platform.scanner, counter.request_of(number, gross_fen)
    return lambda session, at: only(propose(session, [request], actor=scanner, at=at))


def test_a_session_goes_from_the_code_to_the_money(told: Told) -> None:
    voucher = told.voucher(face_fen=50_000_00)
    made = counter.proposed(told, voucher, 40_000_00)
    assert state_of(told, made.session) == SessionState.PROPOSED.value
    assert told.order(made.order).state == OrderState.HELD.value
    assert cap_of(told).available_fen == 180_000_00
    assert told.balance(accounts.order(made.order)) == 0
    told.do(confirming(told, made.session))
    order = told.order(made.order)
    assert (order.state, order.held_fen, order.captured_fen) == ("captured", 0, 20_000_00)
    assert told.balance(accounts.order(made.order)) == 20_000_00
    assert told.balance(accounts.voucher(voucher)) == 30_000_00
    assert state_of(told, made.session) == SessionState.CONFIRMED.value


def test_both_devices_that_confirm_see_the_same_success_and_money_moves_once(told: Told) -> None:
    made = counter.proposed(told, told.voucher(), 40_000_00)
    first, second = told.do(confirming(told, made.session)), told.do(confirming(told, made.session))
    assert [getattr(each, "captured_fen", None) for each in (first, second)] == [20_000_00] * 2
    assert told.balance(accounts.order(made.order)) == 20_000_00
    with told.database.read() as session:
        query = select(func.count()).where(Journal.action == "session.confirm")
        assert session.scalars(query).one() == 1


@pytest.mark.parametrize("who", ["holder rejects", "holder cancels", "platform cancels"])
def test_a_proposal_that_is_called_off_gives_everything_back(told: Told, who: str) -> None:
    voucher = told.voucher(face_fen=50_000_00)
    made, world = counter.proposed(told, voucher, 40_000_00), told.world
    if who == "holder rejects":
        end, actor = reject_session, world.firm.actor
    else:
        end, actor = cancel_session, world.firm.actor if "holder" in who else world.platform.scanner
    told.do(lambda session, at: end(session, made.session, reason="金额不对", actor=actor, at=at))
    assert told.order(made.order).state == OrderState.RELEASED.value
    assert (cap_of(told).available_fen, cap_of(told).reserved_fen) == (200_000_00, 0)
    assert counter.standing(told, accounts.voucher(voucher)).available_fen == 50_000_00
    refuses(told, Code.SESSION_CLOSED, confirming(told, made.session))


def test_a_session_without_a_proposal_is_not_confirmed(told: Told) -> None:
    number = opened(told, told.voucher())
    refuses(told, Code.STATE_CHANGED, confirming(told, number), state="open")
    refuses(told, Code.STATE_CHANGED, proposing_unscanned(told, number), state="open")


def proposing_unscanned(told: Told, number: str) -> Work:
    def work(session: Session, at: datetime) -> object:
        row = session.scalars(select(RedemptionSession).where(RedemptionSession.number == number)).one()
        row.platform_id = told.world.platform.platform_id
        session.flush()
        return proposing(told, number)(session, at)

    return work


def test_another_firms_session_does_not_exist(told: Told) -> None:
    made = counter.proposed(told, told.voucher(), 40_000_00)
    other = told.do(lambda session, at: factories.firm(session, reviewer=told.world.reviewer, at=at))
    works: list[Work] = [
        lambda session, at: only(confirm_session(session, [made.session], actor=other.actor, at=at)),
        lambda session, at: reject_session(session, made.session, reason="x", actor=other.actor, at=at),
        lambda session, at: cancel_session(session, made.session, reason="x", actor=other.actor, at=at),
    ]
    for work in works:
        refuses(told, Code.NOT_FOUND, work)


def test_a_platform_suspended_or_a_voucher_revoked_after_the_proposal_stops_the_capture(told: Told) -> None:
    voucher = told.voucher()
    made = counter.proposed(told, voucher, 40_000_00)
    suspend(told)
    refuses(told, Code.PROVIDER_SUSPENDED, confirming(told, made.session), state="suspended")
    revoke(told, voucher)
    refuses(told, Code.VOUCHER_REVOKED, confirming(told, made.session))


def test_a_platform_suspended_after_the_scan_proposes_nothing(told: Told) -> None:
    number = counter.scanned(told, told.voucher())
    suspend(told)
    refuses(told, Code.PROVIDER_SUSPENDED, proposing(told, number), state="suspended")


def test_a_session_past_its_time_is_not_scanned_proposed_or_confirmed(told: Told) -> None:
    voucher = told.voucher()
    opened_at = told.at
    number = opened(told, voucher)
    told.at = opened_at + timedelta(minutes=15)
    scan_refused(told, code_of(number, told.at), Code.QR_EXPIRED)
    told.at = opened_at
    number = counter.scanned(told, voucher)
    told.after(minutes=15)
    refuses(told, Code.QR_EXPIRED, proposing(told, number))
    made = counter.proposed(told, voucher, 40_000_00)
    told.after(minutes=10)
    refuses(told, Code.SESSION_CLOSED, confirming(told, made.session), state="expired")


def test_the_sweep_ends_what_nobody_ended_and_gives_the_hold_back(told: Told) -> None:
    voucher = told.voucher()
    waiting = counter.scanned(told, voucher)
    made = counter.proposed(told, voucher, 40_000_00)
    told.after(minutes=10, microseconds=-1)
    assert told.do(lambda session, at: sweep_holds(session, at=at)) == 0
    told.after(microseconds=1)
    assert told.do(lambda session, at: sweep_holds(session, at=at)) == 1
    assert told.do(lambda session, at: sweep_holds(session, at=at)) == 0
    assert (state_of(told, made.session), told.order(made.order).state) == ("expired", "expired")
    assert cap_of(told).available_fen == 200_000_00
    told.after(minutes=5)
    assert told.do(lambda session, at: sweep_sessions(session, at=at)) == 1
    assert state_of(told, waiting) == SessionState.EXPIRED.value


def test_an_overdue_proposal_is_voided_before_the_firms_next_one(told: Told) -> None:
    voucher = told.voucher(face_fen=50_000_00)
    overdue = counter.proposed(told, voucher, 100_000_00)
    following = counter.scanned(told, voucher)
    refuses(told, Code.VOUCHER_EXHAUSTED, proposing(told, following, 20_000_00))
    told.after(minutes=10)
    told.do(proposing(told, following, 20_000_00))
    assert told.order(overdue.order).state == OrderState.EXPIRED.value
    assert counter.standing(told, accounts.voucher(voucher)).available_fen == 40_000_00


def test_an_order_of_the_counter_moves_with_its_session_alone(told: Told) -> None:
    made, world = counter.proposed(told, told.voucher(), 40_000_00), told.world
    cancel, done = cancel_order.CancelRequest(made.order), deliver.DeliverRequest(made.order)
    refuses(
        told,
        Code.STATE_CHANGED,
        lambda session, at: only(cancel_order.cancel_order(session, [cancel], actor=world.firm.actor, at=at)),
    )
    refuses(
        told,
        Code.STATE_CHANGED,
        lambda session, at: only(deliver.deliver(session, [done], actor=world.platform.scanner, at=at)),
    )
    told.do(confirming(told, made.session))


def test_a_voucher_that_is_revoked_expired_or_anothers_is_not_shown(told: Told) -> None:
    voucher, other = (
        told.voucher(),
        told.do(lambda s, at: factories.firm(s, reviewer=told.world.reviewer, at=at)),
    )
    refuses(told, Code.NOT_FOUND, lambda s, at: open_session(s, voucher, actor=other.actor, at=at))
    told.after(days=366)
    firm = told.world.firm.actor
    refuses(told, Code.VOUCHER_EXPIRED, lambda s, at: open_session(s, voucher, actor=firm, at=at))
    revoke(told, voucher)
    refuses(told, Code.VOUCHER_REVOKED, lambda s, at: open_session(s, voucher, actor=firm, at=at))
