"""The other policy documents, each from publishing to payment: a town buys, claims, waits out the notice and is paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from voucher.cli.story import parties, stage, steps
from voucher.cli.story.document_centres import move_in, register
from voucher.cli.story.papers import claim_papers
from voucher.cli.story.parties import BASE_ROLES, FIRM_ROLES
from voucher.cli.story.stage import Party, Setting, Stage, accepted
from voucher.cli.story.steps import Deal
from voucher.cli.story.teller import PAPERS
from voucher.cli.story.town import Town
from voucher.clock import business_date, day_bounds
from voucher.money import Fen
from voucher.operations.apply_factor import apply_own
from voucher.operations.close_notices import close_notices
from voucher.operations.outcome import only
from voucher.operations.prorata import FactorAnswer, FactorRequest, answer_factor, propose_factor
from voucher.operations.publicise import NoticeRequest, publicise
from voucher.operations.qualify import QualifyRequest, qualify
from voucher.operations.reconcile import BankResult
from voucher.operations.sweep import SYSTEM
from voucher.rules.permissions import Actor
from voucher.terms import Role

BUDGET_FEN = 1_000_000_00
ACCEPTED, FILED, DELIVERED, CONFIRMED, CLAIMED, DECIDED = 2, 5, 20, 24, 30, 40
_SHOWN, _CLEARED, _BATCHED, _SETTLED, _PAID = 42, 60, 61, 63, 66


def tell_document(setting: Setting, town: Town, passwords: dict[str, str]) -> Stage:
    """Publish a town's policy with the demo authority's fill-ins, and tell one service a firm until it is paid."""
    told = set_stage(setting, town, passwords)
    numbers = steps.issue_all(told, [(firm, town.face_fen) for firm in told.firms], setting.begins)
    deals = [deal_of(town, told, place, number) for place, number in enumerate(numbers)]
    orders = _redeemed(setting, told, deals)
    claims = steps.claim_all(
        told, deals, orders, day(setting, CLAIMED),
        papers=lambda order: claim_papers(told.files_dir, PAPERS, about=order),
    )  # fmt: skip
    steps.review_all(told, claims, day(setting, DECIDED))
    numbers = [each.number for each in claims]
    pay(_factored(setting, told, town) if town.factor_bp else setting, told, town, numbers)
    return told


def _factored(setting: Setting, told: Stage, town: Town) -> Setting:
    """The factor of the year, proposed by one and approved by another once the year is over; the setting of what follows."""
    maker, checker = told.offices[Role.FINANCE_MAKER], told.offices[Role.FINANCE_CHECKER]
    over = day_bounds(date(told.year + 1, 1, 6))[0] + timedelta(hours=10)
    basis = f"{town.scheme.document_no}〔{told.year + 1}〕1号"
    asked = FactorRequest(told.programme, told.year, town.factor_bp, Fen(BUDGET_FEN), basis)

    def approve(session: Session, at: datetime) -> int:
        answer = FactorAnswer(told.programme, told.year, proposal)
        only(answer_factor(session, [answer], actor=checker, at=at))
        return apply_own(session, told.programme, told.year, actor=checker, at=at)

    proposal = steps.at_told(
        told, lambda s, at: only(propose_factor(s, [asked], actor=maker, at=at)).id, over
    )
    steps.at_told(told, approve, over + timedelta(days=1))
    return replace(setting, begins=over - timedelta(days=DECIDED))


def _redeemed(setting: Setting, told: Stage, deals: Sequence[Deal]) -> list[str]:
    """Orders placed, accepted, contracted, delivered and confirmed; their numbers."""
    orders = steps.place_all(told, deals, day(setting, 1))
    steps.accept_all(told, deals, orders, day(setting, ACCEPTED))
    steps.file_all(told, deals, orders, day(setting, FILED))
    steps.deliver_all(told, deals, orders, day(setting, DELIVERED))
    steps.confirm_all(told, deals, orders, day(setting, CONFIRMED))
    return orders


def pay(setting: Setting, told: Stage, town: Town, claims: Sequence[str]) -> None:
    """The public notice, the batch of two persons, the payment file and the bank's answers."""
    officer = told.offices[Role.PROGRAMME_OFFICER]
    shown = NoticeRequest(
        told.programme,
        tuple(claims),
        f"{setting.begins.year}{town.scheme.line_name}拟兑付名单公示",
        "受理窗口",
        "000-0000000",
    )
    steps.at_told(told, lambda s, at: only(publicise(s, [shown], actor=officer, at=at)), day(setting, _SHOWN))
    steps.at_told(told, lambda s, at: close_notices(s, actor=SYSTEM, at=at), day(setting, _CLEARED))
    pay_batch(setting, told, claims)


def pay_batch(setting: Setting, told: Stage, claims: Sequence[str]) -> None:
    """The batch of two persons, the payment file and the bank's answers."""
    batch = steps.batch_of(told, claims, day(setting, _BATCHED))
    steps.settle_batch(told, batch, day(setting, _SETTLED))
    results = [
        BankResult(batch.number, line, 1, True, f"YH{batch.number[1:]}{line:02d}")
        for line in range(1, batch.line_count + 1)
    ]
    steps.bank_answers(told, results, day(setting, _PAID))


def set_stage(setting: Setting, town: Town, passwords: dict[str, str]) -> Stage:
    """A town's offices, policy, budget, firms and platforms on the day on which its story begins."""
    people = stage.offices(setting, town.scheme, town.offices, passwords)
    acting = stage.by_role(town.offices, people)
    line = stage.programme(setting, town.scheme, acting, amount_fen=BUDGET_FEN)
    firms = _firms(setting, town, acting[Role.REVIEWER], passwords)
    companies = (town.scheme.region, town.hosts, town.labs)
    labs = parties.labs(setting, companies, acting[Role.PROGRAMME_OFFICER], passwords)
    year = business_date(setting.begins).year
    return Stage(setting.database, setting.files_dir, year, line, acting, firms, labs, town.scheme.programme)


def _firms(setting: Setting, town: Town, reviewer: Actor, passwords: dict[str, str]) -> tuple[Party, ...]:
    """The town's firms: registered, with an account each, and qualified in the class that the document names."""

    names = [(each.uscc, each.name, each.region) for each in town.firms]
    if town.roster:
        stage.roster(setting, names, reviewer, series=town.roster)

    def work(session: Session, at: datetime) -> None:
        register(session, (*town.firms, *town.tenants), actor=reviewer, at=at)
        move_in(session, town, actor=reviewer, at=at)
        wanted = [QualifyRequest(each.uscc, town.holder_class) for each in town.firms]
        accepted(qualify(session, town.scheme.programme, wanted, actor=reviewer, at=at))

    setting.database.transaction(work, at=setting.begins)
    roles = BASE_ROLES if town.tenants else FIRM_ROLES
    return parties.firms(
        setting, town.firms, parties.accounts(setting, names, reviewer), passwords, roles=roles
    )


def deal_of(town: Town, told: Stage, place: int, voucher_number: str) -> Deal:
    """What the firm of this place buys at the town's first platform."""
    lab, serial = told.labs[0], f"{town.firms[place].serial:06d}"
    return Deal(
        firm=told.firms[place],
        lab=lab,
        voucher_number=voucher_number,
        service=lab.services[0],
        contract_fen=Fen(town.price_fen),
        contract_no=f"{town.scheme.line}-HT-{serial}",
        invoice_no=f"{told.year % 100:02d}{town.scheme.book[:2]}2000{serial:>012}",
        about=town.labs[0].name,
    )


def day(setting: Setting, days: int) -> datetime:
    """Ten in the morning, so many days after the story began."""
    return day_bounds(business_date(setting.begins) + timedelta(days=days))[0] + timedelta(hours=10)


def begun(setting: Setting, town: Town) -> Setting:
    """The setting on the day on which this town's story begins."""
    if town.begins_on is None:
        return setting
    return replace(setting, begins=day_bounds(town.begins_on)[0] + timedelta(hours=9))
