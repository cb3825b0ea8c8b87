"""Publishing policies: only what is complete, true to its document, and alone on its days."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from tests import factories, published
from tests.factories import SHANXI, SHANXI_FILL
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.models.programmes import PolicyVersion, Programme
from voucher.models.versions import PolicyProposal
from voucher.operations.fit_version import PublishRequest
from voucher.operations.policies import policy_of
from voucher.operations.publish import (
    Proposed,
    Published,
    propose_version,
    publish_version,
    withdraw_proposal,
)
from voucher.rules.permissions import Actor
from voucher.rules.policy_check import problems_of
from voucher.terms import Role

DOCUMENT = (factories.FOLDER / "documents" / "shanxi-2022.txt").read_text("utf-8")
REQUEST = PublishRequest(text=SHANXI, fills=(SHANXI_FILL,), document_text=DOCUMENT, book_code="140000")


@pytest.fixture
def officer(database: Database) -> Actor:
    def make(session: Session, at: datetime) -> Actor:
        factories.places(session)
        funder = factories.book(session)
        return factories.person(
            session, Role.PROGRAMME_OFFICER, region_code="140000", book_id=funder.book_id, at=at
        )

    return database.transaction(make)


def bring(database: Database, officer: Actor, request: PublishRequest = REQUEST) -> Published:
    return database.transaction(lambda s, at: factories.publish(s, request, actor=officer, at=at))


def refusal(database: Database, officer: Actor, request: PublishRequest = REQUEST) -> Refusal:
    with pytest.raises(Refusal) as caught:
        bring(database, officer, request)
    return caught.value


def test_the_shanxi_policy_filled_in_is_published_with_its_programme(
    database: Database, officer: Actor
) -> None:
    assert bring(database, officer) == Published("CN-140000-INNO-2022", "CN-140000-INNO")
    with database.read() as session:
        programme = session.get_one(Programme, "CN-140000-INNO")
        assert (programme.kind, programme.region_code) == ("innovation_voucher", "140000")
        version = session.get_one(PolicyVersion, "CN-140000-INNO-2022")
        assert (version.document_no, version.effective_from) == (
            "晋发改高新发〔2022〕79号",
            date(2022, 3, 11),
        )
        assert policy_of(session, version.code).caps[0].amount_fen == 200_000_00


def test_what_the_document_leaves_open_blocks_publishing(database: Database, officer: Actor) -> None:
    refused = refusal(database, officer, replace(REQUEST, fills=()))
    assert refused.code is Code.POLICY_INCOMPLETE
    assert {"rate_lines", "year", "use_by_days"} <= set(str(refused.facts["missing"]).split(","))
    assert {problem.key for problem in problems_of(SHANXI, (), document_text=DOCUMENT)} >= {
        "rate_lines",
        "year",
    }
    with database.read() as session:
        assert session.get(Programme, "CN-140000-INNO") is None


def test_a_quotation_that_the_document_does_not_hold_blocks_publishing(
    database: Database, officer: Actor
) -> None:
    false = REQUEST.text.replace("每个企业年补助额最高不超过 20 万元", "每个企业年补助额最高不超过 50 万元")
    refused = refusal(database, officer, replace(REQUEST, text=false))
    assert (refused.code, refused.facts["key"]) == (Code.POLICY_INVALID, "caps[0]")
    assert refusal(database, officer, replace(REQUEST, document_text=None)).code is Code.POLICY_INVALID
    assert refusal(database, officer, replace(REQUEST, text="[policy")).code is Code.POLICY_INVALID
    assert problems_of("[policy", (), document_text=None)[0].line == 1


def test_a_version_known_from_reports_only_is_not_published_however_complete(
    database: Database, officer: Actor
) -> None:
    weak = REQUEST.text.replace("[policy]\n", '[policy]\nweak_source = "报道"\n')
    refused = refusal(database, officer, replace(REQUEST, text=weak))
    assert (refused.code, refused.facts["key"]) == (Code.POLICY_INVALID, "policy.weak_source")
    assert refused.facts["line"] == weak.split("weak_source")[0].count("\n") + 1


def test_a_version_is_published_once_and_none_beside_it_on_the_same_days(
    database: Database, officer: Actor
) -> None:
    bring(database, officer)
    assert refusal(database, officer).code is Code.POLICY_EXISTS
    second = replace(
        REQUEST,
        text=SHANXI.replace("CN-140000-INNO-2022", "CN-140000-INNO-2024").replace("2022-03-11", "2024-05-01"),
        fills=(SHANXI_FILL.replace("CN-140000-INNO-2022", "CN-140000-INNO-2024"),),
    )
    refused = refusal(database, officer, second)
    assert refused.code is Code.POLICY_OVERLAPS
    assert refused.facts["document_no"] == refused.facts["other_document_no"] == "晋发改高新发〔2022〕79号"
    assert (refused.facts["policy"], refused.facts["other_policy"]) == (
        "CN-140000-INNO-2024",
        "CN-140000-INNO-2022",
    )


def test_a_version_may_follow_on_the_day_the_other_ends(database: Database, officer: Actor) -> None:
    head, tail = SHANXI.split("[[authorities]]", 1)
    source = (
        'source = { document_no = "晋发改高新发〔2022〕79号", item = "印发日期", quote = "2022年3月11日" }'
    )
    ending = f"{head}[effective_through]\nvalue = 2024-04-30\n{source}\n\n[[authorities]]{tail}"
    bring(database, officer, replace(REQUEST, text=ending))
    second = SHANXI.replace("CN-140000-INNO-2022", "CN-140000-INNO-2024").replace("2022-03-11", "2024-05-01")
    fill = SHANXI_FILL.replace("CN-140000-INNO-2022", "CN-140000-INNO-2024")
    made = bring(database, officer, replace(REQUEST, text=second, fills=(fill,)))
    assert made.policy_code == "CN-140000-INNO-2024"


def test_another_authoritys_book_or_region_does_not_exist_for_the_officer(
    database: Database, officer: Actor
) -> None:
    strangers = (
        replace(officer, book_ids=frozenset()),
        replace(officer, region_codes=frozenset({"140100"})),
    )
    for stranger in strangers:
        assert refusal(database, stranger).code is Code.NOT_FOUND
    assert refusal(database, officer, replace(REQUEST, book_code="999999")).code is Code.NOT_FOUND


def test_one_person_proposes_and_another_publishes_what_both_saw(database: Database, officer: Actor) -> None:
    proposed = propose(database, officer)
    with database.read() as session:
        assert session.get(PolicyVersion, "CN-140000-INNO-2022") is None
    second = colleague(database, officer)
    assert publishing(database, second, proposed.proposal_id, "0" * 64).code is Code.POLICY_CHANGED
    made = database.transaction(
        lambda s, at: publish_version(
            s, proposed.proposal_id, seen_sha256=proposed.sha256, actor=second, at=at
        )
    )
    assert made.policy_code == "CN-140000-INNO-2022"
    with database.read() as session:
        version = session.get_one(PolicyVersion, made.policy_code)
        assert (version.proposed_by, version.published_by) == (officer.person_id, second.person_id)
        assert version.sha256 == proposed.sha256
    assert publishing(database, second, proposed.proposal_id, proposed.sha256).code is Code.STATE_CHANGED


def test_nobody_publishes_what_they_proposed_not_even_past_the_operation(
    database: Database, officer: Actor
) -> None:
    proposed = propose(database, officer)
    refused = publishing(database, officer, proposed.proposal_id, proposed.sha256)
    assert refused.code is Code.SELF_APPROVAL
    decided = {"state": "published", "decided_by": officer.person_id, "decided_at": datetime.now(UTC)}
    with pytest.raises(IntegrityError):
        database.transaction(lambda s, _: s.execute(update(PolicyProposal).values(**decided)))
    second = colleague(database, officer)
    database.transaction(
        lambda s, at: publish_version(
            s, proposed.proposal_id, seen_sha256=proposed.sha256, actor=second, at=at
        )
    )
    proposer = PolicyVersion.published_by
    with pytest.raises(DBAPIError):
        database.transaction(lambda s, _: s.execute(update(PolicyVersion).values(proposed_by=proposer)))
    with pytest.raises(IntegrityError):
        database.transaction(lambda s, _: published.change(s, proposed.policy_code, proposed_by=proposer))


def test_a_proposal_is_withdrawn_with_a_reason_and_may_be_proposed_anew(
    database: Database, officer: Actor
) -> None:
    proposed, second = propose(database, officer), colleague(database, officer)
    with pytest.raises(Refusal) as caught:
        propose(database, officer)
    assert caught.value.code is Code.POLICY_PROPOSED
    assert refused_code(withdrawing(database, second, proposed.proposal_id, " ")) is Code.REASON_MISSING
    assert withdrawing(database, second, proposed.proposal_id, "比例待核") is None
    assert publishing(database, second, proposed.proposal_id, proposed.sha256).code is Code.STATE_CHANGED
    assert propose(database, officer).proposal_id != proposed.proposal_id


def test_a_proposal_of_another_region_does_not_exist_for_the_reader(
    database: Database, officer: Actor
) -> None:
    proposed = propose(database, officer)
    stranger = replace(colleague(database, officer), region_codes=frozenset({"610000"}))
    assert publishing(database, stranger, proposed.proposal_id, proposed.sha256).code is Code.NOT_FOUND
    assert publishing(database, stranger, 999_999, proposed.sha256).code is Code.NOT_FOUND
    assert refused_code(withdrawing(database, stranger, proposed.proposal_id, "x")) is Code.NOT_FOUND


def test_a_published_version_is_not_deleted_by_anybody(database: Database, officer: Actor) -> None:
    bring(database, officer)
    with pytest.raises(DBAPIError):
        database.transaction(lambda s, _: s.execute(delete(PolicyVersion)))


def propose(database: Database, officer: Actor) -> Proposed:
    return database.transaction(lambda s, at: propose_version(s, REQUEST, actor=officer, at=at))


def colleague(database: Database, officer: Actor) -> Actor:
    made = database.transaction(lambda s, at: factories.person(s, Role.PROGRAMME_OFFICER, at=at))
    return replace(made, region_codes=officer.region_codes, book_ids=officer.book_ids)


def publishing(database: Database, actor: Actor, proposal_id: int, seen: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        database.transaction(
            lambda s, at: publish_version(s, proposal_id, seen_sha256=seen, actor=actor, at=at)
        )
    return caught.value


def withdrawing(database: Database, actor: Actor, proposal_id: int, reason: str) -> Refusal | None:
    try:
        database.transaction(
            lambda s, at: withdraw_proposal(s, proposal_id, reason=reason, actor=actor, at=at)
        )
    except Refusal as refusal:
        return refusal
    return None


def refused_code(refusal: Refusal | None) -> Code | None:
    return refusal.code if refusal is not None else None
