"""`voucher simulate`: a year of many firms through the same operations as the counter, in batches."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import click
from sqlalchemy import func, select

from config import Config
from voucher.cli.context import SOURCE, SYSTEM, database, settings
from voucher.cli.story import cast, stage, steps
from voucher.cli.story import parties as all_parties
from voucher.cli.story.papers import paper
from voucher.cli.story.stage import Party, Setting, Stage
from voucher.cli.story.steps import Deal
from voucher.cli.story.teller import PAPERS
from voucher.clock import fiscal_year, wall_now, year_bounds
from voucher.codes import make_uscc
from voucher.db import Database
from voucher.memory import collect_seldom
from voucher.models.ledger import Book
from voucher.money import Fen
from voucher.operations.documents import GivenDocument, given_as
from voucher.operations.enrol import Grant, enrol
from voucher.operations.reconcile import BankResult
from voucher.operations.register import holder_ids, organisation_ids
from voucher.rules.permissions import Actor
from voucher.terms import Role

CHUNK = 500
FACE_FEN = 200_000_00
REGIONS = ("140105", "140106", "140107", "140109", "141102", "141122", "141181", "141182", "140525")

Papers = dict[str, tuple[GivenDocument, ...]]
"""What each firm hands in, by its USCC."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is simulated."""

    firms: int
    redemptions: int
    seed: int


@click.command()
@click.option("--firms", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="企业数。")
@click.option(
    "--redemptions", type=click.IntRange(1, 5_000_000), default=20_000, show_default=True, help="核销笔数。"
)
@click.option("--seed", type=int, default=1, show_default=True, help="随机种子：同样的种子得到同样的业务。")
def simulate(firms: int, redemptions: int, seed: int) -> None:
    """在空数据库里模拟一年：企业入库、发券、下单、核销、兑付，全部走正式业务操作。"""
    opened, config = database(), settings()
    with opened.read() as session:
        if session.scalars(select(func.count()).select_from(Book)).one():
            raise click.UsageError("数据库里已有数据；模拟只写入空数据库。")
    collect_seldom()
    started = time.monotonic()
    done = _run(opened, config, Plan(firms, redemptions, seed), now=wall_now())
    seconds = time.monotonic() - started
    click.echo(
        f"完成：{firms} 家企业，{done} 笔核销，用时 {seconds:.0f} 秒（每秒 {done / seconds:.0f} 笔）。"
    )


def _run(opened: Database, config: Config, plan: Plan, *, now: datetime) -> int:
    begins = year_bounds(fiscal_year(now))[0] + timedelta(hours=1)
    setting = Setting(opened, config.files_dir, begins, config.argon2_profile, SOURCE)
    stage.divisions(setting)
    told, parties = _stage(setting, plan, now=now)
    opened.analyze()
    vouchers = _vouchers(told, parties, at=begins + timedelta(hours=2))
    opened.analyze()
    papers = {party.ref: _papers(told, party) for party in parties}
    randomness = random.Random(plan.seed)  # noqa: S311  (a told story, no secret)
    chunks = (plan.redemptions + CHUNK - 1) // CHUNK
    length = (now - begins - timedelta(days=1)) // max(chunks, 1)
    done = 0
    with click.progressbar(length=plan.redemptions, label="核销与兑付") as bar:
        for number in range(chunks):
            size = min(CHUNK, plan.redemptions - number * CHUNK)
            deals = list(_deals(told, parties, vouchers, randomness, part=(number * CHUNK, size)))
            done += _play(told, deals, papers, at=begins + timedelta(hours=3) + length * number)
            bar.update(size)
            if number in (1, 10):
                opened.analyze()
    return done


def _stage(setting: Setting, plan: Plan, *, now: datetime) -> tuple[Stage, list[Party]]:
    people = stage.offices(setting, cast.SHANXI, cast.OFFICES, {})
    acting = stage.by_role(cast.OFFICES, people)
    line = stage.programme(setting, cast.SHANXI, acting, amount_fen=plan.firms * FACE_FEN)
    named = [
        (make_uscc(region, 1_000_000 + serial), f"模拟企业{serial:06d}有限公司", region)
        for serial, region in ((each, REGIONS[each % len(REGIONS)]) for each in range(plan.firms))
    ]
    usccs = [uscc for uscc, _, _ in named]
    stage.roster(setting, named, acting[Role.REVIEWER])
    stage.qualified(setting, cast.PROGRAMME, usccs, acting[Role.REVIEWER])
    accounts = all_parties.accounts(setting, named, acting[Role.REVIEWER])
    companies = (cast.SHANXI.book, cast.HOSTS, cast.LABS)
    labs = all_parties.labs(setting, companies, acting[Role.PROGRAMME_OFFICER], {})
    with setting.database.read() as session:
        organisations, holders = organisation_ids(session, usccs), holder_ids(session, usccs)
    clerk = _clerk(setting, organisations[usccs[0]])
    parties = [
        Party(uscc, holders[uscc], organisations[uscc], accounts[uscc], clerk, name)
        for uscc, name, _ in named
    ]
    told = Stage(setting.database, setting.files_dir, fiscal_year(now), line, acting, tuple(parties), labs)
    return told, parties


def _clerk(setting: Setting, organisation_id: int) -> Actor:
    """The one person who acts for every simulated firm; the steps widen their scope to the firms at hand."""
    grant = Grant(role=Role.ENTERPRISE_OPERATOR, organisation_id=organisation_id)
    wanted = stage.enrolment(setting, "moni", "模拟经办", {}, grants=(grant,))
    setting.database.transaction(
        lambda session, at: stage.accepted(enrol(session, [wanted], actor=SYSTEM, at=at)), at=setting.begins
    )
    return stage.actor(setting, "moni")


def _vouchers(told: Stage, parties: list[Party], *, at: datetime) -> list[str]:
    numbers: list[str] = []
    for start in range(0, len(parties), CHUNK):
        wanted = [(party, FACE_FEN) for party in parties[start : start + CHUNK]]
        numbers += steps.issue_all(told, wanted, at)
    return numbers


def _deals(
    told: Stage,
    parties: list[Party],
    vouchers: list[str],
    randomness: random.Random,
    *,
    part: tuple[int, int],
) -> Iterator[Deal]:
    first, size = part
    for serial in range(first, first + size):
        place = randomness.randrange(len(parties))
        lab = randomness.choice(told.labs)
        yield Deal(
            firm=parties[place],
            lab=lab,
            voucher_number=vouchers[place],
            service=randomness.choice(lab.services),
            contract_fen=Fen(randomness.randrange(500_00, 12_000_00)),
            contract_no=f"HT{told.year}-{serial:07d}",
            invoice_no=f"{told.year % 100:02d}142000{serial:012d}",
        )


def _play(told: Stage, deals: list[Deal], papers: Papers, *, at: datetime) -> int:
    """One chunk from order to money; what the caps leave nothing for is called off. Returns how many were paid."""
    orders = steps.place_all(told, deals, at)
    steps.accept_all(told, deals, orders, at)
    held = steps.file_what_fits(told, deals, orders, at)
    deals, orders = [deals[place] for place in held], [orders[place] for place in held]
    if not orders:
        return 0
    steps.deliver_all(told, deals, orders, at)
    steps.confirm_all(told, deals, orders, at)
    of_order = {order: papers[deal.firm.ref] for deal, order in zip(deals, orders, strict=True)}
    claims = steps.claim_all(told, deals, orders, at, papers=of_order.__getitem__)
    steps.review_all(told, claims, at, trimmed=[each.number for each in claims[::20]])
    batch = steps.batch_of(told, [each.number for each in claims], at)
    steps.settle_batch(told, batch, at)
    answers = [
        BankResult(batch.number, seq, 1, True, f"YH{batch.number[1:]}{seq:04d}")
        for seq in range(1, batch.line_count + 1)
    ]
    steps.bank_answers(told, answers, at)
    return len(orders)


def _papers(told: Stage, firm: Party) -> tuple[GivenDocument, ...]:
    """One file of the firm as every paper of all its claims, which the checks flag: files of their own for each claim
    would be most of what is simulated."""
    stored = paper(told.files_dir, f"simulated {firm.ref}", "材料.pdf")
    return tuple(given_as(kind, stored) for kind in PAPERS)
