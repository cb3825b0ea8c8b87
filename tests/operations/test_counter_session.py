"""The redemption session at the counter, from the code shown to the money captured (counter.md)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import factories
from tests.operations import counter
from tests.operations.counter import cap_of, code_of, opened, refuses, scanning
from tests.operations.stories import Told
from voucher.clock import iso
from voucher.codes import Code20
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.models.journal import Journal
from voucher.models.parties import Certification
from voucher.models.sessions import RedemptionSession, ScanAttempt
from voucher.models.vouchers import Voucher
from voucher.operations import cancel_order, deliver, scan
from voucher.operations.confirm_session import cancel_session, confirm_session, reject_session
from voucher.operations.open_session import open_session
from voucher.operations.outcome import Refused, only
from voucher.operations.propose import propose
from voucher.operations.sweep import sweep_holds, sweep_sessions
from voucher.terms import CertificationState, OrderState, SessionState, VoucherState

Work = Callable[[Session, datetime], object]


def confirming(told: Told, number: str) -> Work:
    firm = told.world.firm.actor
    return lambda session, at: only(confirm_session(session, [number], actor=firm, at=at))


def proposing(told: Told, number: str, gross_fen: int = 20_000_00) -> Work:
    scanner, request = told.world.platform.scanner, counter.request_of(number, gross_fen)
    return lambda session, at: only(propose(session, [request], actor=scanner, at=at))


def scan_of(told: Told, code: Code20, **more: datetime) -> RedemptionSession | Refused:
    return told.do(lambda session, at: scanning(session, told.world.platform, code, at=at, **more))


def refused(told: Told, code: Code20, why: Code, **facts: object) -> None:
    answer = scan_of(told, code)
    assert isinstance(answer, Refused), answer
    assert (answer.code, {name: answer.facts.get(name) for name in facts}) == (why, facts)


def state_of(told: Told, number: str) -> str:
    return told.one(RedemptionSession, number=number).state


def forged(code: Code20) -> Code20:
    return Code20(code.kid, code.number, f"{(int(code.tag) + 1) % 10**9:09d}")


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


def test_a_second_showing_ends_the_first(told: Told) -> None:
    voucher = told.voucher()
    first, second = opened(told, voucher), opened(told, voucher)
    assert state_of(told, first) == SessionState.CANCELLED.value
    refused(told, code_of(first, told.at), Code.QR_EXPIRED)
    assert isinstance(scan_of(told, code_of(second, told.at)), RedemptionSession)


def test_the_code_of_the_step_before_is_taken_and_an_older_one_is_expired(told: Told) -> None:
    number = opened(told, told.voucher())
    code = code_of(number, told.at)
    told.after(seconds=60)
    refused(told, code, Code.QR_EXPIRED)
    told.after(seconds=-30)
    assert isinstance(scan_of(told, code), RedemptionSession)


def test_a_scan_ticket_keeps_the_instant_at_which_the_code_was_shown(told: Told) -> None:
    number = opened(told, told.voucher())
    code, arrived = code_of(number, told.at), told.at
    told.after(minutes=4)
    assert isinstance(scan_of(told, code, presented_at=arrived), RedemptionSession)


def test_a_code_that_was_scanned_is_dead_and_says_when_and_whether_it_was_here(told: Told) -> None:
    number = counter.scanned(told, told.voucher())
    scanned_at = iso(told.at)
    told.after(seconds=5)
    refused(told, code_of(number, told.at), Code.QR_USED, by_this_platform=True, scanned_at=scanned_at)
    other = told.do(lambda session, now: factories.provider(session, at=now))
    answer = told.do(lambda session, now: scanning(session, other, code_of(number, told.at), at=now))
    assert isinstance(answer, Refused)
    assert (answer.code, answer.facts["by_this_platform"]) == (Code.QR_USED, False)


def test_a_forged_or_unknown_code_is_invalid_and_the_fifth_wrong_tag_closes_the_session(told: Told) -> None:
    number = opened(told, told.voucher())
    code = code_of(number, told.at)
    refused(told, Code20("99", code.number, code.tag), Code.QR_INVALID, left=4)
    for left in (3, 2, 1, 0):
        refused(told, forged(code), Code.QR_INVALID, left=left)
    assert state_of(told, number) == SessionState.CANCELLED.value
    refused(told, code, Code.QR_EXPIRED)
    unknown = "000000000" if number != "000000000" else "111111111"
    refused(told, Code20(code.kid, unknown, code.tag), Code.QR_INVALID)
    with told.database.read() as session:
        assert session.scalars(select(func.count()).select_from(ScanAttempt)).one() == 7


def test_a_platform_that_scans_wrong_codes_all_the_time_is_slowed_down(told: Told) -> None:
    number = opened(told, told.voucher())
    code = code_of(number, told.at)

    def attempts(session: Session, at: datetime) -> None:
        session.add_all(
            ScanAttempt(
                platform_id=told.world.platform.platform_id,
                scanned_by=told.world.platform.scanner.person_id,
                scanned_at=at,
                verdict="qr_invalid",
            )
            for _ in range(scan.RATE_REFUSALS)
        )

    told.do(attempts)
    refused(told, code, Code.SCAN_RATE_LIMITED, minutes=scan.RATE_MINUTES)
    other = told.do(lambda session, at: factories.provider(session, at=at))
    answer = told.do(lambda session, at: scanning(session, other, code, at=at))
    assert isinstance(answer, RedemptionSession)


def test_revoked_wins_over_suspended_and_suspended_over_used(told: Told) -> None:
    voucher = told.voucher()
    number = counter.scanned(told, voucher)
    code = code_of(number, told.at)
    suspend(told)
    refused(told, code, Code.PROVIDER_SUSPENDED, state="suspended")
    revoke(told, voucher)
    refused(told, code, Code.VOUCHER_REVOKED)


def suspend(told: Told) -> None:
    def work(session: Session, _at: datetime) -> None:
        row = session.get_one(Certification, told.world.platform.certification_id)
        row.state = CertificationState.SUSPENDED.value

    told.do(work)


def revoke(told: Told, number: str) -> None:
    def work(session: Session, _at: datetime) -> None:
        row = session.scalars(select(Voucher).where(Voucher.number == number)).one()
        row.state = VoucherState.REVOKED.value

    told.do(work)


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
    refused(told, code_of(number, told.at), Code.QR_EXPIRED)
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
