"""Events are taken whole or not at all; every limit refuses with its own code and says what is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest
from sqlalchemy import text

from tests.ledger.books import (
    AT,
    BUDGET,
    CAP,
    CAP_SOURCE,
    CAP_USED,
    DAY,
    ORDER,
    PAYABLE,
    VOUCHER,
    available,
    event,
    funded,
    give,
    one,
    open_book,
    pending,
    resolve,
    settled,
    single,
)  # fmt: skip
from voucher.db import Database
from voucher.errors import Code, Fact
from voucher.ledger import accounts
from voucher.ledger.accounts import CREDITS_LIMITED, FREE, Ref, codes
from voucher.ledger.balances import free_balance, standings
from voucher.ledger.events import Accepted, Event, Leg, Rejected
from voucher.ledger.verify import verify
from voucher.terms import Phase, PostingKind, Unit

K = PostingKind
LIMITED = [code for code in codes() if Ref(code).flags != FREE]
FREE_OF = {Unit.CNY: accounts.source(), Unit.CNY_CAP: CAP_SOURCE, Unit.TIMES: Ref("count_source", "x")}


def rows(database: Database) -> list[int]:
    """How many rows every ledger table has, and the sum of what accounts hold."""
    queries = [f"SELECT count(*) FROM {table}" for table in ("posting", "transfer", "entry", "log_queue")]
    queries.append(
        "SELECT sum(debits_posted + 3 * credits_posted + 5 * debits_pending + version) FROM account"
    )
    with database.read() as session:
        return [session.execute(text(query)).scalar_one() for query in queries]


NO_BUSINESS = frozenset(
    {
        "allotment_missing",
        "clearing_mirror",
        "clearing_received",
        "clearing_sent",
        "pledge_amount",
        "share_unnamed",
    }
)
"""What verify says of accounts that these tests open without the allotment, the order, the document or the other book that they belong to."""


def sound(database: Database) -> None:
    with database.read() as session:
        faults = verify(session).faults
    assert [each for each in faults if each.check not in NO_BUSINESS] == []


@pytest.mark.parametrize("phase", [Phase.SINGLE, Phase.PENDING])
@pytest.mark.parametrize("code", LIMITED)
def test_no_limited_account_is_overdrawn_and_the_refusal_says_what_is_left(
    database: Database, code: str, phase: Phase
) -> None:
    open_book(database)
    ref = Ref(code, "x", 2026)
    other = FREE_OF[ref.unit]
    turned = ref.flags == CREDITS_LIMITED
    fill = Leg(ref, other, 100) if turned else Leg(other, ref, 100)
    take = Leg(other, ref, 101, phase) if turned else Leg(ref, other, 101, phase)
    assert isinstance(one(database, event(K.FUND, fill)), Accepted)
    before = rows(database)
    answer = one(database, event(K.FUND, take))
    facts: dict[str, Fact] = {"account": f"{code}:x:2026", "needed_fen": 101, "left_fen": 100}
    assert answer == Rejected(ref.overdrawn, facts)
    assert rows(database) == before
    assert isinstance(one(database, event(K.FUND, replace(take, amount=100))), Accepted)
    assert available(database, ref) == 0
    sound(database)


def test_a_hold_reserves_and_a_capture_moves_and_gives_the_rest_back(database: Database) -> None:
    hold = funded(database)
    assert (available(database, VOUCHER), available(database, CAP)) == (120_000_00, 120_000_00)
    capture = event(K.CAPTURE, resolve(hold, 0, 70_000_00), resolve(hold, 1, 70_000_00))
    assert isinstance(one(database, capture), Accepted)
    assert (available(database, VOUCHER), available(database, CAP)) == (130_000_00, 130_000_00)
    assert available(database, ORDER) == 70_000_00
    sound(database)


def test_what_is_only_reserved_cannot_be_settled(database: Database) -> None:
    funded(database)
    answer = one(database, event(K.SETTLE, single(ORDER, PAYABLE, 1)))
    assert isinstance(answer, Rejected)
    assert answer.code is Code.ALREADY_SETTLED


def test_a_release_gives_every_leg_back(database: Database) -> None:
    hold = funded(database)
    void = [resolve(hold, leg, 80_000_00, Phase.VOID) for leg in (0, 1)]
    assert isinstance(one(database, event(K.RELEASE, *void)), Accepted)
    assert (available(database, VOUCHER), available(database, CAP)) == (200_000_00, 200_000_00)
    sound(database)


@pytest.mark.parametrize("first", [Phase.POST, Phase.VOID])
@pytest.mark.parametrize("second", [Phase.POST, Phase.VOID])
def test_a_hold_is_resolved_once(database: Database, first: Phase, second: Phase) -> None:
    hold = funded(database)
    assert isinstance(one(database, event(K.CAPTURE, resolve(hold, 0, 80_000_00, first))), Accepted)
    answer = one(database, event(K.RELEASE, resolve(hold, 0, 80_000_00, second)))
    assert answer == Rejected(Code.ALREADY_RESOLVED, {"posting": str(hold.id)})


def test_a_capture_above_the_hold_is_refused(database: Database) -> None:
    hold = funded(database)
    answer = one(database, event(K.CAPTURE, resolve(hold, 0, 80_000_01)))
    assert answer == Rejected(Code.CAPTURE_ABOVE_HOLD, {"held_fen": 80_000_00, "asked_fen": 80_000_01})


def test_a_hold_that_never_was_cannot_be_captured(database: Database) -> None:
    funded(database)
    unknown = event(K.HOLD, pending(VOUCHER, ORDER, 5))
    answer = one(database, event(K.CAPTURE, resolve(unknown, 0, 5)))
    assert isinstance(answer, Rejected)
    assert answer.code is Code.ALREADY_RESOLVED


def test_a_hold_is_resolved_on_its_own_accounts(database: Database) -> None:
    hold = funded(database)
    elsewhere = Leg(VOUCHER, PAYABLE, 80_000_00, Phase.POST, (hold.id, 0))
    with pytest.raises(ValueError, match="accounts it was made on"):
        one(database, event(K.CAPTURE, elsewhere))


def test_a_leg_that_fails_takes_the_whole_event_with_it(database: Database) -> None:
    funded(database)
    before = rows(database)
    order = accounts.order("O2026-2")
    answer = one(
        database, event(K.HOLD, pending(VOUCHER, order, 120_000_00), pending(CAP, CAP_USED, 120_000_01))
    )
    assert isinstance(answer, Rejected)
    assert (answer.code, answer.facts["left_fen"]) == (Code.CAP_EXCEEDED, 120_000_00)
    assert rows(database) == before
    assert available(database, VOUCHER) == 120_000_00


def test_of_two_events_in_one_batch_that_want_the_same_balance_the_first_wins(database: Database) -> None:
    funded(database)
    holds = [event(K.HOLD, pending(VOUCHER, accounts.order(f"X{i}"), 70_000_00)) for i in range(3)]
    small = event(K.HOLD, pending(VOUCHER, accounts.order("X9"), 50_000_00))
    answers = give(database, [*holds, small])
    assert [isinstance(answer, Accepted) for answer in answers] == [True, False, False, True]
    assert available(database, VOUCHER) == 0
    sound(database)


def test_two_events_in_one_batch_do_not_resolve_the_same_hold(database: Database) -> None:
    hold = funded(database)
    captures = [event(K.CAPTURE, resolve(hold, 0, 10_00)) for _ in range(2)]
    answers = give(database, captures)
    assert isinstance(answers[0], Accepted)
    assert answers[1] == Rejected(Code.ALREADY_RESOLVED, {"posting": str(hold.id)})


def test_a_hold_and_its_capture_may_stand_in_one_batch(database: Database) -> None:
    funded(database)
    hold = event(K.HOLD, pending(VOUCHER, ORDER, 50_00))
    answers = give(database, [hold, event(K.CAPTURE, resolve(hold, 0, 20_00))])
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert available(database, ORDER) == 20_00
    sound(database)


def test_a_refused_capture_leaves_the_hold_to_the_next_event_of_the_batch(database: Database) -> None:
    hold = funded(database)
    refused = event(K.CAPTURE, resolve(hold, 0, 10_00), single(PAYABLE, accounts.paid(), 1))
    answers = give(database, [refused, event(K.CAPTURE, resolve(hold, 0, 10_00))])
    assert isinstance(answers[0], Rejected)
    assert isinstance(answers[1], Accepted)
    sound(database)


def test_the_same_event_again_is_answered_and_changes_nothing(database: Database) -> None:
    hold = funded(database)
    before = rows(database)
    assert one(database, hold) == Accepted(hold.id, True)
    assert give(database, [hold, hold]) == [Accepted(hold.id, True)] * 2
    assert rows(database) == before


def test_an_event_twice_in_one_batch_stands_once(database: Database) -> None:
    open_book(database)
    fund = event(K.FUND, single(accounts.source(), BUDGET, 5))
    assert give(database, [fund, fund]) == [Accepted(fund.id), Accepted(fund.id, True)]
    assert available(database, BUDGET) == 5


CHANGED = {
    "kind": K.AWARD, "fiscal_year": 2025, "event_on": date(2026, 3, 3), "rule_version": "other",
    "actor_ref": "person:2", "reverses": uuid4(), "legs": (single(accounts.source(), BUDGET, 6),),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(CHANGED))
def test_an_id_with_other_content_is_refused(database: Database, name: str) -> None:
    open_book(database)
    fund = event(K.FUND, single(accounts.source(), BUDGET, 5))
    one(database, fund)
    other: Event = replace(fund, **{name: CHANGED[name]})  # type: ignore[arg-type]
    assert one(database, other) == Rejected(Code.KEY_REUSED)


def test_a_posting_is_reversed_once(database: Database) -> None:
    settled(database)
    pay = event(K.FUND, single(accounts.source(), BUDGET, 10))
    one(database, pay)
    first = event(K.LAPSE, single(BUDGET, accounts.lapsed(2026), 10), reverses=pay.id)
    again = event(K.LAPSE, single(BUDGET, accounts.lapsed(2026), 10), reverses=pay.id)
    assert isinstance(one(database, first), Accepted)
    assert one(database, again) == Rejected(Code.ALREADY_RESOLVED, {"posting": str(pay.id)})


def test_nothing_is_posted_on_or_before_the_day_that_is_closed(database: Database) -> None:
    funded(database)
    database.transaction(
        lambda session, _at: session.execute(text("UPDATE book SET closed_through = '2026-03-02'"))
    )
    fund = event(K.FUND, single(accounts.source(), BUDGET, 5))
    assert one(database, fund) == Rejected(Code.PERIOD_CLOSED, {"closed_through": DAY.isoformat()})
    assert isinstance(one(database, replace(fund, event_on=date(2026, 3, 3))), Accepted)


@pytest.mark.parametrize("amount", [0, -1, True, 1.0])
def test_a_leg_moves_a_positive_whole_number(database: Database, amount: int) -> None:
    open_book(database)
    with pytest.raises(ValueError, match="positive number of fen"):
        one(database, event(K.FUND, single(accounts.source(), BUDGET, amount)))


def test_units_are_not_mixed(database: Database) -> None:
    open_book(database)
    with pytest.raises(ValueError, match="different units"):
        one(database, event(K.FUND, single(accounts.source(), CAP, 5)))


def test_a_thousand_events_fit_in_a_transaction_and_not_one_more(database: Database) -> None:
    open_book(database)
    events = [event(K.FUND, single(accounts.source(), BUDGET, 1)) for _ in range(1001)]
    with pytest.raises(ValueError, match="at most 1000"):
        give(database, events)
    assert len(give(database, events[:1000])) == 1000
    assert available(database, BUDGET) == 1000


def test_the_order_of_entries_never_goes_back_with_the_clock(database: Database) -> None:
    open_book(database)
    for at in (AT, AT.replace(year=2025), AT.replace(minute=1)):
        give(database, [event(K.FUND, single(accounts.source(), BUDGET, 1))], at=at)
    with database.read() as session:
        seqs = list(session.execute(text("SELECT seq FROM entry ORDER BY version")).scalars())
    assert seqs[1] == seqs[0] + 1
    assert seqs[2] == seqs[0] + 60_000_000
    sound(database)


def test_standings_and_free_balances_read_what_was_posted(database: Database) -> None:
    settled(database)
    with database.read() as session:
        standing = standings(session, 1, [VOUCHER])[VOUCHER]
        assert (standing.opened_fen, standing.spent_fen) == (200_000_00, 70_000_00)
        assert standing.available_fen == 130_000_00
        assert free_balance(session, 1, accounts.paid()) == 70_000_00


def test_a_reversal_does_not_make_the_cap_larger_for_auditors(database: Database) -> None:
    settled(database)
    assert isinstance(one(database, event(K.REVERSE, single(CAP_USED, CAP, 20_000_00))), Accepted)
    one(database, event(K.CAP_ADJUST, single(CAP, CAP_SOURCE, 10_000_00)))
    query = "SELECT book, family, holder, period, opened_fen, used_fen, pending_fen FROM audit_cap"
    with database.read() as session:
        (row,) = session.execute(text(query))
    assert tuple(row) == ("SX", "sme", "91140100MA0000001X", 2026, 190_000_00, 50_000_00, 0)


@pytest.mark.parametrize("view", ["audit_ledger", "audit_cap", "audit_voucher", "audit_settlement"])
def test_every_audit_view_can_be_read(database: Database, view: str) -> None:
    settled(database)
    with database.read() as session:
        count = len(session.execute(text(f"SELECT * FROM {view}")).all())
    assert count == {"audit_ledger": 9, "audit_cap": 1}.get(view, 0)
