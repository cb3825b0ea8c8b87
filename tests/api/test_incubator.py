"""Startup vouchers through the API: tenants, allotments, an order for two, check-in, the table of use."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from flask import Flask

from tests.api.conftest import ok, refused
from tests.entrance import Machine, application
from tests.operations.startup_world import SERVICE, Base
from voucher.clock import wall_now
from voucher.errors import Code

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Flask:
    return application(database_url, tmp_path)


@pytest.fixture
def base(app: Flask) -> Base:
    return Base(app.extensions["voucher_database"], at=wall_now())


def test_a_base_allots_orders_for_two_and_only_the_one_that_checked_in_is_captured(
    app: Flask, base: Base
) -> None:
    manager, first, second = Machine(app, base.manager), base.tenant(), base.tenant()
    voucher = base.voucher(face_fen=10_000_00)
    path = f"/api/v1/incubator/vouchers/{voucher}/allotments"
    parts = [{"tenancy_id": each.tenancy_id, "amount_fen": 2_000_00} for each in (first, second)]
    made = ok(manager.send(path, {"allotments": parts}), 201)["allotments"]
    assert [each["moved_fen"] for each in made] == [2_000_00, 2_000_00]
    refused(
        manager.send(path, {"allotments": [{**parts[0], "amount_fen": 6_000_01}]}),
        409,
        Code.VOUCHER_EXHAUSTED,
    )
    lines = [{"allotment_number": each["number"], "amount_fen": 1_000_00} for each in made]
    wanted = {
        "voucher_number": voucher,
        "platform_id": base.platform.platform_id,
        "service": SERVICE,
        "lines": lines,
    }
    order = ok(manager.send("/api/v1/incubator/orders", wanted), 201)["order_number"]
    base.accept(order, 2_000_00)
    base.file(order, 2_000_00)
    scanner = Machine(app, base.platform.scanner)
    ok(scanner.send(f"/api/v1/orders/{order}/check-in", {}), 201)
    code = {"code": ok(scanner.get(f"/api/v1/orders/{order}/check-in"))["code"]}
    phone = Machine(app, first.actor)
    assert ok(phone.send("/api/v1/tenant/check-in", code))["present"] == 1
    refused(phone.send("/api/v1/tenant/check-in", code), 409, Code.CHECK_IN_DONE)
    assert ok(scanner.send(f"/api/v1/orders/{order}/check-in/close", {}))["present"] == 1
    base.deliver(order)
    assert base.confirm(order) == 500_00
    seen = ok(manager.get(f"/api/v1/orders/{order}/beneficiaries"))["lines"]
    assert [(each["attended"], each["captured_fen"]) for each in seen] == [(True, 500_00), (False, 0)]
    said = ok(
        Machine(app, second.actor).send(f"/api/v1/tenant/orders/{order}/objection", {"body": "到了"}), 201
    )
    answer = f"/api/v1/incubator/objections/{said['objection_id']}/answer"
    assert ok(manager.send(answer, {"body": "查监控后更正"}))["answer"] == "查监控后更正"
    back = ok(manager.send(f"/api/v1/incubator/allotments/{made[1]['number']}/take-back", {}))
    assert back["moved_fen"] == 2_000_00
    (use,) = ok(Machine(app, base.officer).get("/api/v1/startup-vouchers/use"))["vouchers"]
    assert (use["served"], use["spent_fen"], use["remaining_fen"]) == (1, 500_00, 9_500_00)
    own = ok(phone.get("/api/v1/tenant/allotments"))["allotments"]
    assert [each["spent_fen"] for each in own] == [500_00]


def test_tenants_enter_graduate_and_leave_and_a_signed_list_says_who_was_there(
    app: Flask, base: Base
) -> None:
    manager, known = Machine(app, base.manager), base.tenant()
    asked = {
        "centre_id": base.centre_id,
        "tenants": [{"ref": known.ref, "name": "企业", "entered_on": "2024-01-01", "left_on": "2024-06-01"}],
    }
    made = ok(manager.send("/api/v1/incubator/tenants", asked), 201)["tenants"]
    assert made[0]["left_on"] == "2024-06-01"
    asked["tenants"][0]["entered_on"] = "2024-05-01"  # type: ignore[index]
    refused(manager.send("/api/v1/incubator/tenants", asked), 422, Code.ROSTER_INVALID)
    voucher, other = base.voucher(), base.tenant()
    numbers = base.allot(voucher, [(known, 1_000_00), (other, 1_000_00)])
    order = base.held(voucher, [(number, 1_000_00) for number in numbers])
    headers = {"Authorization": f"Bearer {manager.token}"}
    sent = {"file": (io.BytesIO(PDF), "签到表.pdf")}
    ticket = ok(manager.client.post("/api/v1/files", data=sent, headers=headers), 201)["ticket"]
    body = {"present": [2], "file": {"ticket": ticket, "file_name": "签到表.pdf"}}
    lines = ok(manager.send(f"/api/v1/orders/{order}/attendance", body))["lines"]
    assert [each["attended"] for each in lines] == [False, True]
    path = f"/api/v1/incubator/tenants/{known.tenancy_id}"
    assert ok(manager.send(f"{path}/graduate", {"on": "2026-01-01"}))["graduated_on"] == "2026-01-01"
    assert ok(manager.send(f"{path}/leave", {"on": "2026-01-02"}))["returned_fen"] == 500_00
    states = {
        each["tenancy_id"]: each["state"] for each in ok(manager.get("/api/v1/incubator/tenants"))["tenants"]
    }
    assert states[known.tenancy_id] == "left"
    table = ok(manager.get(f"/api/v1/incubator/vouchers/{voucher}/allotments"))["allotments"]
    assert [each["held_fen"] for each in table] == [500_00, 500_00]
