"""What an attacker sends: odd bytes and numbers in addresses and forms, guessed codes, roles of another place."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import factories
from tests.entrance import Browser, Machine
from tests.web import stage as stages
from voucher.models.people import RoleGrant
from voucher.reports.bank_answer import bank_results
from voucher.reports.sheets import Row
from voucher.rules.permissions import Actor
from voucher.terms import Role


def test_a_nul_in_an_address_a_filter_or_a_form_is_400_and_never_reaches_the_database(app: Flask) -> None:
    stage = stages.staged(app)
    for path in ("/enterprise/orders/%00", "/enterprise/orders/?page=%00", "/enterprise/sessions/1%00/state"):
        assert stage.firm.get(path).status_code == 400, path
    form = {"voucher": stage.voucher, "key": "key\0key\0key"}
    assert stage.firm.send("/enterprise/sessions/new", form).status_code == 400
    assert Browser(app).send("/account/sign-in", {"login": "a\0b", "password": "x"}).status_code == 400
    machine = Machine(app, stage.world.firm.actor)
    assert machine.get("/api/v1/orders?state=%00").status_code == 400


def test_an_address_with_a_number_beyond_every_row_is_404(app: Flask) -> None:
    stage = stages.staged(app)
    beyond = "9" * 20
    for path in (
        f"/enterprise/claims/C202600000017/documents/{beyond}",
        f"/enterprise/orders/new/{stage.voucher}/{beyond}/{stages.SERVICE}",
    ):
        assert stage.firm.get(path).status_code == 404, path


def test_a_payment_number_beyond_every_line_is_a_faulty_row() -> None:
    table = [
        Row(1, ("支付编号", "结果", "流水号")),
        Row(2, (f"B202600000017-{'9' * 900}-1", "成功", "S1")),
    ]
    results, faults = bank_results(table, "B202600000017")
    assert not results
    assert [fault.line for fault in faults] == [2]


def test_opening_a_code_does_not_tell_whether_it_is_genuine(app: Flask) -> None:
    stage = stages.staged(app)
    number = stages.opened(stage)
    digits = stages.shown_code(stage, number)
    guess = f"{digits[:-1]}{(int(digits[-1]) + 1) % 10}"
    answers = [Browser(app).get(f"/S/{code}") for code in (digits, guess)]
    assert [answer.status_code for answer in answers] == [303, 303]
    told = [
        sorted(cookie.partition("=")[0] for cookie in each.headers.getlist("Set-Cookie")) for each in answers
    ]
    assert told[0] == told[1]


def test_a_code_that_was_guessed_is_refused_and_counted_in_spite_of_its_ticket(app: Flask) -> None:
    stage = stages.staged(app)
    number = stages.opened(stage)
    digits = stages.shown_code(stage, number)
    guess = f"{digits[:-1]}{(int(digits[-1]) + 1) % 10}"
    assert stage.scanner.get(f"/S/{guess}").status_code == 200
    assert stage.scanner.send("/provider/scan", {"code": guess}).status_code == 409
    assert stage.session(number).wrong_tags == 1


@pytest.mark.parametrize("manages", [False, True])
def test_a_manager_of_one_platform_is_no_manager_of_another_where_they_scan(
    app: Flask, manages: bool
) -> None:
    stage = stages.staged(app)
    number, scanner = stage.captured(), stage.world.platform.scanner
    place = stage.world.platform if manages else stage.other_provider
    _give(stage, scanner, Role.PROVIDER_MANAGER, platform_id=place.platform_id)
    answer = stage.scanner.send(f"/provider/orders/{number}/reverse", {"reason": "试"})
    assert (stage.order(number).state == "reversed") is manages, answer.text
    answer = Machine(app, scanner).send(f"/api/v1/orders/{number}/reverse", {"reason": "试"})
    assert answer.status_code == (409 if manages else 404)


def test_who_reviews_one_province_and_audits_another_decides_no_claim_of_the_latter(app: Flask) -> None:
    stage = stages.staged(app)

    def work(session: Session, _at: object) -> Actor:
        return factories.person(session, Role.REVIEWER, region_code="610000")

    reviewer = stage.database.transaction(work)
    _give(stage, reviewer, Role.AUDITOR, region_code="140000", book_id=stage.world.book_id)
    firm = stage.world.firm
    browser, machine = Browser(app, reviewer), Machine(app, reviewer)
    wanted = f"programme_code={stage.world.programme_code}&year={stage.world.year}"
    assert firm.uscc not in browser.get("/reviewer/holders/").text
    assert machine.get(f"/api/v1/holders?{wanted}").get_json()["total"] == 0
    assert browser.get("/programme/vouchers/").text.count(stage.voucher) > 0


def _give(stage: stages.Stage, person: Actor, role: Role, **scope: int | str) -> None:
    def work(session: Session, _at: object) -> None:
        granted = RoleGrant(person_id=person.person_id, role=role.value, from_on=date(2022, 1, 1), **scope)
        session.add(granted)

    stage.database.transaction(work)
