"""Checking in to a group order: a rotating code, once for each tenant, and never by an older picture of it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from tests.operations.startup_world import Base, Tenant
from tests.operations.stories import snapshot
from voucher.codes import Code20, Keys, make_code, scan_code
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.operations.attend import (
    CHECK_IN,
    AttendanceList,
    Showing,
    check_in,
    close_check_in,
    open_check_in,
    record_list,
)
from voucher.rules.permissions import Actor
from voucher.store import Stored

KEYS = Keys.parse("07:" + "ab" * 32)
LIST = Stored("0" * 64, 100, "application/pdf", "签到表.pdf")


@pytest.fixture
def base(database: Database) -> Base:
    return Base(database)


class Room:
    """A group order for three tenants, its check-in open."""

    def __init__(self, base: Base) -> None:
        self.base, voucher = base, base.voucher()
        self.tenants = [base.tenant() for _ in range(3)]
        numbers = base.allot(voucher, [(tenant, 1_000_00) for tenant in self.tenants])
        self.order = base.held(voucher, [(number, 1_000_00) for number in numbers])
        self.number = base.do(
            lambda s, at: open_check_in(s, self.order, actor=base.platform.scanner, at=at).number
        )

    def code(self, at: datetime, keys: Keys | None = None) -> Code20:
        """What the screen shows at an instant."""
        code = scan_code(make_code(keys or KEYS.of(CHECK_IN), self.number, at))
        assert code is not None
        return code

    def shown(self, tenant: Tenant, code: Code20, at: datetime) -> int:
        """How many lines are marked when this tenant shows this code."""

        def work(session: Session, now: datetime) -> int:
            return len(check_in(session, Showing(code, now), KEYS, actor=tenant.actor, at=now))

        return self.base.do(work, at=at)

    def refuses(self, code: Code, tenant: Tenant, shown: Code20, at: datetime) -> None:
        """The tenant is refused, and nothing is changed."""
        before = snapshot(self.base.database)
        with pytest.raises(Refusal) as caught:
            self.shown(tenant, shown, at)
        assert caught.value.code is code
        assert snapshot(self.base.database) == before


def test_a_code_is_good_for_its_half_minute_and_the_next_and_once_for_each_tenant(base: Base) -> None:
    room = Room(base)
    first, second, third = room.tenants
    code = room.code(base.at)
    assert room.shown(first, code, base.at) == 1
    room.refuses(Code.CHECK_IN_DONE, first, code, base.at)
    assert room.shown(second, code, base.at + timedelta(seconds=30)) == 1
    room.refuses(Code.CHECK_IN_OVER, third, code, base.at + timedelta(seconds=60))


def test_a_code_is_no_use_to_strangers_with_another_key_or_after_the_end(base: Base) -> None:
    room = Room(base)
    code = room.code(base.at)
    room.refuses(Code.CHECK_IN_INVALID, base.tenant(), code, base.at)
    room.refuses(Code.CHECK_IN_INVALID, room.tenants[0], room.code(base.at, KEYS), base.at)
    present = base.do(lambda s, at: close_check_in(s, room.order, actor=base.manager, at=at))
    assert present == 0
    room.refuses(Code.CHECK_IN_OVER, room.tenants[0], code, base.at)
    late = base.at + timedelta(hours=6)
    again = base.do(lambda s, at: open_check_in(s, room.order, actor=base.manager, at=at).number)
    room.number = again
    room.refuses(Code.CHECK_IN_OVER, room.tenants[0], room.code(late), late)


def test_a_list_marks_all_but_those_who_checked_in_and_only_before_the_capture(base: Base) -> None:
    room = Room(base)
    room.shown(room.tenants[0], room.code(base.at), base.at)
    place = base.positions(room.order)
    others = frozenset({place[room.tenants[1].tenancy_id]})

    def listed(actor: Actor) -> None:
        given = AttendanceList(room.order, others, LIST)
        base.do(lambda s, at: record_list(s, given, actor=actor, at=at).number)

    listed(base.manager)
    base.deliver(room.order)
    assert base.confirm(room.order) == 1_000_00
    with pytest.raises(Refusal) as caught:
        listed(base.manager)
    assert caught.value.code is Code.STATE_CHANGED
    with pytest.raises(Refusal) as caught:
        listed(room.tenants[0].actor)
    assert caught.value.code is Code.NOT_FOUND
    base.sound()
