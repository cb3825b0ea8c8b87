"""Money of several funders: two books balanced at every step, to the fen (design, section 2.2)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories import FOLDER, SERVICES
from tests.operations import counter
from tests.operations.cofunding_world import AWAY, HOME, Shared
from tests.operations.shapes import AUDITED, shaped
from tests.operations.stories import placed
from tests.operations.test_settlement import settled
from tests.published import rewrite
from voucher.clock import business_date
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.models.cofunding import PledgeDocument
from voucher.models.ledger import Posting
from voucher.models.orders import Order
from voucher.models.parties import Qualification
from voucher.models.review import Review
from voucher.money import Fen
from voucher.operations import file_contract
from voucher.operations.capture import CaptureRequest, capture, release
from voucher.operations.close_period import close_period
from voucher.operations.confirm_session import confirm_session
from voucher.operations.hold import Held
from voucher.operations.outcome import Refused, only
from voucher.operations.pledge import PledgeRequest, pledge
from voucher.operations.reverse import ReverseRequest, reverse
from voucher.operations.review import Reviewed, ReviewRequest, review
from voucher.operations.sweep import sweep_holds
from voucher.terms import OrderState, Verdict

PLEDGED = 1_000_000_00
MORE_2024 = """
[certifiers]
value = ["science"]
[face_min_fen]
value = 100_000
[face_max_fen]
value = 50_000_000
[use_by_days]
value = 365
[complete_by_days]
value = 180
[redeem_by_days]
value = 180
[notice_days]
value = 0
[year]
value = "calendar"
"""


@pytest.fixture
def shared(database: Database) -> Shared:
    """Two thirds from home, one third from another book."""
    return Shared(database)


def recovered(shared: Shared) -> Ref:
    """Where what co-funders pay back is counted."""
    return accounts.recovered(shared.world.programme_code, shared.world.year)


def test_two_thirds_and_a_third_of_100_000_in_two_books_balance_at_every_step(shared: Shared) -> None:
    order = shared.held_order(contract_fen=200_000_00)
    assert shared.shares(order) == {"140000": (66_666_66, 0), "330100": (33_333_34, 0)}
    assert (shared.reserved(order), shared.pledged()) == (33_333_34, PLEDGED - 33_333_34)
    shared.sound()

    voucher = shared.voucher()
    order = shared.captured_order(voucher=voucher, contract_fen=200_000_00)
    assert shared.shares(order) == {"140000": (0, 66_666_66), "330100": (0, 33_333_34)}
    assert shared.posted(accounts.share(order), shared.other) == 33_333_34
    shared.sound()

    claim = shared.approved(order=order, amount_fen=200_000_00)
    assert shared.shares(order) == {"140000": (0, 66_666_67), "330100": (0, 33_333_33)}
    assert shared.posted(accounts.share(order), shared.other) == 33_333_33
    assert shared.posted(accounts.order(order)) == 100_000_00
    shared.sound()

    settled(shared, claim)
    assert shared.posted(accounts.payable(shared.world.firm.uscc)) == 100_000_00
    assert shared.posted(accounts.clearing("330100")) == -33_333_33
    assert shared.posted(recovered(shared)) == 33_333_33
    assert shared.posted(accounts.clearing("140000"), shared.other) == 33_333_33
    assert shared.posted(accounts.share(order), shared.other) == 0
    assert shared.pledged() == PLEDGED - 33_333_34 - 33_333_33
    shared.sound()


def test_a_release_gives_both_books_back(shared: Shared) -> None:
    order = shared.held_order(contract_fen=99_999_98)
    held = shared.pledged()

    def work(session: Session, at: datetime) -> None:
        row = session.scalars(select(Order).where(Order.number == order).with_for_update()).one()
        only(release(session, [row], state=OrderState.RELEASED, actor=shared.world.officer, at=at))

    shared.do(work)
    assert held < PLEDGED and shared.pledged() == PLEDGED
    assert shared.shares(order) == {"140000": (0, 0), "330100": (0, 0)}
    assert shared.available(accounts.order(order)) == 0
    shared.sound()


def test_an_overdue_proposal_at_the_counter_gives_both_books_back(shared: Shared) -> None:
    voucher = shared.voucher()
    counter.proposed(shared, voucher, 40_000_00)
    assert shared.pledged() < PLEDGED
    shared.after(minutes=11)
    assert shared.do(lambda session, at: sweep_holds(session, at=at)) == 1
    assert shared.pledged() == PLEDGED
    assert shared.available(accounts.voucher(voucher)) == 200_000_00
    shared.sound()


def test_a_redemption_at_the_counter_takes_from_both_books(shared: Shared) -> None:
    made = counter.proposed(shared, shared.voucher(), 40_000_00)
    actor = shared.world.firm.actor
    shared.do(lambda session, at: only(confirm_session(session, [made.session], actor=actor, at=at)))
    assert shared.pledged() == PLEDGED - 6_666_67
    shared.sound()


def test_a_reversal_gives_the_share_back_to_its_pledge(shared: Shared) -> None:
    voucher = shared.voucher()
    order = shared.captured_order(voucher=voucher, contract_fen=99_999_98)
    request, actor = ReverseRequest(order, "退货"), shared.world.platform.manager
    shared.do(lambda session, at: only(reverse(session, [request], actor=actor, at=at)))
    assert shared.pledged() == PLEDGED
    assert shared.available(accounts.voucher(voucher)) == 200_000_00
    assert shared.shares(order) == {"140000": (0, 0), "330100": (0, 0)}
    shared.sound()


def test_a_rejected_claim_gives_both_books_back(shared: Shared) -> None:
    order = shared.captured_order(contract_fen=100_000_00)
    claim = shared.claimed(order=order)
    request = ReviewRequest(claim, Verdict.REJECT, reason="成果不符")
    actor = shared.world.reviewer
    shared.do(lambda session, at: only(review(session, [request], actor=actor, at=at)))
    assert shared.pledged() == PLEDGED
    shared.sound()


def test_a_trim_of_one_fen_gives_each_book_its_exact_part(shared: Shared) -> None:
    order = shared.captured_order(contract_fen=100_000_00)
    assert shared.shares(order)["330100"] == (0, 16_666_67)
    shared.approved(order=order, approved_fen=49_999_99)
    assert shared.shares(order) == {"140000": (0, 33_333_33), "330100": (0, 16_666_66)}
    assert shared.pledged() == PLEDGED - 16_666_66
    shared.sound()


def test_an_order_in_parts_takes_of_each_book_what_all_parts_together_make(shared: Shared) -> None:
    order = shared.held_order(contract_fen=100_000_00)
    for taken, kept, third in ((1, 49_999_99, 1), (1, 49_999_98, 1), (1, 49_999_97, 1), (1, 49_999_96, 2)):
        _part(shared, order, taken, kept)
        assert shared.posted(accounts.share(order), shared.other) == third
    _part(shared, order, 49_999_96, 0)
    assert shared.shares(order)["330100"] == (0, 16_666_67)
    assert shared.reserved(order) == 0
    shared.sound()


def _part(shared: Shared, order: str, amount_fen: int, keep_fen: int) -> None:
    def work(session: Session, at: datetime) -> None:
        row = session.scalars(select(Order).where(Order.number == order).with_for_update()).one()
        row.instalments = 9
        request = CaptureRequest(row, Fen(amount_fen), Fen(keep_fen), last=not keep_fen)
        only(capture(session, [request], actor=shared.world.platform.manager, at=at))

    shared.do(work)


def holding(shared: Shared, contract_fen: int, *, voucher: str = "") -> Held | Refused:
    """What filing the contract of a new order answers."""
    voucher = voucher or shared.voucher()

    def work(session: Session, at: datetime) -> Held | Refused:
        order = placed(session, shared.world, voucher, at=at)
        request = file_contract.ContractRequest(order, f"HT-{order}", business_date(at), Fen(contract_fen))
        actor = shared.world.platform.manager
        (answer,) = file_contract.file_contract(session, [request], actor=actor, at=at)
        return answer

    return shared.do(work)


def test_a_pledge_that_is_too_small_refuses_the_hold_and_names_the_funder(database: Database) -> None:
    shared = Shared(database, pledged_fen=20_000_00)
    assert isinstance(holding(shared, 100_000_00), Held)
    answer = holding(shared, 100_000_00)
    assert isinstance(answer, Refused) and answer.code is Code.PLEDGE_EXCEEDED
    assert dict(answer.facts) == {
        "funder": "330100财政局", "year": shared.world.year, "pledge_fen": 20_000_00, "used_fen": 16_666_67,
        "left_fen": 3_333_33, "needed_fen": 16_666_67,
    }  # fmt: skip
    shared.pledge(shared.other, 13_333_34, document_no="配套2号")
    assert isinstance(holding(shared, 100_000_00), Held)
    assert shared.pledged() == 0
    shared.sound()


@pytest.mark.parametrize("code", ["330100", "140000"])
def test_a_closed_day_in_one_of_the_books_refuses_in_both(shared: Shared, code: str) -> None:
    closer = shared.other.checker if code == "330100" else shared.world.checker
    voucher = shared.voucher()
    through, after = business_date(shared.at), shared.at + timedelta(days=1)
    shared.do(
        lambda session, at: close_period(session, code, through=through, actor=closer, at=at),
        at=after,
    )
    answer = holding(shared, 100_000_00, voucher=voucher)
    assert isinstance(answer, Refused) and answer.code is Code.PERIOD_CLOSED
    shared.sound()


def test_of_several_pledges_one_that_is_refused_leaves_no_document(shared: Shared) -> None:
    closer, through = shared.other.checker, business_date(shared.at)
    shared.do(
        lambda session, at: close_period(session, "330100", through=through, actor=closer, at=at),
        at=shared.at + timedelta(days=1),
    )
    before = len(shared.rows(PledgeDocument))
    world, other = shared.world, shared.other
    asked = [
        PledgeRequest(other.book_id, world.programme_code, world.year, Fen(amount), f"配套{amount}号")
        for amount in (7, 8)
    ]
    answers = shared.do(lambda s, at: pledge(s, asked, actor=other.maker, at=at))
    assert [isinstance(each, Refused) and each.code for each in answers] == [Code.PERIOD_CLOSED] * 2
    assert len(shared.rows(PledgeDocument)) == before
    shared.sound()


def test_an_error_between_the_two_books_rolls_both_back(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second book's write fails after the first book's has been done."""
    order = shared.captured_order(contract_fen=100_000_00)
    before = shared.rows(Posting)

    def work(session: Session, at: datetime) -> None:
        request = ReverseRequest(order, "退货")
        only(reverse(session, [request], actor=shared.world.platform.manager, at=at))
        raise Refusal(Code.BUSY)

    with pytest.raises(Refusal):
        shared.do(work)
    assert len(shared.rows(Posting)) == len(before)
    shared.sound()


CEILED = ("330100", 1, 3, "ceiling_fen = 1_000_000")


def test_a_ceiling_lowers_the_subsidy_and_the_parts_stay_exact(database: Database) -> None:
    shared = Shared(database, HOME, CEILED)
    order = shared.captured_order(contract_fen=200_000_00)
    assert shared.order(order).captured_fen == 76_666_67
    assert shared.order(order).reductions[-1] == {
        "limit": "funder", "by_fen": 23_333_33, "opened_fen": None, "left_fen": None
    }  # fmt: skip
    claim = shared.approved(order=order, amount_fen=200_000_00)
    assert shared.shares(order) == {"140000": (0, 66_666_67), "330100": (0, 10_000_00)}
    settled(shared, claim)
    assert shared.posted(accounts.clearing("330100")) == -10_000_00
    shared.sound()


def test_what_lies_above_a_ceiling_goes_to_whom_the_policy_names(database: Database) -> None:
    spilling = ("330100", 1, 3, 'ceiling_bp = 1_000\nspill_to = "140000"')
    shared = Shared(database, HOME, spilling)
    order = shared.captured_order(contract_fen=200_000_00)
    assert shared.order(order).captured_fen == 100_000_00
    assert shared.shares(order) == {"140000": (0, 80_000_00), "330100": (0, 20_000_00)}
    shared.approved(order=order, amount_fen=120_000_00)
    assert shared.shares(order) == {"140000": (0, 48_000_00), "330100": (0, 12_000_00)}
    shared.sound()


TENTH = ("330100", 1, 3, "ceiling_bp = 1_000")


def audited_at(
    shared: Shared, audited_fen: int, *, approved_fen: int | None = None
) -> tuple[str, Refused | Reviewed]:
    """A captured order of 200,000.00, claimed, and what the decision on this recognised amount answers."""
    shaped(shared, AUDITED)
    order = shared.captured_order(contract_fen=200_000_00)
    assert shared.order(order).captured_fen == 86_666_67
    claim = shared.claimed(order=order, amount_fen=200_000_00)
    verdict = Verdict.APPROVE if approved_fen is None else Verdict.TRIM
    request = ReviewRequest(
        claim,
        verdict,
        None if approved_fen is None else Fen(approved_fen),
        "与合同不符",
        audited_fen=Fen(audited_fen),
    )
    (answer,) = shared.do(lambda s, at: review(s, [request], actor=shared.world.reviewer, at=at))
    return order, answer


def test_a_recognised_amount_below_the_base_lowers_a_funders_ceiling_that_is_a_part_of_it(
    database: Database,
) -> None:
    """Golden: of 120,000.00 half is 60,000.00; a third is 20,000.00, of which a tenth of the base leaves 12,000.00."""
    shared = Shared(database, HOME, TENTH)
    order, answer = audited_at(shared, 120_000_00)
    assert isinstance(answer, Reviewed)
    assert (answer.approved_fen, answer.given_back_fen) == (52_000_00, 34_666_67)
    assert shared.shares(order) == {"140000": (0, 40_000_00), "330100": (0, 12_000_00)}
    (row,) = shared.rows(Review)
    assert row.facts is not None and row.facts["computed"]["amount_fen"] == 52_000_00
    settled(shared, answer.claim_number)
    assert shared.posted(accounts.clearing("330100")) == -12_000_00
    shared.sound()


def test_a_claim_on_less_than_was_captured_is_replayed_within_the_ceilings_of_its_own_base(
    database: Database,
) -> None:
    shared = Shared(database, HOME, TENTH)
    order = shared.captured_order(contract_fen=200_000_00)
    shared.approved(order=order, amount_fen=120_000_00)
    assert shared.shares(order) == {"140000": (0, 40_000_00), "330100": (0, 12_000_00)}
    shared.sound()


def test_a_trim_may_not_go_above_what_ceilings_leave_on_the_recognised_amount(database: Database) -> None:
    shared = Shared(database, HOME, TENTH)
    _, answer = audited_at(shared, 120_000_00, approved_fen=52_000_01)
    assert isinstance(answer, Refused) and answer.code is Code.APPROVED_ABOVE_AUDIT
    assert answer.facts["most_fen"] == 52_000_00


def test_where_every_funder_has_a_ceiling_the_recognised_amount_lowers_them_all(database: Database) -> None:
    """With all ceilings of the larger base the parts of 40,000.00 could not be found at all."""
    shared = Shared(database, ("140000", 2, 3, "ceiling_bp = 3_333"), ("330100", 1, 3, "ceiling_bp = 1_000"))
    shaped(shared, AUDITED)
    order = shared.captured_order(contract_fen=200_000_00)
    claim = shared.claimed(order=order, amount_fen=200_000_00)
    request = ReviewRequest(claim, Verdict.APPROVE, audited_fen=Fen(60_000_00))
    made = shared.do(lambda s, at: only(review(s, [request], actor=shared.world.reviewer, at=at)))
    assert made.approved_fen == 19_998_00 + 6_000_00
    assert shared.shares(order) == {"140000": (0, 19_998_00), "330100": (0, 6_000_00)}
    shared.sound()


def test_a_funder_without_a_book_refuses_the_hold(database: Database) -> None:
    shared = Shared(database, HOME, AWAY)
    shared.funded_by(HOME, ("440100", 1, 3, ""))
    answer = holding(shared, 100_000_00)
    assert isinstance(answer, Refused) and answer.code is Code.FUNDER_MISSING
    assert answer.facts["funder"] == "440100"


def test_the_city_of_the_firm_pays_its_half(database: Database) -> None:
    shared = Shared(database, ("140000", 1, 2, ""), ("city", 1, 2, ""))
    shared.others["140100"] = shared.open("140100")
    order = shared.held_order(contract_fen=100_000_00)
    assert shared.shares(order) == {"140000": (25_000_00, 0), "140100": (25_000_00, 0)}


HALF = ("140000", 1, 2, "")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        # 25,000 cut to 10,000 by its own ceiling, and 25,000 uncut.
        ("ceiling_fen = 1_000_000", (85_000_00, 50_000_00, 35_000_00)),
        ("ceiling_bp = 500", (85_000_00, 50_000_00, 35_000_00)),
        # What lies above goes to the other word for the same book: nothing is lost.
        ('ceiling_fen = 1_000_000\nspill_to = "140100"', (100_000_00, 50_000_00, 50_000_00)),
        ('ceiling_fen = 1_000_000\nspill_to = "140000"', (100_000_00, 65_000_00, 35_000_00)),
    ],
)
def test_two_words_for_one_book_keep_the_ceiling_of_each(
    database: Database, more: str, expected: tuple[int, int, int]
) -> None:
    shared = Shared(database, HALF, ("city", 1, 4, more), ("140100", 1, 4, ""))
    order = shared.captured_order(contract_fen=200_000_00)
    whole, province, city = expected
    assert shared.order(order).captured_fen == whole
    assert shared.shares(order) == {"140000": (0, province), "140100": (0, city)}
    claim = shared.approved(order=order, amount_fen=200_000_00, approved_fen=whole - 7)
    taken = {code: share for code, (_, share) in shared.shares(order).items()}
    assert sum(taken.values()) == whole - 7
    assert taken["140100"] <= city
    settled(shared, claim)
    assert shared.posted(accounts.clearing("140100")) == -taken["140100"]
    shared.sound()


def test_two_words_for_one_book_each_with_a_ceiling_are_each_cut_by_it(database: Database) -> None:
    shared = Shared(
        database, HALF, ("city", 1, 5, "ceiling_fen = 500_000"), ("140100", 3, 10, "ceiling_fen = 2_000_000")
    )
    order = shared.captured_order(contract_fen=200_000_00)
    assert shared.order(order).captured_fen == 75_000_00
    assert shared.shares(order) == {"140000": (0, 50_000_00), "140100": (0, 25_000_00)}
    shared.approved(order=order, amount_fen=40_000_00)
    assert shared.shares(order) == {"140000": (0, 10_000_00), "140100": (0, 10_000_00)}
    shared.sound()


def test_a_platform_of_the_own_region_leaves_all_to_the_lead_book(database: Database) -> None:
    shared = Shared(database, HOME, ("provider", 1, 3, ""))
    order = shared.held_order(contract_fen=100_000_00)
    assert shared.order(order).funders == 0
    assert shared.shares(order) == {}


def test_shanxi_2024_pays_500_000_from_province_and_city_to_the_fen(database: Database) -> None:
    """The golden case of the 2024 reports (domain 3.4) through real money: 1,200,000 paid, 250,000 from each."""
    shared = Shared(database)
    text = (FOLDER / "shanxi-2024.toml").read_text("utf-8")
    text = "".join(line for line in text.splitlines(True) if not line.startswith("weak_source"))
    text = text.replace("CN-140000-INNO-2024", shared.world.policy_code).replace(
        '"testing"', f'"{SERVICES[0]}"'
    )
    fill = (FOLDER / "fills" / "shanxi-2024-demo.toml").read_text("utf-8")
    asked = fill.replace("CN-140000-INNO-2024", shared.world.policy_code) + MORE_2024

    def work(session: Session, _at: datetime) -> None:
        rewrite(session, [asked], written=text, code=shared.world.policy_code)
        for each in session.scalars(select(Qualification)):
            each.holder_class = "enterprise"

    shared.do(work)
    shared.others["140100"] = city = shared.open("140100")
    order = shared.captured_order(voucher=shared.voucher(face_fen=500_000_00), contract_fen=1_200_000_00)
    assert shared.shares(order) == {"140000": (0, 250_000_00), "140100": (0, 250_000_00)}
    claim = shared.approved(order=order, amount_fen=1_200_000_00)
    settled(shared, claim)
    assert shared.posted(accounts.payable(shared.world.firm.uscc)) == 500_000_00
    assert shared.posted(accounts.clearing("140100")) == -250_000_00
    assert shared.posted(accounts.clearing("140000"), city) == 250_000_00
    shared.sound()
