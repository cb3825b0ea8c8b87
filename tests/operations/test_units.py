"""A cap per unit times the units of an order (四川：技术经理人培训每人不超过 1000 元; domain 3.4)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from tests import factories
from tests.operations import counter
from tests.operations.awards import Awarding
from tests.operations.shapes import PER_UNIT, shaped, sound
from tests.operations.stories import Told
from voucher.clock import business_date
from voucher.db import Database
from voucher.ledger import accounts
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations import answer_order, deliver, file_contract, place_order
from voucher.operations.confirm_order import ConfirmRequest, confirm_order
from voucher.operations.outcome import only
from voucher.operations.propose import propose
from voucher.queries.claims import claim_file


def held_for(told: Told, voucher: str, units: int, *, contract_fen: int, contract_no: str = "") -> str:
    """A remote order of so many persons whose contract is filed."""
    world = told.world

    def work(session: Session, at: datetime) -> str:
        request = place_order.PlaceRequest(
            voucher, world.platform.platform_id, factories.SERVICES[0], units=units
        )
        order = only(place_order.place_order(session, [request], actor=world.firm.actor, at=at)).number
        accepted = [answer_order.AcceptRequest(order, Fen(contract_fen))]
        only(answer_order.accept_order(session, accepted, actor=world.platform.manager, at=at))
        contract = file_contract.ContractRequest(
            order,
            contract_no or f"HT-{order}",
            business_date(at),
            Fen(contract_fen),
            whole_fen=Fen(100_000_00),
        )
        only(file_contract.file_contract(session, [contract], actor=world.platform.manager, at=at))
        return order

    return told.do(work)


def test_twelve_persons_hold_12_000_of_a_contract_of_100_000_and_the_claim_is_counted_the_same(
    told: Told,
) -> None:
    shaped(told, more=PER_UNIT)
    order = held_for(told, told.voucher(), 12, contract_fen=100_000_00)
    assert (told.order(order).units, told.order(order).held_fen) == (12, 12_000_00)

    def done(session: Session, at: datetime) -> None:
        sent = [deliver.DeliverRequest(order)]
        only(deliver.deliver(session, sent, actor=told.world.platform.scanner, at=at))
        only(confirm_order(session, [ConfirmRequest(order)], actor=told.world.firm.actor, at=at))

    told.do(done)
    number = told.approved(order=order)
    claim = told.one(Claim, number=number)
    assert (claim.claimed_fen, claim.approved_fen) == (12_000_00, 12_000_00)
    assert told.balance(accounts.order(order)) == 12_000_00
    with told.database.read() as session:
        file = claim_file(session, told.world.firm.actor, number)
    assert file is not None
    (cut,) = [line for line in file.lines if "按数量计算" in line.label]
    assert (cut.label, cut.value) == ("按数量计算的最高额（12 × 1,000.00 元）", 12_000_00)
    assert cut.clause is not None
    assert sound(told)


def test_orders_of_one_contract_are_each_bound_by_their_own_units(told: Told) -> None:
    shaped(told, more=PER_UNIT)
    voucher = told.voucher()
    first = held_for(told, voucher, 5, contract_fen=50_000_00, contract_no="HT-1")
    second = held_for(told, voucher, 7, contract_fen=50_000_00, contract_no="HT-1")
    assert [told.order(each).held_fen for each in (first, second)] == [5_000_00, 7_000_00]


def test_the_counter_names_units_too_and_without_a_cap_per_unit_they_are_not_kept(told: Told) -> None:
    voucher = told.voucher()
    shaped(told, more=PER_UNIT)
    session_number = counter.scanned(told, voucher)
    request = counter.request_of(session_number, 100_000_00, units=3)
    held = told.do(
        lambda s, at: only(propose(s, [request], actor=told.world.platform.scanner, at=at)).held_fen
    )
    assert held == 3_000_00
    assert told.one(Order).units == 3


def test_without_a_cap_per_unit_an_order_has_no_units(told: Told) -> None:
    assert told.order(held_for(told, told.voucher(), 12, contract_fen=100_000_00)).units is None


def test_a_post_subsidy_counts_its_units(database: Database) -> None:
    told = Awarding(database, fill="\n[per_unit_cap_fen]\nvalue = 100_000\n")
    made = told.applied(1_000_000_00, units=8)
    assert made.claimed_fen == 8_000_00
