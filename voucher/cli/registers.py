"""`voucher registers`: tables of other authorities in, hashes of invoices to and from other regions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import click

from voucher.cli.context import acting, database, require, settings
from voucher.operations.ban import ban
from voucher.operations.exchange import import_benefits, import_foreign, used_invoices
from voucher.operations.outcome import Refused
from voucher.operations.registry import note_registry
from voucher.reports.registers import ban_rows, benefit_rows, hashes_text, read_hashes, registry_rows
from voucher.reports.sheets import read_table
from voucher.schemas.messages import sentence

_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_BY: Final = "经办人的登录名"
_PERMISSION: Final = "reviewer:ban:write"


@click.group()
def registers() -> None:
    """外部名册：工商登记、其他项目资助、限制名单、跨区域发票散列。"""


@registers.command("registry")
@click.argument("file", type=_FILE)
@click.option("--by", required=True, help=_BY)
def registry_command(file: Path, *, by: str) -> None:
    """导入工商登记信息（上级法人、股东、控制人、法定代表人、董事、联系方式）；证件号和电话只保存带密钥的散列。"""
    store, key = database(), settings().secret_key.encode()
    actor = acting(store, login=by)
    require(actor, _PERMISSION)
    rows = registry_rows(read_table(file.read_bytes()), source=file.name[:120])
    _show(store.transaction(lambda session, at: note_registry(session, rows, key=key, actor=actor, at=at)))


@registers.command("benefits")
@click.argument("file", type=_FILE)
@click.option("--by", required=True, help=_BY)
def benefits_command(file: Path, *, by: str) -> None:
    """导入其他财政项目已支持的服务，用于防止重复补助。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, _PERMISSION)
    rows = benefit_rows(read_table(file.read_bytes()))
    source = file.name[:120]
    _show(
        store.transaction(
            lambda session, at: import_benefits(session, rows, source=source, actor=actor, at=at)
        )
    )


@registers.command("bans")
@click.argument("file", type=_FILE)
@click.option("--by", required=True, help=_BY)
def bans_command(file: Path, *, by: str) -> None:
    """导入限制决定（失信名单、经营异常、违规处理等），每行须有法律依据和决定文号。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, _PERMISSION)
    rows = ban_rows(read_table(file.read_bytes()), source=file.name[:120])
    _show(store.transaction(lambda session, at: ban(session, rows, actor=actor, at=at)))


@registers.command("export-invoices")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--salt", required=True, help="与对方地区约定的盐值，8 至 64 个字符，一年一换")
@click.option("--by", required=True, help=_BY)
def export_command(file: Path, *, salt: str, by: str) -> None:
    """导出已使用发票的加盐散列，供其他地区比对；不含发票号码。"""
    if not 8 <= len(salt) <= 64:
        raise click.BadParameter("盐值应为 8 至 64 个字符", param_hint="--salt")
    store = database()
    actor = acting(store, login=by)
    require(actor, _PERMISSION)
    with store.read() as session:
        digests = used_invoices(session, salt=salt, actor=actor)
    file.write_text(hashes_text(salt, digests), encoding="utf-8")
    click.echo(f"已导出 {len(digests)} 张发票的散列。")


@registers.command("import-invoices")
@click.argument("file", type=_FILE)
@click.option("--from", "source", required=True, help="对方地区代码")
@click.option("--by", required=True, help=_BY)
def import_command(file: Path, *, source: str, by: str) -> None:
    """导入其他地区的发票散列，列出两地都用过的发票；此后这些发票不能再用。有重复时以状态 1 结束。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, _PERMISSION)
    given = read_hashes(file.read_bytes(), source=source[:20])
    matches = store.transaction(lambda session, at: import_foreign(session, given, actor=actor, at=at))
    for match in matches:
        click.echo(f"{match.claim_number}：发票 {match.invoice_key} 在 {match.region} 也使用过")
    click.echo(f"共 {len(given.digests)} 张，与本地重复 {len(matches)} 张。")
    sys.exit(1 if matches else 0)


def _show(answers: list[Any]) -> None:
    """Say what was refused, by row; end with status 1 where something was."""
    wrong = [(line, each) for line, each in enumerate(answers, start=1) if isinstance(each, Refused)]
    for line, each in wrong:
        click.echo(f"第 {line} 行：{sentence(each)}")
    click.echo(f"已处理 {len(answers) - len(wrong)} 行，未处理 {len(wrong)} 行。")
    sys.exit(1 if wrong else 0)
