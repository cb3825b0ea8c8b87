"""A city guides the vouchers of its counties and parks, and does not own them (拉萨 2019, 四（三）)."""

from __future__ import annotations

import pytest

from tests import factories
from tests.operations.stories import Told
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.operations.outcome import only
from voucher.operations.publicise import NoticeRequest, publicise
from voucher.operations.qualify import qualify
from voucher.operations.review import ReviewRequest, review
from voucher.operations.take_case import take_cases
from voucher.queries.claims import claim_file
from voucher.rules.permissions import Actor, runs
from voucher.terms import Role, Verdict


@pytest.fixture
def told(database: Database) -> Told:
    """The Shanxi world, whose programme is the province's, with a claim that waits for a decision."""
    return Told(database)


def of_the_country(told: Told) -> Actor:
    """A reviewer of everything: above the province."""
    return told.do(lambda session, at: factories.person(session, Role.REVIEWER, region_code="000000", at=at))


def actor(*codes: str) -> Actor:
    return Actor(1, "person:1", "某", frozenset({Role.REVIEWER}), region_codes=frozenset(codes))


@pytest.mark.parametrize(
    ("code", "owner", "answer"),
    [
        ("540100", "540102", False),
        ("540102", "540102", True),
        ("540102", "540102-Z1", False),
        ("540102-Z1", "540102-Z1", True),
        ("140525", "140000", True),
        ("140000", "140525", False),
    ],
)
def test_a_programme_is_carried_out_by_its_owner_and_those_below_it(
    code: str, owner: str, answer: bool
) -> None:
    assert runs(actor(code), owner) is answer


def test_who_stands_above_reads_a_claim_and_decides_nothing_about_it(told: Told) -> None:
    claim, above, programme = told.claimed(), of_the_country(told), told.world.programme_code
    with told.database.read() as session:
        assert claim_file(session, above, claim) is not None
    approved = ReviewRequest(claim, Verdict.APPROVE)
    told.refuses(Code.NOT_OWN_PROGRAMME, lambda s, at: review(s, [approved], actor=above, at=at))
    told.refuses(Code.NOT_OWN_PROGRAMME, lambda s, at: take_cases(s, [claim], actor=above, at=at))
    notice = NoticeRequest(programme, (claim,), "公示", "窗口", "000")
    told.refuses(Code.NOT_OWN_PROGRAMME, lambda s, at: publicise(s, [notice], actor=above, at=at))
    with pytest.raises(Refusal) as refusal:
        told.do(lambda s, at: qualify(s, programme, [], actor=above, at=at))
    assert refusal.value.code is Code.NOT_OWN_PROGRAMME
    own = told.do(lambda s, at: only(review(s, [approved], actor=told.world.reviewer, at=at)))
    assert own.approved_fen == 50_000_00


def test_nobody_of_no_region_carries_one_out() -> None:
    assert not runs(actor(), "140000")
