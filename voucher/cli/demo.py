"""`voucher demo`: a believable year of a province and one of its counties, and who may sign in to it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import click
from sqlalchemy import func, select

from config import Config
from voucher.cli.context import database, settings
from voucher.cli.story import cast, county, county_cast, document_cast, parties, stage
from voucher.cli.story.applying import tell_applications
from voucher.cli.story.county_before import tell_before
from voucher.cli.story.county_claims import tell_claims
from voucher.cli.story.county_disputes import tell_disputes
from voucher.cli.story.county_evaluation import tell_evaluation
from voucher.cli.story.county_money import tell_money
from voucher.cli.story.county_orders import tell_orders
from voucher.cli.story.county_people import tell_people
from voucher.cli.story.county_register import tell_register
from voucher.cli.story.county_versions import tell_versions
from voucher.cli.story.recognition import HOST, tell_recognition
from voucher.cli.story.teller import Teller
from voucher.cli.story.town import titles
from voucher.cli.story.towns import tell_town
from voucher.cli.story.year import plan_year
from voucher.clock import business_date, fiscal_year, wall_now, year_bounds
from voucher.codes import Keys
from voucher.db import Database
from voucher.models.ledger import Book
from voucher.operations.join_codes import join_key
from voucher.rules.permissions import Actor
from voucher.terms import Role

BUDGET_FEN = 5_000_000_00
APPLIED: Final = timedelta(hours=6)
YOUNGEST: Final = timedelta(days=75)


@dataclass(frozen=True, slots=True)
class Told:
    """What is shown once: passwords by login, and one-time codes with what they are for."""

    passwords: dict[str, str]
    shown: tuple[str, ...]


def _titles() -> dict[str, str]:
    """Who each login is."""
    known = {office.login: office.role.label for office in cast.OFFICES}
    known |= {office.login: f"泽州县{office.role.label}" for office in county_cast.OFFICES}
    known |= {firm.login: firm.name for firm in (*cast.FIRMS, *county_cast.FIRMS)}
    for host in (*cast.HOSTS, *county_cast.HOSTS, HOST):
        known |= {host.login: f"{host.name}（管理员）", f"{host.login}2": f"{host.name}（收券员）"}
    for town in (*document_cast.TOWNS, *document_cast.CHILDREN):
        known |= titles(town)
    return known | county_cast.JOINED


@click.command()
@click.option(
    "--passwords", type=click.Path(path_type=Path), help="把登录名和随机密码写入此文件（权限 600）。"
)
def demo(passwords: Path | None) -> None:
    """写入演示数据，打印登录名和随机密码。

    山西省级科技创新券和一个县级演示方案的一年，以及其他政策文件各一例。数据库里已有数据时不做任何事。
    """
    opened, config = database(), settings()
    if _is_told(opened):
        click.echo("数据库里已有数据，未写入演示数据。")
        return
    told = _tell(opened, config, now=wall_now())
    opened.analyze()
    click.echo("演示数据已写入。人员、企业和机构均为虚构；文件未写明的参数由演示主管部门填写。")
    known = _titles()
    for login in sorted(told.passwords, key=[*known, *told.passwords].index):
        click.echo(f"  {login:<12} {told.passwords[login]:<16} {known.get(login, '')}")
    for line in told.shown:
        click.echo(f"  {line}")
    if passwords is not None:
        passwords.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(passwords, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(told.passwords, file, ensure_ascii=False, indent=1)


def _is_told(opened: Database) -> bool:
    with opened.read() as session:
        return bool(session.scalars(select(func.count()).select_from(Book)).one())


def _tell(opened: Database, config: Config, *, now: datetime) -> Told:
    """Set the stage on the first day of the year and tell it up to now; the new passwords by login."""
    begins, ends = told_between(now)
    setting = stage.Setting(opened, config.files_dir, begins, config.argon2_profile)
    passwords: dict[str, str] = {}
    stage.divisions(setting)
    for town in document_cast.TOWNS:
        tell_town(setting, town, passwords)
    before = county.set_stage(replace(setting, begins=begins - county.EARLIER), passwords)
    told = _province(setting, passwords)
    for town in document_cast.CHILDREN:
        tell_town(setting, town, passwords)
    shown = tell_recognition(setting, told, passwords)
    keys = Keys({f"{key.kid:02d}": key.key for key in config.qr_keys}, f"{config.qr_keys[0].kid:02d}")
    teller = Teller(told, keys, begins, ends)
    plan_year(teller)
    teller.then_at(max(ends - APPLIED, begins), partial(tell_applications, told))
    play = county.Play(
        county.open_year(setting, before),
        teller,
        setting,
        before.people,
        passwords,
        join_key(config.secret_key),
    )
    for plan in (
        tell_before,
        tell_register,
        tell_evaluation,
        tell_versions,
        tell_people,
        tell_orders,
        tell_disputes,
        tell_claims,
        tell_money,
    ):
        plan(play)
    teller.tell()
    if fiscal_year(now) > told.year:
        _open_new_year(replace(setting, begins=now - timedelta(minutes=20)), told, before)
    return Told(passwords, (*play.shown, *shown))


def _open_new_year(setting: stage.Setting, told: stage.Stage, before: county.County) -> None:
    """The lines, roster and qualifications of a year that has only begun, so that work can go on in it."""
    stage.budget(setting, cast.SHANXI, told.offices, amount_fen=BUDGET_FEN)
    _roster(setting, told.offices)
    county.open_year(setting, before)


def told_between(now: datetime) -> tuple[datetime, datetime]:
    """The year that is told, from its first day till half an hour ago.

    A year younger than the county's stories need is not told yet: then it is the one before, to its last afternoon.
    """
    begins, ends = year_bounds(fiscal_year(now))[0] + timedelta(hours=1), now - timedelta(minutes=30)
    if ends - begins >= YOUNGEST:
        return begins, ends
    year = fiscal_year(now) - 1
    return year_bounds(year)[0] + timedelta(hours=1), year_bounds(year)[1] - timedelta(hours=8)


def _province(setting: stage.Setting, passwords: dict[str, str]) -> stage.Stage:
    """The province's offices, programme, roster (of the county's firms too), firms and platforms."""
    people = stage.offices(setting, cast.SHANXI, cast.OFFICES, passwords)
    acting = stage.by_role(cast.OFFICES, people)
    line = stage.programme(setting, cast.SHANXI, acting, amount_fen=BUDGET_FEN)
    own = _roster(setting, acting)
    paid_to = parties.accounts(setting, own, acting[Role.REVIEWER])
    firms = parties.firms(setting, cast.FIRMS, paid_to, passwords)
    companies = (cast.SHANXI.book, cast.HOSTS, cast.LABS)
    labs = parties.labs(setting, companies, acting[Role.PROGRAMME_OFFICER], passwords)
    year = business_date(setting.begins).year
    return stage.Stage(setting.database, setting.files_dir, year, line, acting, firms, labs)


def _roster(setting: stage.Setting, acting: dict[Role, Actor]) -> list[tuple[str, str, str]]:
    """Import the year's roster, which the county's firms are on too; gives the province's firms, qualified."""
    own = [(firm.uscc, firm.name, firm.region) for firm in cast.FIRMS]
    others = (*county_cast.FIRMS, county_cast.INVITED, county_cast.BANNED)
    stage.roster(
        setting, own + [(firm.uscc, firm.name, firm.region) for firm in others], acting[Role.REVIEWER]
    )
    stage.qualified(setting, cast.PROGRAMME, [uscc for uscc, _, _ in own], acting[Role.REVIEWER])
    return own
