"""The oracle, SQLite and PostgreSQL are driven with the same events, and must agree on every answer and row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from tests.ledger.books import AT, give, open_book
from tests.ledger.oracle import Book
from tests.ledger.test_posting import NO_BUSINESS
from voucher.db import Database
from voucher.ledger import accounts as a
from voucher.ledger.accounts import Ref
from voucher.ledger.events import Accepted, Event, Leg
from voucher.ledger.verify import verify
from voucher.terms import Phase, PostingKind

AMOUNTS = st.integers(1, 40).map(lambda n: n * 2_500_00) | st.integers(1, 99)
FEW = st.integers(0, 1)
A, B = 1, 2
BUDGET, SUB, NEXT = a.budget("L1", 2026), a.budget("L1-sub", 2026), a.budget("L1", 2027)
PLEDGE, LAPSED, RECOVERED = a.pledge("agr", 2026), a.lapsed(2026), a.recovered("P", 2026)
CAP_USED, CAP_USED_NEXT = a.cap_used("f", 2026), a.cap_used("f", 2027)
QUOTA, QUOTA_USED = a.quota("agr", "", 2026), Ref("quota_used", "agr", 2026)
CONTRACTS = [a.contract("F0|H0|HT1"), a.contract("F1|H0|HT1", "P")]
FUNDED, ESCROW = Ref("funded", "L1", 2026), Ref("escrow", "op")
VOUCHERS = [a.voucher("V0"), a.voucher("V1")]
CAPS = [a.cap("f", "F0", 2026), a.cap("f", "F1", 2026)]
CAPS_NEXT = [a.cap("f", "F0", 2027), a.cap("f", "F1", 2027)]
ALLOTS = [a.allot("V0", "T"), a.allot("V1", "T")]
RECEIVABLE, PAYEES = a.receivable("case"), [a.payable("F0"), a.payable("F1")]
K = PostingKind

SINGLES: dict[PostingKind, list[Callable[[int, int, int], tuple[int, list[Leg]]]]] = {
    K.FUND: [
        lambda _i, n, _o: (A, [Leg(a.source(), BUDGET, n), Leg(Ref("funded_source", "L1", 2026), FUNDED, n)])
    ],
    K.ALLOT: [lambda _i, n, _o: (A, [Leg(BUDGET, SUB, n)])],
    K.TENANT_ALLOT: [lambda i, n, _o: (A, [Leg(VOUCHERS[i], ALLOTS[i], n)])],
    K.TENANT_RETURN: [lambda i, n, _o: (A, [Leg(ALLOTS[i], VOUCHERS[i], n)])],
    K.PLEDGE: [lambda _i, n, _o: (B, [Leg(a.source(), PLEDGE, n)])],
    K.CAP_ADJUST: [
        lambda i, n, _o: (A, [Leg(a.cap_source("f", 2026), CAPS[i], n)]),
        lambda i, n, _o: (A, [Leg(a.cap_source("f", 2027), CAPS_NEXT[i], n)]),
        lambda i, n, _o: (A, [Leg(CAPS[i], a.cap_source("f", 2026), n)]),
        lambda _i, n, _o: (A, [Leg(Ref("quota_source", "agr", 2026), QUOTA, n)]),
        lambda i, n, _o: (A, [Leg(a.contract_source(), CONTRACTS[i], n)]),
        lambda i, n, _o: (A, [Leg(CONTRACTS[i], a.contract_source(), n)]),
    ],
    K.ISSUE: [lambda i, n, _o: (A, [Leg(BUDGET, VOUCHERS[i], n)])],
    K.RECHARGE: [lambda i, n, _o: (A, [Leg(CAP_USED, CAPS[i], n), Leg(CAPS_NEXT[i], CAP_USED_NEXT, n)])],
    K.AWARD: [
        lambda i, n, o: (A, [Leg(BUDGET, _order(o), n), Leg(CAPS[i], CAP_USED, n)]),
        lambda _i, n, o: (B, [Leg(PLEDGE, a.share(f"O{o}"), n)]),
    ],
    K.REVERSE: [
        lambda i, n, o: (A, [Leg(_order(o), VOUCHERS[i], n), Leg(CAP_USED, CAPS[i], n)]),
        lambda i, n, o: (A, [Leg(_order(o), VOUCHERS[i], n), Leg(VOUCHERS[i], BUDGET, n)]),
        lambda _i, n, o: (B, [Leg(a.share(f"O{o}"), PLEDGE, n)]),
    ],
    K.TRIM: [
        lambda i, n, o: (A, [Leg(_order(o), VOUCHERS[i], n), Leg(CAP_USED, CAPS[i], n)]),
        lambda _i, n, o: (B, [Leg(a.share(f"O{o}"), PLEDGE, n)]),
        lambda i, n, o: (A, [Leg(_order(o), VOUCHERS[i], n), Leg(a.contract_used(), CONTRACTS[i], n)]),
    ],
    K.REINSTATE: [
        lambda i, n, o: (A, [Leg(VOUCHERS[i], _order(o), n), Leg(CAPS[i], CAP_USED, n)]),
        lambda i, n, o: (A, [Leg(BUDGET, VOUCHERS[i], n), Leg(VOUCHERS[i], _order(o), n)]),
        lambda _i, n, o: (B, [Leg(PLEDGE, a.share(f"O{o}"), n)]),
    ],
    K.DISALLOW: [lambda i, n, o: (A, [Leg(_order(o), VOUCHERS[i], n)])],
    K.SETTLE: [
        lambda i, n, o: (A, [Leg(_order(o), PAYEES[i], n), Leg(a.clearing("B"), RECOVERED, 1)]),
        lambda i, n, o: (A, [Leg(_order(o), PAYEES[i], n), Leg(_order(o), RECOVERED, 1)]),
        lambda i, n, o: (A, [Leg(_order(o), PAYEES[i], n), Leg(FUNDED, Ref("funded_used", "L1", 2026), n)]),
        lambda _i, n, o: (B, [Leg(a.share(f"O{o}"), a.clearing("A"), n)]),
        lambda i, n, o: (B, [Leg(a.share(f"O{o}"), PAYEES[i], n)]),
        lambda i, n, _o: (A, [Leg(PAYEES[i], RECEIVABLE, n)]),
    ],
    K.PAY: [
        lambda i, n, _o: (A, [Leg(PAYEES[i], a.paid(), n)]),
        lambda i, n, _o: (A, [Leg(PAYEES[i], ESCROW, n)]),
        lambda _i, n, _o: (A, [Leg(ESCROW, a.paid(), n)]),
    ],
    K.REMIT: [
        lambda _i, n, _o: (B, [Leg(a.clearing("A"), a.paid(), n)]),
        lambda _i, n, _o: (A, [Leg(a.source(), a.clearing("B"), n)]),
    ],
    K.EXPIRE: [
        lambda i, n, _o: (A, [Leg(VOUCHERS[i], BUDGET, n)]),
        lambda i, n, _o: (A, [Leg(ALLOTS[i], VOUCHERS[i], n), Leg(VOUCHERS[i], BUDGET, n)]),
    ],
    K.GIVE_BACK: [lambda i, n, _o: (A, [Leg(VOUCHERS[i], BUDGET, n), Leg(BUDGET, LAPSED, n)])],
    K.REVOKE: [lambda i, n, _o: (A, [Leg(VOUCHERS[i], BUDGET, n)])],
    K.CARRY: [lambda _i, n, _o: (A, [Leg(BUDGET, NEXT, n)])],
    K.LAPSE: [lambda _i, n, _o: (A, [Leg(BUDGET, LAPSED, n)])],
    K.CLAW_BACK: [
        lambda _i, n, _o: (A, [Leg(RECEIVABLE, RECOVERED, n)]),
        lambda _i, n, _o: (A, [Leg(a.source(), RECEIVABLE, n)]),
        lambda _i, n, _o: (A, [Leg(RECOVERED, RECEIVABLE, n)]),
        lambda _i, n, _o: (A, [Leg(RECOVERED, BUDGET, n)]),
    ],
    K.OVERBOOK: [lambda _i, n, _o: (A, [Leg(Ref("overbook_source", "", 2026), BUDGET, n)])],
}
OF_A_HOLD = {K.HOLD, K.CAPTURE, K.RELEASE}
OF_A_PAYMENT = {K.BANK_RETURN}


def _order(number: int) -> Ref:
    return a.order(f"O{number}")


def answer_of(answer: Any) -> str:
    if isinstance(answer, Accepted):
        return "replayed" if answer.replayed else "accepted"
    return str(answer.code.value)


class Ledgers(RuleBasedStateMachine):
    """One oracle and two databases with two books each."""

    make: ClassVar[tuple[Callable[[], str], ...]]
    seen: ClassVar[set[tuple[PostingKind, str]]] = set()

    @initialize()
    def begin(self) -> None:
        self.databases = [Database(make(), pool_size=2) for make in self.make]
        for database in self.databases:
            open_book(database, A, "A")
            open_book(database, B, "B")
        self.books = {A: Book(), B: Book()}
        self.given: list[tuple[int, Event]] = []
        self.holds: list[tuple[int, UUID, dict[int, Leg]]] = []
        self.payments: list[tuple[int, Event]] = []
        self.number = 0
        self.refs: set[tuple[int, Ref]] = set()
        for kind in (K.FUND, K.PLEDGE):
            self.give(SINGLES[kind][0](0, 4_000_000_00, 0), kind)
        for i in (0, 1):
            self.give(SINGLES[K.ISSUE][0](i, 300_000_00, 0), K.ISSUE)
            self.give(SINGLES[K.CAP_ADJUST][0](i, 200_000_00, 0), K.CAP_ADJUST)
            self.give(SINGLES[K.CAP_ADJUST][1](i, 100_000_00, 0), K.CAP_ADJUST)
            self.give(SINGLES[K.AWARD][0](i, 90_000_00, i), K.AWARD)
            self.give(SINGLES[K.AWARD][1](i, 60_000_00, i), K.AWARD)
            self.give(SINGLES[K.SETTLE][0](i, 50_000_00, i), K.SETTLE)
        self.give(SINGLES[K.CAP_ADJUST][3](0, 500_000_00, 0), K.CAP_ADJUST)
        for i in (0, 1):
            self.give(SINGLES[K.CAP_ADJUST][4](i, 300_000_00, 0), K.CAP_ADJUST)
        for kind in sorted(SINGLES):
            self.give(SINGLES[kind][0](0, 1_000_00, 0), kind)
        self.bank_return(0)
        self.hold(0, 1_000_00, 0)
        self.capture(0, 50, again=False)
        self.hold(0, 1_000_00, 0)
        self.release(1)
        self.hold(1, 1_000_00, 1)
        self.capture(2, 40, again=True)
        self.capture(3, 100, again=False)

    def event(self, kind: PostingKind, legs: list[Leg], reverses: UUID | None = None) -> Event:
        self.number += 1
        return Event(UUID(int=self.number), kind, tuple(legs), 2026, date(2026, 3, 2), "v1", "p:1", reverses)

    def give(self, made: tuple[int, list[Leg]], kind: PostingKind, reverses: UUID | None = None) -> str:
        book, legs = made
        return self.post(book, [self.event(kind, legs, reverses)])[0]

    def post(self, book: int, events: list[Event]) -> list[str]:
        """Everywhere the same answers; the instant goes backwards now and then."""
        expected = [self.books[book].take(event) for event in events]
        at = AT + timedelta(microseconds=(self.number * 7919) % 3000)
        for database in self.databases:
            answers = [answer_of(answer) for answer in give(database, events, book_id=book, at=at)]
            assert answers == expected, (answers, expected, events)
        for event, answer in zip(events, expected, strict=True):
            self.seen.add((event.kind, answer))
            self.given.append((book, event))
            self.refs |= {(book, ref) for leg in event.legs for ref in (leg.debit, leg.credit)}
            pending = {n: leg for n, leg in enumerate(event.legs) if leg.phase is Phase.PENDING}
            if answer == "accepted" and pending:
                self.holds.append((book, event.id, pending))
            if answer == "accepted" and event.kind is K.PAY:
                self.payments.append((book, event))
        return expected

    @rule(kind=st.sampled_from(sorted(SINGLES)), pick=st.integers(0, 9), i=FEW, amount=AMOUNTS, order=FEW)
    def single(self, kind: PostingKind, pick: int, i: int, amount: int, order: int) -> None:
        forms = SINGLES[kind]
        self.give(forms[pick % len(forms)](i, amount, order), kind)

    def hold_legs(self, i: int, amount: int, order: int) -> list[Leg]:
        until = AT + timedelta(days=30)
        ends = [(VOUCHERS[i], _order(order)), (CAPS[i], CAP_USED), (QUOTA, QUOTA_USED)]
        ends.append((CONTRACTS[i], a.contract_used()))
        return [Leg(debit, credit, amount, Phase.PENDING, expires_at=until) for debit, credit in ends]

    @rule(i=FEW, amount=AMOUNTS, order=FEW)
    def hold(self, i: int, amount: int, order: int) -> None:
        self.give((A, self.hold_legs(i, amount, order)), K.HOLD)

    @rule(amount=AMOUNTS, order=FEW)
    def hold_of_the_co_funder(self, amount: int, order: int) -> None:
        self.give((B, [Leg(PLEDGE, a.share(f"O{order}"), amount, Phase.PENDING)]), K.HOLD)

    @rule(pick=st.integers(0, 30), percent=st.integers(1, 110), again=st.booleans())
    def capture(self, pick: int, percent: int, again: bool) -> None:
        """In part, in full or above; an instalment holds the rest again in the same posting."""
        if not self.holds:
            return
        book, hold, reserved = self.holds[pick % len(self.holds)]
        legs = []
        for number, held in reserved.items():
            amount = max(1, held.amount * percent // 100)
            legs.append(Leg(held.debit, held.credit, amount, Phase.POST, (hold, number)))
            if again and amount < held.amount:
                legs.append(Leg(held.debit, held.credit, held.amount - amount, Phase.PENDING))
        self.give((book, legs), K.CAPTURE)

    @rule(pick=st.integers(0, 30))
    def release(self, pick: int) -> None:
        if self.holds:
            book, hold, reserved = self.holds[pick % len(self.holds)]
            legs = [
                Leg(held.debit, held.credit, held.amount, Phase.VOID, (hold, number))
                for number, held in reserved.items()
            ]
            self.give((book, legs), K.RELEASE)

    @rule(pick=st.integers(0, 30))
    def bank_return(self, pick: int) -> None:
        """A payment that comes back is reversed once."""
        if self.payments:
            book, payment = self.payments[pick % len(self.payments)]
            legs = [Leg(leg.credit, leg.debit, leg.amount) for leg in payment.legs]
            self.give((book, legs), K.BANK_RETURN, payment.id)

    @rule(i=FEW, amounts=st.lists(AMOUNTS, min_size=2, max_size=5), order=FEW)
    def batch(self, i: int, amounts: list[int], order: int) -> None:
        """Several holds in one transaction want the same money; one too many is refused alone."""
        self.post(A, [self.event(K.HOLD, self.hold_legs(i, amount, order)) for amount in amounts])

    @rule(pick=st.integers(0, 99), change=st.booleans())
    def again(self, pick: int, change: bool) -> None:
        book, event = self.given[pick % len(self.given)]
        if change:
            event = Event(event.id, event.kind, event.legs, 2027, event.event_on, "v1", "p:1", event.reverses)
        self.post(book, [event])

    @invariant()
    def rows_agree(self) -> None:
        for database in getattr(self, "databases", []):
            with database.read() as session:
                for row in session.execute(
                    text("SELECT book_id, id, debits_posted, credits_posted, debits_pending, credits_pending "
                         "FROM account WHERE flags <> 0")
                ):  # fmt: skip
                    (ref,) = [ref for book, ref in self.refs if book == row[0] and ref.id == row[1]]
                    assert tuple(row[2:]) == self.books[row[0]].figures(ref), (str(database.url), str(ref))

    def teardown(self) -> None:
        for database in getattr(self, "databases", []):
            with database.read() as session:
                faults = verify(session).faults
                assert [each for each in faults if each.check not in NO_BUSINESS] == []
                stored = session.execute(text("SELECT count(*) FROM posting")).scalar_one()
            assert stored == sum(len(book.events) for book in self.books.values())
            database.dispose()


@pytest.mark.campaign
def test_oracle_sqlite_and_postgresql_agree_on_every_kind_of_posting(
    new_sqlite_url: Callable[[], str], new_postgresql_url: Callable[[], str], campaign_share: float
) -> None:
    Ledgers.make = (new_sqlite_url, new_postgresql_url)
    Ledgers.seen = set()
    run_state_machine_as_test(
        Ledgers,
        settings=settings(
            max_examples=200 if campaign_share == 1 else 6,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    accepted = {kind for kind, answer in Ledgers.seen if answer == "accepted"}
    assert accepted == set(PostingKind), set(PostingKind) - accepted


def test_every_kind_of_posting_is_driven() -> None:
    assert SINGLES.keys() | OF_A_HOLD | OF_A_PAYMENT == set(PostingKind)
