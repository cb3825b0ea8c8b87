"""`voucher roster`: what a roster file would do, and importing it."""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path
from typing import Final

import click

from voucher.cli.context import acting, database, require
from voucher.operations.import_roster import RosterFile, import_roster, preview
from voucher.reports.sheets import read_table, roster_rows

_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_YEAR: Final = click.IntRange(2000, 2999)


@click.group()
def roster() -> None:
    """科技型中小企业名单：预览、导入。"""


@roster.command("preview")
@click.argument("file", type=_FILE)
@click.option("--year", required=True, type=_YEAR, help="名单的年度")
@click.option("--by", required=True, help="经办人的登录名")
def preview_command(file: Path, *, year: int, by: str) -> None:
    """逐行检查名单文件，不写入。有错误时以状态 1 结束。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "reviewer:roster:import")
    rows = roster_rows(read_table(file.read_bytes()))
    with store.read() as session:
        found = preview(session, rows, year, actor=actor)
    for error in found.errors:
        click.echo(f"第 {error.line} 行：{error.fault.label}：{error.value}")
    click.echo(f"新增 {len(found.entries)} 家，已登记 {found.known} 家，错误 {len(found.errors)} 处。")
    sys.exit(1 if found.errors else 0)


@roster.command("import")
@click.argument("file", type=_FILE)
@click.option("--year", required=True, type=_YEAR, help="名单的年度")
@click.option("--by", required=True, help="经办人的登录名")
def import_command(file: Path, *, year: int, by: str) -> None:
    """导入名单文件：有一处错误就整份不导入；同一文件再次导入不重复登记。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "reviewer:roster:import")
    content = file.read_bytes()
    given = RosterFile(file.name[:200], sha256(content).hexdigest(), year, roster_rows(read_table(content)))
    made = store.transaction(lambda session, at: import_roster(session, given, actor=actor, at=at))
    again = "（此前已导入，没有变化）" if made.replayed else ""
    click.echo(f"名单 {made.import_id}：{made.rows} 行{again}。")
