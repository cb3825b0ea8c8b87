"""`voucher settle`: settlement batches from the command line, by the same two persons as on the pages."""

from __future__ import annotations

from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.cli.context import acting, database, require
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.money import format_yuan
from voucher.operations import batch as batches
from voucher.operations import pay
from voucher.operations.outcome import Refused, only
from voucher.operations.reconcile import reconcile
from voucher.operations.settle import ApprovalRequest, approve
from voucher.reports.bank_results import bank_results
from voucher.reports.payment_file import as_csv, as_xlsx, file_name
from voucher.reports.sheets import read_table
from voucher.terms import ClaimState

_BY = click.option("--by", required=True, help="经办或复核人的登录名")


@click.group()
def settle() -> None:
    """兑付：编制批次、复核、生成支付文件、对账。"""


@settle.command("make")
@click.argument("programme")
@_BY
@click.option("--most", type=click.IntRange(1, 1000), default=1000, show_default=True, help="最多笔数")
def make_command(programme: str, *, by: str, most: int) -> None:
    """把一个项目下拟兑付的申请编成一个批次。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "finance:batch:make")
    with store.read() as session:
        claims = _approved(session, programme, most)
    request = batches.BatchRequest(programme, claims)
    made = store.transaction(lambda session, at: only(batches.make(session, [request], actor=actor, at=at)))
    _show(made)


@settle.command("submit")
@click.argument("number")
@_BY
def submit_command(number: str, *, by: str) -> None:
    """提交复核，并给出批次内容的校验值。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "finance:batch:make")
    _show(store.transaction(lambda session, at: only(batches.submit(session, [number], actor=actor, at=at))))


@settle.command("approve")
@click.argument("number")
@_BY
@click.option("--content", required=True, help="复核时看到的批次内容校验值（sha256）")
def approve_command(number: str, *, by: str, content: str) -> None:
    """复核批次；复核人与经办人不得为同一人，内容有变动则拒绝。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "finance:batch:approve")
    request = ApprovalRequest(number, content)
    _show(store.transaction(lambda session, at: only(approve(session, [request], actor=actor, at=at))))


@settle.command("export")
@click.argument("number")
@_BY
@click.option(
    "--to", "folder", type=click.Path(file_okay=False, path_type=Path), default=".", help="存放目录"
)
def export_command(number: str, *, by: str, folder: Path) -> None:
    """生成支付文件（CSV 与 XLSX），只含尚未支付的各笔。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "finance:payment:export")
    order = store.transaction(lambda session, at: only(pay.export(session, [number], actor=actor, at=at)))
    folder.mkdir(parents=True, exist_ok=True)
    for extension, content in (("csv", as_csv(order)), ("xlsx", as_xlsx(order))):
        target = folder / file_name(order, extension)
        target.write_bytes(content)
        click.echo(str(target))


@settle.command("reconcile")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_BY
def reconcile_command(file: Path, *, by: str) -> None:
    """按银行回单逐笔对账（列：支付编号、结果、流水号、原因）。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "finance:payment:reconcile")
    results = bank_results(read_table(file.read_bytes()))
    answers = store.transaction(lambda session, at: reconcile(session, results, actor=actor, at=at))
    for result, answer in zip(results, answers, strict=True):
        said = f"未受理（{answer.code.value}）" if isinstance(answer, Refused) else answer.state.label
        click.echo(f"{result.batch_number} 第 {result.seq} 笔：{said}")


def _approved(session: Session, programme: str, most: int) -> tuple[str, ...]:
    query = (
        select(Claim.number)
        .join(Order, Order.id == Claim.order_id)
        .where(Order.programme_code == programme, Claim.state == ClaimState.APPROVED.value)
        .order_by(Claim.submitted_at, Claim.id)
        .limit(most)
    )
    return tuple(session.scalars(query))


def _show(batch: batches.Batch) -> None:
    click.echo(
        f"批次 {batch.number}：{batch.state.label}，{batch.line_count} 笔，{format_yuan(batch.total_fen)} 元。"
    )
    if batch.content_sha256:
        click.echo(f"内容校验值 {batch.content_sha256}")
