"""Where the stories happen: a bureau with its people, an empty roster, a platform, and a calendar that can be turned.

What a newcomer does is done on pages, from the front page on; nothing is put into the database for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from typing import TypeVar

import time_machine
from flask import Flask
from openpyxl import Workbook
from sqlalchemy.orm import Session

from tests import factories
from tests.operations.applying import parameters, with_parameters
from tests.operations.publicity import FILL
from tests.originals.samples import Said, digital_xml
from tests.stories.visitor import Visitor
from voucher.clock import business_date, wall_now
from voucher.db import Database
from voucher.ledger.verify import verify
from voucher.operations.change_payee import DecideRequest, decide_changes
from voucher.operations.close_notices import close_notices
from voucher.operations.outcome import only
from voucher.operations.sweep import SYSTEM
from voucher.rules.permissions import Actor

T = TypeVar("T")
Work = Callable[[Session, datetime], T]
PASSWORD = "correct-Horse-7"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
UNDERTAKING = "本单位承诺：材料真实，服务真实发生，与服务机构没有关联关系。"
TEXT = factories.SHANXI.replace('value = ["tech_sme"]', 'value = ["tech_sme", "team"]')
CODE = re.compile(r"一次性验证码 (\d{4} \d{4} \d{4})")


class Town:
    """The province with a policy that asks for the parameters given, and everybody of the bureau."""

    def __init__(self, app: Flask, clock: time_machine.Traveller | None, **asked: object) -> None:
        self.app, self.clock = app, clock
        self.database: Database = app.extensions["voucher_database"]
        self.world = self.database.transaction(lambda session, at: factories.shanxi(session, at=at))
        fills = [FILL] if asked.pop("notice", False) else [factories.SHANXI_FILL]
        fills += [parameters(**asked)] if asked else []
        self.do(lambda session, _: with_parameters(session, TEXT, fills))

    def do(self, work: Work[T], *, days: int = 0) -> T:
        """One transaction, now or some days from now."""
        return self.database.transaction(work, at=wall_now() + timedelta(days=days) if days else None)

    def visitor(self, actor: Actor) -> Visitor:
        """Somebody of the bureau or the platform, signed in."""
        return Visitor(self.app, actor)

    def day(self, days: int = 0) -> str:
        """Today, or some days from now."""
        return (business_date(wall_now()) + timedelta(days=days)).isoformat()

    def wait(self, days: int) -> None:
        """Let days pass, where the clock is ours."""
        assert self.clock is not None
        self.clock.shift(timedelta(days=days))

    def works(self, *, days: int = 0) -> None:
        """What the worker does with notices when it comes by."""
        self.do(lambda session, at: close_notices(session, actor=SYSTEM, at=at, limit=10), days=days)

    def account_in_force(self, change: int) -> None:
        """A second official's yes to an account, when it has cooled."""
        wanted = [DecideRequest(change, True)]
        officer = self.world.officer
        self.do(lambda session, at: only(decide_changes(session, wanted, actor=officer, at=at)), days=3)

    def sound(self) -> None:
        """The books agree with every order, claim and batch."""
        with self.database.read() as session:
            found = verify(session)
        assert not found.faults, found

    # --- the bureau's part, before anybody comes ---------------------------------------------------------------

    def opened(self) -> None:
        """A window that is open, and an undertaking to sign."""
        officer = self.visitor(self.world.officer).go("/account/").click("申领期和承诺书")
        begins = f"{self.day()}T00:00"
        form = {"line_code": self.world.line_code, "opens": begins, "document_no": "晋科函〔2026〕8号"}
        officer.press("公布", form, into="windows/")
        officer.press("公布新版本", {"programme": self.world.programme_code, "text": UNDERTAKING})

    def listed(self, name: str, uscc: str, *, year: int | None = None) -> None:
        """A firm on the roster of the year, from the authority's spreadsheet."""
        in_year = year or business_date(wall_now()).year
        reviewer = self.visitor(self.world.reviewer).go("/account/").click("企业名单")
        sheet = {"year": str(in_year), "file": ("名单.xlsx", _roster(name, uscc, in_year))}
        reviewer.press("上传并预览", sheet)
        assert name in reviewer.text
        reviewer.press("确认导入")
        assert "共 1 行" in reviewer.text

    def letter(self, name: str) -> str:
        """The code in the letter to a firm that has no account."""
        reviewer = self.visitor(self.world.reviewer).go("/account/").click("未开通账户")
        (key,) = reviewer.choices("organisations", name)
        reviewer.press("打印勾选单位的信函", {"organisations": [key]})
        return code_of(reviewer.text)

    # --- coming in ----------------------------------------------------------------------------------------------

    def joins(
        self, uscc: str, code: str, login: str, *, name: str = "王伟", as_role: str = "approver"
    ) -> Visitor:
        """Somebody new, from the front page, with a code."""
        visitor = Visitor(self.app, password=PASSWORD).go("/").click("登录").click("开通账户")
        form = {"uscc": uscc, "code": code, "name": name, "login": login, "as_role": as_role}
        return visitor.press("开通", {**form, "password": PASSWORD, "again": PASSWORD})

    def signs_in(self, login: str) -> Visitor:
        """The same person on another day."""
        visitor = Visitor(self.app, password=PASSWORD).go("/").click("登录")
        return visitor.press("登录", {"login": login, "password": PASSWORD})

    def banks(self, boss: Visitor, uscc: str, name: str) -> None:
        """The firm names its account; days later the bureau, having asked back, puts it in force."""
        account = {
            "uscc": uscc,
            "account_name": name,
            "bank": "晋商银行太原分行",
            "account_no": "6217000000001234",
        }
        boss.click("收款账户").press("提交", account, into="payees")
        self.wait(3)
        reviewer = self.visitor(self.world.reviewer).go("/account/").click("收款账户变更")
        reviewer.press("已核实，启用")

    def granted(self, firm: Visitor, wanted: str) -> str:
        """From the question “what could I get?” to the voucher in hand; its number."""
        firm.go("/account/").click("申领").click("能领多少，先付多少")
        firm.go("/enterprise/").click("申领").click("申领", exact=True, last=True)
        firm.press("下一步：核对并签署", {"wanted": wanted, "purpose": "检测新材料样品"})
        firm.press("提交申领", {"signed_name": "王伟"})
        number = number_of("A", firm.path)
        assert "排队号" in firm.text
        reviewer = self.visitor(self.world.reviewer).go("/account/").click("申领审核").click(number)
        reviewer.press("下一步：核对", {"verdict": "approve"}).press("确认")
        return number_of("V", firm.go(firm.path).text)

    # --- pieces of later steps -----------------------------------------------------------------------------------

    def held(self, firm: Visitor, voucher: str, fen: str, contract_no: str) -> str:
        """A service ordered by its platform and kind, quoted, its contract filed; the order's number."""
        firm.go("/account/").click("在线下单")
        if voucher not in firm.path:
            firm.click(voucher)
        firm.click("开展技术合作")
        firm.press("下一步：核对", {"description": "样品检测"}).press("提交订单")
        number = number_of("O", firm.path)
        manager = self.visitor(self.world.platform.manager).go("/account/").click("服务订单").click(number)
        manager.press("接单", {"quote": fen})
        contract = {"contract_no": contract_no, "contract_on": self.day(), "contract_amount": fen}
        manager.press("下一步：核对", contract).press("备案并锁定额度")
        return number

    def captured(self, firm: Visitor, order: str) -> None:
        """Delivered by the platform, confirmed by the firm."""
        manager = self.visitor(self.world.platform.manager).go("/account/").click("服务订单").click(order)
        manager.press("已交付，请企业验收", {"provider_ref": "WT-9"})
        firm.go("/account/").click(f"验收确认订单 {order}").click("验收确认").press("下一步：核对").press(
            "确认核销"
        )

    def claimed(self, firm: Visitor, order: str, number: str, net: str) -> str:
        """A claim with one invoice, typed in; its number."""
        firm.go("/account/").click("我的订单").click(order).click("申请兑付")
        form = {"invoice_number_0": number, "invoice_issued_on_0": self.day(), "invoice_net_0": net}
        form |= {"paid_amount": net, "paid_on": self.day(), "payer_account": "6222020502001234567"}
        kinds = ("contract", "invoice", "payment_proof", "result")
        firm.press("下一步：核对", {**form, **{f"file_{kind}": paper(f"{kind}.pdf") for kind in kinds}})
        return number_of("C", firm.press("提交兑付申请").path)

    def approved(self, claim: str) -> None:
        """Nothing to say against it."""
        reviewer = self.visitor(self.world.reviewer).go("/account/").click("兑付申请审核").click(claim)
        reviewer.press("下一步：核对", {"verdict": "approve"}).press("确认审核意见")

    def paid(self, claim: str) -> str:
        """A batch by one, approved by another; the bank's file, and its answer. The line of the file."""
        maker, checker = self.visitor(self.world.maker), self.visitor(self.world.checker)
        maker.go("/account/").click("兑付批次").press("用勾选的申请建立批次", {"claims": [claim]}).press(
            "提交复核"
        )
        page = maker.path
        checker.go("/account/").click("兑付批次").click(number_of("B", page)).click("复核", exact=True)
        checker.press("确认复核通过")
        maker.go(page).press("CSV")
        line = str(maker.answer.data, "utf-8-sig").splitlines()[1]
        answer = f"支付编号,结果,流水号\n{line.split(',')[0]},成功,YH-2026-1\n".encode()
        maker.go(page).click("登记银行回单").press("上传并登记", {"file": ("回单.csv", answer)})
        assert "已登记 1 笔" in maker.text
        return line


def number_of(letter: str, text: str) -> str:
    """The first number of this kind in an address or a text."""
    found = re.search(rf"{letter}\d{{12}}", text)
    assert found is not None, text
    return found[0]


def code_of(text: str) -> str:
    """The digits of the one-time code on a page."""
    found = CODE.search(text)
    assert found is not None, text
    return found[1]


def paper(name: str, content: str = "") -> tuple[str, bytes]:
    """A PDF to upload, different for each content."""
    return (name, PDF + (content or name).encode())


def invoice(number: str, net: str, *, day: str, buyer: str, seller: str) -> tuple[str, bytes]:
    """The XML original of an electronic invoice, to upload."""
    said = Said(number=number, day=day, net=net, tax="0.00", total=net, buyer=buyer, seller=seller)
    return (f"{number}.xml", digital_xml(said))


def _roster(name: str, uscc: str, year: int) -> bytes:
    book = Workbook()
    assert book.active is not None
    book.active.append(["企业名称", "统一社会信用代码", "入库登记编号", "所在地区"])
    book.active.append([name, uscc, f"{year}140105A0009001", "小店区"])
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()
