"""Ways round a rule that somebody tried: through the wrong door, with a role from elsewhere, on a check of before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.operations.claiming import answering as confirming
from tests.operations.claiming import claiming, made, withdrawing
from tests.operations.publicity import Public
from tests.operations.reviewing import asks, cosigner, deciding, expert
from tests.operations.stories import Told
from tests.operations.test_opinions import answering, inviting, signing
from voucher.clock import business_date
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.models.claims import Invoice
from voucher.models.people import RoleGrant
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations import dispute
from voucher.operations.affiliate import PayeeRequest
from voucher.operations.ban import BanRequest, LiftRequest, ban, lift
from voucher.operations.change_payee import COOLING_DAYS, DecideRequest, ask_changes, decide_changes
from voucher.operations.decide_objection import AnswerRequest, decide_objection
from voucher.operations.dispute import Statement
from voucher.operations.dispute_end import Outcome
from voucher.operations.outcome import only
from voucher.operations.settle_finding import SettleRequest, settle_findings
from voucher.operations.take_case import take_cases
from voucher.operations.tax_checks import TaxResult, record_tax_checks
from voucher.queries.people import standing_of
from voucher.rules.permissions import Actor
from voucher.terms import (
    BanKind,
    ClaimState,
    DisputeOutcome,
    OpinionVerdict,
    Role,
    TaxVerdict,
    Verdict,
    VoucherState,
)


def given(told: Told, actor: Actor, role: Role, **place: object) -> None:
    """One more role for somebody."""

    def work(session: Session, at: datetime) -> None:
        row = RoleGrant(person_id=actor.person_id, role=role.value, mandates="", from_on=date(2022, 1, 1))
        for name, value in place.items():
            setattr(row, name, value)
        session.add(row)

    told.do(work)


def behind(told: Told, actor: Actor, permission: str) -> Actor:
    """The person as a page or an endpoint of this permission lets them act."""
    with told.database.read() as session:
        standing = standing_of(session, actor.person_id, on=business_date(told.at))
    assert standing is not None
    return standing.acting_for([permission])


def looked_up(told: Told, key: str, actor: Actor) -> None:
    result = [TaxResult(key, TaxVerdict.NORMAL, business_date(told.at))]
    told.do(lambda session, at: record_tax_checks(session, result, actor=actor, at=at))


def test_a_bookkeeper_who_manages_a_platform_elsewhere_claims_nothing_for_the_firm(told: Told) -> None:
    request = told.claim_request(told.captured_order())
    firm_id = told.world.firm.organisation_id
    keeper = told.do(
        lambda session, at: factories.person(session, Role.BOOKKEEPER, organisation_id=firm_id, at=at)
    )
    elsewhere = told.do(lambda session, at: factories.provider(session, at=at))
    given(told, keeper, Role.PROVIDER_MANAGER, platform_id=elsewhere.platform_id)
    manager = behind(told, keeper, "provider:claim:submit")
    told.refuses(Code.NOT_FOUND, claiming(request, actor=manager))


def test_a_scanner_who_heads_another_firm_confirms_no_claim_for_the_platform(told: Told) -> None:
    asks(told, claim_confirm_days=5)
    number = told.claimed()
    other = told.do(lambda session, at: factories.firm(session, reviewer=told.world.reviewer, at=at))
    given(told, other.actor, Role.PROVIDER_SCANNER, platform_id=told.world.platform.platform_id)
    head = behind(told, other.actor, "enterprise:claim:confirm")
    told.refuses(Code.NOT_FOUND, confirming(number, actor=head))


def test_an_authority_signs_only_where_it_is_one(told: Told) -> None:
    asks(told, cosigners=["science", "finance"])
    number = told.claimed()
    signer = cosigner(told, "science")
    given(told, signer, Role.COSIGNER, function="finance", region_code="610100")
    both = behind(told, signer, "reviewer:claim:cosign")
    told.refuses(Code.NOT_PERMITTED, signing(number, "finance", actor=both))
    told.do(lambda session, at: only(signing(number, "science", actor=both)(session, at)))


def test_one_person_is_not_two_authorities_nor_the_one_who_decides(told: Told) -> None:
    asks(told, cosigners=["science", "finance"])
    number, signer = told.claimed(), cosigner(told, "science")
    given(told, signer, Role.COSIGNER, function="finance", region_code="140000")
    both = behind(told, signer, "reviewer:claim:cosign")
    told.do(lambda session, at: only(signing(number, "science", actor=both)(session, at)))
    told.refuses(Code.SELF_APPROVAL, signing(number, "finance", actor=both))
    reviewer = told.world.reviewer
    given(told, reviewer, Role.COSIGNER, function="finance", region_code="140000")
    told.do(lambda session, at: only(take_cases(session, [number], actor=reviewer, at=at)))
    signing_too = behind(told, reviewer, "reviewer:claim:cosign")
    told.refuses(Code.SELF_APPROVAL, signing(number, "finance", actor=signing_too))


def test_a_check_of_an_invoice_ends_when_a_new_claim_says_otherwise(told: Told) -> None:
    order, invoice = told.captured_order(), told.invoice(net_fen=1_000_00)
    small = told.claim_request(order, invoices=(invoice,), paid_fen=Fen(1_000_00))
    number = made(told, small)
    looked_up(told, invoice.number, told.world.maker)
    told.do(withdrawing(number, actor=told.world.firm.actor))
    same = made(told, small)
    assert told.one(Invoice, key=invoice.number).verdict == TaxVerdict.NORMAL.value
    told.do(withdrawing(same, actor=told.world.firm.actor))
    larger = replace(invoice, net_fen=Fen(100_000_00))
    made(told, told.claim_request(order, invoices=(larger,), payee_account_id=small.payee_account_id))
    row = told.one(Invoice, key=invoice.number)
    assert (row.net_fen, row.verdict, row.checked_on) == (100_000_00, None, None)


def test_nobody_looks_up_the_invoices_of_another_region(told: Told) -> None:
    invoice = told.invoice()
    made(told, told.claim_request(told.captured_order(), invoices=(invoice,)))
    elsewhere = told.do(
        lambda session, at: factories.person(session, Role.REVIEWER, region_code="610100", at=at)
    )
    with pytest.raises(Refusal) as refused:
        looked_up(told, invoice.number, elsewhere)
    assert refused.value.code is Code.NOT_FOUND
    assert told.one(Invoice, key=invoice.number).verdict is None
    looked_up(told, invoice.number, told.world.reviewer)


def test_an_officer_of_the_organisation_does_not_confirm_its_new_account(told: Told) -> None:
    firm = told.world.firm
    told.account(firm.organisation_id)
    wanted = PayeeRequest(uscc=firm.uscc, account_name=firm.name, bank="某银行", account_no="6228480000001")
    change = told.do(lambda session, at: only(ask_changes(session, [wanted], actor=firm.actor, at=at)).id)
    told.after(days=COOLING_DAYS + 1)
    member = told.do(
        lambda session, at: factories.person(session, Role.REVIEWER, region_code="140000", at=at)
    )
    given(told, member, Role.ENTERPRISE_OPERATOR, organisation_id=firm.organisation_id)
    officer = behind(told, member, "reviewer:payee:confirm")
    decision = [DecideRequest(change, agreed=True)]
    told.refuses(
        Code.SELF_APPROVAL, lambda session, at: decide_changes(session, decision, actor=officer, at=at)
    )


def test_an_expert_of_one_of_the_sides_gives_no_verdict_but_may_declare_it(told: Told) -> None:
    number, asked = told.claimed(), expert(told)
    given(told, asked, Role.ENTERPRISE_OPERATOR, organisation_id=told.world.firm.organisation_id)
    told.do(lambda session, at: only(inviting(told, number, asked)(session, at)))
    own = behind(told, asked, "expert:opinion:give")
    told.refuses(
        Code.SELF_APPROVAL, answering(number, actor=own, verdict=OpinionVerdict.SUPPORT, text="合理")
    )
    told.do(lambda session, at: only(answering(number, actor=own, conflict="本单位人员")(session, at)))


def test_a_reviewer_is_not_the_expert_of_their_own_case(told: Told) -> None:
    asks(told, expert_review=True)
    number, reviewer = told.claimed(), told.world.reviewer
    given(told, reviewer, Role.EXPERT)
    told.refuses(Code.SELF_APPROVAL, inviting(told, number, reviewer))
    told.refuses(Code.OPINION_MISSING, deciding(number, Verdict.APPROVE, actor=reviewer))


def test_what_two_sides_agree_on_is_not_taken_of_a_revoked_voucher(told: Told) -> None:
    order, firm, manager = told.held_order(), told.world.firm.actor, told.world.platform.manager
    told.do(lambda s, at: dispute.open_dispute(s, Statement(order, "不符"), actor=firm, at=at))
    everything = Outcome(DisputeOutcome.CAPTURE, Fen(told.order(order).held_fen))
    told.do(lambda s, at: dispute.offer(s, order, everything, actor=manager, at=at))

    def revoke(session: Session, _at: datetime) -> None:
        session.scalars(select(Voucher)).one().state = VoucherState.REVOKED.value

    told.do(revoke)
    with pytest.raises(Refusal) as refused:
        told.do(lambda s, at: dispute.agree(s, order, everything, actor=firm, at=at))
    assert refused.value.code is Code.VOUCHER_REVOKED
    assert told.order(order).captured_fen == 0


def test_whoever_approved_a_claim_does_not_answer_the_objection_to_it(database: Database) -> None:
    public = Public(database)
    objection = public.objected(public.published())
    reviewer = public.world.reviewer
    given(public, reviewer, Role.PROGRAMME_OFFICER, region_code="140000")
    both = behind(public, reviewer, "programme:objection:decide")
    asked = [AnswerRequest(objection, False, "经核实不成立")]
    public.refuses(
        Code.SELF_APPROVAL, lambda session, at: decide_objection(session, asked, actor=both, at=at)
    )
    assert public.answered(objection, upheld=False).claim_state is ClaimState.IN_NOTICE


def test_nobody_lifts_the_ban_of_their_own_house(told: Told) -> None:
    firm, reviewer = told.world.firm, told.world.reviewer
    wanted = BanRequest(
        uscc=firm.uscc,
        kind=BanKind.SANCTION,
        legal_basis="晋科规〔2022〕1号",
        decision_no="晋科罚 1 号",
        from_on=business_date(told.at),
    )
    ban_id = told.do(lambda session, at: only(ban(session, [wanted], actor=reviewer, at=at)).id)
    member = told.do(
        lambda session, at: factories.person(session, Role.REVIEWER, region_code="140000", at=at)
    )
    given(told, member, Role.ENTERPRISE_OPERATOR, organisation_id=firm.organisation_id)
    own = behind(told, member, "reviewer:ban:write")
    asked = [LiftRequest(ban_id, "已修复")]
    told.refuses(Code.SELF_APPROVAL, lambda session, at: lift(session, asked, actor=own, at=at))
    told.do(lambda session, at: only(lift(session, asked, actor=reviewer, at=at)))


def test_nobody_explains_away_a_finding_against_their_own_house(told: Told) -> None:
    number = told.claimed()
    member = told.do(
        lambda session, at: factories.person(session, Role.REVIEWER, region_code="140000", at=at)
    )
    given(told, member, Role.BOOKKEEPER, organisation_id=told.world.firm.organisation_id)
    own = behind(told, member, "reviewer:claim:decide")
    asked = [SettleRequest(number, 1, "已核实")]
    told.refuses(Code.SELF_APPROVAL, lambda session, at: settle_findings(session, asked, actor=own, at=at))
