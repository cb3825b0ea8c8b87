"""Zezhou's post-subsidy: what firms paid for results that they turned into products, judged by an expert (后补助)."""

from __future__ import annotations

from datetime import timedelta

from voucher.cli.story import steps
from voucher.cli.story.documents import CLAIMED, DECIDED, day, pay, set_stage
from voucher.cli.story.papers import claim_papers
from voucher.cli.story.stage import Setting, Stage, accepted
from voucher.cli.story.teller import PAPERS
from voucher.cli.story.town import Town
from voucher.clock import business_date
from voucher.codes import make_uscc
from voucher.money import Fen
from voucher.operations.award import AwardRequest, apply_for_award
from voucher.operations.claim import Claimed
from voucher.operations.invoices import GivenInvoice
from voucher.operations.opinions import Invitation, OpinionRequest, give_opinions, invite_experts
from voucher.operations.review import ReviewRequest, review
from voucher.terms import OpinionVerdict, Role, Verdict

_SELLER = make_uscc("110000", 800790)


def tell_awards(setting: Setting, town: Town, passwords: dict[str, str]) -> Stage:
    """Publish the town's post-subsidy and tell one application a firm until it is paid."""
    told = set_stage(setting, town, passwords)
    claims = [_applied(setting, town, told, place) for place in range(len(town.firms))]
    numbers = [each.number for each in claims]
    _judged(setting, told, numbers)
    decided = [ReviewRequest(number, Verdict.APPROVE, budget_line=told.line_code) for number in numbers]
    reviewer = told.offices[Role.REVIEWER]
    steps.at_told(
        told, lambda s, at: len(accepted(review(s, decided, actor=reviewer, at=at))), day(setting, DECIDED)
    )
    pay(setting, told, town, numbers)
    return told


def _judged(setting: Setting, told: Stage, numbers: list[str]) -> None:
    """The expert is asked about every application, and supports it."""
    reviewer, expert = told.offices[Role.REVIEWER], told.offices[Role.EXPERT]
    asked_at = day(setting, CLAIMED + 1)
    until = business_date(asked_at) + timedelta(days=20)
    asked = [Invitation(number, expert.person_id, until) for number in numbers]
    steps.at_told(told, lambda s, at: accepted(invite_experts(s, asked, actor=reviewer, at=at)), asked_at)
    said = [
        OpinionRequest(number, OpinionVerdict.SUPPORT, None, "成果已投产，支出属实") for number in numbers
    ]
    given_at = day(setting, CLAIMED + 5)
    steps.at_told(told, lambda s, at: accepted(give_opinions(s, said, actor=expert, at=at)), given_at)


def _applied(setting: Setting, town: Town, told: Stage, place: int) -> Claimed:
    (origin, cost_fen), firm = town.origins[place], told.firms[place]
    at = day(setting, CLAIMED)
    serial, paid_on = town.firms[place].serial, business_date(at)
    bought = GivenInvoice(
        number=f"{told.year % 100:02d}112000{serial:012d}",
        issued_on=paid_on,
        net_fen=Fen(cost_fen),
        buyer_uscc=firm.ref,
        seller_uscc=_SELLER,
    )
    request = AwardRequest(
        programme_code=told.programme,
        holder_ref=firm.ref,
        service="technology_transfer",
        description="受让科技成果并投产",
        origin_region=origin,
        invoices=(bought,),
        payments=(steps.payment(firm, Fen(cost_fen), paid_on),),
        documents=claim_papers(told.files_dir, PAPERS, about=str(serial), named="后补助申请-"),
        payee_account_id=firm.account_id,
        contract_no=f"{town.scheme.line}-HT-{serial}",
        contract_on=paid_on,
        contract_fen=Fen(cost_fen),
    )
    (claimed,) = steps.at_told(
        told, lambda s, told_at: accepted(apply_for_award(s, [request], actor=firm.actor, at=told_at)), at
    )
    return claimed
