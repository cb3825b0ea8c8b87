"""`voucher tenants`: what a base's list of tenants would do, and registering it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from voucher.cli.context import acting, database, require
from voucher.db import Database
from voucher.operations.import_tenants import TenantRow, import_tenants, preview_tenants
from voucher.operations.tenancies import own_centres
from voucher.reports.sheets import read_table, tenant_rows
from voucher.rules.permissions import Actor

_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_centre = click.option("--centre", type=click.IntRange(1), help="载体的编号；本单位只有一个载体时可以不写")
_by = click.option("--by", required=True, help="孵化器管理员的登录名")


@click.group()
def tenants() -> None:
    """入驻企业名单：预览、登记。"""


@tenants.command("preview")
@click.argument("file", type=_FILE)
@_centre
@_by
def preview_command(file: Path, *, centre: int | None, by: str) -> None:
    """逐行检查入驻企业名单（.xlsx、.csv），不写入。有错误时以状态 1 结束。"""
    store, actor, rows = _given(file, by)
    centre_id = _one_of(store, actor, centre)
    with store.read() as session:
        found = preview_tenants(session, centre_id, rows, actor=actor)
    for error in found.errors:
        click.echo(f"第 {error.line} 行：{error.fault.label}：{error.value}")
    fresh = sum(entry.is_new for entry in found.entries)
    click.echo(f"可登记 {len(found.entries)} 家，其中新单位 {fresh} 家；错误 {len(found.errors)} 处。")
    sys.exit(1 if found.errors else 0)


@tenants.command("import")
@click.argument("file", type=_FILE)
@_centre
@_by
def import_command(file: Path, *, centre: int | None, by: str) -> None:
    """登记入驻企业名单：有一处错误就整份不登记；同一名单再次登记没有变化。"""
    store, actor, rows = _given(file, by)
    centre_id = _one_of(store, actor, centre)
    made = store.transaction(lambda session, at: import_tenants(session, centre_id, rows, actor=actor, at=at))
    click.echo(f"已登记 {len(made)} 家入驻企业。")


def _given(file: Path, by: str) -> tuple[Database, Actor, list[TenantRow]]:
    store = database()
    actor = acting(store, login=by)
    require(actor, "incubator:tenant:write")
    return store, actor, tenant_rows(read_table(file.read_bytes()))


def _one_of(store: Database, actor: Actor, centre: int | None) -> int:
    """The centre that is meant; where none is named the only one, else every one is told with its number."""
    if centre is not None:
        return centre
    with store.read() as session:
        named = {
            row.id: f"{row.name}（{row.document_no}）" for row in own_centres(session, actor=actor).values()
        }
    if len(named) == 1:
        return next(iter(named))
    told = "".join(f"\n  {number}：{name}" for number, name in named.items())
    raise click.UsageError(f"请用 --centre 写明载体：{told}" if named else "本单位没有经认定的载体")
