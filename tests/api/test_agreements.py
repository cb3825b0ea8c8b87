"""Agreements over the API: checked, proposed, published by another, kept, ended, and read by anybody."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from tests import factories
from tests.api.conftest import Api, ok, refused
from tests.entrance import Machine
from tests.rules.agreements import DOCUMENT, TEXT
from voucher.rules.permissions import Actor
from voucher.terms import Role

BASE = "/api/v1/agreements"
GIVEN = {"text": TEXT, "document_text": DOCUMENT}


@pytest.fixture
def other(api: Api) -> Machine:
    """The officer of the other province."""

    def work(session: Session, at: datetime) -> Actor:
        book = factories.book(session, code="610000", authority="陕西省财政厅")
        return factories.person(
            session, Role.PROGRAMME_OFFICER, region_code="610000", book_id=book.book_id, at=at
        )

    return Machine(api.app, api.database.transaction(work))


def test_an_agreement_goes_from_check_to_revocation_and_anybody_reads_it(api: Api, other: Machine) -> None:
    faulty = GIVEN | {"text": TEXT.replace('value = "clearing"', 'value = "direct"')}
    (problem,) = ok(api.officer.send(f"{BASE}/check", faulty))["problems"]
    assert (problem["key"], problem["clause"]) == ("remit", "5")
    refused(api.officer.send(BASE, faulty), 422, "agreement_invalid")
    assert ok(api.officer.send(f"{BASE}/check", GIVEN))["problems"] == []
    made = ok(api.officer.send(BASE, GIVEN))
    version = made["version_id"]
    assert (made["code"], made["state"]) == ("JINSHAN-2026", "proposed")
    refused(api.officer.send(f"{BASE}/{version}/publish", {}), 409, "self_approval")
    assert ok(other.send(f"{BASE}/{version}/publish", {}))["state"] == "published"

    platform = api.world.platform.platform_id
    entry = {"platform_id": platform, "document_no": "名录第1批", "from_on": "2026-01-01"}
    listing = ok(other.send(f"{BASE}/JINSHAN/registry", entry))["id"]
    away = {"platform_id": platform, "region_code": "610000", "reason": "整改"}
    ok(other.send(f"{BASE}/JINSHAN/suspensions", away))
    shown = ok(api.app.test_client().get(f"{BASE}/{version}"))
    assert shown["clauses"]["firm_ceiling_fen"] == "6"
    assert shown["parameters"]["funding_shares"][0] == {"funder": "home", "parts": 2, "of": 3}
    assert [each["platform_id"] for each in shown["registry"]] == [platform]
    assert [each["region_code"] for each in shown["suspended"]] == ["610000"]
    ok(other.send(f"{BASE}/JINSHAN/suspensions/lift", away))
    ok(other.send(f"{BASE}/registry/{listing}/take-off", {"reason": "资质失效"}))

    refused(other.send(f"{BASE}/{version}/withdraw", {"reason": "x"}), 409, "state_changed")
    assert ok(other.send(f"{BASE}/{version}/revoke", {"reason": "查实虚假服务"}))["state"] == "revoked"
    refused(other.send(f"{BASE}/{version}/end", {"reason": "x"}), 409, "state_changed")
    (line,) = ok(api.app.test_client().get(BASE))["agreements"]
    assert (line["state"], line["regions"]) == ("revoked", ["山西省", "陕西省"])


def test_a_proposal_is_nobodys_to_read_but_the_authorities(api: Api, other: Machine) -> None:
    version = ok(api.officer.send(BASE, GIVEN))["version_id"]
    assert ok(api.app.test_client().get(BASE))["agreements"] == []
    assert api.app.test_client().get(f"{BASE}/{version}").status_code == 404
    refused(api.firm.send(f"{BASE}/{version}/publish", {}), 403, "not_permitted")
