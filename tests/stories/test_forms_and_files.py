"""What a hurried person does: other spellings, wrong fields, wrong files. Nothing is lost, and each is told why."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from struct import pack
from typing import Any

import pytest
from flask import Flask

from tests.pace import within
from tests.stories.office import Office
from tests.stories.town import Town, paper
from tests.stories.visitor import Visitor
from voucher.codes import make_uscc

NUMBER = "26142000000000000061"
USCC = make_uscc("140105", 77_004)
SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    lambda text: f"  {text}  ",
    lambda text: " ".join((text[:4], text[4:8], text[8:])),
    lambda text: "-".join((text[:8], text[8:])),
    lambda text: text.lower(),
    lambda text: text.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)}),
    lambda text: f"\u3000{text}\u3000",
    lambda text: f"{text[:10]}\u00a0{text[10:]}",
    lambda text: f"{text[:3]} - {text[3:]}",
    lambda text: "\u2009".join((text[:6], text[6:12], text[12:])),
)


class Shop:
    """A firm of the town with two orders to claim."""

    def __init__(self, app: Flask) -> None:
        self.town = Town(app, None, instalments_max=2)
        self.owner, office = self.town.world.firm, Office(self.town)
        office.opened()
        machine = office.of(self.owner.actor)
        office.account(self.owner.uscc, self.owner.name)
        voucher = office.granted(machine, self.owner.holder_ref, 100_000_00)
        self.orders = [office.held(machine, voucher, 4_000_00, f"HT-{place}") for place in (1, 2)]
        for order in self.orders:
            office.captured(machine, order)
        self.firm = Visitor(app, self.owner.actor)

    def claiming(self, order: str) -> Visitor:
        return self.firm.go("/account/").click("我的订单").click(order).click("申请兑付")

    def typed(self, **other: Any) -> dict[str, Any]:
        day = self.town.day()
        form = {"invoice_number_0": NUMBER, "invoice_issued_on_0": day, "invoice_net_0": "4000"}
        form |= {"paid_amount": "4000", "paid_on": day, "payer_account": "6222020502001234567", **other}
        kinds = ("contract", "invoice", "payment_proof", "result")
        return {**form, **{f"file_{kind}": paper(f"{kind}.pdf") for kind in kinds}}


@pytest.fixture
def shop(app: Flask) -> Shop:
    return Shop(app)


def test_ten_spellings_of_one_invoice_number_are_one_invoice(shop: Shop) -> None:
    first, second = shop.orders
    shop.claiming(first).press("下一步：核对", shop.typed()).press("提交兑付申请")
    firm = shop.claiming(second).press("下一步：核对", shop.typed(paid_amount="x"), status=422)
    for spelled in SPELLINGS:
        given = {"invoice_number_0": spelled(NUMBER), "paid_amount": "4000"}
        firm.press("下一步：核对", given).press("提交兑付申请", status=409)
        assert "该发票已用于其他兑付申请" in firm.text, spelled(NUMBER)


def test_ten_spellings_of_one_uscc_open_the_account_of_one_firm(app: Flask) -> None:
    town = Town(app, None)
    town.listed("拼写科技有限公司", USCC)
    for place, spelled in enumerate(SPELLINGS):
        visitor = Visitor(app).go("/").click("登录").click("开通账户")
        form = {
            "uscc": spelled(USCC),
            "code": "123412341234",
            "name": "王",
            "login": f"w{place}",
            "as_role": "both",
        }
        visitor.press("开通", {**form, "password": "correct-Horse-7", "again": "correct-Horse-7"}, status=422)
        assert "单位代码或一次性验证码不正确" in visitor.text, spelled(USCC)
    code = town.letter("拼写科技有限公司")
    assert "拼写科技有限公司" in town.joins(SPELLINGS[5](USCC.lower()), code, "wangwei").text


def test_a_claim_that_fails_brings_back_every_field_and_file(shop: Shop) -> None:
    typed = shop.typed(invoice_number_0="12", serial="YH-7", payer_name="王小明")
    firm = shop.claiming(shop.orders[0]).press("下一步：核对", typed, status=422)
    kept = {name: value for name, value in typed.items() if not name.startswith("file_")}
    assert {name: firm.value(name) for name in kept} == kept
    for kind in ("contract", "invoice", "payment_proof", "result"):
        assert len(firm.choices(f"kept_file_{kind}")) == 1, kind
    firm.press("下一步：核对", {"invoice_number_0": NUMBER}, status=409)
    assert firm.value("serial") == "YH-7" and "户名不是申请企业" in firm.text
    firm.press("下一步：核对", {"payer_name": shop.owner.name}).press("提交兑付申请")
    assert all(f"{kind}.pdf" in firm.text for kind in ("contract", "invoice", "payment_proof", "result"))


def test_forms_of_every_other_side_bring_back_what_was_typed(app: Flask) -> None:
    town = Town(app, None)
    boss, officer = Visitor(app, town.world.firm.actor), town.visitor(town.world.officer)
    boss.go("/account/").click("本单位人员").click("授权经办人或代账人员")
    letter = {"name": "李四", "to_on": "2020-01-01", "letter": paper("授权书.pdf")}
    boss.press("授权并签发验证码", letter, status=422)
    assert boss.value("name") == "李四" and "授权书.pdf" in boss.text and boss.choices("kept_letter")
    boss.go("/account/").click("收款账户").press("提交", {"bank": "晋商银行"}, status=422, into="payees")
    assert boss.value("bank") == "晋商银行"
    officer.go("/account/").click("申领期和承诺书").press(
        "公布", {"document_no": "文1"}, status=422, into="windows/"
    )
    assert officer.value("document_no") == "文1"
    manager = (
        town.visitor(town.world.platform.manager).go("/account/").click("服务清单维护").click("列入一项服务")
    )
    manager.press("列入清单", {"title": "试验", "price": "x", "exclusions": "不含取样"}, status=422)
    assert [manager.value(name) for name in ("title", "price", "exclusions")] == ["试验", "x", "不含取样"]
    reviewer = town.visitor(town.world.reviewer).go("/account/").click("柜面办理").click("登记")
    case = {"kind": "convert", "ref": "TEMP1", "name": "甲", "papers": [paper("照.pdf"), paper("函.pdf")]}
    reviewer.press("登记，交另一人核对", case, status=422)
    assert reviewer.value("ref") == "TEMP1" and len(reviewer.choices("kept_papers")) == 2


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    head = pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def _zip(name: str, size: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b"\0" * size)
    return buffer.getvalue()


BOMBS = (
    ("发票.ofd", _zip("OFD.xml", 70_000_000), "压缩内容解开后太大"),
    ("照片.png", _png(60_000, 60_000), "图片像素太多"),
    (
        "图.svg",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "文件里含有网页代码、脚本或程序",
    ),
    (
        "发票.xml",
        b'<!DOCTYPE a [<!ENTITY b "bbbb">]><EInvoice>&b;</EInvoice>',
        "文件里含有网页代码、脚本或程序",
    ),
    ("发票.pdf", b"MZ\x90\0 program", "文件类型不受支持"),
    ("发票.pdf", _png(2, 2), "文件内容与扩展名不符"),
    ("../../etc/passwd.pdf", b"<html><script>alert(1)</script></html>", "文件里含有网页代码、脚本或程序"),
)


def test_bombs_and_wrong_files_are_refused_at_their_field_in_two_seconds_and_the_rest_stays(
    shop: Shop,
) -> None:
    firm = shop.claiming(shop.orders[0]).press(
        "下一步：核对", {**shop.typed(), "paid_amount": "x"}, status=422
    )
    firm.drop("kept_file_result")
    for name, content, reason in BOMBS:
        with within(2):
            firm.press("下一步：核对", {"file_result": (name, content)}, status=422)
        said = firm.text.partition("原因：")[2][:60]
        assert said.startswith(reason), (name, said)
        assert firm.choices("kept_file_contract") and not firm.choices("kept_file_result")


def test_a_sheet_of_28_megabytes_in_a_small_zip_is_refused_as_a_roster(app: Flask) -> None:
    town = Town(app, None)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        row = b'<row><c t="inlineStr"><is><t>' + b"x" * 100 + b"</t></is></c></row>"
        archive.writestr(
            "xl/worksheets/sheet1.xml",
            b"<worksheet><sheetData>" + row * 200_000 + b"</sheetData></worksheet>",
        )
    reviewer = town.visitor(town.world.reviewer).go("/account/").click("企业名单")
    with within(2):
        reviewer.press("上传并预览", {"year": "2026", "file": ("名单.xlsx", buffer.getvalue())}, status=422)
    assert "年度" in reviewer.text and reviewer.value("year") == "2026"
