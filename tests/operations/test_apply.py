"""Applying: windows, undertakings, conditions, the queue, issuing at once, mending and withdrawing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.operations.applying import Applying
from tests.operations.stories import stranger
from voucher.clock import iso
from voucher.db import Database
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.models.applications import Application, Undertaking
from voucher.models.messages import Message
from voucher.models.parties import Qualification
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.apply import MendRequest, mend, withdraw
from voucher.operations.expire import TakeBackRequest, give_back
from voucher.operations.outcome import Refused, only
from voucher.operations.windows import (
    CloseRequest,
    UndertakingRequest,
    WindowRequest,
    close_windows,
    publish_undertakings,
    publish_windows,
)
from voucher.rules.permissions import Actor
from voucher.terms import ApplicationState, ApplicationVerdict, MessageEvent

TEXT = "本单位承诺：申报材料真实，服务真实发生，与服务机构没有关联关系。"


def wish(told: Applying, **changes: Any) -> Callable[[Session, datetime], list[Any]]:
    return lambda session, at: told.asking(session, at, told.world.firm.actor, **changes)


def undertaking(told: Applying, words: str = TEXT) -> int:
    request = UndertakingRequest(told.world.programme_code, words)
    return told.do(
        lambda session, at: (
            only(publish_undertakings(session, [request], actor=told.world.officer, at=at)).version
        )
    )


def execute(told: Applying, statement: str) -> None:
    told.do(lambda session, at: session.execute(text(statement)))


def test_an_application_waits_for_review_with_its_number(database: Database) -> None:
    told = Applying(database)
    made = told.apply()
    row = told.application(made.number)
    assert (row.queue_no, row.state, row.wanted_fen) == (1, "submitted", 50_000_00)
    assert (row.year, row.holder_class, row.purpose) == (2026, "tech_sme", "检测新材料样品")
    message = told.one(Message, event=MessageEvent.APPLICATION_RECEIVED.value)
    assert (message.subject, message.facts["queue_no"]) == (made.number, 1)
    assert told.apply(told.firm()).queue_no == 2


def test_outside_the_window_the_dates_are_named(database: Database) -> None:
    told = Applying(database)
    first = told.do(lambda session, at: session.scalars(select(Application.id)).all())
    assert first == []
    closing = told.at + timedelta(hours=1)
    window = told.window_id
    ending = [CloseRequest(window, closing, "晋科函〔2026〕9号")]
    told.do(lambda session, at: only(close_windows(session, ending, actor=told.world.officer, at=at)))
    assert told.apply().queue_no == 1, "until before the end"
    told.after(hours=1)
    told.refuses(
        Code.APPLICATION_CLOSED,
        wish(told),
        reason="over",
        closes_at=iso(closing),
        document_no="晋科函〔2026〕8号",
    )
    opens = timedelta(days=3)
    told.window(opens=opens, closes=timedelta(days=9))
    told.refuses(Code.APPLICATION_CLOSED, wish(told), reason="not_yet", opens_at=iso(told.at + opens))


def test_windows_of_a_programme_do_not_overlap_and_are_the_officers(sqlite_database: Database) -> None:
    told = Applying(sqlite_database)
    request = WindowRequest(told.line_code, told.at, told.at + timedelta(days=5), "晋科函〔2026〕10号")
    officer, other = told.world.officer, stranger(told, like=told.world.officer)
    told.refuses(
        Code.WINDOW_OVERLAPS, lambda session, at: publish_windows(session, [request], actor=officer, at=at)
    )
    told.refuses(Code.NOT_FOUND, lambda session, at: publish_windows(session, [request], actor=other, at=at))
    assert told.window() == told.window_id, "the same window again is the same answer"


def test_the_newest_undertaking_is_signed_and_an_older_one_does_not_do(database: Database) -> None:
    told = Applying(database)
    assert undertaking(told) == 1
    told.refuses(Code.UNDERTAKING_UNSIGNED, wish(told), version=1)
    told.refuses(Code.UNDERTAKING_UNSIGNED, wish(told, undertaking_version=1, signed_name=" "), version=1)
    made = told.apply(undertaking_version=1, signed_name="王伟")
    row = told.application(made.number)
    kept = told.one(Undertaking, version=1)
    assert (row.undertaking_id, row.signed_name, row.signed_at) == (kept.id, "王伟", told.at)
    assert kept.text == TEXT
    told.do(lambda session, at: only(withdraw(session, [made.number], actor=told.world.firm.actor, at=at)))
    assert undertaking(told, TEXT + "新增一条。") == 2
    told.refuses(Code.UNDERTAKING_UNSIGNED, wish(told, undertaking_version=1, signed_name="王伟"), version=2)
    assert told.apply(undertaking_version=2, signed_name="王伟").queue_no == 2


def test_the_text_that_people_signed_cannot_be_changed(database: Database) -> None:
    told = Applying(database)
    undertaking(told)
    for statement in ("UPDATE undertaking SET text = 'x'", "DELETE FROM undertaking"):
        with pytest.raises(DBAPIError, match="append-only"):
            execute(told, statement)


def test_one_application_at_a_time(sqlite_database: Database) -> None:
    told = Applying(sqlite_database)
    made = told.apply()
    told.refuses(Code.APPLICATION_OPEN, wish(told), application=made.number)


def test_who_is_not_on_the_roster_or_wants_too_much_is_told_at_once(sqlite_database: Database) -> None:
    told = Applying(sqlite_database)
    firm = told.firm(qualified=False)
    execute(told, "DELETE FROM roster_entry")
    told.refuses(
        Code.NOT_QUALIFIED,
        lambda session, at: told.asking(session, at, firm.actor),
        reason="roster",
        year=2026,
    )
    told.refuses(Code.FACE_OUT_OF_RANGE, wish(told, fen=200_000_01), face_fen=200_000_01)


def test_the_policy_limits_how_often_and_how_much(sqlite_database: Database) -> None:
    told = Applying(sqlite_database, applications_most=2, held_most_fen=120_000_00)
    for _ in range(2):
        made = told.apply()
        told.decide(made.number)
    told.refuses(Code.COUNT_EXCEEDED, wish(told), limit=2, used=2)
    told = told.again(applications_most=9, held_most_fen=120_000_00)
    told.refuses(Code.HOLDING_EXCEEDED, wish(told, fen=20_000_01), held_fen=100_000_00, wanted_fen=20_000_01)
    assert told.apply(fen=20_000_00).queue_no == 3


def test_an_unused_voucher_stands_in_the_way_where_the_policy_says_so(sqlite_database: Database) -> None:
    told = Applying(sqlite_database, idle_refuses=True)
    voucher = told.decide(told.apply().number).voucher_number
    told.refuses(Code.VOUCHER_IDLE, wish(told), voucher=voucher)
    told.captured_order(voucher=voucher, contract_fen=10_000_00)
    assert told.apply().queue_no == 2


def test_an_automatic_policy_issues_in_the_same_transaction(database: Database) -> None:
    told = Applying(database, automatic=True, roster_qualifies=True)
    firm = told.firm(qualified=False)
    made = told.apply(firm)
    assert made.state is ApplicationState.ISSUED
    row = told.one(Voucher, number=made.voucher_number)
    assert (row.face_fen, row.holder_id, row.issued_by) == (
        50_000_00,
        firm.holder_id,
        told.world.officer.person_id,
    )
    assert told.balance(accounts.voucher(made.voucher_number)) == 50_000_00
    assert told.application(made.number).voucher_id == row.id
    assert told.one(Qualification, holder_id=firm.holder_id).holder_class == "tech_sme"


def test_without_leave_of_the_policy_the_roster_alone_issues_nothing(sqlite_database: Database) -> None:
    told = Applying(sqlite_database, automatic=True)
    firm = told.firm(qualified=False)
    told.refuses(
        Code.NOT_QUALIFIED, lambda session, at: told.asking(session, at, firm.actor), reason="not_qualified"
    )
    assert told.apply().state is ApplicationState.ISSUED, "who is qualified gets it"


def test_a_returned_application_is_mended_and_keeps_its_place(database: Database) -> None:
    told = Applying(database)
    made, later = told.apply(), told.apply(told.firm())
    told.decide(made.number, ApplicationVerdict.RETURN, reason="请写明检测项目")
    assert told.application(made.number).reason == "请写明检测项目"
    request = MendRequest(made.number, Fen(40_000_00), "检测钢材抗拉强度")
    firm = told.world.firm.actor
    other = stranger(told, like=firm)
    told.refuses(Code.NOT_FOUND, lambda session, at: mend(session, [request], actor=other, at=at))
    told.do(lambda session, at: only(mend(session, [request], actor=firm, at=at)))
    row = told.application(made.number)
    assert (row.queue_no, row.state, row.wanted_fen, row.reason) == (1, "submitted", 40_000_00, "")
    told.refuses(Code.STATE_CHANGED, lambda session, at: mend(session, [request], actor=firm, at=at))
    assert told.application(later.number).queue_no == 2


def test_an_application_is_withdrawn_by_its_own_firm_until_it_is_issued(database: Database) -> None:
    told = Applying(database)
    made, firm = told.apply(), told.world.firm.actor

    def taking(who: Actor) -> Callable[[Session, datetime], list[Any]]:
        return lambda session, at: list(withdraw(session, [made.number], actor=who, at=at))

    told.refuses(Code.NOT_FOUND, taking(stranger(told, like=firm)))
    told.do(taking(firm))
    assert told.states() == [ApplicationState.WITHDRAWN]
    told.refuses(Code.STATE_CHANGED, taking(firm))
    second = told.apply()
    assert second.queue_no == 2, "a number is never given twice"
    told.decide(second.number)
    (answer,) = told.do(lambda session, at: withdraw(session, [second.number], actor=firm, at=at))
    assert isinstance(answer, Refused)
    assert answer.code is Code.STATE_CHANGED


def test_a_used_voucher_is_not_given_back(sqlite_database: Database) -> None:
    told = Applying(sqlite_database)
    voucher = told.decide(told.apply().number).voucher_number
    told.captured_order(voucher=voucher, contract_fen=10_000_00)
    request = TakeBackRequest(voucher, "不再需要")
    told.refuses(
        Code.VOUCHER_NOT_USABLE,
        lambda session, at: give_back(session, [request], actor=told.world.firm.actor, at=at),
        state="used",
        used_fen=5_000_00,
    )
