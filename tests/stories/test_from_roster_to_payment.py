"""Story 1 on pages: from a line in a spreadsheet to money in the account, by one order in two instalments."""

from __future__ import annotations

from typing import Any

import time_machine
from flask import Flask
from sqlalchemy import select

from tests.stories.town import Town, code_of, invoice, number_of, paper
from tests.stories.visitor import Visitor
from voucher.codes import make_uscc
from voucher.models.messages import Message
from voucher.models.people import Person
from voucher.terms import MessageEvent

NAME = "晋城新材料有限公司"
USCC = make_uscc("140105", 77_001)


def authorised(town: Town, boss: Visitor) -> None:
    """An operator who may do everything that can be handed on."""
    boss.click("本单位人员").click("授权经办人或代账人员")
    form: dict[str, Any] = {"name": "李四", "role": "enterprise_operator", "to_on": town.day(300)}
    form |= {"mandates": boss.choices("mandates"), "letter": paper("授权书.pdf")}
    boss.press("授权并签发验证码", form)
    town.joins(USCC, code_of(boss.text), "lisi", name="李四")
    boss.click("返回")


def ordered(town: Town, firm: Visitor, manager: Visitor) -> str:
    """A service of the catalogue, ordered, quoted, and its contract filed in two instalments."""
    manager.go("/account/").click("服务清单维护").click("列入一项服务")
    entry = {
        "service": "technical_cooperation",
        "title": "钢材疲劳试验",
        "delivers": "报告一份",
        "unit": "件",
    }
    manager.press("列入清单", {**entry, "price": "90000"})
    firm.go("/account/").click("服务清单").click("钢材疲劳试验").click("山西省科技创新券")
    firm.press("下一步：核对", {"description": "两批样品的疲劳试验"}).press("提交订单")
    number = number_of("O", firm.path)
    manager.click("服务订单").click(number).press("接单", {"quote": "100000"})
    assert "报价与服务清单标价不同" in firm.go(firm.path).text
    parts = {"part_title_1": "初步报告", "part_amount_1": "60000", "part_due_1": town.day(30)}
    parts |= {"part_title_2": "最终报告", "part_amount_2": "40000", "part_due_2": town.day(60)}
    contract = {"contract_no": "HT-1", "contract_on": town.day(), "file": paper("合同.pdf")}
    manager.press("下一步：核对", {**contract, **parts}).press("备案并锁定额度")
    return number


def delivered(firm: Visitor, manager: Visitor, order: str) -> None:
    """The next instalment is delivered and confirmed."""
    manager.go("/account/").click("服务订单").click(order)
    manager.press("已交付，请企业验收", {"provider_ref": "WT-9", "result": paper("报告.pdf")})
    firm.go("/account/").click("验收确认订单").click("验收确认")
    firm.press("下一步：核对").press("确认核销")


def claimed(town: Town, firm: Visitor, order: str) -> str:
    """The claim, filled in from two originals."""
    firm.go("/account/").click("可以申请兑付").click(order).click("申请兑付")
    seller = town.world.platform.uscc
    numbers = (("26142000000000000011", "60000.00"), ("26142000000000000012", "40000.00"))
    originals = [invoice(no, net, day=town.day(), buyer=USCC, seller=seller) for no, net in numbers]
    firm.press("读取发票并填写", {"file_invoice": originals})
    for place, (number, net) in enumerate(numbers):
        assert firm.value(f"invoice_number_{place}") == number
        assert firm.value(f"invoice_net_{place}").replace(",", "") == net
    payment = {"paid_amount": "100000", "paid_on": town.day(), "payer_account": "6222020502001234567"}
    firm.press("下一步：核对", {**payment, "file_payment_proof": paper("付款.pdf")})
    assert "50,000.00" in firm.text and "不一致" not in firm.text
    return number_of("C", firm.press("提交兑付申请").path)


def returned_and_mended(town: Town, firm: Visitor, reviewer: Visitor, claim: str) -> None:
    """Three defects, told at once; three answers, and nothing else."""
    told = {"contract": "与备案不符", "payment": "回单看不清", "result": "缺少签章页"}
    reviewer.go("/account/").click("兑付申请审核").click(claim).click("退回补正")
    said = {f"text_{item}": words for item, words in told.items()}
    reviewer.press("下一步：核对告知书", {"items": [*told], "contact": "王老师 0351-1234567", **said})
    reviewer.press("退回补正")
    firm.go("/account/").click(f"兑付申请 {claim} 已退回")
    assert all(words in firm.text for words in told.values())
    firm.click("补正并重新提交")
    for name in ("contract_amount", "file_contract", "paid_amount", "file_payment_proof", "file_result"):
        assert firm.has(name), name
    for name in ("invoice_number_0", "file_invoice", "payee_account_id"):
        assert not firm.has(name), name
    papers = {"file_payment_proof": paper("清晰的回单.pdf"), "file_result": paper("签章页.pdf")}
    firm.press("下一步：核对", {"contract_amount": "100000", **papers})
    assert "伍万元整" in firm.text
    firm.press("重新提交")
    assert "清晰的回单.pdf" in firm.text


def trimmed(reviewer: Visitor, claim: str) -> None:
    """Five thousand less, with the reason."""
    reviewer.go("/account/").click("兑付申请审核").click(claim)
    form = {
        "verdict": "trim",
        "approved": "45000",
        "cause": "out_of_scope",
        "reason": "发票含差旅费 10,000 元",
    }
    reviewer.press("下一步：核对", form)
    assert "5,000.00" in reviewer.text
    reviewer.press("确认审核意见")


def publicised(town: Town, claim: str) -> str:
    """A notice over five working days: on its last day nothing can be paid yet, on the day after it can."""
    officer = town.visitor(town.world.officer).go("/account/").click("公示").click("新建公示")
    words = {
        "title": "2026 年第一批拟兑付名单公示",
        "authority": "山西省科学技术厅",
        "contact": "0351-0000000",
    }
    officer.press("下一步：核对", {**words, "claims": [claim]})
    assert "5 个工作日" in officer.text
    officer.press("确认发布")
    number = officer.path.rsplit("/", 1)[-1]
    anybody = Visitor(town.app).go("/").click("拟兑付名单等公示").click(number)
    assert NAME in anybody.text and USCC not in anybody.text and "45,000.00" in anybody.text
    for days, ready in ((7, False), (1, True)):
        town.wait(days)
        town.works()
        maker = town.visitor(town.world.maker).go("/account/").click("兑付批次")
        assert (claim in maker.text) is ready, (days, maker.text)
    return number


def told_once(town: Town, firm: Visitor) -> list[str]:
    """What the operator was told, in order; every message is on the inbox's page."""
    query = select(Message).join(Person, Person.id == Message.person_id).where(Person.login == "lisi")
    with town.database.read() as session:
        rows = session.scalars(query.order_by(Message.id)).all()
        inbox = firm.go("/account/").click("我的消息").text
        assert f"共 {len(rows)} 条" in inbox and "发票含差旅费 10,000 元" in inbox
        return [MessageEvent(row.event).label for row in rows]


def test_a_firm_goes_from_the_roster_to_money_in_its_account(
    app: Flask, clock: time_machine.Traveller
) -> None:
    town = Town(app, clock, notice=True, instalments_max=2, claim_confirm_days=5, defect_days=10)
    town.opened()
    town.listed(NAME, USCC)
    boss = town.joins(USCC, town.letter(NAME), "wangwei")
    authorised(town, boss)
    town.banks(boss, USCC, NAME)
    firm, manager = town.signs_in("lisi"), town.visitor(town.world.platform.manager)
    town.granted(firm, "100000")
    order = ordered(town, firm, manager)
    delivered(firm, manager, order)
    delivered(firm, manager, order)
    claim = claimed(town, firm, order)
    manager.go("/account/").click("兑付申请").click(claim).press("提交", {"answer": "agree"}, into="answer")
    reviewer = town.visitor(town.world.reviewer)
    returned_and_mended(town, firm, reviewer, claim)
    trimmed(reviewer, claim)
    home = firm.go("/account/").text
    assert "年度补助上限" in home
    for left in ("剩余 ¥155,000.00 / 共 ¥200,000.00", "剩余 ¥55,000.00 / 共 ¥100,000.00"):
        assert left in home, home
    publicised(town, claim)
    line = town.paid(claim)
    assert "45000.00" in line and order in line
    firm = town.signs_in("lisi")
    assert "已兑付" in firm.click(claim).text
    contract = firm.click("我的订单").click(order).text
    assert "合计可补助 ¥50,000.00 还可补助 ¥5,000.00" in contract, contract
    assert told_once(town, firm) == [
        "申请变更收款账户", "收款账户变更结果", "申领已受理", "申领已审核", "券已发放", "机构已接单", "合同已备案", "机构已交付", "机构已交付", "对方已确认申请",
        "退回补正", "兑付申请已审核", "公示开始", "公示期满", "补助资金已支付",
    ]  # fmt: skip
    town.sound()
