"""The main job through the API alone: issue, redeem both ways, claim, trim, settle, bounce, pay again."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from tests.api.conftest import SERVICE, Api, ok, refused
from tests.entrance import Machine
from voucher.clock import business_date, wall_now
from voucher.models.people import ApiToken

PDF = b"%PDF-1.4\n%%EOF\n"


def today() -> str:
    return business_date(wall_now()).isoformat()


def uploaded(api: Api, text: str) -> dict[str, Any]:
    content = PDF + text.encode()
    answer = api.firm.client.post(
        "/api/v1/files",
        data={"file": (io.BytesIO(content), f"{text}.pdf")},
        headers={"Authorization": f"Bearer {api.firm.token}"},
    )
    stored: dict[str, Any] = ok(answer, 201)
    return stored


def claim_body(api: Api, order_no: str, account_id: int, *, amount_fen: int) -> dict[str, Any]:
    kinds = ("contract", "invoice", "payment_proof", "result")
    files = {kind: uploaded(api, kind) for kind in kinds}
    return {
        "order_no": order_no,
        "contract_fen": amount_fen,
        "payments": [
            {
                "amount_fen": amount_fen,
                "paid_on": today(),
                "payer_name": api.world.firm.name,
                "payer_account": "6217000000000000017",
            }
        ],
        "payee_account_id": account_id,
        "invoices": [
            {
                "number": "25142000000000000017",
                "issued_on": today(),
                "net_fen": amount_fen,
                "buyer_uscc": api.world.firm.uscc,
                "seller_uscc": api.world.platform.uscc,
            }
        ],
        "documents": [
            {"kind": kind, "ticket": file["ticket"], "file_name": file["file_name"]}
            for kind, file in files.items()
        ],
    }


def approved_claim(api: Api) -> str:
    order_no = api.captured(60_000_00)
    made = ok(
        api.firm.send("/api/v1/claims", claim_body(api, order_no, api.bank_account(), amount_fen=60_000_00)),
        201,
    )
    decision = {"verdict": "trim", "approved_fen": 20_000_00, "reason": "发票含非服务费用"}
    ok(api.reviewer.send(f"/api/v1/claims/{made['number']}/decision", decision))
    return str(made["number"])


def test_a_redemption_at_the_counter_goes_from_code_to_money_paid_after_a_bounce(api: Api) -> None:
    number = api.proposed(60_000_00)
    seen = ok(api.firm.get(f"/api/v1/sessions/{number}"))
    assert seen["state"] == "proposed" and seen["order"]["held_fen"] == 30_000_00
    assert seen["check_word"] == ok(api.scanner.get(f"/api/v1/sessions/{number}"))["check_word"]
    captured = ok(api.firm.send(f"/api/v1/sessions/{number}/confirm", {}))
    assert captured["captured_fen"] == 30_000_00
    order_no = captured["order"]["number"]

    account_id = api.bank_account()
    offered = ok(api.firm.get(f"/api/v1/orders/{order_no}/payee-accounts"))["accounts"]
    assert [account["id"] for account in offered] == [account_id]
    body = claim_body(api, order_no, account_id, amount_fen=60_000_00)
    made = ok(api.firm.send("/api/v1/claims", body), 201)
    assert made["claimed_fen"] == 30_000_00

    queue = ok(api.reviewer.get("/api/v1/claims?state=submitted"))
    assert [claim["number"] for claim in queue["claims"]] == [made["number"]]
    decision = {"verdict": "trim", "approved_fen": 20_000_00, "reason": "发票含非服务费用"}
    decided = ok(api.reviewer.send(f"/api/v1/claims/{made['number']}/decision", decision))
    assert (decided["approved_fen"], decided["given_back_fen"]) == (20_000_00, 10_000_00)
    assert len(ok(api.firm.get(f"/api/v1/claims/{made['number']}"))["documents"]) == 4

    settle(api, made["number"], expected_fen=20_000_00)
    assert ok(api.firm.get(f"/api/v1/orders/{order_no}"))["state"] == "paid"


def settle(api: Api, claim_no: str, *, expected_fen: int) -> None:
    asked = {"programme_code": api.world.programme_code, "claim_nos": [claim_no]}
    batch = ok(api.maker.send("/api/v1/batches", asked), 201)
    path = f"/api/v1/batches/{batch['number']}"
    content = ok(api.maker.send(f"{path}/submit", {}))["content_sha256"]
    assert ok(api.checker.send(f"{path}/approve", {"content_sha256": content}))["state"] == "approved"
    (payment,) = ok(api.maker.send(f"{path}/export", {}))["instructions"]
    assert payment["amount_fen"] == expected_fen

    bounced = {"seq": 1, "attempt": 1, "paid": False, "serial": "TH-1", "reason": "户名不符"}
    answer = ok(api.maker.send(f"{path}/reconcile", {"lines": [bounced]}))["lines"]
    assert answer == [{"seq": 1, "state": "bounced", "refused": None}]
    assert ok(api.maker.send(f"{path}/lines/1/pay-again", {}))["attempt"] == 2
    (again,) = ok(api.maker.send(f"{path}/export", {}))["instructions"]
    assert again["reference"].endswith("-2")
    paid = {"seq": 1, "attempt": 2, "paid": True, "serial": "ZF-2"}
    ok(api.maker.send(f"{path}/reconcile", {"lines": [paid]}))
    file = ok(api.auditor.get(path))
    assert (file["state"], file["lines"][0]["state"]) == ("reconciled", "paid")


def test_two_orders_are_claimed_together_with_one_invoice_or_not_at_all(api: Api) -> None:
    first, second = api.captured(30_000_00), api.captured(20_000_00)
    account = api.bank_account()
    bodies = [
        claim_body(api, first, account, amount_fen=30_000_00),
        claim_body(api, second, account, amount_fen=20_000_00),
    ]
    for body, part in zip(bodies, (30_000_00, 20_000_00), strict=True):
        body["invoices"][0] |= {"net_fen": 50_000_00, "allocated_fen": part}
    over = [bodies[0], {**bodies[1], "order_no": first}]
    refused(api.firm.send("/api/v1/claims/together", {"claims": over}), 409, "state_changed")
    assert ok(api.firm.get("/api/v1/claims"))["claims"] == []
    made = ok(api.firm.send("/api/v1/claims/together", {"claims": bodies}), 201)["claims"]
    assert [each["base_fen"] for each in made] == [30_000_00, 20_000_00]


def test_money_is_not_moved_by_a_token_older_than_half_an_hour(api: Api) -> None:
    asked = {"programme_code": api.world.programme_code, "claim_nos": [approved_claim(api)]}
    path = f"/api/v1/batches/{ok(api.maker.send('/api/v1/batches', asked), 201)['number']}"
    content = ok(api.maker.send(f"{path}/submit", {}))["content_sha256"]
    fresh = api.checker.token
    database = api.app.extensions["voucher_database"]
    older = update(ApiToken).values(created_at=ApiToken.created_at)
    database.transaction(
        lambda session, at: session.execute(older.values(created_at=at - timedelta(minutes=31)))
    )
    refused(api.checker.send(f"{path}/approve", {"content_sha256": content}), 403, "step_up_required")
    assert ok(api.checker.get(path))["state"] == "submitted"
    again = Machine(api.app, api.world.checker)
    assert again.token != fresh
    assert ok(again.send(f"{path}/approve", {"content_sha256": content}))["state"] == "approved"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/pledges", {"book_code": "140000", "programme_code": "P", "year": 2026, "document_no": "文", "amount_fen": 1}),
        ("/remittances/G202600000017/send", {}),
        ("/remittances/G202600000017/receive", {}),
        ("/year-ends/BL/decision", {"approved": True, "amount_fen": 1, "proposal_id": 1}),
        ("/year-ends/BL/apply", {}),
        ("/factors/P/2026/decision", {"factor_bp": 1, "approved": True}),
        ("/factors/P/2026/apply", {}),
    ],
)  # fmt: skip
def test_what_a_page_asks_the_password_for_a_program_proves_too(
    api: Api, path: str, body: dict[str, Any]
) -> None:
    machine = api.maker if path == "/pledges" else api.checker
    older = update(ApiToken).values(created_at=ApiToken.created_at)
    api.app.extensions["voucher_database"].transaction(
        lambda session, at: session.execute(older.values(created_at=at - timedelta(minutes=31)))
    )
    refused(machine.send(f"/api/v1{path}", body), 403, "step_up_required")


def test_a_remote_order_goes_from_placing_to_capture_and_is_reversed(api: Api) -> None:
    voucher_no = api.voucher(200_000_00)
    number = api.placed(voucher_no)
    path = f"/api/v1/orders/{number}"
    assert ok(api.manager.send(f"{path}/accept", {"quote_fen": 100_000_00}))["state"] == "accepted"
    contract = {"contract_no": "HT-1", "contract_on": today(), "contract_fen": 100_000_00}
    assert ok(api.manager.send(f"{path}/contract", contract))["held_fen"] == 50_000_00
    assert ok(api.manager.send(f"{path}/deliver", {"provider_ref": "委-17"}))["state"] == "delivered"
    assert ok(api.firm.send(f"{path}/confirm", {"amount_fen": 40_000_00}))["captured_fen"] == 40_000_00
    voucher = ok(api.firm.get(f"/api/v1/vouchers/{voucher_no}"))
    assert (voucher["left_fen"], voucher["held_fen"], voucher["used_fen"]) == (160_000_00, 0, 40_000_00)
    assert voucher["cap"]["used_fen"] == 40_000_00
    assert ok(api.manager.send(f"{path}/reverse", {"reason": "录入错误"}))["state"] == "reversed"
    after = ok(api.firm.get(f"/api/v1/vouchers/{voucher_no}"))
    assert (after["left_fen"], after["cap"]["left_fen"]) == (200_000_00, 200_000_00)
    assert [each["kind"] for each in after["movements"]] == ["issue", "hold", "capture", "reverse"]


def test_both_sides_list_their_orders_and_the_platform_finds_its_own_number(api: Api) -> None:
    order_no = api.captured()
    mine = ok(api.firm.get("/api/v1/orders?state=captured&size=1"))
    theirs = ok(api.manager.get(f"/api/v1/orders?text={order_no}"))
    assert [mine["orders"][0]["number"], theirs["orders"][0]["number"]] == [order_no, order_no]
    assert mine["total"] == 1 and mine["orders"][0]["holder"]["ref"] == api.world.firm.uscc
    refused(api.firm.get("/api/v1/orders?side=platform"), 403, "not_permitted")


def test_an_officer_issues_many_vouchers_and_hears_of_each(api: Api) -> None:
    good = {"holder_ref": api.world.firm.holder_ref, "face_fen": 50_000_00}
    strange = {"holder_ref": "91140100MA0000000X", "face_fen": 50_000_00}
    body = {"line_code": api.world.line_code, "vouchers": [good, strange, good]}
    answer = ok(api.officer.send("/api/v1/vouchers", body), 201)["vouchers"]
    assert [each["refused"]["code"] if each["refused"] else "" for each in answer] == [
        "",
        "not_qualified",
        "",
    ]
    listed = ok(api.firm.get("/api/v1/vouchers"))["vouchers"]
    assert {each["number"] for each in listed} == {answer[0]["voucher_no"], answer[2]["voucher_no"]}
    assert ok(api.auditor.get("/api/v1/issued-vouchers"))["total"] == 2
    alone = {"line_code": api.world.line_code, "vouchers": [strange]}
    refused(api.officer.send("/api/v1/vouchers", alone), 409, "not_qualified")


def test_a_roster_is_checked_imported_and_its_firms_qualified(api: Api) -> None:
    year = business_date(wall_now()).year
    row = {"name": "晋城新材料有限公司", "uscc": "91140500MA0HQXYT3P", "roster_no": f"{year}140525A0009001"}
    bad = {"year": year, "rows": [{**row, "uscc": "91140500MA0HQXYT30", "region": "140525"}]}
    (error,) = ok(api.reviewer.send("/api/v1/rosters/preview", bad))["errors"]
    assert (error["row"], error["field"], error["fault"]) == (1, "uscc", "uscc_invalid")
    refused(api.reviewer.send("/api/v1/rosters", bad), 422, "roster_invalid")
    holders = f"/api/v1/holders?programme_code={api.world.programme_code}&year={year}&standing=qualified"
    assert ok(api.reviewer.get(holders))["total"] == 1


def test_a_suspended_platform_cannot_be_ordered_from(api: Api) -> None:
    certification = f"/api/v1/certifications/{api.world.platform.certification_id}"
    voucher_no = api.voucher()
    assert ok(api.reviewer.send(f"{certification}/suspend", {"reason": "检查"}))["state"] == "suspended"
    body = {
        "voucher_no": voucher_no,
        "platform_id": api.world.platform.platform_id,
        "service": SERVICE,
    }
    refused(api.firm.send("/api/v1/orders", body), 409, "provider_suspended")
    assert ok(api.reviewer.send(f"{certification}/reinstate", {"reason": "整改完成"}))["state"] == "certified"
    ok(api.firm.send("/api/v1/orders", body), 201)


def test_platforms_can_be_found_and_certified(api: Api) -> None:
    offers = ok(api.firm.get(f"/api/v1/platforms?programme_code={api.world.programme_code}"))
    assert [each["platform_id"] for each in offers["platforms"]] == [api.world.platform.platform_id]
    body = {
        "platform_id": api.world.platform.platform_id,
        "certifier": "science",
        "region_code": "140000",
        "kinds": ["innovation_voucher"],
        "services": [SERVICE],
        "document_no": "晋科认〔2026〕9号",
        "from_on": today(),
    }
    assert ok(api.reviewer.send("/api/v1/certifications", body), 201)["state"] == "certified"
    file = ok(api.reviewer.get(f"/api/v1/platforms/{api.world.platform.platform_id}"))
    assert "晋科认〔2026〕9号" in [each["document_no"] for each in file["certifications"]]
    assert ok(api.reviewer.get("/api/v1/certifications?state=certified"))["total"] == 2


def test_a_budget_line_is_opened_and_funded_once_for_each_document(api: Api) -> None:
    code = "SX-API-1"
    line = {"code": code, "programme_code": api.world.programme_code, "year": api.world.year, "name": "新增"}
    ok(api.maker.send("/api/v1/budgets", line), 201)
    body = {"document_no": "晋财教〔2026〕17号", "amount_fen": 1_000_000_00}
    assert not ok(api.maker.send(f"/api/v1/budgets/{code}/fund", body))["replayed"]
    assert ok(api.maker.send(f"/api/v1/budgets/{code}/fund", body))["replayed"]
    standing = {each["code"]: each for each in ok(api.auditor.get("/api/v1/budgets"))["budgets"]}[code]
    assert (standing["funded_fen"], standing["available_fen"]) == (1_000_000_00, 1_000_000_00)


def test_an_auditor_follows_a_figure_down_to_its_legs(api: Api) -> None:
    order_no = api.captured()
    listed = ok(api.auditor.get(f"/api/v1/ledger/postings?order_no={order_no}&size=1"))
    assert listed["next"]
    older = ok(api.auditor.get(f"/api/v1/ledger/postings?order_no={order_no}&before={listed['next']}"))
    assert [each["kind"] for each in listed["postings"] + older["postings"]] == ["capture", "hold"]
    posting = ok(api.auditor.get(f"/api/v1/ledger/postings/{listed['postings'][0]['id']}"))
    money = next(leg for leg in posting["legs"] if leg["credit"]["code"] == "order")
    account = ok(api.auditor.get(f"/api/v1/ledger/accounts/{money['credit']['id']}"))
    assert account["available_fen"] == money["amount"] == 30_000_00
    (cap,) = ok(api.auditor.get("/api/v1/caps"))["caps"]
    assert (cap["holder_ref"], cap["used_fen"]) == (api.world.firm.uscc, 30_000_00)


def test_policies_say_where_every_parameter_stands(api: Api) -> None:
    (line,) = ok(api.auditor.get("/api/v1/policies"))["policies"]
    policy = ok(api.auditor.get(f"/api/v1/policies/{line['code']}"))
    sourced = [each for each in policy["parameters"] if each["source"]]
    filled = [each for each in policy["parameters"] if each["fill"]]
    assert sourced and filled and line["filled"] >= len(filled)


def test_a_session_is_cancelled_or_rejected_and_its_hold_comes_back(api: Api) -> None:
    voucher_no = api.voucher()
    ok(api.firm.send(f"/api/v1/sessions/{api.proposed(voucher_no=voucher_no)}/reject", {}))
    ended = ok(api.scanner.send(f"/api/v1/sessions/{api.proposed(voucher_no=voucher_no)}/cancel", {}))
    assert ended["state"] == "cancelled"
    assert ok(api.firm.get(f"/api/v1/vouchers/{voucher_no}"))["left_fen"] == 200_000_00
    refused(api.firm.get(f"/api/v1/sessions/{ended['number']}/code"), 409, "session_closed")


def test_a_batch_can_be_changed_and_sent_back_before_it_is_approved(api: Api) -> None:
    claim_no = approved_claim(api)
    empty = ok(api.maker.send("/api/v1/batches", {"programme_code": api.world.programme_code}), 201)
    path = f"/api/v1/batches/{empty['number']}"
    refused(api.maker.send(f"{path}/submit", {}), 409, "batch_empty")
    numbers = {"claim_nos": [claim_no]}
    assert ok(api.maker.send(f"{path}/take-in", numbers))["total_fen"] == 20_000_00
    assert ok(api.maker.send(f"{path}/take-out", numbers))["line_count"] == 0
    ok(api.maker.send(f"{path}/take-in", numbers))
    seen = ok(api.maker.send(f"{path}/submit", {}))["content_sha256"]
    assert ok(api.checker.send(f"{path}/send-back", {}))["state"] == "collecting"
    refused(api.checker.send(f"{path}/approve", {"content_sha256": seen}), 409, "state_changed")
    assert ok(api.maker.get("/api/v1/batches?state=collecting"))["total"] == 1
