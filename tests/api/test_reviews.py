"""The review through the API: everything that its pages do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from tests.entrance import Machine, application
from tests.operations.reviewing import asks, cosigner, expert, mended, reviewer
from tests.operations.stories import Told
from voucher.clock import business_date, wall_now
from voucher.models.review import ExpertOpinion, Review

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


class Desk:
    """A told world behind the API."""

    def __init__(self, url: str, folder: Path) -> None:
        self.app = application(url, folder)
        self.told = Told(self.app.extensions["voucher_database"], at=wall_now())
        self.reviewer = self.machine(self.told.world.reviewer)

    def machine(self, actor: Any) -> Machine:
        return Machine(self.app, actor)

    def uploaded(self) -> dict[str, str]:
        sent = self.reviewer.client.post(
            "/api/v1/files",
            data={"file": (BytesIO(PDF), "纪要.pdf")},
            headers={"Authorization": f"Bearer {self.reviewer.token}"},
        )
        return {"ticket": answered(sent, 201)["ticket"], "file_name": "纪要.pdf"}


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(database_url, tmp_path)
    yield made
    made.told.database.dispose()


def refused(response: Any, status: int) -> Any:
    """The code of a refusal with this status."""
    return answered(response, status)["code"]


def answered(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json


def test_a_claim_goes_back_once_with_three_defects_through_the_api(desk: Desk) -> None:
    told = desk.told
    asks(told, defect_days=10, review_days=20)
    number = told.claimed()
    defects = [{"item": item, "text": "请补正"} for item in ("contract", "invoices", "result")]
    body = {"defects": defects, "contact": "王老师"}
    made = answered(desk.reviewer.send(f"/api/v1/claims/{number}/returns", body), 201)
    assert made["rounds"][0]["defects"] == defects
    firm = desk.machine(told.world.firm.actor)
    seen = answered(firm.get(f"/api/v1/claims/{number}/returns"))
    assert (seen["rounds"][0]["notice_no"], seen["rounds"][0]["answered_at"]) == (f"{number}-1", None)
    waiting = answered(desk.reviewer.get("/api/v1/cases?side=firm"))["cases"]
    assert [(each["number"], each["allowed_days"]) for each in waiting] == [(number, 20)]
    assert refused(desk.reviewer.send(f"/api/v1/claims/{number}/returns", body), 409) == "state_changed"
    mended(told, number)
    late = {"defects": [{"item": "payee", "text": "已销户"}], "contact": "王老师"}
    assert refused(desk.reviewer.send(f"/api/v1/claims/{number}/returns", late), 422) == "told_late"


def test_an_item_twice_or_none_is_a_wrong_shape(desk: Desk) -> None:
    number = desk.told.claimed()
    twice = [{"item": "other", "text": "一"}, {"item": "other", "text": "二"}]
    for defects in ([], twice, [{"item": "nonsense", "text": "x"}]):
        body = {"defects": defects, "contact": "王老师"}
        assert desk.reviewer.send(f"/api/v1/claims/{number}/returns", body).status_code == 422


def test_taking_handing_over_releasing_and_standing_in_through_the_api(desk: Desk) -> None:
    told, number = desk.told, desk.told.claimed()
    second = reviewer(told)
    colleague, case = desk.machine(second), f"/api/v1/claims/{number}"
    assert answered(desk.reviewer.send(f"{case}/take", {}))["person_id"] == told.world.reviewer.person_id
    assert refused(colleague.send(f"{case}/take", {}), 409) == "case_taken"
    today = business_date(told.at)
    body = {
        "colleague_id": second.person_id,
        "from_on": str(today),
        "last_on": str(today + timedelta(days=2)),
    }
    named = answered(desk.reviewer.send("/api/v1/stand-ins", body), 201)
    answered(colleague.send(f"{case}/take", {}))
    ended = answered(desk.reviewer.send(f"/api/v1/stand-ins/{named['id']}/end", {}))
    assert ended["handed_back"] == 1
    answered(desk.reviewer.send(f"{case}/hand-over", {"colleague_id": second.person_id}))
    assert answered(colleague.send(f"{case}/release", {}))["person_id"] is None


def test_a_recusal_through_the_api_bars_the_decision(desk: Desk) -> None:
    told, number = desk.told, desk.told.claimed()
    body = {"uscc": told.world.firm.uscc, "reason": "配偶任职"}
    kept = answered(desk.reviewer.send("/api/v1/recusals", body), 201)
    assert (
        refused(desk.reviewer.send(f"/api/v1/claims/{number}/decision", {"verdict": "approve"}), 409)
        == "recused"
    )
    assert answered(desk.reviewer.get("/api/v1/cases"))["cases"] == []
    other = desk.machine(reviewer(told))
    answered(other.send(f"/api/v1/recusals/{kept['id']}/end", {}))
    answered(desk.reviewer.send(f"/api/v1/claims/{number}/decision", {"verdict": "approve"}))


def test_opinion_report_signature_and_minutes_carry_an_approval(desk: Desk) -> None:
    told = desk.told
    asks(told, expert_review=True, cosigners=["finance"], minutes_required=True)
    number, asked, today = told.claimed(), expert(told), str(business_date(told.at))
    case, paper = f"/api/v1/claims/{number}", desk.uploaded()
    said: dict[str, Any] = {"verdict": "approve"}
    for code, status, step in (
        ("opinion_missing", 409, "expert"),
        ("cosign_missing", 409, "sign"),
        ("minutes_missing", 422, "minutes"),
    ):
        assert refused(desk.reviewer.send(f"{case}/decision", said), status) == code
        if step == "expert":
            body = {"expert_id": asked.person_id, "due_on": today}
            answered(desk.reviewer.send(f"{case}/experts", body), 201)
            machine = desk.machine(asked)
            assert [each["number"] for each in answered(machine.get("/api/v1/expert/claims"))["claims"]] == [
                number
            ]
            answered(machine.send(f"{case}/opinion", {"verdict": "support", "text": "可行"}), 201)
        elif step == "sign":
            signer = desk.machine(cosigner(told, "finance"))
            answered(signer.send(f"{case}/signatures", {"function": "finance", "agreed": True}), 201)
        else:
            said["minutes"] = {"number": "纪要〔2026〕12号", "on": today, **paper}
    report = {
        "organisation": "某所",
        "report_no": "8",
        "reported_on": today,
        "amount_fen": 40_000_00,
        **paper,
    }
    answered(desk.reviewer.send(f"{case}/reports", report), 201)
    answered(desk.reviewer.send(f"{case}/decision", said))
    facts = told.one(Review).facts
    assert facts is not None
    assert [len(facts[name]) for name in ("opinions", "reports", "signatures")] == [1, 1, 1]
    assert told.one(ExpertOpinion).text == "可行"
