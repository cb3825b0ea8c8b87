"""Orders in full through the API: catalogue, contract with instalments, results, extension, supplement, dispute."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.api.conftest import SERVICE, Api, ok, refused
from tests.operations.contract_world import with_parameters
from tests.published import rewrite
from voucher.clock import business_date, wall_now

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"
EXTRA = (
    "[instalments_max]\nvalue = 3",
    "[confirm_days]\nvalue = 10",
    '[unconfirmed]\nvalue = "capture"',
    "[extension_days]\nvalue = 30",
    "[cancel_consent]\nvalue = true",
)


@pytest.fixture
def api(api: Api) -> Api:
    """The API under a policy that asks for everything."""

    def work(session: Session, _at: datetime) -> None:
        rewrite(session, with_parameters(*EXTRA))

    api.database.transaction(work)
    return api


def day(days: int = 0) -> str:
    return (business_date(wall_now()) + timedelta(days=days)).isoformat()


def uploaded(api: Api, name: str, *, by: str = "manager") -> dict[str, Any]:
    machine = getattr(api, by)
    headers = {"Authorization": f"Bearer {machine.token}"}
    sent = {"file": (io.BytesIO(PDF), name)}
    said = ok(machine.client.post("/api/v1/files", data=sent, headers=headers), 201)
    return {"ticket": said["ticket"], "file_name": name}


def act(
    api: Api, order: str, step: str, body: dict[str, Any], *, by: str = "manager", status: int = 200
) -> Any:
    return ok(getattr(api, by).send(f"/api/v1/orders/{order}/{step}", body), status)


def filed(api: Api, **more: Any) -> str:
    order = api.placed()
    act(api, order, "accept", {"quote_fen": 100_000_00})
    contract = {"contract_no": "HT-1", "contract_on": day(), "contract_fen": 100_000_00, **more}
    act(api, order, "contract", contract)
    return order


def test_an_order_from_the_catalogue_in_two_instalments_to_its_capture(api: Api) -> None:
    entry = {
        "platform_id": api.world.platform.platform_id, "service": SERVICE, "title": "钢材疲劳试验",
        "delivers": "试验报告一份", "unit": "件", "price_fen": 90_000_00, "usual_days": 20, "exclusions": "不含取样",
    }  # fmt: skip
    listed = ok(api.manager.send("/api/v1/catalogue", entry), 201)
    found = ok(api.firm.get("/api/v1/catalogue?text=疲劳 报告&region=140000&most_fen=9000000"))
    assert [each["id"] for each in found["entries"]] == [listed["id"]]
    assert ok(api.firm.get("/api/v1/catalogue?most_fen=8999999"))["total"] == 0
    body = {
        "voucher_no": api.voucher(), "platform_id": entry["platform_id"], "service": SERVICE, "entry_id": listed["id"],
    }  # fmt: skip
    order = ok(api.firm.send("/api/v1/orders", body), 201)["number"]
    quoted = act(api, order, "accept", {"quote_fen": 100_000_00})
    assert (quoted["listed_fen"], quoted["price_differs"]) == (90_000_00, True)
    parts = [
        {"title": "初步报告", "amount_fen": 60_000_00, "due_on": day(30)},
        {"title": "最终报告", "amount_fen": 40_000_00, "due_on": day(60)},
    ]
    contract = {
        "contract_no": "HT-1", "contract_on": day(), "contract_fen": 100_000_00, "whole_fen": 120_000_00,
        "file": uploaded(api, "合同.pdf"), "instalments": parts,
    }  # fmt: skip
    assert act(api, order, "contract", contract)["instalments"] == 2
    whole = "ab" * 32
    bare = api.scanner.send(f"/api/v1/orders/{order}/deliver", {"report_sha256": whole})
    assert refused(bare, 422, "evidence_missing")["facts"]["missing"] == "cover,conclusion"
    files = [{"kind": kind, **uploaded(api, f"{kind}.pdf", by="scanner")} for kind in ("cover", "conclusion")]
    delivery = {"provider_ref": "WT-9", "report_sha256": whole, "files": files}
    assert act(api, order, "deliver", delivery, by="scanner")["confirm_by"] == day(10)
    act(api, order, "send-back", {"reason": "缺少结论"}, by="firm")
    act(api, order, "deliver", delivery, by="scanner")
    half = act(api, order, "confirm", {"part": 1}, by="firm")
    assert (half["state"], half["captured_fen"], half["held_fen"]) == ("held", 30_000_00, 20_000_00)
    act(api, order, "deliver", {}, by="scanner")
    assert act(api, order, "confirm", {}, by="firm")["state"] == "captured"
    case = ok(api.reviewer.get(f"/api/v1/orders/{order}/case"))
    assert [each["answer"] for each in case["deliveries"]] == ["sent_back", "confirmed", "confirmed"]
    assert (case["contract"]["opened_fen"], case["contract"]["left_fen"]) == (60_000_00, 10_000_00)
    assert [each["state"] for each in case["instalments"]] == ["confirmed", "confirmed"]
    assert ok(api.manager.send(f"/api/v1/catalogue/{listed['id']}/withdraw", {}))["state"] == "withdrawn"
    refused(api.firm.send("/api/v1/orders", {**body, "voucher_no": api.voucher()}), 409, "entry_withdrawn")


def test_an_extension_within_the_bounds_and_a_supplement_that_the_firm_confirms(api: Api) -> None:
    order = filed(api)
    asked = {"until_on": day(211), "reason": "设备检修"}
    late = api.manager.send(f"/api/v1/orders/{order}/extensions", asked)
    assert refused(late, 422, "complete_by_invalid")["facts"] == {"reason": "beyond", "latest_on": day(210)}
    act(api, order, "extensions", {**asked, "until_on": day(210)}, status=201)
    assert act(api, order, "extensions/answer", {"granted": True}, by="firm")["state"] == "granted"
    assert ok(api.firm.get(f"/api/v1/orders/{order}"))["complete_by"] == day(210)
    more = {"number": "补-1", "signed_on": day(), "amount_fen": 140_000_00, "reason": "增加样品"}
    act(api, order, "supplements", more, status=201)
    act(api, order, "supplements/answer", {"granted": True}, by="firm")
    contract = ok(api.firm.get(f"/api/v1/orders/{order}/case"))["contract"]
    assert (contract["amount_fen"], contract["left_fen"]) == (140_000_00, 20_000_00)


def test_a_dispute_is_stated_offered_and_agreed_or_decided(api: Api) -> None:
    order = filed(api)
    act(api, order, "deliver", {}, by="scanner")
    body = {
        "body": "报告与约定的方法不符",
        "files": [{"kind": "statement", **uploaded(api, "函.pdf", by="firm")}],
    }
    act(api, order, "dispute", body, by="firm", status=201)
    act(api, order, "dispute/statements", {"body": "方法由企业书面变更"}, status=201)
    refused(api.firm.send(f"/api/v1/orders/{order}/cancel", {}), 409, "state_changed")
    offered = {"outcome": "capture", "amount_fen": 20_000_00}
    act(api, order, "dispute/offer", offered)
    refused(api.manager.send(f"/api/v1/orders/{order}/dispute/agree", offered), 409, "state_changed")
    other = {**offered, "amount_fen": 20_000_01}
    refused(api.firm.send(f"/api/v1/orders/{order}/dispute/agree", other), 409, "state_changed")
    ended = act(api, order, "dispute/agree", offered, by="firm")
    assert (ended["outcome"], ended["agreed"]) == ("capture", True)
    shown = ok(api.firm.get(f"/api/v1/orders/{order}"))
    assert (shown["state"], shown["captured_fen"], shown["held_fen"]) == ("captured", 20_000_00, 0)
    second = filed(api, contract_no="HT-2")
    act(api, second, "dispute", {"body": "机构迟迟不开始"}, by="firm", status=201)
    (line,) = ok(api.reviewer.get("/api/v1/disputes"))["disputes"]
    assert (line["order"], line["standing"], line["settle_by"]) == (second, "settling", None)
    assert ok(api.reviewer.get("/api/v1/disputes?standing=escalated"))["total"] == 0
    refused(
        api.reviewer.send(f"/api/v1/orders/{second}/dispute/decision", {"outcome": "release"}),
        422,
        "reason_missing",
    )
    decided = {"outcome": "release", "reason": "机构书面承认无法履行"}
    assert act(api, second, "dispute/decision", decided, by="reviewer")["agreed"] is False
    assert ok(api.firm.get(f"/api/v1/orders/{second}"))["state"] == "released"


def test_calling_off_an_accepted_order_needs_both_sides_where_the_policy_says_so(api: Api) -> None:
    order = filed(api)
    refused(api.firm.send(f"/api/v1/orders/{order}/cancel", {}), 422, "reason_missing")
    asked = act(api, order, "cancel", {"reason": "项目取消"}, by="firm")
    assert (asked["state"], asked["cancel_asked_by"]) == ("held", "holder")
    assert act(api, order, "cancel", {"reason": "项目取消"}, by="firm")["state"] == "held"
    assert act(api, order, "cancel", {})["state"] == "released"
