"""`voucher people`: enrolling somebody from the command line, and checking who may do what."""

from __future__ import annotations

from datetime import datetime

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.cli.context import SYSTEM, acting, database, settings
from voucher.codes import normalise_uscc
from voucher.db import Database
from voucher.errors import found
from voucher.models.ledger import Book
from voucher.models.parties import Organisation, Platform
from voucher.operations.authenticate import hash_password
from voucher.operations.enrol import Enrolment, Grant, enrol
from voucher.operations.outcome import only
from voucher.rules.permissions import PERMISSIONS, permitted
from voucher.schemas.account import password_fault
from voucher.terms import Role


@click.group()
def people() -> None:
    """人员：登记用户与角色，查看权限。"""


@people.command()
@click.argument("login")
@click.option("--name", required=True, help="姓名")
@click.option(
    "--role", "role_name", required=True, type=click.Choice([role.value for role in Role]), help="角色"
)
@click.option("--uscc", help="所属单位的统一社会信用代码（企业或服务机构）")
@click.option("--platform", help="所属平台的名称（与 --uscc 合用，只授该平台）")
@click.option("--region", help="行政区划代码（审核人、项目主管）")
@click.option("--function", help="会签人代表的部门（政策文件中的部门代码，如 finance）")
@click.option("--book", help="账簿代码（财政、审计、项目主管）")
@click.password_option(prompt="初始密码", confirmation_prompt="再次输入", help="初始密码；不给则询问")
def add(login: str, *, password: str, name: str, **scope: str | None) -> None:
    """登记一名用户并授予一个角色。"""
    fault = password_fault(password, login=login, profile=settings().password_profile)
    if fault is not None:
        raise click.ClickException(fault)
    store = database()
    password_hash = hash_password(password, profile=settings().argon2_profile)
    grant = _grant(store, scope)

    def work(session: Session, at: datetime) -> int:
        enrolment = Enrolment(login=login, name=name, password_hash=password_hash, grants=(grant,))
        return only(enrol(session, [enrolment], actor=SYSTEM, at=at)).person_id

    click.echo(f"已登记 {login}（编号 {store.transaction(work)}）。")


@people.command()
@click.argument("login")
def check(login: str) -> None:
    """列出一名用户今天的角色、范围和权限。"""
    actor = acting(database(), login=login)
    click.echo(f"{actor.name}（{actor.ref}）")
    click.echo("角色：" + ("、".join(sorted(role.label for role in actor.roles)) or "无"))
    for label, ids in (
        ("企业", actor.organisation_ids),
        ("平台", actor.platform_ids),
        ("地区", actor.region_codes),
        ("账簿", actor.book_ids),
    ):
        if ids:
            click.echo(f"{label}：" + "、".join(sorted(map(str, ids))))
    for permission in PERMISSIONS:
        if permitted(actor, permission):
            click.echo(f"  {permission}")


def _grant(store: Database, scope: dict[str, str | None]) -> Grant:
    """The role with the rows that its scope names. Refused: `not_found` for a name that no row has."""
    organisation_id = platform_id = book_id = None
    with store.read() as session:
        if uscc := scope["uscc"]:
            query = select(Organisation.id).where(Organisation.uscc == normalise_uscc(uscc))
            organisation_id = found(session.scalars(query).one_or_none())
        if platform := scope["platform"]:
            wanted = Platform.organisation_id == organisation_id, Platform.name == platform
            platform_id = found(session.scalars(select(Platform.id).where(*wanted)).one_or_none())
        if book := scope["book"]:
            book_id = found(session.scalars(select(Book.book_id).where(Book.code == book)).one_or_none())
    return Grant(
        role=Role(scope["role_name"]),  # type: ignore[arg-type]
        organisation_id=organisation_id,
        platform_id=platform_id,
        region_code=scope["region"],
        book_id=book_id,
        function=scope["function"],
    )
