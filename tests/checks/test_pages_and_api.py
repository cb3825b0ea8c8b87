"""Findings, bans, account changes and registers through pages, API and command line."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select

from tests import factories
from tests.checks import scenes
from tests.checks.scenes import claimed, findings
from tests.entrance import Browser, Machine
from tests.operations.stories import Told
from voucher.cli import main
from voucher.cli.story.papers import one_page_pdf
from voucher.clock import business_date
from voucher.errors import Code
from voucher.models.checks import PaidElsewhere, PartyBan, PartyDirector, PartyMark, PayeeChange
from voucher.models.parties import Organisation
from voucher.models.people import Person
from voucher.operations.affiliate import PayeeRequest
from voucher.operations.change_payee import COOLING_DAYS, ask_changes
from voucher.originals import with_facts
from voucher.store import save
from voucher.terms import Role


def flagged(told: Told) -> str:
    """A claim with a heavy finding."""
    claimed(told, documents=scenes.papers(result="one report"))
    return claimed(scenes.new_firm(told), documents=scenes.papers(result="one report"))


def test_findings_are_listed_shown_and_settled_with_a_reason(app: Flask, served: Told) -> None:
    number, reviewer = flagged(served), Browser(app, served.world.reviewer)
    assert number in reviewer.get("/reviewer/checks/").text
    page = reviewer.get(f"/reviewer/checks/{number}").text
    assert "另有 1 家企业提交过同一份服务成果" in page and "重点核实" in page
    seq = str(findings(served, number)["same_result"].seq)
    empty = reviewer.send(f"/reviewer/checks/{number}/settle", {"seq": seq, "reason": " "})
    assert empty.status_code == 422
    done = reviewer.send(
        f"/reviewer/checks/{number}/settle", {"seq": seq, "reason": "已比对原件，内容不同。"}
    )
    assert done.status_code == 303
    assert "已比对原件，内容不同。" in reviewer.get(f"/reviewer/checks/{number}").text
    again = reviewer.send(f"/reviewer/checks/{number}/settle", {"seq": seq, "reason": "再来一次"})
    assert again.status_code == 409 and "再来一次" not in reviewer.get(f"/reviewer/checks/{number}").text


def test_a_reviewer_of_another_province_sees_and_settles_nothing(app: Flask, served: Told) -> None:
    number = flagged(served)
    person = served.do(
        lambda session, at: factories.person(session, Role.REVIEWER, region_code="610000", at=at)
    )
    stranger = Browser(app, person)
    assert number not in stranger.get("/reviewer/checks/").text
    assert stranger.get(f"/reviewer/checks/{number}").status_code == 404
    sent = stranger.send(f"/reviewer/checks/{number}/settle", {"seq": "1", "reason": "看看"})
    assert sent.status_code == 404
    machine = Machine(app, person)
    assert machine.get(f"/api/v1/claims/{number}/findings").status_code == 404


def test_findings_through_the_api(app: Flask, served: Told) -> None:
    number, machine = flagged(served), Machine(app, served.world.reviewer)
    listed = machine.get(f"/api/v1/claims/{number}/findings").get_json()["findings"]
    first = next(each for each in listed if each["kind"] == "same_result")
    assert first["row_no"] == 24 and "同一份服务成果" in first["seen"]
    path = f"/api/v1/claims/{number}/findings/{first['seq']}/settle"
    settled = machine.send(path, {"reason": "已核实"}).get_json()["findings"]
    assert [each["settlement"] for each in settled if each["kind"] == "same_result"] == ["已核实"]


def test_a_ban_is_entered_and_lifted_on_its_page(app: Flask, served: Told) -> None:
    reviewer, uscc = Browser(app, served.world.reviewer), served.world.firm.uscc
    form = {
        "uscc": uscc,
        "kind": "inspection",
        "legal_basis": "办法第二十条",
        "decision_no": "晋科罚〔2026〕9号",
        "from_on": business_date(served.at).isoformat(),
        "to_on": "",
        "source": "监督检查",
    }
    wrong = reviewer.send("/reviewer/bans/", {**form, "legal_basis": ""})
    assert wrong.status_code == 422 and "晋科罚〔2026〕9号" in wrong.text
    assert reviewer.send("/reviewer/bans/", form).status_code == 303
    page = reviewer.get("/reviewer/bans/?text=〔2026〕9号").text
    assert "不配合监督检查" in page and "限制中" in page
    row = served.one(PartyBan, uscc=uscc)
    lifted = reviewer.send(f"/reviewer/bans/{row.id}/lift", {"reason": "已配合检查"})
    assert lifted.status_code == 303 and "已配合检查" in reviewer.get("/reviewer/bans/").text
    assert Browser(app, served.world.firm.actor).get("/reviewer/bans/").status_code == 403


def test_a_ban_through_the_api_stops_the_next_order(app: Flask, served: Told) -> None:
    machine = Machine(app, served.world.officer)
    body = {
        "uscc": served.world.platform.uscc,
        "kind": "credit",
        "legal_basis": "条例第三条",
        "decision_no": "1号",
        "from_on": business_date(served.at).isoformat(),
    }
    made = machine.send("/api/v1/bans", body)
    assert made.status_code == 201
    listed = machine.get("/api/v1/bans").get_json()
    assert [each["decision_no"] for each in listed["bans"]] == ["1号"]
    order = {
        "voucher_no": served.voucher(),
        "platform_id": served.world.platform.platform_id,
        "service": factories.SERVICES[0],
    }
    refused = Machine(app, served.world.firm.actor).send("/api/v1/orders", order)
    assert refused.status_code == 409 and refused.get_json()["code"] == "party_banned"
    assert "1号" in refused.get_json()["message"]
    lifted = machine.send(f"/api/v1/bans/{made.get_json()['id']}/lift", {"reason": "信用修复"})
    assert lifted.status_code == 200


def change_of(told: Told, days_ago: int = 0) -> int:
    """A change that the firm asked for so many days ago."""
    firm = told.world.firm
    told.account(firm.organisation_id)
    request = PayeeRequest(uscc=firm.uscc, account_name=firm.name, bank="工行", account_no="6222020000000099")
    (row,) = told.do(
        lambda session, at: ask_changes(session, [request], actor=firm.actor, at=at),
        at=told.at - timedelta(days=days_ago),
    )
    assert isinstance(row, PayeeChange)
    return row.id


def test_an_account_is_changed_by_two_people_on_their_pages(app: Flask, served: Told) -> None:
    manager, officer = Browser(app, served.world.platform.manager), Browser(app, served.world.officer)
    host = served.one(Organisation, id=served.world.platform.organisation_id)
    served.account(host.id)
    form = {"uscc": host.uscc, "account_name": "张某", "bank": "建行", "account_no": "6227 0000 0000 0001"}
    wrong = manager.send("/payees/", form)
    assert wrong.status_code == 409 and "6227 0000 0000 0001" in wrong.text
    assert manager.send("/payees/", {**form, "account_name": host.name}).status_code == 303
    assert "待复核" in manager.get("/payees/").text
    row = served.one(PayeeChange, organisation_id=host.id)
    assert "已核实，启用" not in officer.get("/payees/waiting").text, "it still cools"
    early = officer.send(f"/payees/waiting/{row.id}", {"agreed": "yes"})
    assert early.status_code == 409 and "冷静期" in early.text
    declined = officer.send(f"/payees/waiting/{row.id}", {"agreed": "", "reason": "电话核实，非本单位提出"})
    assert declined.status_code == 303
    assert served.one(PayeeChange, organisation_id=host.id).state == "declined"


def test_an_account_is_changed_through_the_api(app: Flask, served: Told) -> None:
    machine = Machine(app, served.world.officer)
    early = machine.send(f"/api/v1/payee-changes/{change_of(served)}/decision", {"agreed": True})
    assert early.status_code == 409 and early.get_json()["code"] == "payee_cooling"
    late = change_of(served, days_ago=COOLING_DAYS)
    done = machine.send(f"/api/v1/payee-changes/{late}/decision", {"agreed": True})
    assert done.get_json()["state"] == "confirmed"
    provider = {
        "uscc": served.world.platform.uscc,
        "account_name": served.one(Organisation, id=served.world.platform.organisation_id).name,
        "bank": "建行",
        "account_no": "6227000000000001",
    }
    asked = machine.send("/api/v1/payee-changes", provider)
    assert asked.status_code == 201
    own = machine.send(f"/api/v1/payee-changes/{asked.get_json()['id']}/decision", {"agreed": True})
    assert own.get_json()["code"] == "self_approval"


def test_the_pace_of_reviewers_is_for_officers_and_auditors(app: Flask, served: Told) -> None:
    served.approved(documents=scenes.papers())
    assert "测试员" in Browser(app, served.world.officer).get("/reviewer/checks/reviewers").text
    assert Browser(app, served.world.reviewer).get("/reviewer/checks/reviewers").status_code == 403


def test_registers_come_and_go_by_the_command_line(
    app: Flask, served: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", str(served.database.engine.url))
    login, uscc = served.one(Person, id=served.world.officer.person_id).login, served.world.firm.uscc
    number = claimed(served)

    def run(*words: str) -> str:
        answer = CliRunner().invoke(main, ["registers", *words, "--by", login])
        assert answer.exit_code in (0, 1), answer.output
        return answer.output

    def table(name: str, *rows: str) -> str:
        file = tmp_path / name
        file.write_text("\n".join(rows), encoding="utf-8")
        return str(file)

    registry = table(
        "工商.csv",
        "统一社会信用代码,联系电话,董事证件号,每日服务能力（单）",
        f"{uscc},13900350001,一号、二号、,3",
    )
    benefits = table(
        "科技计划.csv", "统一社会信用代码,项目名称,服务内容,金额（元）", f'{uscc},市科技计划,检测,"50,000"'
    )
    bans = table(
        "限制.csv",
        "统一社会信用代码,情形,法律依据,决定文号,起始日期",
        f"{uscc},列入经营异常名录,条例第五条,7号,2026-01-01",
        f"{uscc},列入经营异常名录,,8号,2026-01-01",
    )
    assert "已处理 1 行" in run("registry", registry)
    assert "已处理 1 行" in run("benefits", benefits)
    assert "未处理 1 行" in run("bans", bans)
    sent = tmp_path / "hashes.json"
    assert "已导出 1 张" in run("export-invoices", str(sent), "--salt", "两省约定的盐值2026")
    assert set(json.loads(sent.read_text())) == {"salt", "sha256"}
    assert number in run("import-invoices", str(sent), "--from", "610000")
    with served.database.read() as session:
        counts = [
            session.execute(select(func.count()).select_from(each)).scalar_one()
            for each in (PartyMark, PaidElsewhere, PartyBan, PartyDirector)
        ]
        phone = session.scalars(select(PartyMark.value)).one()
    assert counts == [1, 1, 1, 2] and "139" not in phone[:3] and len(phone) == 64


def test_the_text_of_an_uploaded_report_is_kept_as_hashes(tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    file.write_bytes(one_page_pdf(" ".join(f"sample {n} was measured at {n * 37} hertz" for n in range(40))))
    with file.open("rb") as stream:
        stored = save(stream, tmp_path / "files", file_name="report.pdf", max_bytes=1_000_000)
    assert len(with_facts(stored, tmp_path / "files").facts["minima"]) == 16


def test_row_02_both_sides_state_their_relation_and_a_tie_stops_the_order(app: Flask, served: Told) -> None:
    order, other = served.captured_order(), served.captured_order()
    firm, manager = Browser(app, served.world.firm.actor), Browser(app, served.world.platform.manager)
    assert order in firm.get("/relations/").text and order in manager.get("/relations/").text
    assert firm.send(f"/relations/{order}", {"kind": ""}).status_code == 303
    assert order not in firm.get("/relations/").text and order in manager.get("/relations/").text
    assert firm.send(f"/relations/{order}", {"kind": ""}).status_code == 409
    machine = Machine(app, served.world.platform.manager)
    said = machine.send(f"/api/v1/orders/{other}/relation", {"kind": "co_building"})
    assert said.get_json() == {"order_no": other, "related": True}
    assert scenes.refused(served, order=order).code is Code.AFFILIATED


def test_row_10_what_was_paid_is_listed_for_another_look(app: Flask, served: Told) -> None:
    assert Browser(app, served.world.reviewer).get("/reviewer/checks/after-payment").status_code == 200
    answer = Machine(app, served.world.reviewer).get("/api/v1/paid-invoices")
    assert answer.get_json() == {"invoices": []}
