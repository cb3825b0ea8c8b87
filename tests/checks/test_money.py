"""Rows 5 to 7, 10 to 17 of domain section 4: papers, prices, benefits twice, contracts in pieces."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.checks import scenes
from tests.checks.scenes import claimed, findings, kinds
from tests.operations.stories import Told, document, placed
from tests.published import rewrite
from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.models.catalogue import CatalogueEntry
from voucher.models.claims import Claim
from voucher.models.parties import Organisation, Platform, RosterEntry
from voucher.models.programmes import PolicyVersion
from voucher.money import Fen
from voucher.operations import exchange
from voucher.operations.bar_claim import salted
from voucher.operations.batch import BatchRequest, make
from voucher.operations.documents import GivenDocument
from voucher.operations.file_contract import ContractRequest, file_contract
from voucher.operations.fit_version import PublishRequest
from voucher.operations.keep_files import keep_files
from voucher.operations.outcome import Refused
from voucher.operations.place_order import PlaceRequest, place_order
from voucher.rules.shingles import minima
from voucher.store import Stored
from voucher.terms import DocumentKind

TIERS = """
[[rate_lines]]
tiers = [{ up_to_fen = 1_000_000, rate_bp = 10_000 }, { rate_bp = 5_000 }]
"""
PLAIN = "26140000000000000777"
SPELLINGS = (
    PLAIN,
    "2614 0000 0000 0000 0777",
    PLAIN.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"}),
    "2614-0000-0000-0000-0777",
    f"No.{PLAIN}",
    f"no: {PLAIN}",
    f"{PLAIN}号",
    f" {PLAIN}\t",
    "2614\u201300000000\u201300000777",
    "2614\u3000000000000000\u30000777",
)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_row_05_ten_spellings_of_one_invoice_are_one(told: Told, spelling: str) -> None:
    claimed(told, invoices=(told.invoice(number=SPELLINGS[0]),))
    answer = scenes.refused(told, invoices=(told.invoice(number=spelling),))
    assert answer.code in (Code.INVOICE_USED, Code.INVOICE_EXCEEDED)


def test_row_05_an_invoice_file_of_another_firm_blocks(told: Told) -> None:
    claimed(told, documents=scenes.papers(invoice="one invoice"))
    other = scenes.new_firm(told)
    answer = scenes.refused(other, documents=scenes.papers(invoice="one invoice"))
    assert answer.code is Code.INVOICE_USED and answer.facts["file"]


def test_row_05_the_firms_own_file_under_another_number_is_a_flag(told: Told) -> None:
    first = claimed(told, documents=scenes.papers(invoice="one invoice"))
    again = claimed(told, documents=scenes.papers(invoice="one invoice"))
    assert findings(told, again)["same_invoice_file"].facts == {"other": first}


def test_row_05_what_another_region_used_blocks_and_shows_in_the_match_list(told: Told) -> None:
    salt, officer = "2026年山西陕西约定", told.world.officer
    used, fresh = told.invoice(), told.invoice()
    number = claimed(told, invoices=(used,))

    def send(key: str) -> list[exchange.Match]:
        given = exchange.ForeignList("610000", salt, sha256(key.encode()).hexdigest(), [salted(salt, key)])
        return told.do(lambda session, at: exchange.import_foreign(session, given, actor=officer, at=at))

    assert [each.claim_number for each in send(used.number)] == [number]
    assert send(fresh.number) == []
    answer = scenes.refused(told, invoices=(fresh,))
    assert (answer.code, answer.facts["region"]) == (Code.INVOICE_USED, "610000")
    with told.database.read() as session:
        ours = exchange.used_invoices(session, salt=salt, actor=officer)
    assert salted(salt, used.number) in ours and used.number not in ours


def test_row_06_a_contract_that_another_programme_paid_blocks_and_a_like_one_is_a_flag(told: Told) -> None:
    def paid(**said: object) -> None:
        row = exchange.Benefit(uscc=told.world.firm.uscc, programme="市科技计划", **said)  # type: ignore[arg-type]
        scenes.one(
            told,
            lambda session, at: exchange.import_benefits(
                session, [row], source="市科技局", actor=told.world.officer, at=at
            ),
        )

    order = told.captured_order()
    paid(service="产品检测", contract_no=told.order(order).contract_no.lower().replace("-", " - "))
    answer = scenes.refused(told, order=order)
    assert (answer.code, answer.facts["programme"]) == (Code.ALREADY_FUNDED, "市科技计划")
    paid(service="别的服务", amount_fen=100_000_00)
    assert kinds(told, claimed(told), 6) == {"near_benefit"}


def test_row_07_tiers_count_on_the_sum_of_what_was_bought_within_the_days(told: Told) -> None:
    scenes.fill(told, "[split_days]\nvalue = 90")
    retier(told)
    voucher = told.voucher()
    whole = told.order(told.held_order(voucher=voucher, contract_fen=20_000_00)).held_fen
    assert whole == 10_000_00 + 5_000_00
    other = scenes.new_firm(told)
    first, second = (
        other.order(other.held_order(voucher=other.voucher(), contract_fen=10_000_00)) for _ in range(2)
    )
    assert first.held_fen + second.held_fen == whole
    assert (first.earlier_fen, second.earlier_fen) == (None, 10_000_00)
    told.after(days=91)
    late = other.order(other.held_order(voucher=other.voucher(), contract_fen=10_000_00))
    assert late.held_fen == 5_000_00 and late.earlier_fen == 20_000_00
    other.at = told.at
    assert (
        other.order(other.held_order(voucher=other.voucher(), contract_fen=10_000_00)).held_fen == 10_000_00
    )


def test_row_07_the_claim_is_counted_as_the_hold_was(told: Told) -> None:
    scenes.fill(told, "[split_days]\nvalue = 90")
    retier(told)
    told.held_order(contract_fen=10_000_00)
    order = told.captured_order(contract_fen=10_000_00)
    number = claimed(told, order=order, amount_fen=10_000_00)
    claim = told.one(Claim, number=number)
    assert claim.claimed_fen == told.order(order).captured_fen == 5_000_00


def test_row_07_several_contracts_just_under_a_threshold_are_a_flag(told: Told) -> None:
    scenes.fill(told, "[split_days]\nvalue = 90")
    retier(told)
    told.held_order(contract_fen=9_800_00)
    number = claimed(told, amount_fen=9_900_00)
    assert findings(told, number)["just_under"].facts == {
        "count": 2,
        "sum_fen": 19_700_00,
        "threshold_fen": 10_000_00,
        "days": 90,
    }


def retier(told: Told) -> None:
    """The first ten thousand yuan at 100 %, the rest at half, as some counties do."""

    def work(session: Session, _at: datetime) -> None:
        row = session.get_one(PolicyVersion, told.world.policy_code)
        (text,) = row.fills
        assert "[[rate_lines]]\nrate_bp = 5_000" in text
        tiered = text.replace("[[rate_lines]]\nrate_bp = 5_000", TIERS.strip())
        rewrite(session, [tiered], code=row.code)

    told.do(work)


def test_row_09_the_result_is_asked_for(told: Told) -> None:
    documents = tuple(each for each in scenes.papers() if each.kind is not DocumentKind.RESULT)
    answer = scenes.refused(told, documents=documents)
    assert (answer.code, answer.facts) == (Code.EVIDENCE_MISSING, {"missing": "result"})


def test_row_09_more_orders_in_a_day_than_staff_and_machines_can_do_are_a_flag(told: Told) -> None:
    def declare(session: Session, _at: datetime) -> None:
        session.get_one(Platform, told.world.platform.platform_id).orders_a_day = 1

    told.do(declare)
    assert not kinds(told, claimed(told), 9)
    assert findings(told, claimed(told))["over_capacity"].facts == {"count": 2, "capacity": 1}


def test_row_12_contract_invoice_and_payment_must_tell_one_story(told: Told) -> None:
    stranger = scenes.new_provider(told).world.platform.uscc
    wrong_seller = scenes.refused(told, invoices=(told.invoice(seller_uscc=stranger),))
    assert (wrong_seller.code, wrong_seller.facts["field"]) == (Code.INVOICE_MISMATCH, "seller")
    wrong_payer = scenes.refused(told, payments=(told.payment(payer_name="个人账户张某"),))
    assert wrong_payer.code is Code.PAYER_MISMATCH
    early = scenes.refused(told, payments=(told.payment(paid_on=business_date(told.at) - timedelta(days=9)),))
    assert early.code is Code.INVOICE_MISMATCH


def test_row_13_a_contract_older_than_its_order_is_refused(told: Told) -> None:
    voucher = told.voucher()
    order = told.do(lambda session, at: placed(session, told.world, voucher, at=at))
    signed = business_date(told.at) - timedelta(days=1)
    request = ContractRequest(order, "HT-旧", signed, Fen(50_000_00))
    (answer,) = told.do(
        lambda session, at: file_contract(session, [request], actor=told.world.platform.manager, at=at)
    )
    assert isinstance(answer, Refused) and answer.code is Code.CONTRACT_DATE_INVALID


def test_row_14_a_contract_above_the_listed_price_is_a_flag(told: Told) -> None:
    def list_it(session: Session, at: datetime) -> None:
        session.add(
            CatalogueEntry(
                platform_id=told.world.platform.platform_id,
                service=factories.SERVICES[0],
                title="检测",
                delivers="检测报告",
                unit="项",
                price_fen=80_000_00,
                state="listed",
                listed_by=told.world.platform.manager.person_id,
                listed_at=at - timedelta(days=1),
            )
        )

    told.do(list_it)
    facts = findings(told, claimed(told))["above_list"].facts
    assert facts == {"price_fen": 100_000_00, "listed_fen": 80_000_00}
    assert not kinds(told, claimed(told, amount_fen=80_000_00), 14)


def test_row_14_a_contract_above_nine_in_ten_of_its_class_is_a_flag(told: Told) -> None:
    voucher = told.voucher()
    for step in range(1, 11):
        told.held_order(voucher=voucher, contract_fen=step * 1_000_00)
    number = claimed(told, amount_fen=10_500_00)
    assert findings(told, number)["above_peers"].facts == {
        "price_fen": 10_500_00,
        "p90_fen": 9_000_00,
        "count": 10,
    }
    assert not kinds(told, claimed(told, amount_fen=9_000_00), 14)


def test_row_15_a_service_outside_the_policy_blocks(told: Told) -> None:
    wish = PlaceRequest(told.voucher(), told.world.platform.platform_id, "statutory_inspection")
    (answer,) = told.do(lambda session, at: place_order(session, [wish], actor=told.world.firm.actor, at=at))
    assert isinstance(answer, Refused)
    assert (answer.code, answer.facts["reason"]) == (Code.SERVICE_NOT_CERTIFIED, "not_in_policy")


def test_row_15_an_excluded_word_in_a_paper_is_a_flag(told: Told) -> None:
    scenes.fill(told, '[excluded_words]\nvalue = ["强制检定"]')
    contract = replace(document(DocumentKind.CONTRACT), file_name="计量器具强制检定合同.pdf", sha256="c" * 64)
    rest = tuple(each for each in scenes.papers() if each.kind is not DocumentKind.CONTRACT)
    row = findings(told, claimed(told, documents=(contract, *rest)))["excluded_word"]
    assert (row.row_no, row.facts) == (15, {"word": "强制检定", "where": "contract"})


def test_row_16_a_firm_off_the_roster_is_stopped_at_order_claim_and_batch(told: Told) -> None:
    order, number = told.captured_order(), told.approved(documents=scenes.papers())

    def strike(session: Session, _at: datetime) -> None:
        for row in session.scalars(select(RosterEntry).where(RosterEntry.uscc == told.world.firm.uscc)):
            session.delete(row)

    told.do(strike)
    scenes.place_refused(told, Code.NOT_QUALIFIED, reason="roster")
    assert scenes.refused(told, order=order).code is Code.NOT_QUALIFIED
    request = BatchRequest(told.world.programme_code, (number,))
    (answer,) = told.do(lambda session, at: make(session, [request], actor=told.world.maker, at=at))
    assert isinstance(answer, Refused)
    assert (answer.code, answer.facts["claim"]) == (Code.NOT_QUALIFIED, number)


@pytest.mark.parametrize(
    ("figure", "before", "after"), [("staff", 12, 1_200), ("revenue_fen", 3_000_000_00, 300_00)]
)
def test_row_17_a_figure_that_jumps_a_hundredfold_is_a_flag(
    told: Told, figure: str, before: int, after: int
) -> None:
    def declare(session: Session, at: datetime) -> None:
        owner = session.get_one(Organisation, told.world.firm.organisation_id)
        setattr(factories.on_roster(session, owner, by=told.world.reviewer, year=2025, at=at), figure, before)
        query = select(RosterEntry).where(RosterEntry.uscc == owner.uscc, RosterEntry.year == 2026)
        setattr(session.scalars(query).one(), figure, after)

    told.do(declare)
    row = findings(told, claimed(told))["figure_jump"]
    assert row.row_no == 17 and row.facts["from_year"] == 2025 and row.facts["times"] >= 100


def test_row_24_another_firms_result_file_is_a_flag(told: Told) -> None:
    first = claimed(told, documents=scenes.papers(result="one report"))
    other = scenes.new_firm(told)
    number = claimed(other, documents=scenes.papers(result="one report"))
    row = findings(told, number)["same_result"]
    assert (row.row_no, row.facts) == (24, {"count": 1, "other": first})


def test_row_24_a_text_that_is_nearly_another_firms_is_a_flag(told: Told) -> None:
    text = "".join(f"第{n}项样品经检测其性能符合国家标准规定，偏差为百分之{n}。" for n in range(80))
    first = claimed(told, documents=with_text(told, text))
    other = scenes.new_firm(told)
    changed = text.replace("第7项样品", "本次送检的材料")
    row = findings(told, claimed(other, documents=with_text(other, changed)))["similar_text"]
    assert row.row_no == 24 and row.facts["other"] == first and int(row.facts["percent"]) >= 70
    strange = "".join(f"{n}号机组振动值在转速{n * 37}时测得为{n * 91}微米，属正常。" for n in range(80))
    third = scenes.new_firm(told)
    assert not kinds(told, claimed(third, documents=with_text(third, strange)), 24)


def with_text(told: Told, text: str) -> tuple[GivenDocument, ...]:
    """Papers whose result says this, as it is kept with the file that was read."""
    documents = scenes.papers()
    result = next(each for each in documents if each.kind is DocumentKind.RESULT)
    stored = Stored(result.sha256, 10, "application/pdf", "成果.pdf", facts={"minima": list(minima(text))})
    actor = told.world.firm.actor
    told.do(lambda session, at: keep_files(session, [stored], actor=actor, at=at))
    return documents


def test_row_28_two_versions_in_force_on_one_day_are_refused(told: Told) -> None:
    text = factories.SHANXI.replace(f'"{factories.POLICY}"', f'"{factories.POLICY}-B"')
    fill = factories.SHANXI_FILL.replace(f'"{factories.POLICY}"', f'"{factories.POLICY}-B"')
    document_text = next((factories.FOLDER / "documents").glob("shanxi-2022*")).read_text("utf-8")
    request = PublishRequest(
        text=text, fills=(fill,), document_text=document_text, book_code=told.world.book_code
    )
    with pytest.raises(Refusal) as caught:
        told.do(lambda session, at: factories.publish(session, request, actor=told.world.officer, at=at))
    assert caught.value.code is Code.POLICY_OVERLAPS
