"""A platform's orders: answering, filing the contract, delivering, reversing."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.web.stage import Stage, staged
from voucher.clock import business_date, wall_now


@pytest.fixture
def stage(app: Flask) -> Stage:
    return staged(app)


def contract(**other: str) -> dict[str, str]:
    today = business_date(wall_now()).isoformat()
    return {"contract_no": "HT-2026-7", "contract_on": today, "contract_amount": "30000", **other}


def test_an_order_goes_from_quote_to_delivery(stage: Stage) -> None:
    number = stage.placed()
    path = f"/provider/orders/{number}"
    accepted = stage.manager.send(f"{path}/accept", {"quote": "30000"}, follow_redirects=True)
    assert "已接单" in accepted.text
    check = stage.manager.send(f"{path}/contract", contract())
    assert check.status_code == 200
    assert "叁万元整" in check.text
    assert stage.order(number).state == "accepted", "checking holds nothing"
    filed = stage.manager.send(f"{path}/contract", contract(step="send"), follow_redirects=True)
    assert "额度已锁定" in filed.text
    assert "15,000.00" in filed.text
    done = stage.scanner.send(f"{path}/deliver", {"provider_ref": "WT-3"}, follow_redirects=True)
    assert "等待企业验收确认" in done.text
    assert number in stage.scanner.get("/provider/orders/?text=WT-3").text


def test_a_contract_above_the_quote_is_refused_and_the_input_is_kept(stage: Stage) -> None:
    number = stage.placed()
    path = f"/provider/orders/{number}"
    stage.manager.send(f"{path}/accept", {"quote": "10000"})
    answer = stage.manager.send(f"{path}/contract", contract(step="send"))
    assert answer.status_code == 409
    assert "10,000.00 元" in answer.text
    assert "HT-2026-7" in answer.text
    assert "<title>错误：" in answer.text
    shape = stage.manager.send(f"{path}/contract", contract(contract_on="2026-02-30"))
    assert shape.status_code == 422
    assert "e-contract_on" in shape.text


def test_an_order_is_declined_with_a_reason_that_the_firm_reads(stage: Stage) -> None:
    number = stage.placed()
    empty = stage.manager.send(f"/provider/orders/{number}/decline", {"reason": ""})
    assert empty.status_code == 422
    stage.manager.send(f"/provider/orders/{number}/decline", {"reason": "设备检修"})
    assert "设备检修" in stage.firm.get(f"/enterprise/orders/{number}").text


def test_a_captured_order_is_reversed_once_with_a_reason(stage: Stage) -> None:
    number = stage.captured()
    assert number in stage.manager.get("/provider/").text
    path = f"/provider/orders/{number}/reverse"
    assert "15,000.00" in stage.manager.get(path).text
    assert stage.manager.send(path, {"reason": " "}).status_code == 422
    answer = stage.manager.send(path, {"reason": "金额录错"}, follow_redirects=True)
    assert "已冲正" in answer.text
    again = stage.manager.send(path, {"reason": "再来一次"})
    assert again.status_code == 409
    assert "再来一次" in again.text
    assert "100,000.00" in stage.firm.get(f"/enterprise/vouchers/{stage.voucher}").text


def test_a_scanner_may_deliver_but_neither_quote_nor_reverse(stage: Stage) -> None:
    placed, captured = stage.placed(), stage.captured()
    assert stage.scanner.send(f"/provider/orders/{placed}/accept", {"quote": "1"}).status_code == 403
    assert stage.scanner.send(f"/provider/orders/{placed}/decline", {"reason": "x"}).status_code == 403
    assert stage.scanner.send(f"/provider/orders/{placed}/contract", contract()).status_code == 403
    assert stage.scanner.get(f"/provider/orders/{captured}/reverse").status_code == 403
    assert stage.scanner.send(f"/provider/orders/{captured}/reverse", {"reason": "x"}).status_code == 403
    assert "由机构管理员冲正" in stage.scanner.get("/provider/").text


def test_anothers_orders_do_not_exist(stage: Stage) -> None:
    number = stage.held()
    assert stage.other_scanner.get(f"/provider/orders/{number}").status_code == 404
    assert stage.other_scanner.send(f"/provider/orders/{number}/deliver").status_code == 404
    assert number not in stage.other_scanner.get("/provider/orders/").text
    assert stage.order(number).state == "held"


def test_the_platform_calls_an_order_off(stage: Stage) -> None:
    number = stage.held()
    stage.manager.send(f"/provider/orders/{number}/cancel", {"reason": "设备故障"})
    assert stage.order(number).state == "released"
