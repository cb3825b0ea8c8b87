"""Policy files by program: looked at, kept, proposed, published by another, withdrawn."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests import factories
from tests.api.conftest import Api
from tests.entrance import Machine
from tests.operations.test_versions import second_version
from voucher.terms import Role


class Answer(NamedTuple):
    """A status and a body."""

    status_code: int
    json: Any


def sent(machine: Machine, path: str, given: dict[str, Any]) -> Answer:
    """The status and what was answered."""
    answer = machine.send(f"/api/v1{path}", given)
    return Answer(answer.status_code, answer.get_json())


def read(machine: Machine, path: str) -> Answer:
    """What was answered."""
    answer = machine.get(f"/api/v1{path}")
    return Answer(answer.status_code, answer.get_json())


def colleague(api: Api) -> Machine:
    """One more officer of the province and its book."""
    book = api.world.book_id
    actor = api.database.transaction(
        lambda session, at: factories.person(
            session, Role.PROGRAMME_OFFICER, region_code="140000", book_id=book, at=at
        )
    )
    return Machine(api.app, actor)


def body(**changes: Any) -> dict[str, Any]:
    request = second_version("2099-01-01")
    given = {
        "text": request.text,
        "fills": list(request.fills),
        "document_text": request.document_text,
        "book_code": request.book_code,
    }
    return given | changes


def test_a_text_is_looked_at_without_writing(api: Api) -> None:
    told = body()
    del told["book_code"]
    sheet = sent(api.officer, "/policy-checks", told).json
    assert (sheet["problems"], sheet["before"], sheet["code"]) == (
        [],
        "CN-140000-INNO-2022",
        "CN-140000-INNO-NEW",
    )
    changed = {each["after"]["key"] for each in sheet["changes"] if each["after"]}
    assert {"caps", "effective_from"} <= changed
    wrong = sent(api.officer, "/policy-checks", {"text": "[policy", "fills": []}).json
    assert wrong["problems"][0]["line"] == 1 and wrong["parameters"] == []
    assert sent(api.officer, "/policy-checks", {"text": "a\x00"}).status_code == 422
    assert sent(api.officer, "/policy-checks", {"text": "#" * 200_001}).status_code == 422
    assert sent(api.officer, "/policy-checks", {"text": 1}).status_code == 422
    assert sent(api.reviewer, "/policy-checks", {"text": "x"}).status_code == 403


def test_a_draft_becomes_a_proposal_that_another_person_publishes(api: Api) -> None:
    draft = sent(api.officer, "/policy-drafts", body(fills=[])).json
    made = sent(api.officer, "/policy-proposals", body(draft_id=draft["proposal_id"])).json
    assert made["proposal_id"] == draft["proposal_id"]
    place = f"/policy-proposals/{made['proposal_id']}"
    seen = read(api.officer, place).json
    assert (seen["state"], seen["sha256"], seen["sheet"]["problems"]) == ("proposed", made["sha256"], [])
    assert [each["id"] for each in read(api.officer, "/policy-proposals").json["proposals"]] == [seen["id"]]
    refused = sent(api.officer, f"{place}/publish", {"sha256": seen["sha256"]})
    assert (refused.status_code, refused.json["code"]) == (409, "self_approval")
    second = colleague(api)
    assert sent(second, f"{place}/publish", {"sha256": "0" * 64}).json["code"] == "policy_changed"
    done = sent(second, f"{place}/publish", {"sha256": seen["sha256"]}).json
    assert done == {"policy_code": "CN-140000-INNO-NEW", "programme_code": "CN-140000-INNO"}
    lines = {each["code"]: each for each in read(api.officer, "/policies").json["policies"]}
    assert lines["CN-140000-INNO-2022"]["superseded_by"] == "CN-140000-INNO-NEW"


def test_a_proposal_is_withdrawn_by_program(api: Api) -> None:
    made = sent(api.officer, "/policy-proposals", body()).json
    place = f"/policy-proposals/{made['proposal_id']}"
    assert sent(api.officer, "/policy-proposals", body()).json["code"] == "policy_proposed"
    assert sent(api.officer, f"{place}/withdraw", {"reason": "x"}).json["policy_code"] == "CN-140000-INNO-NEW"
    assert read(api.officer, place).json["state"] == "withdrawn"
    assert read(api.officer, "/policy-proposals/999").status_code == 404
