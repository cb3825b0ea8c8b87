"""A key makes a request happen once; another's things do not exist; roles keep to their own."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from tests import factories
from tests.api.conftest import SERVICE, Api, ok, refused
from tests.entrance import Machine
from voucher.rules.permissions import Actor
from voucher.web.counter_code import word_of


def test_the_same_key_six_times_is_one_proposal_and_one_answer(api: Api) -> None:
    voucher_no = api.voucher()
    path = f"/api/v1/sessions/{api.scanned(voucher_no)}/propose"
    body = {"service": SERVICE, "gross_fen": 60_000_00}
    answers = [ok(api.scanner.send(path, body, key="propose-0001")) for _ in range(6)]
    assert all(answer == answers[0] for answer in answers)
    assert ok(api.firm.get(f"/api/v1/vouchers/{voucher_no}"))["held_fen"] == 30_000_00


def test_a_key_with_another_body_or_order_is_refused(api: Api) -> None:
    first, second = api.placed(), api.placed()
    ok(api.manager.send(f"/api/v1/orders/{first}/accept", {"quote_fen": 1_00}, key="accept-0001"))
    for number, fen in ((first, 2_00), (second, 1_00)):
        answer = api.manager.send(f"/api/v1/orders/{number}/accept", {"quote_fen": fen}, key="accept-0001")
        refused(answer, 422, "key_reused")


def test_a_change_without_a_key_or_with_a_bad_one_is_refused(api: Api) -> None:
    number = api.placed()
    path, body = f"/api/v1/orders/{number}/accept", {"quote_fen": 1_00}
    for key in ("short", "k" * 81):
        refused(api.manager.send(path, body, key=key), 422, "key_missing")
    headers = {"Authorization": f"Bearer {api.manager.token}"}
    refused(api.manager.client.post(path, json=body, headers=headers), 422, "key_missing")
    assert ok(api.firm.get(f"/api/v1/orders/{number}"))["state"] == "placed"


def test_a_refused_scan_is_counted_and_its_key_gives_the_same_refusal_again(api: Api) -> None:
    opened = ok(api.firm.send("/api/v1/sessions", {"voucher_no": api.voucher()}), 201)
    digits = ok(api.firm.get(f"/api/v1/sessions/{opened['number']}/code"))["digits"]
    forged = {
        "code": f"{digits[:-1]}{(int(digits[-1]) + 1) % 10}",
        "platform_id": api.world.platform.platform_id,
    }
    first = refused(api.scanner.send("/api/v1/scans", forged, key="scan-00001"), 409, "qr_invalid")
    again = refused(api.scanner.send("/api/v1/scans", forged, key="scan-00001"), 409, "qr_invalid")
    assert first["facts"] == again["facts"] == {"left": 4}
    for _ in range(4):
        refused(api.scanner.send("/api/v1/scans", forged), 409, "qr_invalid")
    assert ok(api.firm.get(f"/api/v1/sessions/{opened['number']}"))["state"] == "cancelled"
    unreadable = {**forged, "code": "请扫码"}
    refused(api.scanner.send("/api/v1/scans", unreadable), 409, "qr_invalid")


def test_a_code_is_dead_after_it_was_read_once(api: Api) -> None:
    opened = ok(api.firm.send("/api/v1/sessions", {"voucher_no": api.voucher()}), 201)
    code = ok(api.firm.get(f"/api/v1/sessions/{opened['number']}/code"))["digits"]
    scan = {"code": code, "platform_id": api.world.platform.platform_id}
    ok(api.scanner.send("/api/v1/scans", scan), 201)
    used = refused(api.scanner.send("/api/v1/scans", scan), 409, "qr_used")
    assert used["facts"]["by_this_platform"] is True


def test_another_firm_and_another_platform_see_nothing(api: Api) -> None:
    firm, manager = strangers(api)
    voucher_no = api.voucher()
    session_no = api.proposed(voucher_no=voucher_no)
    order_no = ok(api.firm.get(f"/api/v1/sessions/{session_no}"))["order"]["number"]
    for path in (f"vouchers/{voucher_no}", f"orders/{order_no}", f"sessions/{session_no}"):
        refused(firm.get(f"/api/v1/{path}"), 404, "not_found")
    for path in (f"orders/{order_no}", f"sessions/{session_no}"):
        refused(manager.get(f"/api/v1/{path}"), 404, "not_found")
    refused(firm.send(f"/api/v1/sessions/{session_no}/confirm", {}), 404, "not_found")
    refused(firm.send("/api/v1/sessions", {"voucher_no": voucher_no}), 404, "not_found")
    refused(firm.send(f"/api/v1/orders/{order_no}/cancel", {}), 404, "not_found")
    refused(manager.send(f"/api/v1/sessions/{session_no}/cancel", {}), 404, "not_found")
    refused(manager.send(f"/api/v1/orders/{order_no}/deliver", {}), 404, "not_found")
    assert ok(firm.get("/api/v1/orders"))["total"] == ok(manager.get("/api/v1/orders"))["total"] == 0
    assert ok(firm.get("/api/v1/vouchers"))["vouchers"] == []


def test_another_books_money_does_not_exist(api: Api) -> None:
    def work(session: Session, at: datetime) -> Actor:
        other = factories.book(session, code="610000", authority="陕西省财政厅")
        return factories.person(session, *api.world.maker.roles, book_id=other.book_id, at=at)

    foreign = Machine(api.app, api.database.transaction(work))
    assert ok(foreign.get("/api/v1/budgets"))["budgets"] == []
    body = {"document_no": "文1", "amount_fen": 1_00}
    refused(foreign.send(f"/api/v1/budgets/{api.world.line_code}/fund", body), 404, "not_found")
    batch = {"programme_code": api.world.programme_code}
    number = ok(api.maker.send("/api/v1/batches", batch), 201)["number"]
    refused(foreign.get(f"/api/v1/batches/{number}"), 404, "not_found")
    refused(foreign.send("/api/v1/batches", batch), 404, "not_found")
    assert ok(foreign.get("/api/v1/ledger/postings"))["postings"] == []
    assert ok(foreign.get("/api/v1/caps"))["total"] == 0


def test_roles_keep_to_their_own(api: Api) -> None:
    refused(api.firm.send("/api/v1/scans", {"code": "1" * 20, "platform_id": 1}), 403, "not_permitted")
    refused(api.scanner.send("/api/v1/sessions", {"voucher_no": "V"}), 403, "not_permitted")
    refused(api.scanner.send("/api/v1/orders/x/accept", {"quote_fen": 1}), 403, "not_permitted")
    refused(api.maker.send("/api/v1/batches/x/approve", {"content_sha256": "0" * 64}), 403, "not_permitted")
    refused(api.auditor.send("/api/v1/budgets/x/fund", {}), 403, "not_permitted")
    refused(api.firm.get("/api/v1/ledger/postings"), 403, "not_permitted")
    refused(api.app.test_client().get("/api/v1/vouchers"), 401, "not_signed_in")


def test_a_session_that_did_not_change_is_304_and_shows_its_change_at_once(api: Api) -> None:
    number = api.scanned()
    path = f"/api/v1/sessions/{number}"
    first = api.firm.get(path)
    headers = {"Authorization": f"Bearer {api.firm.token}", "If-None-Match": first.headers["ETag"]}
    again = api.firm.client.get(path, headers=headers)
    assert (again.status_code, again.get_data()) == (304, b"")
    ok(api.scanner.send(f"{path}/propose", {"service": SERVICE, "gross_fen": 60_000_00}))
    assert ok(api.firm.client.get(path, headers=headers))["state"] == "proposed"


def test_a_proposal_is_clamped_to_the_cap_and_the_next_one_refused_with_the_figures(api: Api) -> None:
    first, second = api.voucher(200_000_00), api.voucher(200_000_00)
    number = api.proposed(300_000_00, voucher_no=first)
    ok(api.firm.send(f"/api/v1/sessions/{number}/confirm", {}))
    clamped = ok(api.firm.get(f"/api/v1/sessions/{api.proposed(200_000_00, voucher_no=second)}"))["order"]
    assert (clamped["wanted_fen"], clamped["held_fen"]) == (100_000_00, 50_000_00)
    assert [each["limit"] for each in clamped["reductions"]] == ["cap"]
    path = f"/api/v1/sessions/{api.scanned(second)}/propose"
    body = refused(api.scanner.send(path, {"service": SERVICE, "gross_fen": 1_000_00}), 409, "cap_exceeded")
    assert body["facts"]["left_fen"] == 0 and body["facts"]["cap_fen"] == 200_000_00
    assert str(api.world.year) in body["message"]


def test_both_ways_in_show_the_same_check_word(api: Api) -> None:
    number = api.scanned()
    shown = ok(api.firm.get(f"/api/v1/sessions/{number}"))["check_word"]
    with api.app.test_request_context():
        assert shown == word_of(number)


def strangers(api: Api) -> tuple[Machine, Machine]:
    """A firm and a platform's manager who have nothing to do with the world's."""

    def work(session: Session, at: datetime) -> tuple[Actor, Actor]:
        firm = factories.firm(session, reviewer=api.world.reviewer, at=at)
        return firm.actor, factories.provider(session, at=at).manager

    firm, manager = api.database.transaction(work)
    return Machine(api.app, firm), Machine(api.app, manager)
