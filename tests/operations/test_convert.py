"""A team becomes a firm in mid-year and keeps what it used of its cap (issue 3, item 1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.operations.joining_world import FIRM, Joining, paper
from voucher.clock import business_date
from voucher.codes import is_temporary, is_uscc
from voucher.db import Database
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.ledger.verify import verify
from voucher.models.claims import Claim
from voucher.models.contracts import Contract
from voucher.models.joining import TeamMember
from voucher.models.orders import Order
from voucher.models.parties import Organisation, PayeeAccount
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.claim import claim
from voucher.operations.desk import DeskDecision, DeskRequest, decide, take_in
from voucher.operations.file_contract import ContractRequest, file_contract
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.open_session import open_session
from voucher.operations.outcome import Refused, only
from voucher.operations.qualify import QualifyRequest, qualify
from voucher.operations.register import OrganisationRequest, register_organisations
from voucher.operations.reverse import ReverseRequest, reverse
from voucher.operations.review import ReviewRequest, review
from voucher.operations.teams import TeamRequest, register_teams
from voucher.terms import DeskKind, HolderClass, HolderKind, Verdict

FAMILY = "CN-140000-INNO"


@pytest.fixture
def world(database: Database) -> Joining:
    return Joining(database)


def cap(world: Joining, ref: str, year: int = 2026) -> int:
    """What is left on a cap account."""
    return world.balance(accounts.cap(FAMILY, ref, year))


def sound(world: Joining) -> None:
    with world.database.read() as session:
        assert verify(session).faults == ()


def test_a_team_has_a_temporary_id_three_names_and_no_id_numbers(world: Joining) -> None:
    organisation_id, ref = world.team()
    assert is_temporary(ref) and not is_uscc(ref)
    assert world.holder(ref).kind == HolderKind.TEAM.value
    with world.database.read() as session:
        names = session.scalars(select(TeamMember.name).where(TeamMember.organisation_id == organisation_id))
        assert set(names) == {"甲", "乙", "丙"}
    two = TeamRequest(kind=HolderKind.TEAM, name="两人", region_code="140105", members=("甲", "乙", " 甲 "))
    world.refuses(
        Code.MEMBERS_MISSING,
        lambda session, at: register_teams(session, [two], actor=world.world.reviewer, at=at),
        given=2,
    )


def test_no_firm_is_registered_under_a_temporary_id(world: Joining) -> None:
    _, ref = world.team()
    request = OrganisationRequest(uscc=ref, name="冒名有限公司", region_code="140105")
    world.refuses(
        Code.USCC_INVALID,
        lambda session, at: register_organisations(session, [request], actor=world.world.reviewer, at=at),
    )


def test_a_team_is_qualified_as_a_team_and_a_firm_is_not(world: Joining) -> None:
    _, ref = world.team()
    for wrong in (
        QualifyRequest(world.world.firm.holder_ref, HolderClass.TEAM),
        QualifyRequest(ref, HolderClass.TECH_SME),
    ):

        def work(session: Session, at: datetime, wrong: QualifyRequest = wrong) -> Sequence[object]:
            programme, actor = world.world.programme_code, world.world.reviewer
            return qualify(session, programme, [wrong], actor=actor, at=at)

        world.refuses(Code.NOT_QUALIFIED, work, reason="holder_class")


def test_a_team_that_used_80000_may_use_the_cap_less_80000_as_a_firm(world: Joining) -> None:
    team_id, ref = world.team()
    member = world.member(team_id)
    voucher = world.voucher_of(ref)
    world.captured(voucher, member, contract_fen=160_000_00)
    second = world.voucher_of(ref)
    decided = world.converted(ref)
    assert decided.converted is not None and decided.converted.used_fen == 80_000_00
    assert cap(world, ref) == 0
    member = world.now(member)
    order = world.held(second, member, contract_fen=400_000_00)
    assert world.order(order).held_fen == 120_000_00
    sound(world)


def test_a_firm_that_used_its_cap_before_has_nothing_left_and_nothing_less(world: Joining) -> None:
    """The team's 80,000.00 come on top of 150,000.00 of a firm with a cap of 200,000.00: used more, left nothing."""
    team_id, ref = world.team()
    team_voucher = world.voucher_of(ref)
    member = world.member(team_id)
    order = world.captured(team_voucher, member, contract_fen=160_000_00)
    firm = world.world.firm
    world.captured(world.voucher(), firm.actor, contract_fen=300_000_00)
    world.converted(ref, firm.uscc)
    assert cap(world, firm.holder_ref) == 0
    reversed_ = [ReverseRequest(order, "重复核销")]
    world.do(lambda session, at: only(reverse(session, reversed_, actor=world.world.platform.manager, at=at)))
    held = world.held(world.voucher(), firm.actor, contract_fen=200_000_00)
    assert world.order(held).held_fen == 50_000_00
    sound(world)


def test_a_reversal_after_the_conversion_gives_room_back_to_the_firm_in_the_year_charged(
    world: Joining,
) -> None:
    team_id, ref = world.team()
    voucher = world.voucher_of(ref)
    order = world.captured(voucher, world.member(team_id), contract_fen=160_000_00)
    world.converted(ref)
    before = cap(world, FIRM)
    wanted = [ReverseRequest(order, "重复核销")]
    world.do(
        lambda session, at: only(reverse(session, wanted, actor=world.world.platform.manager, at=at)),
        at=datetime(2027, 1, 5, 2, 0, tzinfo=UTC),
    )
    assert cap(world, FIRM) == before + 80_000_00
    assert cap(world, ref) == 0
    sound(world)


def test_a_claim_of_an_order_of_before_is_the_firms_and_its_trim_gives_room_back_to_the_firm(
    world: Joining,
) -> None:
    """With the invoice and the payment in the team's name, as they were written at the time."""
    team_id, ref = world.team()
    member = world.member(team_id)
    order = world.captured(world.voucher_of(ref), member, contract_fen=160_000_00)
    world.converted(ref)
    firm_id = next(iter(world.now(member).organisation_ids))
    request = world.claim_request(
        order,
        amount_fen=160_000_00,
        payee_account_id=world.account(firm_id),
        invoices=(world.invoice(net_fen=160_000_00, buyer_uscc=ref),),
        payments=(world.payment(amount_fen=160_000_00, payer_name="星火团队"),),
    )
    actor = world.now(member)
    number = world.do(lambda session, at: only(claim(session, [request], actor=actor, at=at)).number)
    before = cap(world, FIRM)
    trim = [ReviewRequest(number, Verdict.TRIM, Fen(50_000_00), "超出合同约定的部分")]
    world.do(lambda session, at: only(review(session, trim, actor=world.world.reviewer, at=at)))
    assert cap(world, FIRM) == before + 30_000_00
    assert cap(world, ref) == 0
    sound(world)


def test_an_open_claim_is_paid_to_the_firm_and_refused_without_an_account_of_the_firm(world: Joining) -> None:
    team_id, ref = world.team()
    member = world.member(team_id)
    order = world.captured(world.voucher_of(ref), member, contract_fen=160_000_00)
    request = world.claim_request(
        order,
        amount_fen=160_000_00,
        payee_account_id=world.account(team_id),
        invoices=(world.invoice(net_fen=160_000_00, buyer_uscc=ref),),
        payments=(world.payment(amount_fen=160_000_00, payer_name="星火团队"),),
    )
    world.do(lambda session, at: only(claim(session, [request], actor=member, at=at)))
    said = {"uscc": FIRM, "name": "星火科技有限公司", "legal_representative": "甲"}
    case = world.case(DeskKind.CONVERT, ref, **said)
    world.refuses(
        Code.PAYEE_MISSING,
        lambda session, at: decide(session, [DeskDecision(case, True)], key=b"", actor=world.second, at=at),
    )
    decline = [DeskDecision(case, False, "缺银行账户")]
    world.do(lambda session, at: only(decide(session, decline, key=b"", actor=world.second, at=at)))
    world.converted(ref, bank="晋商银行", account_no="6217000000000000017")
    account = world.one(PayeeAccount, id=world.one(Claim).payee_account_id)
    assert account.account_name == "星火科技有限公司"


def test_vouchers_and_orders_go_on_under_the_firm_and_nothing_new_is_the_teams(world: Joining) -> None:
    team_id, ref = world.team()
    voucher = world.voucher_of(ref)
    placed = world.placed(voucher, world.member(team_id))
    world.converted(ref)
    firm = world.holder(FIRM)
    with world.database.read() as session:
        assert set(session.scalars(select(Voucher.holder_id).where(Voucher.number == voucher))) == {firm.id}
        assert set(session.scalars(select(Order.holder_id).where(Order.number == placed))) == {firm.id}
    assert world.holder(ref).converted_into == firm.id
    request = IssueRequest(ref, Fen(10_000_00))
    world.refuses(
        Code.NOT_QUALIFIED,
        lambda session, at: issue(
            session, world.world.line_code, [request], actor=world.world.officer, at=at
        ),
    )


def test_open_holds_and_sessions_refuse_the_conversion_with_their_numbers(world: Joining) -> None:
    team_id, ref = world.team()
    member = world.member(team_id)
    voucher = world.voucher_of(ref)
    held = world.held(voucher, member, contract_fen=100_000_00)
    shown = world.do(lambda session, at: open_session(session, voucher, actor=member, at=at).number)
    case = world.case(DeskKind.CONVERT, ref, uscc=FIRM, name="星火科技有限公司", legal_representative="甲")
    world.refuses(
        Code.CONVERSION_BLOCKED,
        lambda session, at: decide(session, [DeskDecision(case, True)], key=b"", actor=world.second, at=at),
        open=f"{shown}、{held}",
    )


def test_one_person_alone_converts_nothing(world: Joining) -> None:
    _, ref = world.team()
    case = world.case(DeskKind.CONVERT, ref, uscc=FIRM, name="星火科技有限公司", legal_representative="甲")
    world.refuses(
        Code.SELF_APPROVAL,
        lambda session, at: decide(
            session, [DeskDecision(case, True)], key=b"", actor=world.world.reviewer, at=at
        ),
    )


def test_a_team_becomes_a_firm_under_a_right_uscc_only(world: Joining) -> None:
    _, ref = world.team()
    said = {"name": "星火科技有限公司", "legal_representative": "甲"}
    for uscc in ("", "TEMP202600000011", "91140105MA0000000X"):
        facts = {**said, "uscc": uscc}
        asked = DeskRequest(kind=DeskKind.CONVERT, ref=ref, papers=(paper(),), facts=facts)

        def work(session: Session, at: datetime, asked: DeskRequest = asked) -> Sequence[object]:
            return take_in(session, [asked], actor=world.world.reviewer, at=at)

        world.refuses(Code.USCC_INVALID, work)


def test_the_teams_contract_is_the_firms_and_its_ceiling_comes_along(world: Joining) -> None:
    """The same contract number under the firm is the same contract: what the team used of it stays used."""
    team_id, ref = world.team()
    member = world.member(team_id)
    first, second = world.voucher_of(ref), world.voucher_of(ref)
    order = world.captured(first, member, contract_fen=60_000_00)
    world.converted(ref)
    member = world.now(member)
    again = world.placed(second, member, quote_fen=60_000_00)
    contract = ContractRequest(again, f"HT-{order}", business_date(world.at), Fen(60_000_00))

    def file(session: Session, at: datetime) -> object:
        return file_contract(session, [contract], actor=world.world.platform.manager, at=at)[0]

    answer = world.do(file)
    assert isinstance(answer, Refused) and answer.code is Code.CONTRACT_EXCEEDED
    assert world.order(order).contract_ref.startswith(f"{FIRM}|")
    assert world.one(Contract).ref == world.order(order).contract_ref
    sound(world)


def test_the_people_of_the_team_act_for_the_firm(world: Joining) -> None:
    team_id, ref = world.team()
    member = world.member(team_id)
    world.converted(ref)
    with world.database.read() as session:
        firm_id = session.scalars(select(Organisation.id).where(Organisation.uscc == FIRM)).one()
    assert world.now(member).organisation_ids == {firm_id}
