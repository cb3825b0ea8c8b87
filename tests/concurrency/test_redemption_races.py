"""Redemptions that race for the same money on PostgreSQL: exactly as many succeed as there is money for.

In `make test` each race is run once; `make campaign` runs it twenty times (the fixture `campaign_share`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import Firm, Provider
from tests.operations import counter
from tests.operations.counter import cap_of, standing
from tests.operations.stories import Told
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.models.parties import Certification
from voucher.money import Fen
from voucher.operations.capture import Captured
from voucher.operations.confirm_session import confirm_session, reject_session
from voucher.operations.issue import Issued, IssueRequest, issue
from voucher.operations.outcome import only
from voucher.operations.propose import propose
from voucher.operations.reverse import ReverseRequest, reverse
from voucher.operations.sweep import sweep_holds
from voucher.rules.permissions import Actor
from voucher.terms import CertificationState

pytestmark = pytest.mark.campaign

Work = Callable[[Session, datetime], object]
OK = "ok"


@pytest.fixture
def rounds(campaign_share: float) -> range:
    """How often a race is run: twenty times in a campaign, else once."""
    return range(max(1, round(20 * campaign_share)))


@pytest.fixture
def told(pg_database: Database) -> Told:
    """The Shanxi world on PostgreSQL."""
    return Told(pg_database)


def at_once(told: Told, works: Sequence[Work]) -> list[str]:
    """Run all works in threads of their own that start together; `ok` or the code of the refusal for each."""
    start = Barrier(len(works))

    def run(work: Work) -> str:
        start.wait(60)
        try:
            told.do(work)
        except Refusal as refusal:
            return refusal.code.value
        return OK

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def vouchers(told: Told, count: int, face_fen: int, *, firm: Firm | None = None) -> list[str]:
    ref = (firm or told.world.firm).holder_ref
    requests, world = [IssueRequest(ref, Fen(face_fen))] * count, told.world
    made = told.do(lambda s, at: issue(s, world.line_code, requests, actor=world.officer, at=at))
    return [each.number for each in made if isinstance(each, Issued)]


def proposing(number: str, gross_fen: int, by: Provider) -> Work:
    request = counter.request_of(number, gross_fen)
    return lambda session, at: only(propose(session, [request], actor=by.scanner, at=at))


def confirming(number: str, firm: Actor) -> Work:
    def work(session: Session, at: datetime) -> Captured:
        return only(confirm_session(session, [number], actor=firm, at=at))

    return work


def reversing(order: str, manager: Actor) -> Work:
    return lambda s, at: only(reverse(s, [ReverseRequest(order, "冲正")], actor=manager, at=at))


def sound(told: Told) -> None:
    """No account is overdrawn and every limited account is the sum of its entries."""
    wrong = """
        SELECT a.code, a.owner_ref FROM account a LEFT JOIN (
            SELECT book_id, account_id, sum(amount) AS amount, sum(abs(pending_delta)) AS moved, count(*) AS n
            FROM entry GROUP BY book_id, account_id) e ON e.book_id = a.book_id AND e.account_id = a.id
        WHERE a.flags = 1 AND (a.credits_posted - a.debits_posted <> coalesce(e.amount, 0)
            OR a.version <> coalesce(e.n, 0) OR a.debits_posted + a.debits_pending > a.credits_posted)
    """
    with told.database.read() as session:
        assert session.execute(text(wrong)).all() == []


def test_of_forty_debits_of_one_yuan_on_ten_exactly_ten_succeed(told: Told, rounds: range) -> None:
    for _ in rounds:
        firm = told.do(lambda s, at: factories.firm(s, reviewer=told.world.reviewer, at=at))
        (voucher,) = vouchers(told, 1, 1_000_00, firm=firm)
        counter.redeemed(told, voucher, 1_980_00, actor=firm.actor)
        numbers = [counter.scanned(told, voucher, actor=firm.actor) for _ in range(40)]
        answers = at_once(told, [proposing(number, 2_00, told.world.platform) for number in numbers])
        assert Counter(answers) == {OK: 10, Code.VOUCHER_EXHAUSTED.value: 30}
        assert standing(told, accounts.voucher(voucher)).available_fen == 0
        sound(told)


def test_of_forty_vouchers_of_one_firm_at_several_providers_the_cap_lets_exactly_twenty_succeed(
    told: Told, rounds: range
) -> None:
    providers = [told.world.platform] + [
        told.do(lambda s, at: factories.provider(s, at=at)) for _ in range(3)
    ]
    for _ in rounds:
        firm = told.do(lambda s, at: factories.firm(s, reviewer=told.world.reviewer, at=at))
        given = [providers[index % 4] for index in range(40)]
        numbers = [
            counter.scanned(told, voucher, actor=firm.actor, by=by)
            for voucher, by in zip(vouchers(told, 40, 10_000_00, firm=firm), given, strict=True)
        ]
        works = [proposing(number, 20_000_00, by) for number, by in zip(numbers, given, strict=True)]
        assert Counter(at_once(told, works)) == {OK: 20, Code.CAP_EXCEEDED.value: 20}
        cap = cap_of(told, holder_ref=firm.holder_ref)
        assert (cap.opened_fen, cap.reserved_fen, cap.available_fen) == (200_000_00, 200_000_00, 0)
        sound(told)


def test_releases_and_reversals_at_the_time_of_debits_lose_nothing(told: Told, rounds: range) -> None:
    firm, manager = told.world.firm.actor, told.world.platform.manager
    for _ in rounds:
        voucher, start = told.voucher(), cap_of(told).available_fen or 200_000_00
        done = [counter.redeemed(told, voucher, 2_000_00) for _ in range(4)]
        open_ = [counter.proposed(told, voucher, 2_000_00) for _ in range(4)]
        waiting = [counter.scanned(told, voucher) for _ in range(4)]
        works = [reversing(each.order, manager) for each in done]
        works += [rejecting(each.session, firm) for each in open_]
        works += [proposing(number, 2_000_00, told.world.platform) for number in waiting]
        assert at_once(told, works) == [OK] * 12
        left = standing(told, accounts.voucher(voucher))
        assert (left.available_fen, left.reserved_fen) == (196_000_00, 4_000_00)
        cap = cap_of(told)
        assert (cap.available_fen, start - cap.available_fen) == (start - 4_000_00, 4_000_00)
        sound(told)


def rejecting(number: str, firm: Actor) -> Work:
    return lambda s, at: reject_session(s, number, reason="不对", actor=firm, at=at)


def test_one_reversal_of_six_wins_and_the_money_comes_back_once(told: Told, rounds: range) -> None:
    for _ in rounds:
        voucher, manager = told.voucher(), told.world.platform.manager
        made, before = counter.redeemed(told, voucher, 2_000_00), cap_of(told).available_fen
        answers = at_once(told, [reversing(made.order, manager)] * 6)
        assert Counter(answers) == {OK: 1, Code.STATE_CHANGED.value: 5}
        assert cap_of(told).available_fen == before + 1_000_00
        assert told.balance(accounts.voucher(voucher)) == 200_000_00
        sound(told)


def test_two_confirmations_succeed_and_capture_once(told: Told, rounds: range) -> None:
    for _ in rounds:
        made = counter.proposed(told, told.voucher(), 2_000_00)
        answers = at_once(told, [confirming(made.session, told.world.firm.actor)] * 4)
        assert answers == [OK] * 4
        assert told.balance(accounts.order(made.order)) == 1_000_00
        sound(told)


def test_confirming_and_rejecting_at_once_has_one_winner(told: Told, rounds: range) -> None:
    firm = told.world.firm.actor
    for _ in rounds:
        made = counter.proposed(told, told.voucher(), 2_000_00)
        answers = at_once(told, [confirming(made.session, firm), rejecting(made.session, firm)])
        assert sorted(answers) == [OK, Code.SESSION_CLOSED.value]
        captured = 1_000_00 if answers[0] == OK else 0
        assert told.balance(accounts.order(made.order)) == captured
        sound(told)


def test_the_sweep_and_a_confirmation_never_both_have_the_money(told: Told, rounds: range) -> None:
    firm = told.world.firm.actor
    for _ in rounds:
        made, late = counter.proposed(told, told.voucher(), 2_000_00), told.at + timedelta(minutes=10)

        def sweep(session: Session, _at: datetime, late: datetime = late) -> object:
            return sweep_holds(session, at=late)

        answers = at_once(told, [confirming(made.session, firm), sweep, sweep, sweep])
        assert answers[1:] == [OK] * 3
        won = told.order(made.order).state == "captured"
        assert answers[0] == (OK if won else Code.SESSION_CLOSED.value)
        assert told.balance(accounts.order(made.order)) == (1_000_00 if won else 0)
        assert cap_of(told).reserved_fen == 0
        sound(told)


def test_a_suspension_and_a_confirmation_at_once_leave_no_capture_after_the_suspension(
    told: Told, rounds: range
) -> None:
    key, firm = told.world.platform.certification_id, told.world.firm.actor

    def set_state(session: Session, state: CertificationState) -> None:
        session.get_one(Certification, key, with_for_update=True).state = state.value

    for _ in rounds:
        voucher = told.voucher()
        made = [counter.proposed(told, voucher, 2_000_00) for _ in range(6)]
        works = [confirming(each.session, firm) for each in made]
        works.append(lambda s, _at: set_state(s, CertificationState.SUSPENDED))
        answers = at_once(told, works)
        assert set(answers) <= {OK, Code.PROVIDER_SUSPENDED.value}
        for each, answer in zip(made, answers, strict=False):
            captured = told.order(each.order).state == "captured"
            assert captured is (answer == OK)
        late = at_once(told, [confirming(made[0].session, firm)])
        assert late == ([OK] if answers[0] == OK else [Code.PROVIDER_SUSPENDED.value])
        told.do(lambda s, _at: set_state(s, CertificationState.CERTIFIED))
        sound(told)


def test_mixed_work_on_shared_vouchers_and_caps_never_deadlocks(told: Told, rounds: range) -> None:
    firm, manager = told.world.firm.actor, told.world.platform.manager
    before = deadlocks(told.database)
    for _ in rounds:
        shared = vouchers(told, 3, 50_000_00)
        done = [counter.redeemed(told, number, 400_00) for number in shared * 2]
        held = [counter.proposed(told, number, 400_00) for number in shared * 2]
        waiting = [counter.scanned(told, number) for number in shared * 2]
        works: list[Work] = [reversing(each.order, manager) for each in done]
        works += [confirming(each.session, firm) for each in held[:3]]
        works += [rejecting(each.session, firm) for each in held[3:]]
        works += [proposing(number, 400_00, told.world.platform) for number in waiting]
        works += [lambda s, at: sweep_holds(s, at=at)] * 2
        assert set(at_once(told, shuffled(works))) == {OK}
        sound(told)
    assert deadlocks(told.database) == before


def shuffled(works: Sequence[Work]) -> list[Work]:
    """The works in an order in which each kind stands beside the others, the same in every run."""
    return [works[index * 7 % len(works)] for index in range(len(works))] if len(works) % 7 else list(works)


def deadlocks(database: Database) -> int:
    with database.read() as session:
        session.execute(text("SELECT pg_stat_clear_snapshot()"))
        query = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(session.execute(query).scalar_one())
