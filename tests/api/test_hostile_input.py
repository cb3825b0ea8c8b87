"""What nobody should send is refused at the field, in the one shape, and never breaks anything."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import SERVICE, Api, ok, refused
from tests.entrance import Machine, application

HOSTILE_AMOUNTS = {
    "NaN": "NaN",
    "Infinity": "Infinity",
    "overflowing": "1e400",
    "exponent": "1e3",
    "true": "true",
    "quoted": '"12"',
    "float": "12.0",
    "three decimals": "1.005",
    "negative": "-1",
    "zero": "0",
    "null": "null",
    "2^63": str(2**63),
    "a hundred digits": "9" * 100,
    "list": "[1]",
    "object": '{"fen": 1}',
    "Arabic digits": '"١٢"',
    "Tibetan digits": '"༡༢"',
    "full-width digits": '"１２"',
    "empty": '""',
}
BROKEN_JSON = {
    "half": "{",
    "no JSON": "amount_fen=1",
    "trailing comma": '{"quote_fen": 1,}',
    "bare Arabic digits": '{"quote_fen": ١}',
    "leading zero": '{"quote_fen": 012}',
    "deep": "[" * 100_000,
    "deep object": '{"a":' * 50_000,
    "endless number": '{"quote_fen": ' + "9" * 5_000 + "}",
    "half surrogate": '{"\\ud800": 1}',
    "not UTF-8": b'{"quote_fen": "\xff"}',
    "NUL": "\x00",
}
ODD_BODIES = {
    "a list": "[]",
    "a text": '"x"',
    "a number": "1",
    "null": "null",
    "an unknown field": '{"quote_fen": 1, "quote_yuan": 1}',
    "nothing": "{}",
}


@pytest.fixture(scope="module")
def installation(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One installation for the whole module: almost nothing here gets as far as the database."""
    folder = tmp_path_factory.mktemp("hostile")
    shutil.copyfile(sqlite_template, folder / "voucher.db")
    app = application(f"sqlite:///{folder / 'voucher.db'}", folder)
    yield Api(app)
    app.extensions["voucher_database"].dispose()


def raw(machine: Machine, path: str, body: str | bytes, **headers: str) -> Any:
    said = {"Authorization": f"Bearer {machine.token}", "Idempotency-Key": "k" * 12, **headers}
    return machine.client.post(path, data=body, headers=said, content_type="application/json")


@pytest.mark.parametrize("written", HOSTILE_AMOUNTS.values(), ids=HOSTILE_AMOUNTS)
def test_a_hostile_amount_is_422_at_its_field(installation: Api, written: str) -> None:
    body = refused(
        raw(installation.manager, "/api/v1/orders/O202600000017/accept", f'{{"quote_fen": {written}}}'),
        422,
        "invalid",
    )
    assert list(body["errors"]) == ["quote_fen"]


def test_hostile_amounts_are_refused_wherever_an_amount_is_taken(installation: Api) -> None:
    day, text = "2026-01-01", "x"
    invoice = {"number": text, "issued_on": day, "buyer_uscc": text, "seller_uscc": text}
    places: list[tuple[Machine, str, dict[str, Any], str]] = [
        (
            installation.manager,
            "/orders/x/contract",
            {"contract_no": text, "contract_on": day},
            "contract_fen",
        ),
        (installation.firm, "/orders/x/confirm", {}, "amount_fen"),
        (installation.manager, "/sessions/x/propose", {"service": SERVICE}, "gross_fen"),
        (installation.reviewer, "/claims/x/decision", {"verdict": "trim", "reason": text}, "approved_fen"),
        (installation.maker, "/budgets/x/fund", {"document_no": text}, "amount_fen"),
    ]
    for machine, path, rest, field in places:
        for written in HOSTILE_AMOUNTS.values():
            if (field, written) == ("amount_fen", "null"):
                continue
            said = json.dumps(rest)[:-1] + (", " if rest else "") + f'"{field}": {written}}}'
            body = refused(raw(machine, f"/api/v1{path}", said), 422, "invalid")
            assert field in body["errors"], (path, written, body)
    for written in HOSTILE_AMOUNTS.values():
        said = json.dumps({"invoices": [invoice]}).replace('"number"', f'"net_fen": {written}, "number"')
        body = refused(raw(installation.firm, "/api/v1/claims", said), 422, "invalid")
        assert "invoices.0.net_fen" in body["errors"]


@pytest.mark.parametrize("written", BROKEN_JSON.values(), ids=BROKEN_JSON)
def test_what_is_no_json_is_400(installation: Api, written: str | bytes) -> None:
    refused(raw(installation.manager, "/api/v1/orders/O202600000017/accept", written), 400, "bad_request")
    refused(raw(installation.manager, "/api/v1/login", written), 400, "bad_request")


@pytest.mark.parametrize("written", ODD_BODIES.values(), ids=ODD_BODIES)
def test_json_of_another_shape_is_422(installation: Api, written: str) -> None:
    path = "/api/v1/orders/O202600000017/accept"
    assert refused(raw(installation.manager, path, written), 422, "invalid")["errors"]


def test_a_body_that_does_not_call_itself_json_is_415(installation: Api) -> None:
    headers = {"Authorization": f"Bearer {installation.manager.token}"}
    path = "/api/v1/orders/O202600000017/accept"
    answer = installation.manager.client.post(path, data="quote_fen=1", headers=headers)
    refused(answer, 415, "unsupported_media_type")


def test_texts_are_bounded_and_visible(installation: Api) -> None:
    for reason in ("x" * 10_000_000, "x" * 201, "a\u0000b", "\u202egnp.exe", "\ue000", "  ", 17, None, ["x"]):
        answer = installation.manager.send("/api/v1/orders/O202600000017/decline", {"reason": reason})
        if answer.status_code != 413:
            assert "reason" in refused(answer, 422, "invalid")["errors"]


def test_a_nul_in_an_address_is_a_bad_request(installation: Api) -> None:
    for path in ("orders", "vouchers", "sessions"):
        refused(installation.firm.get(f"/api/v1/{path}/O2026%00"), 400, "bad_request")


def test_what_cannot_be_a_number_does_not_exist(installation: Api) -> None:
    for number in ("x", "%F0%9F%98%80", "O202600000010", "Ｏ２０２６", "o" * 3000, "..%2f", "'"):
        for path in ("orders", "vouchers", "claims", "sessions"):
            machine = installation.reviewer if path == "claims" else installation.firm
            refused(machine.get(f"/api/v1/{path}/{number}"), 404, "not_found")
        refused(installation.maker.get(f"/api/v1/batches/{number}"), 404, "not_found")
        refused(installation.auditor.get(f"/api/v1/policies/{number}"), 404, "not_found")
        refused(installation.auditor.get(f"/api/v1/ledger/postings/{number}"), 404, "not_found")
    for number in ("0", "-1", str(2**63), "9" * 400, "１", "1.0"):
        refused(installation.auditor.get(f"/api/v1/ledger/accounts/{number}"), 404, "not_found")
        refused(installation.reviewer.get(f"/api/v1/platforms/{number}"), 404, "not_found")


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=１",
        "page=1e3",
        "page=99999",
        "size=101",
        "size=",
        "state=lost",
        "since_on=2026-02-30",
        "since_on=2026-2-3",
        "text=%E2%80%AE",
        "colour=red",
    ],
)
def test_a_list_refuses_what_it_does_not_know_at_the_parameter(installation: Api, query: str) -> None:
    body = refused(installation.firm.get(f"/api/v1/orders?{query}"), 422, "invalid")
    assert list(body["errors"]) == [query.partition("=")[0]]


def test_a_page_beyond_the_end_is_the_last_one(installation: Api) -> None:
    installation.placed()
    answer = ok(installation.firm.get("/api/v1/orders?page=10000&size=100"))
    assert (answer["page"], answer["pages"], len(answer["orders"])) == (1, 1, 1)


def test_a_file_that_is_none_is_refused(installation: Api) -> None:
    headers = {"Authorization": f"Bearer {installation.firm.token}"}
    client = installation.firm.client
    nothing = client.post("/api/v1/files", data={}, headers=headers)
    assert "file" in refused(nothing, 422, "invalid")["errors"]
    program = client.post("/api/v1/files", data={"file": (__file__, "x.pdf")}, headers=headers)
    refused(program, 422, "file_refused")
    document = {"kind": "result", "ticket": "0" * 64, "file_name": "x.pdf"}
    invoice = {
        "number": "1" * 20,
        "issued_on": "2026-01-01",
        "net_fen": 1,
        "buyer_uscc": installation.world.firm.uscc,
        "seller_uscc": installation.world.firm.uscc,
    }
    body = {
        "order_no": "O202600000017",
        "contract_fen": 1,
        "invoices": [invoice],
        "payments": [
            {"amount_fen": 1, "paid_on": "2026-01-01", "payer_name": "甲", "payer_account": "1"},
        ],
        "documents": [document],
        "payee_account_id": 1,
    }
    assert (
        refused(installation.firm.send("/api/v1/claims", body), 422, "file_refused")["facts"]["reason"]
        == "ticket"
    )
