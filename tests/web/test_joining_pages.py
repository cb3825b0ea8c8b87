"""Joining on the pages: letters, accounts, authorisations, the counter of two, staff, devices and PINs."""

from __future__ import annotations

import io
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import factories
from tests.entrance import Browser, Machine, application
from voucher.cli.couriers import couriers_of, drain
from voucher.clock import business_date, wall_now
from voucher.codes import make_uscc
from voucher.db import Database
from voucher.models.joining import Authorisation, CounterDevice, DeskCase
from voucher.models.messages import Message
from voucher.models.parties import Organisation
from voucher.models.people import Person
from voucher.money import Fen
from voucher.operations.answer_order import AcceptRequest, accept_order
from voucher.operations.file_contract import ContractRequest, file_contract
from voucher.operations.import_roster import RosterFile, RosterRow, import_roster
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.join_codes import TRIES_PER_SOURCE, join_key
from voucher.operations.outcome import only
from voucher.operations.place_order import PlaceRequest, place_order
from voucher.rules.permissions import Actor
from voucher.terms import Role

PASSWORD = "correct-Horse-7"
CODE = re.compile(r'class="fours" value="([0-9]{12})"')
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
HTML = {"Accept": "text/html"}


@pytest.fixture
def world(app: Flask) -> factories.World:
    database: Database = app.extensions["voucher_database"]
    return database.transaction(lambda s, at: factories.shanxi(s, at=at))


def database(app: Flask) -> Database:
    found: Database = app.extensions["voucher_database"]
    return found


def someone(app: Flask, *roles: Role, **scope: Any) -> Actor:
    return database(app).transaction(lambda s, at: factories.person(s, *roles, at=at, **scope))


def newcomer(uscc: str, code: str, login: str, **more: str) -> dict[str, str]:
    return {
        "uscc": uscc, "code": code, "name": "王五", "login": login, "password": PASSWORD, "again": PASSWORD,
        "as_role": "both", **more,
    }  # fmt: skip


def bare_firm(app: Flask, world: factories.World) -> tuple[int, str]:
    """A holder without an account."""

    def work(session: Session, at: datetime) -> tuple[int, str]:
        owner = factories.organisation(session)
        factories.holder(session, owner)
        return owner.id, owner.uscc

    return database(app).transaction(work)


def test_a_firm_opens_its_account_with_the_code_of_its_letter(app: Flask, world: factories.World) -> None:
    key, uscc = bare_firm(app, world)
    reviewer = Browser(app, world.reviewer)
    assert uscc in reviewer.get("/reviewer/unjoined").text
    letter = reviewer.send("/reviewer/letters", {"organisations": str(key)})
    code = CODE.search(letter.text)
    assert code is not None
    firm = Browser(app)
    spelled = f"{code[1][:4]} {code[1][4:8]}-{code[1][8:]}"
    answer = firm.send("/join/", newcomer(uscc.lower(), spelled, "wangwu"))
    assert answer.status_code == 303, answer.text
    assert "企业审批人" in firm.get("/account/profile").text
    assert uscc not in reviewer.get("/reviewer/unjoined").text
    again = Browser(app).send("/join/", newcomer(uscc, code[1], "zhaoliu"))
    assert again.status_code == 422
    signed_in = Browser(app).send("/account/sign-in", {"login": "wangwu", "password": PASSWORD})
    assert signed_in.status_code == 303


def test_an_address_that_is_locked_out_costs_the_server_no_password_hash(
    app: Flask, world: factories.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    real = PasswordHasher.hash

    def counted(self: PasswordHasher, password: str) -> str:
        hashed.append(password)
        return real(self, password)

    monkeypatch.setattr(PasswordHasher, "hash", counted)
    visitor = Browser(app)
    for _ in range(TRIES_PER_SOURCE):
        assert visitor.send("/join/", newcomer(make_uscc("140105", 1), "1" * 12, "wang1")).status_code == 422
    assert len(hashed) == TRIES_PER_SOURCE
    assert visitor.send("/join/", newcomer(make_uscc("140105", 1), "1" * 12, "wang1")).status_code == 429
    reset = {"uscc": make_uscc("140105", 1), "code": "1" * 12, "password": PASSWORD, "again": PASSWORD}
    assert visitor.send("/join/reset", reset).status_code == 429
    assert len(hashed) == TRIES_PER_SOURCE


def test_a_wrong_code_and_an_unknown_firm_look_the_same_and_keep_what_was_filled_in(
    app: Flask, world: factories.World
) -> None:
    """Be the firm unknown, without a code, or the code wrong in its first or its last digits."""
    key, uscc = bare_firm(app, world)
    letter = Browser(app, world.reviewer).send("/reviewer/letters", {"organisations": str(key)})
    code = CODE.search(letter.text)
    assert code is not None
    last = code[1][:-1] + ("0" if code[1][-1] != "0" else "1")
    first = ("0" if code[1][0] != "0" else "1") + code[1][1:]
    tries = [(make_uscc("140105", 88_001), code[1]), (world.firm.uscc, code[1]), (uscc, first), (uscc, last)]
    answers = []
    for ref, digits in tries:
        answer = Browser(app).send("/join/", newcomer(ref, digits, "wangwu"))
        assert answer.status_code == 422
        assert 'value="wangwu"' in answer.text and PASSWORD not in answer.text
        assert "单位代码或一次性验证码不正确" in answer.text
        answers.append(
            re.sub(r'name="csrf_token" value="[^"]*"', "", answer.text.replace(ref, "").replace(digits, ""))
        )
    assert len(set(answers)) == 1


def test_an_approver_authorises_an_operator_who_does_only_that(app: Flask, world: factories.World) -> None:
    boss = someone(app, Role.ENTERPRISE_APPROVER, organisation_id=world.firm.organisation_id)
    browser = Browser(app, boss)
    today = business_date(wall_now())
    form = {
        "organisation_id": str(world.firm.organisation_id), "name": "李四", "role": "enterprise_operator",
        "mandates": ["order"], "from_on": today.isoformat(),
        "to_on": (today + timedelta(days=100)).isoformat(),
    }  # fmt: skip
    without = browser.send("/enterprise/people/authorise", form)
    assert without.status_code == 422 and "授权书" in without.text and 'value="李四"' in without.text
    shown = browser.send("/enterprise/people/authorise", {**form, "letter": (io.BytesIO(PDF), "授权书.pdf")})
    code = CODE.search(shown.text)
    assert code is not None, shown.text
    operator = Browser(app)
    assert operator.send("/join/", newcomer(world.firm.uscc, code[1], "lisi", name="李四")).status_code == 303
    assert operator.get("/enterprise/orders/new").status_code == 200
    assert operator.send("/enterprise/orders/O202600000001/confirm", {}).status_code == 403
    assert "出示券码" in operator.get("/enterprise/").text
    with database(app).read() as session:
        key = session.scalars(select(Authorisation.id)).one()
    assert operator.get(f"/enterprise/people/authorisations/{key}/letter").data == PDF
    assert "李四" in Browser(app, world.auditor).get("/reviewer/authorisations").text
    assert browser.send(f"/enterprise/people/authorisations/{key}/end").status_code == 303
    assert operator.get("/enterprise/").status_code == 302


def test_an_authorisation_asks_for_the_password_again(app: Flask, world: factories.World) -> None:
    browser = Browser(app, world.firm.actor)
    with browser.client.session_transaction() as cookie:
        cookie["proved_at"] = 0
    assert browser.get("/enterprise/people/authorise").status_code in (302, 303)
    assert browser.send("/enterprise/people/leave", {}).status_code in (302, 303)


def test_a_lost_password_is_set_anew_by_the_approvers_code(app: Flask, world: factories.World) -> None:
    firm = world.firm.organisation_id
    boss = someone(app, Role.ENTERPRISE_APPROVER, organisation_id=firm)
    colleague = someone(app, Role.ENTERPRISE_OPERATOR, organisation_id=firm)
    old = Browser(app, colleague)
    assert old.get("/enterprise/").status_code == 200
    shown = Browser(app, boss).send(f"/enterprise/people/{colleague.person_id}/reset")
    code = CODE.search(shown.text)
    assert code is not None
    form = {"uscc": world.firm.uscc, "code": code[1], "password": PASSWORD, "again": PASSWORD}
    assert Browser(app).send("/join/reset", form).status_code == 303
    assert old.get("/enterprise/").status_code == 302
    assert Browser(app).send("/join/reset", form).status_code == 422


def test_a_code_is_no_password_for_somebody_who_is_signed_in(app: Flask, world: factories.World) -> None:
    key, uscc = bare_firm(app, world)
    letter = Browser(app, world.reviewer).send("/reviewer/letters", {"organisations": str(key)})
    code = CODE.search(letter.text)
    assert code is not None
    browser = Browser(app, world.firm.actor)
    with browser.client.session_transaction() as cookie:
        cookie["proved_at"] = 0
    assert browser.send("/join/", {"uscc": uscc, "code": code[1], "as_role": "both"}).status_code == 303
    assert browser.get("/enterprise/").status_code == 200
    assert browser.get("/enterprise/people/authorise").status_code in (302, 303)


def test_a_leaver_is_out_at_the_next_click(app: Flask, world: factories.World) -> None:
    firm = world.firm.organisation_id
    colleague = someone(app, Role.ENTERPRISE_OPERATOR, organisation_id=firm)
    theirs, mine = Browser(app, colleague), Browser(app, world.firm.actor)
    page = f"/enterprise/people/leave/{firm}/{colleague.person_id}"
    assert "没有未办结的业务" in mine.get(page).text
    form = {"organisation_id": str(firm), "person_id": str(colleague.person_id)}
    assert mine.send("/enterprise/people/leave", form).status_code == 303
    assert theirs.get("/enterprise/").status_code == 302
    assert mine.get(page).status_code == 404


def test_two_persons_change_the_legal_representative_at_the_counter(
    app: Flask, world: factories.World
) -> None:
    second = someone(app, Role.REVIEWER, region_code="140000")
    first, before = Browser(app, world.reviewer), Browser(app, world.firm.actor)
    form = {"kind": "representative", "ref": world.firm.uscc, "name": "新法人"}
    bare = first.send("/reviewer/desk/new", form)
    assert bare.status_code == 422 and 'value="新法人"' in bare.text
    taken = first.send("/reviewer/desk/new", {**form, "papers": [(io.BytesIO(PDF), "营业执照.pdf")]})
    assert taken.status_code == 303, taken.text
    page = taken.location
    assert "须另一名工作人员" in first.get(page).text
    assert first.send(f"{page}/decide", {"decision": "approve"}).status_code == 409
    shown = Browser(app, second).send(f"{page}/decide", {"decision": "approve"})
    code = CODE.search(shown.text)
    assert code is not None, shown.text
    assert before.get("/enterprise/people/").status_code == 302
    assert Browser(app).send("/join/", newcomer(world.firm.uscc, code[1], "xinfaren")).status_code == 303
    with database(app).read() as session:
        case = session.scalars(select(DeskCase)).one()
        assert (case.made_by, case.checked_by) == (world.reviewer.person_id, second.person_id)


def test_a_team_is_registered_and_joins_by_its_letter(app: Flask, world: factories.World) -> None:
    reviewer = Browser(app, world.reviewer)
    form = {"kind": "team", "name": "星火团队", "region_code": "140105", "members": "甲\n乙"}
    few = reviewer.send("/reviewer/teams", form)
    assert few.status_code == 422 and "至少需要三名成员" in few.text
    assert reviewer.send("/reviewer/teams", {**form, "members": "甲\n乙\n丙"}).status_code == 303
    page = reviewer.get("/reviewer/teams").text
    ref = re.search(r'value="(TEMP[0-9]{12})"', page)
    action = re.search(r'action="(/reviewer/teams/[0-9]+/letter)"', page)
    assert ref is not None and action is not None
    code = CODE.search(reviewer.send(action[1]).text)
    assert code is not None
    team = Browser(app)
    assert team.send("/join/", newcomer(ref[1], code[1], "xinghuo")).status_code == 303
    assert team.get("/enterprise/").status_code == 200


def test_a_manager_lets_staff_into_own_platforms_only(app: Flask, world: factories.World) -> None:
    other = database(app).transaction(lambda s, at: factories.provider(s, at=at))
    manager = Browser(app, world.platform.manager)
    foreign = {"platform_id": str(other.platform_id), "role": "provider_scanner"}
    assert manager.send("/provider/staff", foreign).status_code == 404
    shown = manager.send(
        "/provider/staff", {"platform_id": str(world.platform.platform_id), "role": "provider_scanner"}
    )
    code = CODE.search(shown.text)
    assert code is not None
    scanner = Browser(app)
    assert scanner.send("/join/", newcomer(world.platform.uscc, code[1], "saoma")).status_code == 303
    assert scanner.get("/provider/").status_code == 200
    assert scanner.get("/provider/staff").status_code == 403
    with database(app).read() as session:
        key = session.scalars(select(Person.id).where(Person.login == "saoma")).one()
    end = {"platform_id": str(world.platform.platform_id), "person_id": str(key)}
    assert manager.send("/provider/staff/end", end).status_code == 303
    assert scanner.get("/provider/").status_code == 302


def device(app: Flask, world: factories.World) -> Browser:
    """A browser that the manager made a counter device, signed out; the scanner has a PIN."""
    browser = Browser(app, world.platform.manager)
    form = {"platform_id": str(world.platform.platform_id), "name": "一号窗口"}
    assert browser.send("/provider/devices", form).status_code == 303
    cookie = browser.client.get_cookie("voucher_device")
    assert cookie is not None and cookie.http_only and cookie.same_site == "Lax"
    browser.send("/account/sign-out")
    for actor in (world.platform.scanner, world.platform.manager):
        own = Browser(app, actor)
        assert own.send("/provider/pin", {"pin": "120450", "again": "120450"}).status_code == 303
    return browser


def entered(app: Flask, world: factories.World) -> Browser:
    browser = device(app, world)
    form = {"person_id": str(world.platform.manager.person_id), "pin": "120450"}
    assert browser.send("/device/", form).location == "/provider/"
    return browser


def test_staff_take_turns_on_a_device_by_pin_and_do_counter_work_only(
    app: Flask, world: factories.World
) -> None:
    """The manager's own PIN session is no manager: no staff, no devices, no orders accepted, no password changed."""
    browser = entered(app, world)
    assert browser.get("/provider/").status_code == 200
    assert browser.get("/provider/practice/").status_code == 200
    for path in ("/provider/staff", "/provider/devices", "/provider/pin", "/account/password"):
        assert browser.get(path).status_code == 403, path
    assert browser.send("/provider/orders/O202600000001/accept", {}).status_code == 403
    assert browser.get("/join/").status_code == 200
    assert browser.send("/join/", {"uscc": world.firm.uscc, "code": "1" * 12}).status_code == 403


def test_a_pin_session_asks_again_after_five_idle_minutes_whatever_pages_fetch_by_themselves(
    app: Flask, world: factories.World
) -> None:
    browser = entered(app, world)

    def idle(seconds: int) -> None:
        with browser.client.session_transaction() as cookie:
            cookie["counter_seen_at"] -= seconds

    idle(270)
    assert browser.get("/provider/", headers=HTML).status_code == 200
    idle(270)
    assert browser.get("/provider/", headers={"Accept": "application/json"}).status_code == 200
    idle(40)
    answer = browser.get("/provider/", headers=HTML)
    assert answer.status_code == 302 and answer.location.startswith("/device/?next=/provider/")


def test_a_revoked_device_is_none_at_the_next_click(app: Flask, world: factories.World) -> None:
    browser = entered(app, world)
    with database(app).read() as session:
        key = session.scalars(select(CounterDevice.id)).one()
    manager = Browser(app, world.platform.manager)
    assert "一号窗口" in manager.get("/provider/devices").text
    assert manager.send(f"/provider/devices/{key}/revoke").status_code == 303
    assert browser.get("/provider/").status_code == 302
    assert browser.get("/device/").location.startswith("/account/sign-in")


def test_a_pin_session_carried_to_another_browser_is_none(app: Flask, world: factories.World) -> None:
    """Be it no device, or another device of the same platform."""
    browser = entered(app, world)
    cookie = browser.client.get_cookie("voucher_session")
    assert cookie is not None
    for elsewhere in (Browser(app), device(app, world)):
        elsewhere.client.set_cookie("voucher_session", cookie.value)
        assert elsewhere.get("/provider/").status_code == 302


def test_trivial_pins_are_refused(app: Flask, world: factories.World) -> None:
    browser = Browser(app, world.platform.scanner)
    for pin in ("111111", "121212", "123456", "987654", "123123", "123321", "900101", "12345"):
        assert browser.send("/provider/pin", {"pin": pin, "again": pin}).status_code == 422, pin


def test_papers_are_prepared_seen_and_taken_away_again(app: Flask, world: factories.World) -> None:
    """By the firm's people, for an order that waits for its claim."""
    stage = staged_order(app, world)
    firm = Browser(app, world.firm.actor)
    page = f"/enterprise/orders/{stage}/papers"
    assert page in firm.get(f"/enterprise/orders/{stage}").text
    bad = firm.send(page, {"file_result": (io.BytesIO(b"MZ"), "x.exe")})
    assert bad.status_code == 422
    assert firm.send(page, {"file_result": (io.BytesIO(PDF), "报告.pdf")}).status_code == 303
    shown = firm.get(page).text
    link = re.search(rf'href="({page}/[0-9]+)"', shown)
    assert link is not None and "报告.pdf" in shown
    assert firm.get(link[1]).data == PDF
    assert Browser(app, world.platform.manager).get(page).status_code == 403
    assert firm.send(f"{link[1]}/drop").status_code == 303
    assert firm.get(link[1]).status_code == 404


def staged_order(app: Flask, world: factories.World) -> str:
    """The number of an order of the world's firm whose contract is filed."""

    def work(session: Session, at: datetime) -> str:
        officer, manager = world.officer, world.platform.manager
        wanted = [IssueRequest(world.firm.holder_ref, Fen(100_000_00))]
        voucher = only(issue(session, world.line_code, wanted, actor=officer, at=at)).number
        asked = [PlaceRequest(voucher, world.platform.platform_id, factories.SERVICES[0])]
        number = only(place_order(session, asked, actor=world.firm.actor, at=at)).number
        only(accept_order(session, [AcceptRequest(number, Fen(10_000_00))], actor=manager, at=at))
        contract = ContractRequest(number, "HT-1", business_date(at), Fen(10_000_00))
        only(file_contract(session, [contract], actor=manager, at=at))
        return number

    return database(app).transaction(work)


def test_a_code_is_sent_to_the_rosters_mobile_and_shown_to_nobody(database_url: str, tmp_path: Path) -> None:
    app = application(database_url, tmp_path, MESSAGE_SINK_DIR=str(tmp_path / "sent"))
    uscc = make_uscc("140105", 88_001)

    def work(session: Session, at: datetime) -> tuple[factories.World, int]:
        made = factories.shanxi(session, at=at)
        row = RosterRow(2, "晋科新材料有限公司", uscc, "R88001", "140105", mobile="13800000001")
        file = RosterFile("名单.xlsx", "8" * 64, at.year, [row])
        import_roster(session, file, actor=made.reviewer, at=at)
        return made, session.scalars(select(Organisation.id).where(Organisation.uscc == uscc)).one()

    world, key = database(app).transaction(work)
    reviewer = Browser(app, world.reviewer)
    assert "手机尾号 0001" in reviewer.get("/reviewer/unjoined").text
    assert reviewer.send("/reviewer/codes", {}).status_code == 422
    form = {"organisations": str(key), "key": "codes-88001"}
    for _ in range(2):
        done = reviewer.send("/reviewer/codes", form, follow_redirects=True)
        assert "已向 1 个单位发送验证码" in done.text
        assert not re.search(r"\d{12}", done.text.replace(uscc, ""))
    with database(app).read() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 1
    body = {"organisation_ids": [key, 10**9]}
    answer = Machine(app, world.reviewer).send("/api/v1/join-codes", body)
    assert answer.status_code == 201, answer.text
    sent, missing = answer.get_json()["codes"]
    assert (sent["channel"], sent["refused"], missing["refused"]["code"]) == ("sms", None, "not_found")
    config = app.extensions["voucher_config"]
    assert drain(database(app), couriers_of(config), key=join_key(config.secret_key))[0] == 1
