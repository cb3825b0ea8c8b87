"""Applying through the API: offer, window, undertaking, application, decision, appeal, giving back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Api, ok, refused
from tests.entrance import Machine
from voucher.models.applications import Application
from voucher.models.vouchers import Voucher

TEXT = "本单位承诺：材料真实，服务真实发生，与服务机构没有关联关系。"
WISH = {"wanted_fen": 50_000_00, "purpose": "检测新材料样品"}


@pytest.fixture
def open_api(api: Api) -> Api:
    """The API with a window that is open and an undertaking, both published through it."""
    window = {
        "line_code": api.world.line_code,
        "opens_at": "2026-01-01T09:00:00+08:00",
        "document_no": "晋科函〔2026〕8号",
    }
    ok(api.officer.send("/api/v1/application-windows", window), 201)
    words = {"programme_code": api.world.programme_code, "text": TEXT}
    assert ok(api.officer.send("/api/v1/undertakings", words), 201) == {"version": 1}
    return api


def wish(api: Api, **changes: Any) -> dict[str, Any]:
    signed = {"undertaking_version": 1, "signed_name": "王伟"}
    return {"programme_code": api.world.programme_code, **WISH, **signed, **changes}


def applied(api: Api) -> str:
    return str(ok(api.firm.send("/api/v1/applications", wish(api)), 201)["number"])


def decided(machine: Machine, number: str, **decision: Any) -> Any:
    body = {"decisions": [{"number": number, **decision}]}
    return machine.send("/api/v1/applications/decisions", body)


def test_an_application_goes_from_standing_to_voucher(open_api: Api) -> None:
    api, programme = open_api, open_api.world.programme_code
    standing = ok(api.firm.get(f"/api/v1/programmes/{programme}/standing"))
    assert (standing["is_eligible"], standing["cap_left_fen"]) == (True, 200_000_00)
    assert standing["undertaking"]["text"] == TEXT
    unsigned = wish(api, undertaking_version=None)
    refused(api.firm.send("/api/v1/applications", unsigned), 422, "undertaking_unsigned")
    number = applied(api)
    refused(api.firm.send("/api/v1/applications", wish(api)), 409, "application_open")
    shown = ok(api.firm.get(f"/api/v1/applications/{number}"))
    assert (shown["queue_no"], shown["ahead"], shown["signed_name"]) == (1, 0, "王伟")
    waiting = ok(api.reviewer.get("/api/v1/applications?state=submitted"))["applications"]
    assert [each["number"] for each in waiting] == [number]
    (done,) = ok(decided(api.reviewer, number, verdict="approve", approved_fen=30_000_00))["decisions"]
    assert done["state"] == "issued"
    voucher = ok(api.firm.get(f"/api/v1/vouchers/{done['voucher_no']}"))
    assert voucher["face_fen"] == 30_000_00
    refused(decided(api.officer, number, verdict="approve"), 409, "state_changed")
    back = {"reason": "不再需要"}
    given = ok(api.firm.send(f"/api/v1/vouchers/{done['voucher_no']}/give-back", back))
    assert given["amount_fen"] == 30_000_00
    assert len(ok(api.firm.get("/api/v1/applications/own"))["applications"]) == 1


def test_a_return_a_withdrawal_and_nobody_elses_business(open_api: Api) -> None:
    api = open_api
    number = applied(api)
    ok(decided(api.reviewer, number, verdict="return", reason="请写明检测项目"))
    mended = {"wanted_fen": 40_000_00, "purpose": "钢材检测"}
    again = ok(api.firm.send(f"/api/v1/applications/{number}/mend", mended))
    assert (again["state"], again["queue_no"]) == ("submitted", 1)
    refused(api.manager.send(f"/api/v1/applications/{number}/withdraw", {}), 403, "not_permitted")
    refused(decided(api.firm, number, verdict="approve"), 403, "not_permitted")
    assert ok(api.firm.send(f"/api/v1/applications/{number}/withdraw", {}))["state"] == "withdrawn"
    refused(api.firm.get("/api/v1/applications/A202600000000"), 404, "not_found")


def test_an_appeal_is_lodged_followed_and_decided_by_another(open_api: Api) -> None:
    api = open_api
    number = applied(api)
    ok(decided(api.reviewer, number, verdict="reject", reason="用途不符"))
    body = {"subject": number, "text": "附研发立项书"}
    made = ok(api.firm.send("/api/v1/appeals", body), 201)
    refused(api.firm.send("/api/v1/appeals", body), 409, "appeal_made")
    refused(api.firm.send("/api/v1/appeals", {**body, "channel": "phone"}), 403, "not_permitted")
    address = f"/api/v1/appeals/{made['number']}"
    answer = {"is_upheld": True, "result": "属于研发服务"}
    refused(api.reviewer.send(f"{address}/decide", answer), 409, "self_approval")
    assert ok(api.officer.send(f"{address}/decide", answer))["state"] == "upheld"
    assert ok(api.firm.get(address))["result"] == "属于研发服务"
    assert ok(api.officer.get("/api/v1/appeals"))["total"] == 1
    assert ok(api.firm.get(f"/api/v1/applications/{number}"))["state"] == "submitted"


def test_anybody_may_ask_for_offer_and_queue(open_api: Api) -> None:
    api, programme = open_api, open_api.world.programme_code
    applied(api)
    visitor = api.app.test_client()
    named = ok(visitor.get("/api/v1/programmes"))["programmes"]
    assert [each["code"] for each in named] == [programme]
    asked = "?contract_fen=6000000&voucher_fen=5000000"
    offer = ok(visitor.get(f"/api/v1/programmes/{programme}/offer{asked}"))
    assert (offer["subsidy_fen"], offer["own_fen"]) == (30_000_00, 30_000_00)
    assert (offer["pay_first_fen"], offer["back_fen"]) == (60_000_00, 30_000_00)
    assert (offer["contract_for_voucher_fen"], offer["is_open"]) == (100_000_00, True)
    (line,) = ok(visitor.get(f"/api/v1/programmes/{programme}/queue"))["queue"]
    assert line["queue_no"] == 1
    assert "****" in line["name"]
    assert set(line) == {"queue_no", "name", "region_name", "state", "submitted_at"}
    refused(visitor.get("/api/v1/programmes/NOWHERE/offer"), 404, "not_found")
    ok(visitor.get(f"/api/v1/programmes/{programme}/offer?contract_fen=1e400"), 422)


def test_a_window_is_closed_and_what_makes_no_sense_is_refused(open_api: Api) -> None:
    api = open_api
    window = {"line_code": api.world.line_code, "document_no": "晋科函〔2026〕9号"}
    backwards = {"opens_at": "2026-03-02T09:00:00+08:00", "closes_at": "2026-03-01T09:00:00+08:00"}
    ok(api.officer.send("/api/v1/application-windows", {**window, **backwards}), 422)
    ok(api.officer.send("/api/v1/application-windows", {**window, "opens_at": "2026-03-02"}), 422)
    overlapping = {**window, "opens_at": "2026-03-02T09:00:00+08:00"}
    refused(api.officer.send("/api/v1/application-windows", overlapping), 409, "window_overlaps")
    past = {"closes_at": "2026-03-02T09:00:00+08:00", "document_no": "晋科函〔2026〕9号"}
    refused(api.officer.send("/api/v1/application-windows/1/close", past), 409, "state_changed")
    later = {**past, "closes_at": "2026-12-30T18:00:00+08:00"}
    assert ok(api.officer.send("/api/v1/application-windows/1/close", later)) == {"id": 1}
    (shown,) = ok(api.officer.get("/api/v1/application-windows"))["windows"]
    assert shown["closes_at"] == "2026-12-30T18:00:00.000000+08:00"


def test_the_same_key_applies_once(open_api: Api) -> None:
    api = open_api
    first = api.firm.send("/api/v1/applications", wish(api), key="application-1")
    again = api.firm.send("/api/v1/applications", wish(api), key="application-1")
    assert ok(first, 201) == ok(again, 201)
    with api.database.read() as session:
        assert session.query(Application).count() == 1
        assert session.query(Voucher).count() == 0
