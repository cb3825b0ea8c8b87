"""Money between two books: prepared, sent, noted and received by two persons each; the statement mirrors."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.operations.cofunding_world import Shared
from tests.operations.test_settlement import settled
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.ledger.verify import verify
from voucher.models.cofunding import Remittance
from voucher.money import Fen
from voucher.operations.outcome import Refused, only
from voucher.operations.remit import NoteRequest, RemitRequest, note, prepare, receive, send, withdraw
from voucher.queries.clearing import Statement, statement
from voucher.rules.permissions import Actor
from voucher.terms import RemittanceState


@pytest.fixture
def shared(database: Database) -> Shared:
    """One order of 50,000.00 is settled: the co-funder owes a third of it."""
    told = Shared(database)
    settled(told, told.approved(order=told.captured_order(contract_fen=100_000_00)))
    return told


def prepared(shared: Shared, amount_fen: int) -> str:
    """A remittance of the co-funder that waits to be sent."""
    request = RemitRequest("330100", "140000", Fen(amount_fen), "付1号")
    maker = shared.other.maker
    return shared.do(lambda s, at: only(prepare(s, [request], actor=maker, at=at)).number)


def sent(shared: Shared, amount_fen: int) -> str:
    """A remittance that is on its way."""
    number = prepared(shared, amount_fen)
    shared.do(lambda s, at: only(send(s, [number], actor=shared.other.checker, at=at)))
    return number


def received(shared: Shared, number: str) -> None:
    """A remittance that has arrived."""
    world, request = shared.world, NoteRequest(number, "回单1")
    shared.do(lambda s, at: only(note(s, [request], actor=world.maker, at=at)))
    shared.do(lambda s, at: only(receive(s, [number], actor=world.checker, at=at)))


def told_to(shared: Shared, actor: Actor, own: str, other: str) -> Statement:
    """The statement as somebody of finance reads it."""
    with shared.database.read() as session:
        found = statement(session, actor, own, other)
        assert found is not None
        return found


def test_partial_amounts_are_sent_and_received_and_both_sides_read_the_same(shared: Shared) -> None:
    received(shared, sent(shared, 10_000_00))
    on_the_way = sent(shared, 2_000_00)
    assert shared.posted(accounts.clearing("140000"), shared.other) == 4_666_67
    ours = told_to(shared, shared.world.auditor, "140000", "330100")
    theirs = told_to(shared, shared.other.maker, "330100", "140000")
    (here,) = [each for each in ours.directions if each.payer.code == "330100"]
    (there,) = [each for each in theirs.directions if each.payer.code == "330100"]
    for each in (here, there):
        assert (each.payer_fen, each.taker_fen) == (16_666_67, 16_666_67)
        assert (each.sent_fen, each.received_fen, each.in_transit_fen) == (12_000_00, 10_000_00, 2_000_00)
        assert each.owed_fen == 4_666_67
    assert ours.mirrors and theirs.mirrors
    shared.sound()
    received(shared, on_the_way)
    last = told_to(shared, shared.world.auditor, "140000", "330100")
    assert last.in_transit_fen == 0 and last.first_fen == -last.second_fen == -4_666_67
    shared.sound()


def test_no_more_is_sent_than_is_owed_less_what_is_prepared(shared: Shared) -> None:
    prepared(shared, 10_000_00)
    with pytest.raises(Refusal) as refusal:
        prepared(shared, 6_666_68)
    assert refusal.value.code is Code.CLEARING_EXCEEDED
    assert dict(refusal.value.facts) == {
        "payable_fen": 16_666_67, "prepared_fen": 10_000_00, "left_fen": 6_666_67, "needed_fen": 6_666_68,
    }  # fmt: skip
    prepared(shared, 6_666_67)


def test_a_withdrawn_remittance_leaves_its_amount_to_another(shared: Shared) -> None:
    number = prepared(shared, 16_666_67)
    shared.do(lambda s, at: only(withdraw(s, [number], actor=shared.other.maker, at=at)))
    sent(shared, 16_666_67)
    with pytest.raises(Refusal, match="state_changed"):
        shared.do(lambda s, at: only(send(s, [number], actor=shared.other.checker, at=at)))


def test_one_person_neither_sends_nor_receives_what_they_made(shared: Shared) -> None:
    number = prepared(shared, 1_00)
    with pytest.raises(Refusal, match="self_approval"):
        shared.do(lambda s, at: only(send(s, [number], actor=shared.other.maker, at=at)))
    number, maker = sent(shared, 1_00), shared.world.maker
    shared.do(lambda s, at: only(note(s, [NoteRequest(number, "回单")], actor=maker, at=at)))
    with pytest.raises(Refusal, match="self_approval"):
        shared.do(lambda s, at: only(receive(s, [number], actor=maker, at=at)))


def test_of_several_that_are_sent_at_once_a_refused_one_stays_prepared(shared: Shared) -> None:
    numbers = [prepared(shared, 1_00), prepared(shared, 2_00)]
    answers = shared.do(lambda s, at: send(s, numbers, actor=shared.other.maker, at=at))
    assert [isinstance(each, Refused) and each.code for each in answers] == [Code.SELF_APPROVAL] * 2
    assert {row.state for row in shared.rows(Remittance)} == {RemittanceState.PREPARED.value}
    shared.sound()


def test_each_side_does_its_own_part_and_sees_no_third_books_statement(shared: Shared) -> None:
    number = prepared(shared, 1_00)
    with pytest.raises(Refusal, match="not_found"):
        shared.do(lambda s, at: only(send(s, [number], actor=shared.world.checker, at=at)))
    third = shared.open("440100", pledged_fen=0)
    with shared.database.read() as session:
        assert statement(session, third.maker, "140000", "330100") is None
        assert statement(session, third.maker, "440100", "140000") is None
    request = RemitRequest("440100", "140000", Fen(1), "付1号")
    with pytest.raises(Refusal, match="clearing_exceeded"):
        shared.do(lambda s, at: only(prepare(s, [request], actor=third.maker, at=at)))


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ("UPDATE order_share SET share_fen = share_fen + 1 WHERE pledge_year > 0", "share_balance"),
        ("UPDATE order_share SET share_fen = share_fen + 1 WHERE pledge_year = 0", "share_whole"),
        ("UPDATE order_share SET held_fen = 1 WHERE pledge_year > 0", "share_hold"),
        ("DELETE FROM order_share WHERE pledge_year > 0", "share_unnamed"),
        ("UPDATE pledge_document SET amount_fen = amount_fen + 1", "pledge_amount"),
        ("DELETE FROM pledge_document", "pledge_amount"),
        ("UPDATE remittance SET amount_fen = amount_fen + 1", "clearing_sent"),
        ("UPDATE remittance SET state = 'received'", "clearing_received"),
        ("UPDATE account SET owner_ref = '440100' WHERE code = 'clearing' AND owner_ref = '140000'",
         "clearing_mirror"),
    ],
)  # fmt: skip
def test_verify_names_a_part_or_a_transfer_that_does_not_agree(
    shared: Shared, change: str, check: str
) -> None:
    sent(shared, 1_00)
    shared.open("440100", pledged_fen=0)

    def work(session: Session, _at: datetime) -> None:
        session.execute(text(change))

    shared.do(work)
    with shared.database.read() as session:
        assert check in {fault.check for fault in verify(session).faults}
