"""A firm's own pages: what it has, ordering, confirming a delivery, claiming the money."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from flask import Flask

from tests.web.stage import PDF, SERVICE, Stage, proposed, staged
from voucher.clock import business_date, wall_now

KINDS = ("contract", "invoice", "payment_proof", "result")


@pytest.fixture
def stage(app: Flask) -> Stage:
    return staged(app)


def claim_form(stage: Stage, **other: Any) -> dict[str, Any]:
    today = business_date(wall_now()).isoformat()
    return {
        "step": "check",
        "contract_amount": "30000",
        "paid_amount": "30000",
        "paid_on": today,
        "payer_account": "6222020502001234567",
        "payer_name": stage.world.firm.name,
        "payee_account_id": "1",
        "invoice_number_0": "26140000000000000001",
        "invoice_code_0": "",
        "invoice_issued_on_0": today,
        "invoice_net_0": "30000",
        "invoice_buyer_uscc_0": stage.world.firm.uscc,
        "invoice_seller_uscc_0": stage.world.platform.uscc,
        **other,
    }


def files() -> dict[str, Any]:
    return {f"file_{kind}": (io.BytesIO(PDF + kind.encode()), f"{kind}.pdf") for kind in KINDS}


def tickets(page: str) -> dict[str, list[str]]:
    """Field -> tickets of the files that a page keeps."""
    kept: dict[str, list[str]] = {}
    for field, ticket in re.findall(r'name="(kept_[a-z_]+)" value="([^"]+)"', page):
        kept.setdefault(field, []).append(ticket)
    return kept


def test_the_front_page_shows_vouchers_the_cap_and_what_waits(stage: Stage) -> None:
    stage.delivered()
    session = proposed(stage)
    page = stage.firm.get("/enterprise/").text
    assert stage.voucher in page
    assert "年度补助上限" in page
    assert "验收确认订单" in page
    assert f"/enterprise/sessions/{session}" in page
    assert "锁定中" in page


def test_a_voucher_tells_its_movements_in_plain_words_and_what_it_buys(stage: Stage) -> None:
    number = stage.captured()
    page = stage.firm.get(f"/enterprise/vouchers/{stage.voucher}").text
    for words in ("发放到本券", "为订单锁定额度", "核销扣减", number, "可购买的服务", "服务合同、发票"):
        assert words in page
    assert "85,000.00" in page


def test_a_printed_voucher_carries_its_number_in_figures_and_words(stage: Stage) -> None:
    page = stage.firm.get(f"/enterprise/vouchers/{stage.voucher}/print").text
    assert "壹拾万元整" in page
    assert "<svg" in page


def test_anothers_things_do_not_exist(stage: Stage) -> None:
    order = stage.captured()
    for path in (
        f"/enterprise/vouchers/{stage.voucher}",
        f"/enterprise/vouchers/{stage.voucher}/print",
        f"/enterprise/orders/{order}",
        f"/enterprise/orders/{order}/confirm",
        f"/enterprise/orders/{order}/claim",
        f"/enterprise/orders/new/{stage.voucher}",
        f"/enterprise/orders/new/{stage.voucher}/{stage.world.platform.platform_id}/{SERVICE}",
        "/enterprise/claims/C202600000017",
    ):
        assert stage.stranger.get(path).status_code == 404, path
    refused = stage.stranger.send("/enterprise/sessions/new", {"voucher": stage.voucher})
    assert refused.status_code == 404
    assert stage.stranger.send(f"/enterprise/orders/{order}/cancel").status_code == 404
    step = {"amount": "1", "step": "send"}
    assert stage.stranger.send(f"/enterprise/orders/{order}/confirm", step).status_code == 404
    assert order not in stage.stranger.get("/enterprise/orders/").text


def test_an_order_is_described_checked_and_placed(stage: Stage) -> None:
    assert stage.firm.get("/enterprise/orders/new").location.endswith(stage.voucher)
    catalogue = stage.firm.get(f"/enterprise/orders/new/{stage.voucher}?text=测试平台").text
    path = f"/enterprise/orders/new/{stage.voucher}/{stage.world.platform.platform_id}/{SERVICE}"
    assert path in catalogue
    empty = stage.firm.send(path, {"description": " "})
    assert empty.status_code == 422
    check = stage.firm.send(path, {"description": "检测三批"})
    assert "检测三批" in check.text
    assert 'value="send"' in check.text
    placed = stage.firm.send(path, {"description": "检测三批", "step": "send"}, follow_redirects=True)
    assert "订单已提交" in placed.text
    assert "检测三批" in placed.text


def test_the_same_form_sent_twice_places_one_order(stage: Stage) -> None:
    path = f"/enterprise/orders/new/{stage.voucher}/{stage.world.platform.platform_id}/{SERVICE}"
    form = {"description": "检测", "step": "send", "key": "one-and-the-same"}
    assert stage.firm.send(path, form).location == stage.firm.send(path, form).location
    assert "共 1 条" in stage.firm.get("/enterprise/orders/").text


def test_a_list_is_filtered_by_its_address(stage: Stage) -> None:
    placed, held = stage.placed(), stage.held()
    page = stage.firm.get("/enterprise/orders/?state=held").text
    assert held in page
    assert placed not in page
    assert placed in stage.firm.get(f"/enterprise/orders/?text={placed.lower()}").text
    wrong = stage.firm.get("/enterprise/orders/?since=2026-13-01")
    assert wrong.status_code == 422
    assert "日期应写作" in wrong.text


def test_a_delivery_is_confirmed_in_part_and_the_rest_comes_back(stage: Stage) -> None:
    number = stage.delivered()
    path = f"/enterprise/orders/{number}/confirm"
    assert "15,000.00" in stage.firm.get(path).text
    check = stage.firm.send(path, {"amount": "１００００"})
    assert "5,000.00" in check.text
    above = stage.firm.send(path, {"amount": "15000.01", "step": "send"})
    assert above.status_code == 409
    assert "核销金额不能超过已锁定的额度" in above.text
    assert "15000.01" in above.text
    assert stage.firm.send(path, {"amount": "10000", "step": "send"}).status_code == 303
    assert stage.order(number).captured_fen == 10_000_00
    assert "90,000.00" in stage.firm.get(f"/enterprise/vouchers/{stage.voucher}").text


def test_an_order_is_called_off_and_the_hold_comes_back(stage: Stage) -> None:
    number = stage.held()
    answer = stage.firm.send(
        f"/enterprise/orders/{number}/cancel", {"reason": "不做了"}, follow_redirects=True
    )
    assert "订单已取消" in answer.text
    assert "不做了" in answer.text
    again = stage.firm.send(f"/enterprise/orders/{number}/cancel")
    assert again.status_code == 409
    assert "当前状态不能办理" in again.text


def test_a_claim_is_checked_sent_and_followed(stage: Stage) -> None:
    order = stage.captured()
    path = f"/enterprise/orders/{order}/claim"
    check = stage.firm.send(path, {**claim_form(stage), **files()}, content_type="multipart/form-data")
    assert check.status_code == 200
    assert "核对兑付申请" in check.text
    kept = tickets(check.text)
    assert len(kept) == 4
    sent = stage.firm.send(path, claim_form(stage, step="send", **kept))
    assert sent.status_code == 303, sent.text
    page = stage.firm.get(sent.location).text
    assert "兑付申请已提交" in page
    assert "15,000.00" in page
    links = re.findall(r'href="(/enterprise/claims/[^"]+/documents/[0-9]+)"', page)
    assert len(links) == 4
    paper = stage.firm.get(links[0])
    assert paper.data.startswith(b"%PDF-")
    assert paper.headers["Content-Disposition"].startswith("attachment")
    for link in (links[0], sent.location):
        assert stage.stranger.get(link).status_code == 404


def test_a_claim_that_lacks_something_keeps_every_input_and_file(stage: Stage) -> None:
    path = f"/enterprise/orders/{stage.captured()}/claim"
    form = claim_form(stage, paid_amount="abc", invoice_number_0="123")
    form["file_contract"] = (io.BytesIO(PDF), "合同.pdf")
    form["file_result"] = (io.BytesIO(b"MZ not a paper"), "result.pdf")
    answer = stage.firm.send(path, form, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert "发票 1 号码：" in answer.text
    assert "请上传付款凭证" in answer.text
    assert "文件不能受理" in answer.text
    assert "合同.pdf" in answer.text
    assert 'value="123"' in answer.text
    assert len(tickets(answer.text)) == 1


def test_more_invoices_are_added_without_losing_the_first(stage: Stage) -> None:
    path = f"/enterprise/orders/{stage.captured()}/claim"
    answer = stage.firm.send(path, claim_form(stage, step="add"))
    assert answer.status_code == 200
    assert "invoice_number_1" in answer.text
    assert "26140000000000000001" in answer.text


def test_a_forged_ticket_of_a_file_is_no_file(stage: Stage) -> None:
    path = f"/enterprise/orders/{stage.captured()}/claim"
    answer = stage.firm.send(
        path, claim_form(stage, step="send", **{f"kept_file_{kind}": ["forged.ticket"] for kind in KINDS})
    )
    assert answer.status_code == 422
    assert "请上传服务合同" in answer.text


def test_an_invoice_of_another_seller_is_refused_with_the_rule(stage: Stage) -> None:
    path = f"/enterprise/orders/{stage.captured()}/claim"
    check = stage.firm.send(path, {**claim_form(stage), **files()}, content_type="multipart/form-data")
    wrong = claim_form(stage, step="send", **tickets(check.text), invoice_seller_uscc_0=stage.world.firm.uscc)
    answer = stage.firm.send(path, wrong)
    assert answer.status_code == 409
    assert "发票与订单不一致" in answer.text
    assert "销售方" in answer.text
    assert len(tickets(answer.text)) == 4


def test_the_firms_pages_are_not_for_platforms_and_visitors_sign_in_first(stage: Stage) -> None:
    order = stage.placed()
    for path in (
        "/enterprise/",
        f"/enterprise/orders/{order}",
        "/enterprise/orders/",
        "/enterprise/orders/new",
    ):
        assert stage.manager.get(path).status_code == 403
        stranger = stage.app.test_client().get(path)
        assert stranger.status_code == 302
        assert "/account/sign-in" in stranger.location
