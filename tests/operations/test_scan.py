"""Scanning the code of the counter: which codes are taken, and what every other one is told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import factories
from tests.operations import counter
from tests.operations.counter import (
    code_of,
    opened,
    revoke,
    scan_of,
    scan_refused,
    scanning,
    state_of,
    suspend,
)
from tests.operations.stories import Told
from voucher.clock import iso
from voucher.codes import Code20
from voucher.errors import Code
from voucher.models.sessions import RedemptionSession, ScanAttempt
from voucher.operations import scan
from voucher.operations.outcome import Refused
from voucher.terms import SessionState


def forged(code: Code20) -> Code20:
    return Code20(code.kid, code.number, f"{(int(code.tag) + 1) % 10**9:09d}")


def test_a_second_showing_ends_the_first(told: Told) -> None:
    voucher = told.voucher()
    first, second = opened(told, voucher), opened(told, voucher)
    assert state_of(told, first) == SessionState.CANCELLED.value
    scan_refused(told, code_of(first, told.at), Code.QR_EXPIRED)
    assert isinstance(scan_of(told, code_of(second, told.at)), RedemptionSession)


def test_the_code_of_the_step_before_is_taken_and_an_older_one_is_expired(told: Told) -> None:
    number = opened(told, told.voucher())
    code = code_of(number, told.at)
    told.after(seconds=60)
    scan_refused(told, code, Code.QR_EXPIRED)
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
    scan_refused(told, code_of(number, told.at), Code.QR_USED, by_this_platform=True, scanned_at=scanned_at)
    other = told.do(lambda session, now: factories.provider(session, at=now))
    answer = told.do(lambda session, now: scanning(session, other, code_of(number, told.at), at=now))
    assert isinstance(answer, Refused)
    assert (answer.code, answer.facts["by_this_platform"]) == (Code.QR_USED, False)


def test_a_forged_or_unknown_code_is_invalid_and_the_fifth_wrong_tag_closes_the_session(told: Told) -> None:
    number = opened(told, told.voucher())
    code = code_of(number, told.at)
    scan_refused(told, Code20("99", code.number, code.tag), Code.QR_INVALID, left=4)
    for left in (3, 2, 1, 0):
        scan_refused(told, forged(code), Code.QR_INVALID, left=left)
    assert state_of(told, number) == SessionState.CANCELLED.value
    scan_refused(told, code, Code.QR_EXPIRED)
    unknown = "000000000" if number != "000000000" else "111111111"
    scan_refused(told, Code20(code.kid, unknown, code.tag), Code.QR_INVALID)
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
    scan_refused(told, code, Code.SCAN_RATE_LIMITED, minutes=scan.RATE_MINUTES)
    other = told.do(lambda session, at: factories.provider(session, at=at))
    answer = told.do(lambda session, at: scanning(session, other, code, at=at))
    assert isinstance(answer, RedemptionSession)


def test_revoked_wins_over_suspended_and_suspended_over_used(told: Told) -> None:
    voucher = told.voucher()
    number = counter.scanned(told, voucher)
    code = code_of(number, told.at)
    suspend(told)
    scan_refused(told, code, Code.PROVIDER_SUSPENDED, state="suspended")
    revoke(told, voucher)
    scan_refused(told, code, Code.VOUCHER_REVOKED)
