"""Who else may decide is told that a proposal waits, once each; tenants of what they got; officials of orders to put right."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.operations import evaluating
from tests.operations.evaluating import BAD, base, centre_key, order_of, registered, scored, with_rules
from tests.operations.recognition_world import proposed as agreement_proposed
from tests.operations.recognition_world import two_provinces
from tests.operations.shapes import PRORATA, shaped
from tests.operations.startup_world import Base
from tests.operations.stories import Told
from tests.operations.test_publish import REQUEST
from voucher.db import Database
from voucher.models.messages import Message
from voucher.money import Fen
from voucher.operations.outcome import only
from voucher.operations.prorata import FactorRequest, propose_factor
from voucher.operations.publish import propose_version, withdraw_proposal
from voucher.operations.rectify import AnswerRequest, answer_orders
from voucher.operations.remind import remind
from voucher.operations.year_end import YearEndRequest, propose_year_end
from voucher.rules.permissions import Actor
from voucher.schemas.notes import told as said
from voucher.terms import LiveVouchers, MessageEvent, Role, YearEndAction


def heard(database: Database, event: MessageEvent) -> list[tuple[int, str]]:
    """Who was told what, in the order of writing."""
    with database.read() as session:
        rows = session.scalars(select(Message).where(Message.event == event.value).order_by(Message.id))
        return [(row.person_id or 0, said(event, row.subject, row.facts).text) for row in rows]


def titles(database: Database) -> list[str]:
    """What stands in the inbox of proposals, without opening one."""
    event = MessageEvent.PROPOSAL_WAITING
    with database.read() as session:
        rows = session.scalars(select(Message).where(Message.event == event.value).order_by(Message.id))
        return [said(event, row.subject, row.facts).title for row in rows]


def officer(session: Session, region: str, book_id: int) -> Actor:
    return factories.person(session, Role.PROGRAMME_OFFICER, region_code=region, book_id=book_id)


def test_a_proposed_version_is_told_to_the_other_officers_of_its_region_once(database: Database) -> None:
    def work(session: Session, at: datetime) -> list[Actor]:
        factories.places(session)
        book = factories.book(session).book_id
        return [officer(session, region, book) for region in ("140000", "140000", "140100")]

    first, second, _ = database.transaction(work)
    made = database.transaction(lambda s, at: propose_version(s, REQUEST, actor=first, at=at))
    ((person, text),) = heard(database, MessageEvent.PROPOSAL_WAITING)
    assert person == second.person_id
    assert titles(database) == ["政策版本“山西省科技创新券（晋发改高新发〔2022〕79号）”等您复核"]
    assert text.startswith("政策版本“山西省") and "晋发改高新发〔2022〕79号" in text
    database.transaction(
        lambda s, at: withdraw_proposal(s, made.proposal_id, reason="再核", actor=first, at=at)
    )
    database.transaction(lambda s, at: propose_version(s, REQUEST, actor=second, at=at))
    assert [who for who, _ in heard(database, MessageEvent.PROPOSAL_WAITING)][1:] == [first.person_id]


def test_an_agreement_is_told_to_officers_of_the_party_that_has_not_spoken(told: Told) -> None:
    two = two_provinces(told)
    agreement_proposed(told)
    people = {who for who, _ in heard(told.database, MessageEvent.PROPOSAL_WAITING)}
    assert two.officer.person_id in people
    assert told.world.officer.person_id not in people
    assert {each[:7] for each in titles(told.database)} == {"互认协议版本“"}


def test_a_factor_and_a_years_end_are_told_to_the_checkers_of_the_book(database: Database) -> None:
    told = Told(database, at=datetime.fromisoformat("2025-12-10T10:00+08:00"))
    shaped(told, more=PRORATA)
    told.approved(order=told.captured_order(contract_fen=100_000_00), amount_fen=50_000_00)
    told.at = datetime(2027, 1, 5, 2, tzinfo=UTC)
    wanted = FactorRequest(told.world.programme_code, 2025, 5_000, Fen(50_000_00), "晋科〔2026〕1号")
    line = YearEndRequest(told.world.line_code, YearEndAction.LAPSE, "晋财〔2027〕1号", LiveVouchers.KEEP)
    maker = told.world.maker
    told.do(lambda s, at: only(propose_factor(s, [wanted], actor=maker, at=at)))
    told.do(lambda s, at: only(propose_year_end(s, [line], actor=maker, at=at)))
    factor, year_end = heard(told.database, MessageEvent.PROPOSAL_WAITING)
    assert {factor[0], year_end[0]} == {told.world.checker.person_id}
    assert factor[1].startswith("年度补助比例“")
    assert [each.partition("“")[0] for each in titles(told.database)] == ["年度补助比例", "指标的年终结转"]
    assert "2025 年度”等您复核" in titles(told.database)[0]
    assert year_end[1].startswith("指标的年终结转“")


def test_every_allotment_is_told_to_its_tenant(database: Database) -> None:
    base = Base(database)
    first, second, voucher = base.tenant(), base.tenant(), base.voucher()
    base.allot(voucher, [(first, 30_000_00), (second, 1_00)])
    base.allot(voucher, [(first, 500_00)])
    told = heard(database, MessageEvent.ALLOTMENT_GIVEN)
    assert [who for who, _ in told] == [each.actor.person_id for each in (first, second, first)]
    assert "分配了 500.00 元创业券额度" in told[-1][1]


def test_a_scored_year_and_an_order_to_put_right_are_told_to_officials(told: Told) -> None:
    with_rules(told)
    request = base(told)
    made = registered(told, request)
    runs = evaluating.manager(told, request.organisation_id)
    row = scored(told, centre_key(made.centre_id), 2025, BAD)
    waiting = [person for person, _ in heard(told.database, MessageEvent.PROPOSAL_WAITING)]
    assert told.world.officer.person_id in waiting and len(set(waiting)) == len(waiting)
    assert {each[-13:] for each in titles(told.database)} == {" 2025 年度”等您复核"}
    order = order_of(told, evaluating.published(told, row).evaluation)
    told.at = datetime(2026, 6, 20, 2, tzinfo=UTC)
    for _ in range(2):
        told.do(lambda s, at: remind(s, at=at))
    late = [person for person, _ in heard(told.database, MessageEvent.RECTIFY_OVERDUE)]
    officials = {*waiting, told.world.reviewer.person_id}
    assert sorted(late) == sorted({*officials, runs.person_id})
    told.do(lambda s, at: only(answer_orders(s, [AnswerRequest(order.id, "已补齐")], actor=runs, at=at)))
    assert {person for person, _ in heard(told.database, MessageEvent.RECTIFY_ANSWERED)} == officials
