"""The checks on both databases: fifty clean pairs, how many statements a check takes, one who asks twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select

from tests.checks import scenes
from tests.checks.scenes import claimed, findings
from tests.operations.stories import Told
from voucher.db import Database
from voucher.models.claims import Claim
from voucher.operations.bar_claim import bars_of_claims
from voucher.operations.check_claim import check_claims
from voucher.operations.registry import RegistryRow, note_registry
from voucher.rules.checks import HIGH
from voucher.schemas.findings import TEXTS, said
from voucher.terms import FindingKind

PAIRS, EACH_STATEMENTS = 50, 30


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Every statement that the database is asked."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(" ".join(statement.split()))

    event.listen(database.engine, "before_cursor_execute", note)
    yield asked
    event.remove(database.engine, "before_cursor_execute", note)


def incubated(told: Told, number: int) -> Told:
    """A firm of an incubator: everybody's address is one, telephone and mail are its own."""
    story = scenes.new_firm(told)
    row = RegistryRow(
        uscc=story.world.firm.uscc,
        source="孵化器名册",
        address="太原市小店区学府街 1 号孵化大厦",
        phone=f"1390035{number:04d}",
        email=f"office@firm{number}.example",
        controller_id=f"14010519800101{number:04d}",
        legal_rep_id=f"14010519800102{number:04d}",
    )
    reviewer = told.world.reviewer
    scenes.one(told, lambda session, at: note_registry(session, [row], key=b"k" * 32, actor=reviewer, at=at))
    return story


def test_fifty_clean_pairs_raise_no_block(sqlite_database: Database) -> None:
    told = Told(sqlite_database)
    places = [scenes.new_provider(told) for _ in range(5)]
    numbers = []
    for number in range(PAIRS):
        story = scenes.another(incubated(told, number), platform=places[number % 5].world.platform)
        numbers.append(claimed(story))
    assert len(set(numbers)) == PAIRS
    with told.database.read() as session:
        ids = session.scalars(select(Claim.id).where(Claim.number.in_(numbers))).all()
        assert bars_of_claims(session, ids, at=told.at) == {}
    heavy = [row.kind for number in numbers for row in findings(told, number).values() if row.weight == HIGH]
    assert heavy == []


def test_a_check_takes_at_most_thirty_statements_and_reads_the_same_on_both_databases(
    database: Database,
) -> None:
    told = Told(database)
    claimed(told, documents=scenes.papers(result="one report"))
    other = scenes.new_firm(told)
    number = claimed(other, documents=scenes.papers(result="one report"))
    assert "same_result" in findings(told, number)
    claim_id = told.one(Claim, number=number).id
    with statements(database) as asked:
        told.do(lambda session, at: check_claims(session, [claim_id], at=at))
    assert len(asked) <= EACH_STATEMENTS, "\n".join(asked)
    with statements(database) as asked:
        told.do(lambda session, at: bars_of_claims(session, [claim_id], at=at))
    assert len(asked) <= EACH_STATEMENTS


def test_a_second_check_of_a_round_keeps_what_was_settled(database: Database) -> None:
    told = Told(database)
    claimed(told, documents=scenes.papers(result="one report"))
    number = claimed(scenes.new_firm(told), documents=scenes.papers(result="one report"))
    scenes.settle(told, number, "same_result", "两份成果的样品编号不同，系同一模板。")
    claim_id = told.one(Claim, number=number).id
    told.do(lambda session, at: check_claims(session, [claim_id], at=at))
    row = findings(told, number)["same_result"]
    assert row.settlement == "两份成果的样品编号不同，系同一模板。"
    assert row.settled_by == told.world.reviewer.person_id


@pytest.mark.parametrize("kind", FindingKind)
def test_every_finding_says_in_chinese_what_was_seen_and_what_can_be_done(kind: FindingKind) -> None:
    seen, advice = TEXTS[kind]
    names = [part.split("}")[0] for part in seen.split("{")[1:]]
    words = said(kind, 2, dict.fromkeys(names, 7))
    assert words.title == kind.label and words.advice == advice
    assert words.seen.endswith("。") and "{" not in words.seen
