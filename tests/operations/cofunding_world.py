"""The Shanxi world with co-funders: further books with pledges, and what each book says after every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.operations.stories import Told
from tests.published import rewrite
from voucher.clock import business_date
from voucher.db import Database
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.balances import free_balance, standings
from voucher.ledger.verify import verify
from voucher.models.cofunding import OrderShare
from voucher.models.ledger import Account
from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations.outcome import only
from voucher.operations.pledge import PledgeRequest, pledge
from voucher.rules.permissions import Actor
from voucher.terms import Role

SHARES = """
[[funding_shares]]
funder = "{funder}"
parts = {parts}
of = {of}
{more}
"""
DEMO = '\n[[funding_shares]]\nfunder = "140000"\nbp = 10_000\n'


def fills(*shares: tuple[str, int, int, str]) -> str:
    """The demo's fill-ins with these funders: book, parts, of, further lines of TOML."""
    assert DEMO in factories.SHANXI_FILL
    told = "".join(
        SHARES.format(funder=funder, parts=parts, of=of, more=more) for funder, parts, of, more in shares
    )
    return factories.SHANXI_FILL.replace(DEMO, told)


HOME = ("140000", 2, 3, "")
AWAY = ("330100", 1, 3, "")


@dataclass(frozen=True, slots=True)
class Other:
    """A co-funder's book, and the two persons of its finance bureau."""

    book_id: int
    code: str
    maker: Actor
    checker: Actor


class Shared(Told):
    """The Shanxi world, funded by several books; the co-funders have pledged for the year."""

    def __init__(
        self,
        database: Database,
        *shares: tuple[str, int, int, str],
        pledged_fen: int = 1_000_000_00,
        at: datetime = factories.AT,
    ) -> None:
        super().__init__(database, at=at)
        self.funded_by(*(shares or (HOME, AWAY)))
        codes = [
            funder for funder, *_ in shares or (HOME, AWAY) if funder not in ("140000", "city", "provider")
        ]
        self.others = {code: self.open(code, pledged_fen=pledged_fen) for code in codes}

    def funded_by(self, *shares: tuple[str, int, int, str]) -> None:
        """Give the world's policy version these funders, before anything is done under it."""
        text = fills(*shares)
        self.do(lambda session, _: rewrite(session, [text], code=self.world.policy_code))

    @property
    def other(self) -> Other:
        """The one co-funder."""
        (other,) = self.others.values()
        return other

    def open(self, code: str, *, pledged_fen: int = 1_000_000_00) -> Other:
        """A co-funder's book with a pledge for this year."""

        def work(session: Session, at: datetime) -> Other:
            row = factories.book(session, code=code, authority=f"{code}财政局")
            maker = factories.person(session, Role.FINANCE_MAKER, book_id=row.book_id, at=at)
            checker = factories.person(session, Role.FINANCE_CHECKER, book_id=row.book_id, at=at)
            return Other(row.book_id, code, maker, checker)

        other = self.do(work)
        if pledged_fen:
            self.pledge(other, pledged_fen)
        return other

    def pledge(self, other: Other, amount_fen: int, *, document_no: str = "配套1号") -> None:
        """One more promise of a co-funder."""
        request = PledgeRequest(
            other.book_id,
            self.world.programme_code,
            business_date(self.at).year,
            Fen(amount_fen),
            document_no,
        )
        self.do(lambda session, at: only(pledge(session, [request], actor=other.maker, at=at)))

    def pledged(self, other: Other | None = None) -> int:
        """What is left of a co-funder's pledge."""
        return self.available(
            accounts.pledge(self.world.programme_code, self.world.year), other or self.other
        )

    def available(self, ref: Ref, other: Other | None = None) -> int:
        """What a limited account leaves, in the lead book or in a co-funder's."""
        book_id = other.book_id if other else self.world.book_id
        with self.database.read() as session:
            return standings(session, book_id, [ref])[ref].available_fen

    def posted(self, ref: Ref, other: Other | None = None) -> int:
        """The posted balance of an account."""
        book_id = other.book_id if other else self.world.book_id
        with self.database.read() as session:
            if ref.flags == accounts.FREE:
                return free_balance(session, book_id, ref)
            return standings(session, book_id, [ref])[ref].posted_fen

    def reserved(self, order: str, other: Other | None = None) -> int:
        """What a co-funder reserves for an order."""
        book_id, ref = (other or self.other).book_id, accounts.share(order)
        with self.database.read() as session:
            return session.get_one(Account, (book_id, ref.id)).credits_pending

    def shares(self, order: str) -> Mapping[str, tuple[int, int]]:
        """What each funder's row holds and has taken, by the code of its book."""
        with self.database.read() as session:
            rows = session.scalars(
                select(OrderShare).join(Order, Order.id == OrderShare.order_id).where(Order.number == order)
            )
            names = {each.book_id: each.code for each in self.others.values()}
            names[self.world.book_id] = "140000"
            return {names[row.book_id]: (row.held_fen, row.share_fen) for row in rows}

    def sound(self) -> None:
        """Every book is balanced for each unit, and verify finds nothing."""
        with self.database.read() as session:
            assert verify(session).faults == ()
