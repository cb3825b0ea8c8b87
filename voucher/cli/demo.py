"""`voucher demo`: a believable year of Shanxi's provincial programme, and who may sign in to it."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import click
from sqlalchemy import func, select

from config import Config
from voucher.cli.context import database, settings
from voucher.cli.story import cast, stage
from voucher.cli.story.applying import tell_applications
from voucher.cli.story.year import tell_year
from voucher.clock import fiscal_year, wall_now, year_bounds
from voucher.codes import Keys
from voucher.db import Database
from voucher.models.ledger import Book

BUDGET_FEN = 5_000_000_00
_SHOWN = {office.login: office.role.label for office in cast.OFFICES}
_SHOWN |= {firm.login: firm.name for firm in cast.FIRMS}
_SHOWN |= {host.login: f"{host.name}（管理员）" for host in cast.HOSTS}
_SHOWN |= {f"{host.login}2": f"{host.name}（收券员）" for host in cast.HOSTS}


@click.command()
@click.option(
    "--passwords", type=click.Path(path_type=Path), help="把登录名和随机密码写入此文件（权限 600）。"
)
def demo(passwords: Path | None) -> None:
    """写入演示数据：山西省级科技创新券的一年，并打印登录名和随机密码。数据库里已有数据时不做任何事。"""
    opened, config = database(), settings()
    if _is_told(opened):
        click.echo("数据库里已有数据，未写入演示数据。")
        return
    given = _tell(opened, config, now=wall_now())
    opened.analyze()
    click.echo("演示数据已写入。人员、企业和机构均为虚构；文件未写明的参数由演示主管部门填写。")
    for login, password in given.items():
        click.echo(f"  {login:<10} {password:<16} {_SHOWN.get(login, '')}")
    if passwords is not None:
        passwords.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(passwords, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(given, file, ensure_ascii=False, indent=1)


def _is_told(opened: Database) -> bool:
    with opened.read() as session:
        return bool(session.scalars(select(func.count()).select_from(Book)).one())


def _tell(opened: Database, config: Config, *, now: datetime) -> dict[str, str]:
    """Set the stage on the first day of the year and tell it up to now; the new passwords by login."""
    begins = year_bounds(fiscal_year(now))[0] + timedelta(hours=1)
    setting = stage.Setting(opened, config.files_dir, begins, config.argon2_profile)
    passwords: dict[str, str] = {}
    offices = stage.offices(setting, passwords)
    line = stage.programme(setting, offices, amount_fen=BUDGET_FEN)
    parties = [(firm.uscc, firm.name, firm.region) for firm in cast.FIRMS]
    stage.roster(setting, parties, offices)
    firms = stage.firms(setting, stage.accounts(setting, parties, offices), passwords)
    labs = stage.labs(setting, offices, passwords)
    told = stage.Stage(opened, config.files_dir, fiscal_year(now), line, offices, firms, labs)
    keys = Keys({f"{key.kid:02d}": key.key for key in config.qr_keys}, f"{config.qr_keys[0].kid:02d}")
    tell_year(told, keys, begins=begins, ends=now - timedelta(minutes=30))
    tell_applications(told, max(now - timedelta(hours=6), begins))
    return passwords
