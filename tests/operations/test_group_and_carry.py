"""A cap that firms of one controller share, and an allowance of which the unused part is carried (domain 0.2, 1.7)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import Firm
from tests.operations import counter
from tests.operations.awards import CAP, Awarding
from tests.operations.counter import refuses, standing
from tests.operations.shapes import shaped, sound
from tests.operations.stories import Told, placed
from voucher.clock import business_date
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.models.ledger import Posting
from voucher.models.parties import Holder, Organisation
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations import file_contract, reverse
from voucher.operations.cap_room import CapRoom, GroupRoom, cap_of_voucher
from voucher.operations.outcome import Refused, only
from voucher.operations.propose import propose
from voucher.terms import PostingKind

CAP_LINE = "amount_fen = 20_000_000"
GROUP = (CAP_LINE, f'{CAP_LINE}\nscope = "control_group"')
CARRY = (CAP_LINE, "amount_fen = 2_000_000\ncarry_years = 2")
CLAIMED = ('basis = "redeemed"', 'basis = "claimed"')


def sister(told: Told, *, controller: str = "K1", parent: bool = False) -> Firm:
    """One more firm of the same controller, or a daughter of the world's firm."""

    def work(session: Session, at: datetime) -> Firm:
        made = factories.firm(session, reviewer=told.world.reviewer, at=at)
        other = session.get_one(Organisation, made.organisation_id)
        own = session.get_one(Organisation, told.world.firm.organisation_id)
        if parent:
            other.parent_id = own.id
        else:
            own.controller_key = "K1"
            other.controller_key = controller
        return made

    return told.do(work)


def group_account(told: Told, key: str = "K1", year: int = 2026) -> int:
    ref = accounts.cap(factories.PROGRAMME, f"group:{key}", year)
    return standing(told, ref).available_fen


def test_firms_of_one_controller_share_the_cap_and_the_screen_says_so(told: Told) -> None:
    shaped(told, GROUP)
    other = sister(told)
    counter.redeemed(told, told.voucher(), 300_000_00)
    theirs = told.voucher(holder_ref=other.holder_ref)
    made = counter.redeemed(told, theirs, 200_000_00, actor=other.actor)
    assert made.held_fen == 50_000_00
    (cut,) = made.reductions
    assert (cut["limit"], cut["by_fen"], cut["opened_fen"]) == ("group", 50_000_00, 200_000_00)
    assert group_account(told) == 0
    following = counter.scanned(told, theirs, actor=other.actor)
    request = counter.request_of(following, 10_000_00)

    def proposing(session: Session, at: datetime) -> object:
        from_counter = told.world.platform.scanner
        return only(propose(session, [request], actor=from_counter, at=at))

    refuses(told, Code.CAP_EXCEEDED, proposing, group_fen=200_000_00, used_fen=200_000_00, year=2026)
    reversing = reverse.ReverseRequest(made.order, "金额有误")
    told.do(lambda s, at: only(reverse.reverse(s, [reversing], actor=told.world.platform.manager, at=at)))
    assert group_account(told) == 50_000_00
    assert sound(told)


def test_a_daughter_counts_with_its_parent_and_a_stranger_does_not(told: Told) -> None:
    shaped(told, GROUP)
    daughter = sister(told, parent=True)
    counter.redeemed(told, told.voucher(), 400_000_00)
    voucher = told.voucher(holder_ref=daughter.holder_ref)
    number = counter.scanned(told, voucher, actor=daughter.actor)
    request = counter.request_of(number, 10_000_00)
    with pytest.raises(Refusal) as caught:
        told.do(lambda s, at: only(propose(s, [request], actor=told.world.platform.scanner, at=at)))
    assert caught.value.code is Code.CAP_EXCEEDED
    stranger = sister(told, controller="K2")
    made = counter.redeemed(
        told, told.voucher(holder_ref=stranger.holder_ref), 400_000_00, actor=stranger.actor
    )
    assert made.held_fen == 200_000_00


def test_without_the_scope_firms_of_one_controller_have_each_their_own_cap(told: Told) -> None:
    other = sister(told)
    counter.redeemed(told, told.voucher(), 400_000_00)
    voucher = told.voucher(holder_ref=other.holder_ref)
    assert counter.redeemed(told, voucher, 400_000_00, actor=other.actor).held_fen == 200_000_00


def test_a_cap_on_what_is_claimed_is_shared_at_issue(told: Told) -> None:
    shaped(told, GROUP, CLAIMED)
    other = sister(told)
    told.voucher(face_fen=150_000_00)
    with pytest.raises(Refusal) as caught:
        told.voucher(face_fen=60_000_00, holder_ref=other.holder_ref)
    assert (caught.value.code, caught.value.facts["group_fen"]) == (Code.CAP_EXCEEDED, 200_000_00)
    told.voucher(face_fen=50_000_00, holder_ref=other.holder_ref)
    assert group_account(told) == 0


def test_a_post_subsidy_is_counted_with_the_group_too(database: Database) -> None:
    told = Awarding(database, fill=CAP.replace("amount_fen", 'scope = "control_group"\namount_fen'))
    sister(told)
    made = told.applied(1_000_000_00)
    told.decided(made.number)
    ref = accounts.cap("CN-140525-POSTSUB", "group:K1", 2026)
    assert standing(told, ref).available_fen == 550_000_00 - 300_000_00


def test_of_two_sisters_that_take_the_last_20_000_at_once_the_group_gives_20_000(
    pg_database: Database,
) -> None:
    told = Told(pg_database)
    shaped(told, GROUP)
    other = sister(told)
    counter.redeemed(told, told.voucher(), 360_000_00)
    sessions = [
        counter.scanned(told, told.voucher()),
        counter.scanned(told, told.voucher(holder_ref=other.holder_ref), actor=other.actor),
    ]
    start = Barrier(2)

    def run(number: str) -> int:
        request = counter.request_of(number, 40_000_00)
        start.wait(60)
        try:
            held = told.do(
                lambda s, at: only(propose(s, [request], actor=told.world.platform.scanner, at=at)).held_fen
            )
        except Refusal as refusal:
            if refusal.code is not Code.CAP_EXCEEDED:
                raise
            return 0
        return int(held)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(run, sessions)) == [0, 20_000_00]


def years(told: Told, *more: int) -> None:
    """The firm is on the roster and qualified in further years."""

    def work(session: Session, at: datetime) -> None:
        holder = session.get_one(Holder, told.world.firm.holder_id)
        owner = session.get_one(Organisation, told.world.firm.organisation_id)
        for year in more:
            factories.qualification(session, holder, by=told.world.reviewer, year=year, at=at)
            factories.on_roster(session, owner, by=told.world.reviewer, year=year, at=at)

    told.do(work)


def in_year(told: Told, year: int) -> None:
    told.at = datetime.fromisoformat(f"{year}-03-02T10:00+08:00")


def held_in(told: Told, voucher: str, gross_fen: int) -> int:
    return counter.redeemed(told, voucher, gross_fen).held_fen


@pytest.fixture
def yuhang(database: Database) -> Told:
    """20,000 a year, what is left may be used in the two years after."""
    told = Told(database)
    shaped(told, CARRY, ("[use_by_days]\nvalue = 365", "[use_by_days]\nvalue = 1500"))
    return told


def test_what_is_left_is_carried_two_years_and_then_gone(yuhang: Told) -> None:
    voucher = yuhang.voucher()
    years(yuhang, 2027, 2028, 2029)
    assert held_in(yuhang, voucher, 10_000_00) == 5_000_00
    in_year(yuhang, 2028)
    made = counter.redeemed(yuhang, voucher, 200_000_00)
    assert made.held_fen == 55_000_00
    assert (made.reductions[0]["limit"], made.reductions[0]["opened_fen"]) == ("cap", 55_000_00)
    in_year(yuhang, 2029)
    assert held_in(yuhang, voucher, 200_000_00) == 20_000_00
    assert sound(yuhang)


def test_a_year_without_qualification_gives_nothing_to_carry(yuhang: Told) -> None:
    voucher = yuhang.voucher()
    years(yuhang, 2028)
    in_year(yuhang, 2028)
    assert held_in(yuhang, voucher, 200_000_00) == 40_000_00


def test_a_late_contract_of_an_earlier_year_cannot_use_again_what_was_carried(yuhang: Told) -> None:
    voucher = yuhang.voucher()
    years(yuhang, 2027)
    late = yuhang.do(lambda s, at: placed(s, yuhang.world, voucher, at=at))
    in_year(yuhang, 2027)
    assert held_in(yuhang, voucher, 70_000_00) == 35_000_00

    def filing(session: Session, at: datetime) -> int:
        request = file_contract.ContractRequest(late, f"HT-{late}", business_date(at), Fen(100_000_00))
        manager = yuhang.world.platform.manager
        return only(file_contract.file_contract(session, [request], actor=manager, at=at)).held_fen

    assert yuhang.do(filing) == 5_000_00
    assert standing(yuhang, cap(yuhang, 2026)).available_fen == 0
    assert sound(yuhang)


def cap(told: Told, year: int) -> accounts.Ref:
    return accounts.cap(factories.PROGRAMME, told.world.firm.holder_ref, year)


def test_the_cap_is_adjusted_once_for_the_same_room_and_again_when_the_years_move(yuhang: Told) -> None:
    voucher = yuhang.voucher()
    years(yuhang, 2027)
    in_year(yuhang, 2027)
    held_in(yuhang, voucher, 10_000_00)
    held_in(yuhang, voucher, 10_000_00)
    adjusted = [row for row in yuhang.rows(Posting) if row.kind == PostingKind.CAP_ADJUST.value]
    assert len(adjusted) == 1
    assert standing(yuhang, cap(yuhang, 2027)).opened_fen == 40_000_00


def test_two_proposals_of_different_years_at_once_share_what_is_left(pg_database: Database) -> None:
    told = Told(pg_database)
    shaped(told, CARRY, ("[use_by_days]\nvalue = 365", "[use_by_days]\nvalue = 1500"))
    voucher = told.voucher()
    years(told, 2027)
    late = told.do(lambda s, at: placed(s, told.world, voucher, at=at))
    in_year(told, 2027)
    number = counter.scanned(told, voucher)
    start = Barrier(2)

    def counter_now() -> int:
        request = counter.request_of(number, 200_000_00)
        start.wait(60)
        return told.do(
            lambda s, at: only(propose(s, [request], actor=told.world.platform.scanner, at=at)).held_fen
        )

    def contract_now() -> int:
        start.wait(60)

        def work(session: Session, at: datetime) -> int:
            request = file_contract.ContractRequest(late, f"HT-{late}", business_date(at), Fen(100_000_00))
            manager = told.world.platform.manager
            return only(file_contract.file_contract(session, [request], actor=manager, at=at)).held_fen

        try:
            return told.do(work)
        except Refusal as refusal:
            if refusal.code is not Code.CAP_EXCEEDED:
                raise
            return 0

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.submit(counter_now), pool.submit(contract_now)
        assert one.result() + other.result() == 40_000_00


def test_contracts_of_two_years_filed_in_one_sequence_share_what_is_left(yuhang: Told) -> None:
    voucher = yuhang.voucher()
    years(yuhang, 2027)
    orders = [yuhang.do(lambda s, at: placed(s, yuhang.world, voucher, at=at))]
    in_year(yuhang, 2027)
    orders.append(yuhang.do(lambda s, at: placed(s, yuhang.world, voucher, at=at)))

    def filing(session: Session, at: datetime) -> list[int]:
        on = business_date(at)
        requests = [file_contract.ContractRequest(each, f"HT-{each}", on, Fen(60_000_00)) for each in orders]
        manager = yuhang.world.platform.manager
        found = file_contract.file_contract(session, requests, actor=manager, at=at)
        return [answer.held_fen for answer in found if not isinstance(answer, Refused)]

    assert yuhang.do(filing) == [20_000_00, 20_000_00]
    assert sound(yuhang)


def room(told: Told, voucher: str) -> CapRoom:
    """What the pages say is left."""
    with told.database.read() as session:
        row = session.scalars(select(Voucher).where(Voucher.number == voucher)).one()
        found = cap_of_voucher(session, row, told.at)
    assert found is not None
    return found


def test_pages_say_what_is_carried_and_what_the_next_order_gets(yuhang: Told) -> None:
    voucher = yuhang.voucher()
    years(yuhang, 2027, 2028)
    held_in(yuhang, voucher, 10_000_00)
    in_year(yuhang, 2028)
    before = room(yuhang, voucher)
    assert (before.amount_fen, before.carried_fen, before.left_fen) == (55_000_00, 35_000_00, 55_000_00)
    held_in(yuhang, voucher, 30_000_00)
    after = room(yuhang, voucher)
    assert (after.amount_fen, after.carried_fen, after.used_fen) == (55_000_00, 35_000_00, 15_000_00)
    assert after.left_fen == 40_000_00 == held_in(yuhang, voucher, 200_000_00)
    assert room(yuhang, voucher).left_fen == 0


def test_pages_say_what_the_group_leaves(told: Told) -> None:
    shaped(told, GROUP)
    other = sister(told)
    counter.redeemed(told, told.voucher(), 300_000_00)
    theirs = told.voucher(holder_ref=other.holder_ref)
    found = room(told, theirs)
    assert (found.own_left_fen, found.left_fen) == (200_000_00, 50_000_00)
    assert found.group == GroupRoom(200_000_00, 150_000_00, 0, 50_000_00)
    assert [each.name for each in found.limits] == ["cap", "group"]
