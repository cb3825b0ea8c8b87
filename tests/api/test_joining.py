"""Joining through the API: the same operations behind the same door."""

from __future__ import annotations

import io
from datetime import timedelta

from tests import factories
from tests.api.conftest import Api, ok, refused
from tests.entrance import Machine
from voucher.clock import business_date, wall_now
from voucher.codes import make_uscc
from voucher.models.people import RequestKey
from voucher.terms import Role

PASSWORD = "correct-Horse-7"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def uploaded(machine: Machine, name: str = "授权书.pdf") -> dict[str, object]:
    headers = {"Authorization": f"Bearer {machine.token}"}
    answer = machine.client.post("/api/v1/files", data={"file": (io.BytesIO(PDF), name)}, headers=headers)
    return {"ticket": ok(answer, 201)["ticket"], "file_name": name}


def joined(
    api: Api, uscc: str, digits: str, login: str, *, as_role: str = "both", name: str = "王五"
) -> Machine:
    body = {
        "uscc": uscc, "code": digits, "name": name, "login": login, "password": PASSWORD, "as_role": as_role,
    }  # fmt: skip
    answer = api.app.test_client().post("/api/v1/join", json=body)
    machine = Machine(api.app, api.world.auditor)
    machine.token = ok(answer)["token"]
    return machine


def test_a_letter_opens_an_account_and_its_code_is_shown_once_and_kept_nowhere(api: Api) -> None:
    owner = api.database.transaction(lambda s, at: factories.organisation(s, at=at))
    api.database.transaction(lambda s, at: factories.holder(s, owner, at=at))
    body = {"organisation_ids": [owner.id, api.world.firm.organisation_id]}
    first, second = ok(api.reviewer.send("/api/v1/letters", body, key="letters-01"), 201)["letters"]
    digits = first["code"]["digits"]
    assert second["refused"]["code"] == "account_exists"
    again = ok(api.reviewer.send("/api/v1/letters", body, key="letters-01"), 201)["letters"][0]["code"]
    assert again == {**first["code"], "digits": None}
    with api.database.read() as session:
        assert all(digits not in (row.answer or "") for row in session.query(RequestKey))
    firm = joined(api, owner.uscc, digits, "wangwu")
    assert ok(firm.get("/api/v1/colleagues"))["people"][0]["login"] == "wangwu"
    late = {"uscc": owner.uscc, "code": digits, "name": "赵六", "login": "zhaoliu", "password": PASSWORD}
    refused(api.app.test_client().post("/api/v1/join", json=late), 422, "join_code_wrong")


def test_an_authorisation_narrows_a_machine_too_and_its_end_ends_the_token(api: Api) -> None:
    today = business_date(wall_now())
    body = {
        "organisation_id": api.world.firm.organisation_id, "name": "李四", "role": "enterprise_operator",
        "mandates": ["order"], "from_on": today.isoformat(),
        "to_on": (today + timedelta(days=30)).isoformat(), "letter": uploaded(api.firm),
    }  # fmt: skip
    given = ok(api.firm.send("/api/v1/authorisations", body), 201)
    operator = joined(api, api.world.firm.uscc, given["code"]["digits"], "lisi", name="李四")
    number = api.placed()
    refused(operator.send(f"/api/v1/orders/{number}/confirm", {}), 403, "not_permitted")
    ok(operator.send(f"/api/v1/orders/{number}/cancel", {"reason": "不办了"}))
    assert ok(api.auditor.get("/api/v1/authorisations"))["total"] == 1
    ok(api.firm.send(f"/api/v1/authorisations/{given['authorisation_id']}/end", None))
    refused(operator.get("/api/v1/orders"), 401, "not_signed_in")


def test_a_bookkeeper_prepares_papers_and_the_claim_takes_them_along(api: Api) -> None:
    today = business_date(wall_now())
    body = {
        "organisation_id": api.world.firm.organisation_id, "name": "代账", "role": "bookkeeper",
        "from_on": today.isoformat(), "to_on": (today + timedelta(days=30)).isoformat(),
        "letter": uploaded(api.firm),
    }  # fmt: skip
    given = ok(api.firm.send("/api/v1/authorisations", body), 201)
    bookkeeper = joined(api, api.world.firm.uscc, given["code"]["digits"], "daizhang", name="代账")
    number = api.captured()
    papers = {"papers": [{"kind": "payment_proof", **uploaded(bookkeeper, "付款.pdf")}]}
    assert ok(bookkeeper.send(f"/api/v1/orders/{number}/papers", papers), 201)["count"] == 1
    assert ok(bookkeeper.send(f"/api/v1/orders/{number}/papers", papers), 201)["count"] == 0
    refused(bookkeeper.send("/api/v1/claims", {}), 403, "not_permitted")
    refused(bookkeeper.get("/api/v1/vouchers"), 403, "not_permitted")
    refused(api.manager.send(f"/api/v1/orders/{number}/papers", papers), 403, "not_permitted")


def test_two_machines_of_the_bureau_turn_a_team_into_a_firm(api: Api) -> None:
    second = Machine(
        api.app,
        api.database.transaction(
            lambda s, at: factories.person(s, Role.REVIEWER, region_code="140000", at=at)
        ),
    )
    team = {"kind": "team", "name": "星火团队", "region_code": "140105", "members": ["甲", "乙", "丙"]}
    made = ok(api.reviewer.send("/api/v1/teams", team), 201)
    letters = ok(api.reviewer.send("/api/v1/letters", {"organisation_ids": [made["organisation_id"]]}), 201)
    joined(api, made["ref"], letters["letters"][0]["code"]["digits"], "xinghuo")
    firm = make_uscc("140105", 66_001)
    case = {
        "kind": "convert", "ref": made["ref"], "papers": [uploaded(api.reviewer, "营业执照.pdf")],
        "facts": {"uscc": firm, "name": "星火科技有限公司", "legal_representative": "甲"},
    }  # fmt: skip
    number = ok(api.reviewer.send("/api/v1/desk-cases", case), 201)["id"]
    path = f"/api/v1/desk-cases/{number}"
    refused(api.reviewer.send(f"{path}/decide", {"approve": True}), 409, "self_approval")
    assert ok(second.get(path))["papers"][0]["file_name"] == "营业执照.pdf"
    assert ok(second.send(f"{path}/decide", {"approve": True}))["firm_ref"] == firm
    assert ok(api.reviewer.get("/api/v1/teams"))["teams"][0]["became"] == firm


def test_a_pin_buys_five_minutes_of_counter_work(api: Api) -> None:
    place = api.world.platform
    body = {"platform_id": place.platform_id, "name": "一号窗口"}
    device = ok(api.manager.send("/api/v1/devices", body), 201)
    refused(api.manager.send("/api/v1/pin", {"pin": "123456"}), 422, "pin_weak")
    ok(api.manager.send("/api/v1/pin", {"pin": "120450"}))
    entry = {"device_token": device["token"], "person_id": place.manager.person_id, "pin": "120450"}
    counter = Machine(api.app, place.manager)
    client = api.app.test_client()
    wrong = refused(client.post("/api/v1/counter-tokens", json={**entry, "pin": "120451"}), 401, "pin_wrong")
    assert wrong["facts"] == {"left": 4}
    counter.token = ok(client.post("/api/v1/counter-tokens", json=entry))["token"]
    number = api.scanned()
    propose = {"service": factories.SERVICES[0], "gross_fen": 60_000_00}
    ok(counter.send(f"/api/v1/sessions/{number}/propose", propose))
    for path in ("/api/v1/staff", "/api/v1/devices", "/api/v1/me"):
        refused(counter.get(path), 403, "not_permitted")
    refused(counter.send("/api/v1/orders/O202600000001/accept", {"quote_fen": 1}), 403, "not_permitted")
    ok(api.manager.send(f"/api/v1/devices/{device['device_id']}/revoke", None))
    refused(counter.get("/api/v1/orders"), 401, "not_signed_in")
    refused(client.post("/api/v1/counter-tokens", json=entry), 404, "not_found")


def test_staff_of_a_platform_are_let_in_and_out_by_its_manager(api: Api) -> None:
    place = api.world.platform
    code = ok(
        api.manager.send("/api/v1/staff", {"platform_id": place.platform_id, "role": "provider_scanner"}), 201
    )
    scanner = joined(api, place.uscc, code["digits"], "saoma")
    assert ok(scanner.get("/api/v1/orders"))["total"] == 0
    (line,) = [each for each in ok(api.manager.get("/api/v1/staff"))["people"] if each["login"] == "saoma"]
    end = {"platform_id": place.platform_id, "person_id": line["person_id"]}
    ok(api.manager.send("/api/v1/staff/end", end))
    refused(scanner.get("/api/v1/orders"), 401, "not_signed_in")
