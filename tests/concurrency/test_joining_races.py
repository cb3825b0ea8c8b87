"""Codes, leavers and PINs under many at once, on PostgreSQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import factories
from tests.concurrency.test_conversion_race import one_during_the_other
from tests.operations.joining_world import KEY, Joining
from voucher.db import Database
from voucher.errors import Code
from voucher.models.joining import CounterPin
from voucher.models.people import RoleGrant
from voucher.operations.devices import PinAttempt, enter_pin, register_device, set_pin
from voucher.operations.issue_codes import issue_letters
from voucher.operations.join import Joined
from voucher.operations.join_codes import MadeCode
from voucher.operations.leave import LeaveRequest, leave
from voucher.operations.outcome import Refused, only
from voucher.rules.permissions import Actor
from voucher.terms import Role

T = TypeVar("T")


def at_once(count: int, work: Callable[[int], T]) -> list[T]:
    """Run the work in threads of their own that start together."""
    start = Barrier(count)

    def run(number: int) -> T:
        start.wait(60)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def letter(world: Joining) -> tuple[str, MadeCode, int]:
    owner = world.do(lambda session, at: factories.organisation(session))
    world.do(lambda session, at: factories.holder(session, owner))
    codes = world.do(
        lambda session, at: issue_letters(session, [owner.id], key=KEY, actor=world.world.reviewer, at=at)
    )
    return owner.uscc, only(codes), owner.id


def test_a_code_that_eight_use_at_once_opens_one_account(pg_database: Database) -> None:
    world = Joining(pg_database)
    ref, code, organisation_id = letter(world)
    answers = at_once(8, lambda number: world.tries(ref, code.digits, source=f"198.51.100.{number}"))
    assert sum(isinstance(answer, Joined) for answer in answers) == 1
    with pg_database.read() as session:
        count = select(func.count()).where(RoleGrant.organisation_id == organisation_id)
        assert session.scalars(count).one() == 1


def test_wrong_tries_at_once_are_all_counted(pg_database: Database) -> None:
    world = Joining(pg_database)
    ref, code, _ = letter(world)
    near = code.digits[:-1] + str((int(code.digits[-1]) + 1) % 10)
    at_once(5, lambda number: world.tries(ref, near, source=f"198.51.100.{number}"))
    assert isinstance(world.tries(ref, code.digits), Refused)


def test_of_two_approvers_who_end_each_other_one_stays(pg_database: Database) -> None:
    world = Joining(pg_database)
    firm = world.world.firm
    role = Role.ENTERPRISE_APPROVER
    second = world.do(
        lambda session, at: factories.person(session, role, organisation_id=firm.organisation_id)
    )

    def end(actor: Actor, person_id: int) -> Callable[[Session, datetime], object]:
        wanted = [LeaveRequest(firm.organisation_id, person_id)]
        return lambda session, at: only(leave(session, wanted, actor=actor, at=at))

    works = end(firm.actor, second.person_id), end(second, firm.actor.person_id)
    assert one_during_the_other(world, *works) == ["ok", Code.LAST_IN_CHARGE.value]


def test_a_pin_has_five_tries_over_all_workers(pg_database: Database) -> None:
    world = Joining(pg_database)
    place = world.world.platform
    made = world.do(
        lambda session, at: register_device(
            session, place.platform_id, "一号窗口", actor=place.manager, at=at
        )
    )
    world.do(lambda session, at: set_pin(session, "-", actor=place.scanner, at=at))
    set_at = world.one(CounterPin, person_id=place.scanner.person_id).set_at

    def enter(matches: bool) -> Code | None:
        attempt = PinAttempt(made.token, place.scanner.person_id, matches, set_at, "198.51.100.7")
        answer = world.do(lambda session, at: enter_pin(session, attempt, at=at))
        return answer.code if isinstance(answer, Refused) else None

    answers = Counter(at_once(8, lambda number: enter(False)))
    assert answers == {Code.PIN_WRONG: 5, Code.PIN_ENDED: 3}
    assert enter(True) is Code.PIN_ENDED
    world.after(minutes=1)
    world.do(lambda session, at: set_pin(session, "-", actor=place.scanner, at=at))
    set_at = world.one(CounterPin, person_id=place.scanner.person_id).set_at
    assert enter(True) is None
