"""Rows 11, 18 to 21, 23, 25 to 32 of domain section 4: how people and parties behave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tests import factories
from tests.checks import scenes
from tests.checks.scenes import claimed, findings, kinds
from tests.operations import counter
from tests.operations.reviewing import reviewer
from tests.operations.stories import Told, placed, snapshot
from voucher.clock import business_date
from voucher.codes import make_uscc
from voucher.errors import Code, Refusal
from voucher.ledger.verify import verify
from voucher.models.checks import PartyBan, PayeeChange
from voucher.models.claims import Claim, Invoice, InvoiceUse
from voucher.models.messages import Message
from voucher.models.orders import Order
from voucher.models.parties import PayeeAccount
from voucher.models.programmes import Programme
from voucher.models.settlements import SettlementLine
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations import pay, settle
from voucher.operations.affiliate import PayeeRequest
from voucher.operations.ban import BanRequest, LiftRequest, ban, lift
from voucher.operations.batch import BatchRequest, make, submit
from voucher.operations.change_payee import COOLING_DAYS, DecideRequest, ask_changes, decide_changes
from voucher.operations.expire import Slice, expire_vouchers
from voucher.operations.file_contract import ContractRequest, file_contract
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.once import once, request_id
from voucher.operations.outcome import Refused, only
from voucher.operations.qualify import QualifyRequest, qualify
from voucher.operations.registry import RegistryRow, note_registry
from voucher.operations.review import ReviewRequest, review
from voucher.operations.settle import ApprovalRequest
from voucher.operations.tax_checks import TaxResult, record_tax_checks
from voucher.queries.after_payment import after_payment
from voucher.queries.findings import reviewer_paces
from voucher.terms import BanKind, Role, TaxVerdict, Verdict


def shut_out(told: Told, uscc: str, kind: BanKind = BanKind.CREDIT) -> int:
    """Enter a ban from today on; its id."""
    request = BanRequest(
        uscc=uscc,
        kind=kind,
        legal_basis="晋科发〔2022〕1号第二十条",
        decision_no="晋科罚〔2026〕3号",
        from_on=business_date(told.at),
    )
    row: PartyBan = scenes.one(
        told, lambda session, at: ban(session, [request], actor=told.world.reviewer, at=at)
    )
    return row.id


def let_in(told: Told, ban_id: int) -> None:
    """Lift a ban."""
    freed = [LiftRequest(ban_id, "信用修复")]
    scenes.one(told, lambda session, at: lift(session, freed, actor=told.world.reviewer, at=at))


def handled_by(told: Told, phone: str) -> None:
    """Register the agent's telephone of the story's firm."""
    row = RegistryRow(uscc=told.world.firm.uscc, agent_phone=phone, source="授权书")
    scenes.one(
        told, lambda session, at: note_registry(session, [row], key=b"k", actor=told.world.reviewer, at=at)
    )


def answers(told: Told, work: Any) -> Refused:
    (answer,) = told.do(work)
    assert isinstance(answer, Refused), answer
    return answer


@pytest.mark.parametrize("side", ["firm", "platform"])
def test_row_32_a_party_that_is_shut_out_is_stopped_at_every_step(told: Told, side: str) -> None:
    world = told.world
    voucher = told.voucher()
    ordered = told.do(lambda session, at: placed(session, world, voucher, at=at))
    captured, approved = told.captured_order(), told.approved(documents=scenes.papers())
    shut_out(told, world.firm.uscc if side == "firm" else world.platform.uscc)
    who = {"party": "enterprise" if side == "firm" else "provider", "ban": "credit"}
    scenes.place_refused(told, Code.PARTY_BANNED, decision_no="晋科罚〔2026〕3号", **who)
    contract = ContractRequest(ordered, "HT-1", business_date(told.at), Fen(50_000_00))
    held = answers(
        told, lambda session, at: file_contract(session, [contract], actor=world.platform.manager, at=at)
    )
    claim = scenes.refused(told, order=captured)
    batch = answers(
        told,
        lambda session, at: make(
            session, [BatchRequest(world.programme_code, (approved,))], actor=world.maker, at=at
        ),
    )
    assert {held.code, claim.code, batch.code} == {Code.PARTY_BANNED}
    if side == "firm":
        asked = [QualifyRequest(world.firm.holder_ref)]
        again = answers(
            told,
            lambda session, at: qualify(session, world.programme_code, asked, actor=world.reviewer, at=at),
        )
        assert again.code is Code.PARTY_BANNED


def test_row_32_in_mid_flight_the_payment_stops_and_nothing_is_deleted(told: Told) -> None:
    world, sister = told.world, scenes.new_firm(told)
    numbers = (told.approved(documents=scenes.papers()), sister.approved(documents=scenes.papers()))
    made = scenes.one(
        told,
        lambda session, at: make(
            session, [BatchRequest(world.programme_code, numbers)], actor=world.maker, at=at
        ),
    )
    sent = scenes.one(told, lambda session, at: submit(session, [made.number], actor=world.maker, at=at))
    approval = [ApprovalRequest(made.number, sent.content_sha256)]

    def approve(session: Session, at: datetime) -> Sequence[object]:
        return settle.approve(session, approval, actor=world.checker, at=at)

    ban_id = shut_out(told, world.firm.uscc)
    assert answers(told, approve).code is Code.PARTY_BANNED
    let_in(told, ban_id)
    scenes.one(told, approve)
    shut_out(told, world.platform.uscc, BanKind.SANCTION)
    stopped = answers(told, lambda session, at: pay.export(session, [made.number], actor=world.maker, at=at))
    assert stopped.code is Code.BATCH_EMPTY
    with told.database.read() as session:
        assert session.scalars(select(Claim.state)).all() == ["in_batch", "in_batch"]
        assert verify(session).faults == ()


def test_row_32_a_ban_needs_its_law_and_ends_on_its_day(told: Told) -> None:
    def asked(**said: Any) -> Any:
        given = {
            "uscc": told.world.firm.uscc,
            "kind": BanKind.CREDIT,
            "legal_basis": "条例第三条",
            "decision_no": "1号",
            "from_on": business_date(told.at),
            **said,
        }
        reviewer = told.world.reviewer
        return told.do(lambda session, at: ban(session, [BanRequest(**given)], actor=reviewer, at=at))[0]

    assert asked(legal_basis=" ").code is Code.REASON_MISSING
    assert asked(uscc="91140000").code is Code.USCC_INVALID
    tomorrow = business_date(told.at) + timedelta(days=1)
    assert asked(to_on=tomorrow).id == asked(to_on=tomorrow).id
    voucher = told.voucher()
    scenes.place_refused(told, Code.PARTY_BANNED)
    told.after(days=1)
    (order,) = scenes.placing(told, voucher)
    assert isinstance(order, Order)


def test_row_29_whoever_refuses_inspection_is_shut_out(told: Told) -> None:
    shut_out(told, told.world.platform.uscc, BanKind.INSPECTION)
    scenes.place_refused(told, Code.PARTY_BANNED, ban="inspection", party="provider")


def test_row_16_every_kind_of_decision_shuts_out(told: Told) -> None:
    voucher = told.voucher()
    for kind in BanKind:
        ban_id = shut_out(told, told.world.firm.uscc, kind)
        (answer,) = scenes.placing(told, voucher)
        assert isinstance(answer, Refused) and answer.facts["ban"] == kind.value
        let_in(told, ban_id)


def test_a_party_that_is_not_registered_is_let_in_by_the_bureau_that_shut_it_out_or_one_above(
    told: Told,
) -> None:
    county = reviewer(told, region_code="140105")
    elsewhere, above = reviewer(told, region_code="141100"), reviewer(told, region_code="140000")
    given = BanRequest(
        uscc=make_uscc("110108", 99),
        kind=BanKind.CREDIT,
        legal_basis="办法第 32 条",
        decision_no="小科〔2026〕9号",
        from_on=date(2026, 1, 1),
    )
    row = told.do(lambda session, at: only(ban(session, [given], actor=county, at=at)))
    freed = [LiftRequest(row.id, "信用修复")]
    told.refuses(Code.NOT_FOUND, lambda session, at: lift(session, freed, actor=elsewhere, at=at))
    told.do(lambda session, at: only(lift(session, freed, actor=above, at=at)))


def test_row_32_a_ban_of_the_legal_person_holds_for_its_branch(told: Told) -> None:
    parent = told.do(lambda session, at: factories.organisation(session, at=at))
    told.voucher()
    scenes.change(told, told.world.firm.organisation_id, parent_id=parent.id)
    shut_out(told, parent.uscc)
    scenes.place_refused(told, Code.PARTY_BANNED, party="enterprise")


def branch(told: Told) -> Told:
    """A firm that is a branch of the story's firm, with people of its own."""
    office = scenes.new_firm(told)
    row = RegistryRow(uscc=office.world.firm.uscc, parent_uscc=told.world.firm.uscc, source="工商登记")
    scenes.one(
        told,
        lambda session, at: note_registry(session, [row], key=b"k" * 32, actor=told.world.reviewer, at=at),
    )
    return office


def used(told: Told) -> str:
    """180,000 of the story's firm's yearly 200,000 are used; the voucher that is left."""
    for _ in range(3):
        told.captured_order()
    voucher = told.voucher()
    told.held_order(voucher=voucher, contract_fen=60_000_00)
    return voucher


def test_row_21_a_branch_draws_on_the_cap_of_its_legal_person(told: Told) -> None:
    office = branch(told)
    used(told)
    assert office.order(office.held_order()).held_fen == 20_000_00
    assert counter.cap_of(told).available_fen == 0


def test_row_21_a_firm_with_vouchers_does_not_become_a_branch(told: Told) -> None:
    other = scenes.new_firm(told)
    other.voucher()
    row = RegistryRow(uscc=other.world.firm.uscc, parent_uscc=told.world.firm.uscc, source="工商登记")
    answer = answers(
        told,
        lambda session, at: note_registry(session, [row], key=b"k", actor=told.world.reviewer, at=at),
    )
    assert answer.code is Code.BRANCH_TOO_LATE


def test_row_21_a_rename_keeps_the_cap(told: Told) -> None:
    used(told)
    scenes.change(told, told.world.firm.organisation_id, name="更名后的企业有限公司")
    assert told.order(told.held_order()).held_fen == 20_000_00


def test_row_18_a_code_shown_where_it_is_scanned_and_one_address_for_many_firms_are_flags(
    told: Told,
) -> None:
    last = ""
    for _ in range(3):
        story = scenes.new_firm(told)
        made = counter.redeemed(story, story.voucher(), 10_000_00, actor=story.world.firm.actor)
        last = claimed(story, order=made.order, amount_fen=10_000_00)
    found = findings(told, last)
    assert found["shown_where_scanned"].row_no == 18
    assert found["shown_with_others"].facts["count"] == 2


def test_row_18_a_session_of_somebody_who_does_not_act_for_the_firm_is_refused(told: Told) -> None:
    voucher, other = told.voucher(), scenes.new_firm(told)
    with pytest.raises(Refusal) as caught:
        counter.opened(told, voucher, actor=other.world.firm.actor)
    assert caught.value.code is Code.NOT_FOUND


def test_row_19_a_photographed_code_is_taken_once(told: Told) -> None:
    number = counter.opened(told, told.voucher())
    code = counter.code_of(number, told.at)
    counter.scan_of(told, code)
    counter.scan_refused(told, code, Code.QR_USED)
    other = counter.opened(told, told.voucher())
    old = counter.code_of(other, told.at)
    told.after(minutes=5)
    counter.scan_refused(told, old, Code.QR_EXPIRED)


def test_row_20_two_clicks_are_one_hold(told: Told) -> None:
    def clicked() -> dict[str, Any]:
        asked = request_id("person:1", "place", "the same key", {})
        return told.do(
            lambda session, at: once(
                session, asked, lambda: {"number": placed(session, told.world, voucher, at=at)}, at=at
            )
        )

    voucher = told.voucher()
    first = clicked()
    before = snapshot(told.database)
    assert clicked() == first
    assert snapshot(told.database) == before


def test_row_23_claims_of_many_firms_from_one_agent_are_flags(told: Told) -> None:
    last = ""
    for _ in range(3):
        story = scenes.new_firm(told)
        handled_by(story, "138 0013 8000")
        last = claimed(
            story,
            documents=scenes.papers(contract="one template"),
            payments=(story.payment(payer_account="622200000000009"),),
        )
    assert kinds(told, last, 23) == {"farmed_source", "farmed_payer", "farmed_file", "farmed_agent"}


def test_row_25_nobody_decides_on_a_claim_of_their_own(told: Told) -> None:
    number, world = claimed(told), told.world
    both = replace(
        world.firm.actor,
        roles=world.firm.actor.roles | {Role.REVIEWER},
        region_codes=world.reviewer.region_codes,
        book_ids=world.reviewer.book_ids,
    )
    request = ReviewRequest(number, Verdict.APPROVE)
    answer = answers(told, lambda session, at: review(session, [request], actor=both, at=at))
    assert answer.code is Code.SELF_APPROVAL


def test_row_25_fast_decisions_and_those_against_findings_are_counted(told: Told) -> None:
    for _ in range(2):
        told.approved(documents=scenes.papers(result="one report"))
    sister = scenes.new_firm(told)
    sister.approved(documents=scenes.papers(result="one report"))
    with told.database.read() as session:
        (pace,) = reviewer_paces(session, told.world.officer, since=told.at - timedelta(days=1))
    assert (pace.decided, pace.hasty) == (3, 2)
    assert pace.despite >= 1


class Change:
    """A firm that asks for another account, and two officers."""

    def __init__(self, told: Told, **said: str) -> None:
        self.told = told
        told.account(told.world.firm.organisation_id)
        firm = told.world.firm
        given = {
            "uscc": firm.uscc,
            "account_name": firm.name,
            "bank": "工行",
            "account_no": "6222020000000099",
            **said,
        }
        self.answer = told.do(
            lambda session, at: ask_changes(session, [PayeeRequest(**given)], actor=firm.actor, at=at)
        )[0]

    def decide(self, actor: Any, *, agreed: bool = True, reason: str = "") -> Any:
        assert isinstance(self.answer, PayeeChange)
        request = DecideRequest(self.answer.id, agreed, reason)
        return self.told.do(lambda session, at: decide_changes(session, [request], actor=actor, at=at))[0]


def test_row_26_a_changed_account_waits_cools_and_needs_a_second_officer(told: Told) -> None:
    world, number = told.world, claimed(told)
    before = told.one(Claim, number=number).payee_account_id
    change = Change(told)
    assert world.firm.actor.person_id in _told_of(told, "payee_change_asked"), "it shows while it cools"
    assert change.decide(world.officer).code is Code.PAYEE_COOLING
    told.after(days=COOLING_DAYS)
    assert told.one(Claim, number=number).payee_account_id == before
    own = replace(world.firm.actor, region_codes=world.officer.region_codes)
    assert change.decide(own).code is Code.SELF_APPROVAL
    assert change.decide(world.officer, agreed=False).code is Code.REASON_MISSING
    assert change.decide(world.officer).state == "confirmed"
    account = told.one(PayeeAccount, account_no="6222020000000099")
    assert account.active and told.one(Claim, number=number).payee_account_id == account.id
    assert change.decide(world.reviewer).code is Code.STATE_CHANGED
    assert world.firm.actor.person_id in _told_of(told, "payee_change_decided")


def _told_of(told: Told, event: str) -> set[int | None]:
    return {row.person_id for row in told.rows(Message) if row.event == event}


def test_row_26_an_account_in_another_name_is_not_even_asked_for(told: Told) -> None:
    wrong, foreign = Change(told, account_name="张某"), Change(told, uscc=told.world.platform.uscc)
    assert isinstance(wrong.answer, Refused) and wrong.answer.code is Code.PAYEE_MISSING
    assert isinstance(foreign.answer, Refused) and foreign.answer.code is Code.NOT_FOUND


def test_row_27_vouchers_are_issued_in_their_order_until_the_budget_is_gone(told: Told) -> None:
    line = told.do(
        lambda session, at: (
            factories.budget_line(
                session,
                session.get_one(Programme, told.world.programme_code),
                maker=told.world.maker,
                funded_fen=30_000_00,
                at=at,
            ).code
        )
    )
    asked = [IssueRequest(told.world.firm.holder_ref, Fen(20_000_00))] * 2
    first, second = told.do(lambda session, at: issue(session, line, asked, actor=told.world.officer, at=at))
    assert not isinstance(first, Refused)
    assert isinstance(second, Refused) and second.code is Code.BUDGET_EXCEEDED


def test_row_30_a_ledger_that_was_tampered_with_does_not_verify(told: Told) -> None:
    told.captured_order()

    def tamper(session: Session, _at: datetime) -> None:
        session.execute(text("UPDATE account SET credits_posted = credits_posted + 1 WHERE code = 'order'"))

    told.do(tamper)
    with told.database.read() as session:
        assert verify(session).faults


def test_row_31_a_voucher_that_is_hoarded_falls_back_on_its_last_day(told: Told) -> None:
    number = told.voucher()
    told.after(days=366)
    (answer,) = scenes.placing(told, number)
    assert isinstance(answer, Refused)
    due = Slice(on=business_date(told.at))
    told.do(lambda session, at: expire_vouchers(session, due, actor=told.world.officer, at=at))
    assert told.one(Voucher, number=number).state == "expired"


def paid_batch(told: Told) -> str:
    """The number of a claim that was paid."""
    number, world = told.approved(documents=scenes.papers()), told.world

    def mark(session: Session, at: datetime) -> None:
        for line in session.scalars(select(SettlementLine)):
            line.state, line.paid_at = "paid", at

    wanted = [BatchRequest(world.programme_code, (number,))]
    scenes.one(told, lambda session, at: make(session, wanted, actor=world.maker, at=at))
    told.do(mark)
    return number


def verdict_of(told: Told, number: str, verdict: TaxVerdict) -> None:
    """Write down what the tax bureau's site says today of the claim's invoice."""
    with told.database.read() as session:
        query = (
            select(Invoice.key)
            .join(InvoiceUse, InvoiceUse.invoice_id == Invoice.id)
            .join(Claim, Claim.id == InvoiceUse.claim_id)
        )
        (key,) = session.scalars(query.where(Claim.number == number))
    result = TaxResult(key, verdict, business_date(told.at))
    told.do(lambda session, at: record_tax_checks(session, [result], actor=told.world.reviewer, at=at))


def to_look_at(told: Told) -> list[tuple[str, bool]]:
    with told.database.read() as session:
        rows = after_payment(session, told.world.reviewer, on=business_date(told.at))
    return [(row.claim_number, row.is_dead) for row in rows]


def test_row_10_a_paid_invoice_is_looked_up_again_after_three_months(told: Told) -> None:
    number = paid_batch(told)
    assert to_look_at(told) == []
    told.after(days=91)
    assert to_look_at(told) == [(number, False)]
    verdict_of(told, number, TaxVerdict.NORMAL)
    assert to_look_at(told) == []


def test_row_11_a_red_invoice_bars_the_batch_and_shows_after_payment(told: Told) -> None:
    number = paid_batch(told)
    verdict_of(told, number, TaxVerdict.RED)
    assert to_look_at(told) == [(number, True)]
    world, waiting = told.world, told.approved(documents=scenes.papers())
    verdict_of(told, waiting, TaxVerdict.RED)
    wanted = [BatchRequest(world.programme_code, (waiting,))]
    answer = answers(told, lambda session, at: make(session, wanted, actor=world.maker, at=at))
    assert answer.code is Code.INVOICE_VOID
