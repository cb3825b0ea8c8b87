"""The formula's shapes where people decide them: recognised amounts, units, the factor of a year."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import factories
from tests.entrance import Browser, Machine
from tests.operations.shapes import AUDITED, PER_UNIT, PRORATA, shaped
from tests.operations.stories import Told
from voucher.clock import wall_now
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.prorata import Factor

LAST_YEAR = datetime.fromisoformat("2025-12-10T10:00+08:00")
WHERE = f"/finance/factors/{factories.PROGRAMME}/2025"


@pytest.fixture
def told(app: Flask) -> Told:
    return Told(app.extensions["voucher_database"], at=wall_now())


@pytest.fixture
def last_year(app: Flask) -> Told:
    """Claims of 100,000 and 60,000 handed in last year under a version with a factor."""
    told = Told(app.extensions["voucher_database"], at=LAST_YEAR)
    shaped(told, more=PRORATA)
    voucher = told.voucher()
    for amount in (99_999_50, 60_000_00):
        told.approved(order=told.captured_order(voucher=voucher, contract_fen=amount), amount_fen=amount)
    return told


def seen(told: Told, answer: str) -> dict[str, str]:
    """The answer to the last proposal, as its page sends it."""
    return {"answer": answer, "proposal_id": str(max(row.id for row in told.rows(Factor)))}


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_reviewer_types_the_recognised_amount_checks_what_it_gives_and_the_firm_reads_the_computation(
    app: Flask, told: Told
) -> None:
    shaped(told, AUDITED)
    number = told.claimed()
    reviewer, firm = Browser(app, told.world.reviewer), Browser(app, told.world.firm.actor)
    assert "审核认定金额" in reviewer.get(f"/reviewer/claims/{number}").text
    form = {"verdict": "approve", "audited": ""}
    missing = reviewer.send(f"/reviewer/claims/{number}/check", form)
    assert missing.status_code == 422
    assert "请填写审核认定金额" in missing.text
    form["audited"] = "64,000"
    check = text_of(reviewer.send(f"/reviewer/claims/{number}/check", form).text)
    assert "32,000.00" in check
    assert "18,000.00" in check
    above = {"verdict": "trim", "approved": "40000", "audited": "64000", "reason": "不符"}
    refused = reviewer.send(f"/reviewer/claims/{number}/check", above)
    assert (refused.status_code, "最多可核定 32,000.00 元" in refused.text) == (422, True)
    assert 'value="64000"' in refused.text
    assert reviewer.send(f"/reviewer/claims/{number}/decide", form).status_code == 303
    assert told.one(Claim, number=number).approved_fen == 32_000_00
    read = text_of(firm.get(f"/enterprise/claims/{number}").text)
    assert "补助基数：审核认定金额" in read
    assert "64,000.00" in read


def test_policies_without_it_ask_for_no_recognised_amount(app: Flask, told: Told) -> None:
    number = told.claimed()
    page = Browser(app, told.world.reviewer).get(f"/reviewer/claims/{number}").text
    assert 'name="audited"' not in page


def test_units_are_typed_where_the_policy_has_a_cap_per_unit_and_kept_where_something_is_wrong(
    app: Flask, told: Told
) -> None:
    voucher, firm = told.voucher(), Browser(app, told.world.firm.actor)
    where = f"/enterprise/orders/new/{voucher}/{told.world.platform.platform_id}/{factories.SERVICES[0]}"
    assert 'name="units"' not in firm.get(where).text
    shaped(told, more=PER_UNIT)
    assert "每一单位最高补助 1,000.00 元" in firm.get(where).text
    wrong = firm.send(where, {"description": "培训", "units": "0", "step": "check"})
    assert (wrong.status_code, "1 到 1000000" in wrong.text, 'value="0"' in wrong.text) == (422, True, True)
    check = firm.send(where, {"description": "培训", "units": "12", "step": "check"})
    assert '<input type="hidden" name="units" value="12">' in check.text
    assert firm.send(where, {"description": "培训", "units": "12", "step": "send"}).status_code == 303
    order = told.one(Order)
    assert order.units == 12
    assert "数量" in firm.get(f"/enterprise/orders/{order.number}").text


def test_one_person_proposes_the_factor_that_the_money_allows_and_another_trims_the_year(
    app: Flask, last_year: Told
) -> None:
    told = last_year
    maker, checker = Browser(app, told.world.maker), Browser(app, told.world.checker)
    assert WHERE in maker.get("/finance/factors/").text
    page = text_of(maker.get(f"{WHERE}?budget=66,000").text)
    assert "资金能承担的最高比例 82.50%" in page
    form = {"budget": "66,000", "factor": "90", "basis": "闽科〔2026〕1号", "step": "check"}
    over = maker.send(WHERE, form).text
    assert "超过可用资金" in over and 'value="send"' not in over and 'value="edit"' in over
    refused = maker.send(WHERE, {**form, "step": "send"})
    assert (refused.status_code, "最高 82.50%" in text_of(refused.text)) == (409, True)
    assert 'value="90"' in refused.text
    wrong = maker.send(WHERE, {**form, "factor": "0"})
    assert (wrong.status_code, "百分数" in wrong.text) == (422, True)
    form["factor"] = "82.5"
    assert 'value="send"' in maker.send(WHERE, form).text
    assert maker.send(WHERE, {**form, "step": "send"}).status_code == 303
    assert maker.get(f"{WHERE}/decide").status_code == 403
    shown = checker.get(f"{WHERE}/decide").text
    assert "82.50%" in shown and f'name="proposal_id" value="{told.one(Factor).id}"' in shown
    assert checker.send(f"{WHERE}/decide", seen(told, "")).status_code == 422
    stale = checker.send(f"{WHERE}/decide", {"answer": "yes", "proposal_id": "999"})
    assert stale.status_code == 409
    assert checker.send(f"{WHERE}/decide", seen(told, "yes")).status_code == 303
    assert [row.approved_fen for row in told.rows(Claim)] == [41_249_00, 24_750_00]
    assert "全部折算完毕" in checker.get(WHERE).text
    assert "已确定" in maker.get("/finance/factors/").text
    number = told.rows(Claim)[0].number
    read = text_of(Browser(app, told.world.firm.actor).get(f"/enterprise/claims/{number}").text)
    assert "申请期结束后确定的比例" in read
    assert "82.50%" in read


def test_claims_that_wait_for_a_factor_are_shown_apart_and_not_offered(app: Flask, last_year: Told) -> None:
    told = last_year
    number = told.rows(Claim)[0].number
    maker, checker = Browser(app, told.world.maker), Browser(app, told.world.checker)
    waiting = maker.get("/finance/batches/").text
    assert f'value="{number}"' not in waiting
    read = text_of(waiting)
    assert "等待年度比例 2 件" in read
    assert "2025 年度的补助比例" in read and "还没有提出。2026-01-01 起由财务经办人提出" in read
    notices = text_of(Browser(app, told.world.officer).get("/programme/notices/").text)
    assert number in notices and "没有等待公示的申请" in notices
    assert (
        maker.send(WHERE, {"budget": "80,000", "factor": "50", "basis": "纪要", "step": "send"}).status_code
        == 303
    )
    assert "已提出，等待另一人批准" in text_of(maker.get("/finance/batches/").text)
    assert checker.send(f"{WHERE}/decide", seen(told, "yes")).status_code == 303
    assert f'value="{number}"' in maker.get("/finance/batches/").text


def test_a_factor_that_is_sent_back_can_be_proposed_anew_and_late_claims_go_on(
    app: Flask, last_year: Told
) -> None:
    told = last_year
    maker, checker = Browser(app, told.world.maker), Browser(app, told.world.checker)
    form = {"budget": "80,000", "factor": "50", "basis": "纪要", "step": "send"}
    assert maker.send(WHERE, form).status_code == 303
    assert checker.send(f"{WHERE}/decide", seen(told, "no")).status_code == 303
    assert maker.send(WHERE, form).status_code == 303
    assert checker.send(f"{WHERE}/decide", seen(told, "yes")).status_code == 303
    order = told.captured_order(contract_fen=20_000_00)
    late = told.approved(order=order, amount_fen=20_000_00)
    assert "继续折算 1 件" in checker.get(WHERE).text
    assert checker.send(f"{WHERE}/apply").status_code == 303
    assert told.one(Claim, number=late).approved_fen == 5_000_00
    assert maker.get(f"/finance/factors/{factories.PROGRAMME}/2019").status_code == 404
    assert maker.get("/finance/factors/NONE/2025").status_code == 404


def test_programs_fix_a_factor_the_same_way(app: Flask, last_year: Told) -> None:
    told = last_year
    maker, checker = Machine(app, told.world.maker), Machine(app, told.world.checker)
    (demand,) = maker.get("/api/v1/factors").get_json()["demands"]
    assert (demand["year"], demand["waiting"], demand["waiting_fen"]) == (2025, 2, 79_999_75)
    assert (demand["over"], demand["largest_bp"]) == (True, 10_000)
    body = {
        "programme_code": factories.PROGRAMME,
        "year": 2025,
        "factor_bp": 9_000,
        "budget_fen": 66_000_00,
        "basis": "闽科〔2026〕1号",
    }
    refused = maker.send("/api/v1/factors", body)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "factor_too_high")
    assert refused.get_json()["facts"]["most_bp"] == 8_250
    made = maker.send("/api/v1/factors", {**body, "factor_bp": 8_250})
    assert (made.status_code, made.get_json()["state"]) == (201, "proposed")
    where = f"/api/v1/factors/{factories.PROGRAMME}/2025"
    answer = {"proposal_id": made.get_json()["proposal_id"], "approved": True}
    assert maker.send(f"{where}/decision", answer).status_code == 403
    assert checker.send(f"{where}/decision", answer).get_json() == {"trimmed": 2}
    assert checker.send(f"{where}/apply", None).get_json() == {"trimmed": 0}
    (line,) = maker.get("/api/v1/factors").get_json()["factors"]
    assert (line["state"], line["demand_fen"], line["claims"]) == ("approved", 79_999_75, 2)
    assert told.one(Factor).factor_bp == 8_250


def test_firm_and_reviewer_read_what_is_carried_and_what_the_group_leaves(app: Flask, told: Told) -> None:
    shared = 'amount_fen = 20_000_000\nscope = "control_group"\ncarry_years = 1'
    shaped(told, ("amount_fen = 20_000_000", shared))

    def last_year_too(session: Session, at: datetime) -> None:
        holder = session.get_one(Holder, told.world.firm.holder_id)
        factories.qualification(session, holder, by=told.world.reviewer, year=at.year - 1, at=at)

    told.do(last_year_too)
    voucher = told.voucher()
    number = told.claimed(order=told.captured_order(voucher=voucher, contract_fen=100_000_00))
    firm = text_of(Browser(app, told.world.firm.actor).get(f"/enterprise/vouchers/{voucher}").text)
    assert "其中以前年度未用、结转到本年的 ¥200,000.00" in firm
    assert "同一控制人的企业合计上限 剩余 ¥150,000.00 / 共 ¥200,000.00" in firm
    reviewer = text_of(Browser(app, told.world.reviewer).get(f"/reviewer/claims/{number}").text)
    assert "含以前年度结转 200,000.00" in reviewer
    assert "同一控制人的企业合计限额剩余" in reviewer
