"""The end of a budget year on pages, by JSON and by command: proposed, checked, decided by another, closed, and its tables."""

from __future__ import annotations

import csv
import io
import re
from datetime import date

import pytest
from click.testing import CliRunner
from flask import Flask

from tests.entrance import Browser, Machine
from tests.operations.stories import Told
from voucher.cli import main
from voucher.clock import business_date, fiscal_year, wall_now
from voucher.ledger import accounts
from voucher.models.people import Person
from voucher.models.programmes import BudgetLine
from voucher.models.year_ends import YearEnd
from voucher.money import Fen
from voucher.operations.fund import FundRequest, LineRequest, fund, open_lines
from voucher.operations.outcome import only

OLD, AMOUNT = "OLD-LINE", 5_000_000_00


@pytest.fixture
def told(app: Flask) -> Told:
    """The world, and a line of the year before with money on it."""
    told = Told(app.extensions["voucher_database"], at=wall_now())
    line = LineRequest(OLD, told.world.programme_code, fiscal_year(told.at) - 1, "上年指标")
    put = FundRequest(OLD, "晋财〔上年〕1号", Fen(AMOUNT))
    told.do(lambda session, at: only(open_lines(session, [line], actor=told.world.maker, at=at)))
    told.do(lambda session, at: only(fund(session, [put], actor=told.world.maker, at=at)))
    return told


@pytest.fixture
def maker(app: Flask, told: Told) -> Browser:
    return Browser(app, told.world.maker)


@pytest.fixture
def checker(app: Flask, told: Told) -> Browser:
    return Browser(app, told.world.checker)


def carrying(told: Told, **changes: str) -> dict[str, str]:
    form = {
        "action": "carry",
        "to": told.world.line_code,
        "vouchers": "keep",
        "document_no": "晋财〔2027〕1号",
    }
    return form | changes


def test_one_proposes_after_checking_and_another_decides(
    told: Told, maker: Browser, checker: Browser
) -> None:
    path = f"/finance/year-end/lines/{OLD}"
    assert OLD in maker.get("/finance/year-end/").text
    shown = maker.send(path, carrying(told))
    assert (shown.status_code, "5,000,000.00" in shown.text, "晋财〔2027〕1号" in shown.text) == (
        200,
        True,
        True,
    )
    assert "待复核" not in maker.get(path).text
    back = maker.send(path, carrying(told, step="edit"))
    assert (back.status_code, 'value="晋财〔2027〕1号"' in back.text) == (200, True)
    assert maker.send(path, carrying(told, step="send")).status_code == 303
    assert maker.get(f"{path}/decide").status_code == 403
    page = checker.get(f"{path}/decide").text
    assert "退回的余额一并转出" not in page, "the vouchers go on"
    found = re.search(r'name="amount_fen" value="(\d+)"', page)
    assert found and int(found[1]) == AMOUNT
    seen = {"amount_fen": found[1], "proposal_id": str(told.one(YearEnd).id)}
    assert f'name="proposal_id" value="{seen["proposal_id"]}"' in page
    before = told.balance(accounts.budget(told.world.line_code, told.world.year))
    nothing = checker.send(f"{path}/decide", seen)
    assert nothing.status_code == 422
    assert checker.send(f"{path}/decide", seen | {"answer": "yes"}).status_code == 303
    assert told.one(BudgetLine, code=OLD).closed_on == business_date(wall_now())
    assert told.balance(accounts.budget(told.world.line_code, told.world.year)) == before + AMOUNT
    assert "已办结" in checker.get(path).text


def test_the_form_says_what_is_missing_and_loses_nothing(told: Told, maker: Browser) -> None:
    path = f"/finance/year-end/lines/{OLD}"
    for form in (carrying(told, to=""), carrying(told, action="lapse"), carrying(told, document_no="")):
        answer = maker.send(path, form)
        assert answer.status_code == 422
        assert "错误：" in answer.text
    assert "晋财〔2027〕1号" in maker.send(path, carrying(told, to="")).text


def test_a_proposal_is_sent_back_and_made_again(told: Told, maker: Browser, checker: Browser) -> None:
    path = f"/finance/year-end/lines/{OLD}"
    maker.send(path, carrying(told, step="send"))
    assert maker.send(path, carrying(told, step="send")).status_code == 409
    seen = {"amount_fen": str(AMOUNT), "proposal_id": str(told.one(YearEnd).id)}
    assert checker.send(f"{path}/decide", seen | {"answer": "no"}).status_code == 303
    assert "已退回" in maker.get(path).text
    assert maker.send(path, carrying(told, step="send")).status_code == 303
    assert checker.send(f"{path}/decide", seen | {"answer": "yes"}).status_code == 409
    shown = {"amount_fen": "1", "proposal_id": str(max(row.id for row in told.rows(YearEnd)))}
    assert checker.send(f"{path}/decide", shown | {"answer": "yes"}).status_code == 409


def test_the_tables_are_pages_and_files(told: Told, maker: Browser) -> None:
    year = fiscal_year(told.at)
    assert "5,000,000.00" in maker.get(f"/finance/year-end/carry-over?year={year - 1}").text
    content = maker.get(f"/finance/year-end/carry-over.csv?year={year - 1}").data.decode("utf-8-sig")
    heads, row = list(csv.reader(io.StringIO(content)))
    named = dict(zip(heads, row, strict=True))
    assert (named["本年下达"], named["年末未用"], named["核对差额"]) == ("5000000.00", "5000000.00", "0.00")
    assert "没有收回的券" in maker.get(f"/finance/year-end/expired?year={year}").text
    assert maker.get(f"/finance/year-end/expired.csv?year={year}").data.decode("utf-8-sig").startswith("券号")


def test_programs_do_the_same(app: Flask, told: Told) -> None:
    maker, checker = Machine(app, told.world.maker), Machine(app, told.world.checker)
    body = {
        "budget_line": OLD,
        "action": "carry",
        "to": told.world.line_code,
        "document_no": "晋财〔2027〕1号",
    }
    proposed = maker.send("/api/v1/year-ends", body)
    assert (proposed.status_code, proposed.get_json()["state"], proposed.get_json()["amount_fen"]) == (
        201,
        "proposed",
        AMOUNT,
    )
    said = {"approved": True, "amount_fen": AMOUNT, "proposal_id": proposed.get_json()["proposal_id"]}
    assert maker.send(f"/api/v1/year-ends/{OLD}/decision", said).status_code == 403
    done = checker.send(f"/api/v1/year-ends/{OLD}/decision", said)
    assert done.get_json() == {"fallen": 0, "closed": True, "moved_fen": AMOUNT}
    assert checker.send(f"/api/v1/year-ends/{OLD}/apply", {}).get_json()["closed"] is True
    (decision,) = maker.get("/api/v1/year-ends").get_json()["decisions"]
    assert decision["state"] == "done"
    year = fiscal_year(told.at)
    (row,) = maker.get(f"/api/v1/reports/carry-over?year={year - 1}").get_json()["rows"]
    assert (row["carried_fen"], row["closing_fen"], row["difference_fen"]) == (AMOUNT, 0, 0)
    assert maker.get(f"/api/v1/reports/expired?year={year}").get_json()["total"] == 0


def test_commands_do_the_same(told: Told, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    logins = {row.id: row.login for row in told.rows(Person)}

    def run(*words: str) -> str:
        result = CliRunner().invoke(main, ["year-end", *words])
        assert result.exit_code == 0, result.output
        return result.output

    maker, checker = (logins[each.person_id] for each in (told.world.maker, told.world.checker))
    assert "待复核" in run("propose", OLD, "--fall", "--document", "晋财〔2027〕1号", "--by", maker)
    seen = str(told.one(YearEnd).id)
    run("approve", OLD, "--amount", "5000000", "--proposal", seen, "--by", checker)
    assert "关闭指标 1 条" in run("apply")
    assert "关闭指标 0 条" in run("apply")
    assert isinstance(told.one(BudgetLine, code=OLD).closed_on, date)
