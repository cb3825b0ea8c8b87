"""Pieces for the tests of joining: a policy that serves teams, a team with a person, two reviewers, codes."""

from __future__ import annotations

from datetime import datetime
from itertools import count

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.operations.applying import with_parameters
from tests.operations.stories import Told
from voucher.clock import business_date
from voucher.codes import make_uscc
from voucher.db import Database
from voucher.models.parties import Holder
from voucher.money import Fen
from voucher.operations import answer_order, confirm_order, deliver, file_contract, place_order
from voucher.operations.desk import Decided, DeskDecision, DeskRequest, decide, take_in
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.join import Joined, Joiner, Newcomer, join
from voucher.operations.join_codes import MadeCode, Presentation, join_key
from voucher.operations.outcome import Refused, only
from voucher.operations.qualify import QualifyRequest, qualify
from voucher.operations.teams import TeamRequest, register_teams
from voucher.queries.people import standing_of
from voucher.rules.permissions import Actor
from voucher.store import Stored
from voucher.terms import DeskKind, HolderClass, HolderKind, Role

KEY = join_key("the secret of these tests")
FIRM = make_uscc("140105", 99_001)
_logins = count(1)


class Joining(Told):
    """The Shanxi world under a version that serves teams too, and a second reviewer."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        text = factories.SHANXI.replace('value = ["tech_sme"]', 'value = ["tech_sme", "team"]')
        self.do(lambda session, at: with_parameters(session, text, (factories.SHANXI_FILL,)))
        self.second = self.do(
            lambda session, at: factories.person(session, Role.REVIEWER, region_code="140000")
        )

    def team(self) -> tuple[int, str]:
        """A qualified team: its organisation and its temporary id."""
        request = TeamRequest(
            kind=HolderKind.TEAM, name="星火团队", region_code="140105", members=("甲", "乙", "丙")
        )

        def work(session: Session, at: datetime) -> tuple[int, str]:
            made = only(register_teams(session, [request], actor=self.world.reviewer, at=at))
            wanted = [QualifyRequest(made.ref, HolderClass.TEAM)]
            only(qualify(session, self.world.programme_code, wanted, actor=self.world.reviewer, at=at))
            return made.id, made.ref

        return self.do(work)

    def member(self, organisation_id: int) -> Actor:
        """Somebody who acts for a team."""
        roles = (Role.ENTERPRISE_APPROVER, Role.ENTERPRISE_OPERATOR)
        return self.do(lambda session, at: factories.person(session, *roles, organisation_id=organisation_id))

    def now(self, actor: Actor) -> Actor:
        """The person as they stand today."""
        with self.database.read() as session:
            standing = standing_of(session, actor.person_id, on=business_date(self.at))
        assert standing is not None
        return standing.actor

    def placed(self, voucher: str, actor: Actor, *, quote_fen: int = 100_000_00) -> str:
        """An order that the platform accepted."""
        request = place_order.PlaceRequest(voucher, self.world.platform.platform_id, factories.SERVICES[0])

        def work(session: Session, at: datetime) -> str:
            order = only(place_order.place_order(session, [request], actor=actor, at=at))
            accepted = [answer_order.AcceptRequest(order.number, Fen(quote_fen))]
            manager = self.world.platform.manager
            only(answer_order.accept_order(session, accepted, actor=manager, at=at))
            return order.number

        return self.do(work)

    def held(self, voucher: str, actor: Actor, *, contract_fen: int) -> str:
        """An order whose contract is filed; half of the contract is held."""
        order = self.placed(voucher, actor, quote_fen=contract_fen)

        def work(session: Session, at: datetime) -> None:
            contract = file_contract.ContractRequest(
                order, f"HT-{order}", business_date(at), Fen(contract_fen)
            )
            manager = self.world.platform.manager
            only(file_contract.file_contract(session, [contract], actor=manager, at=at))

        self.do(work)
        return order

    def captured(self, voucher: str, actor: Actor, *, contract_fen: int) -> str:
        """An order that was delivered and confirmed."""
        order = self.held(voucher, actor, contract_fen=contract_fen)

        def work(session: Session, at: datetime) -> None:
            delivered = [deliver.DeliverRequest(order)]
            only(deliver.deliver(session, delivered, actor=self.world.platform.scanner, at=at))
            confirmed = [confirm_order.ConfirmRequest(order)]
            only(confirm_order.confirm_order(session, confirmed, actor=actor, at=at))

        self.do(work)
        return order

    def voucher_of(self, ref: str, *, face_fen: int = 200_000_00) -> str:
        """A voucher of any holder."""
        request = IssueRequest(ref, Fen(face_fen))
        officer, line = self.world.officer, self.world.line_code
        return self.do(lambda session, at: only(issue(session, line, [request], actor=officer, at=at)).number)

    def case(self, kind: DeskKind, ref: str, *, login: str = "", **facts: str) -> int:
        """A case at the counter, taken in by the world's reviewer."""
        request = DeskRequest(kind=kind, ref=ref, papers=(paper(),), login=login, facts=facts)
        return self.do(
            lambda session, at: only(take_in(session, [request], actor=self.world.reviewer, at=at))
        )

    def decided(self, case_id: int) -> Decided:
        """The second reviewer's yes."""
        wanted = [DeskDecision(case_id, True)]
        return self.do(lambda session, at: only(decide(session, wanted, key=KEY, actor=self.second, at=at)))

    def converted(self, team_ref: str, uscc: str = FIRM, **facts: str) -> Decided:
        """The team became a firm."""
        said = {"uscc": uscc, "name": "星火科技有限公司", "legal_representative": "甲", **facts}
        return self.decided(self.case(DeskKind.CONVERT, team_ref, **said))

    def joins(self, ref: str, code: MadeCode, *roles: Role, name: str = "李四") -> Joined:
        """Somebody new uses a code."""
        answer = self.tries(ref, code.digits, *roles, name=name)
        assert isinstance(answer, Joined), answer
        return answer

    def tries(
        self, ref: str, digits: str, *roles: Role, name: str = "李四", source: str = "198.51.100.7"
    ) -> Joined | Refused:
        """Somebody new gives a code, right or wrong."""
        new = Newcomer(login=f"new{next(_logins)}", name=name, password_hash="-")
        joiner = Joiner(new, roles or (Role.ENTERPRISE_APPROVER,))
        given = Presentation(ref, digits, source)
        return self.do(lambda session, at: join(session, given, joiner, key=KEY, at=at))

    def actor(self, joined: Joined) -> Actor:
        """Whoever joined, as they stand today."""
        with self.database.read() as session:
            standing = standing_of(session, joined.person_id, on=business_date(self.at))
        assert standing is not None
        return standing.actor

    def holder(self, ref: str) -> Holder:
        """The holder of a reference."""
        with self.database.read() as session:
            return session.scalars(select(Holder).where(Holder.ref == ref)).one()


def paper(name: str = "营业执照.pdf") -> Stored:
    """A copy, as the store would describe it."""
    return Stored(f"{abs(hash(name)):064x}"[:64], 1234, "application/pdf", name)
