"""`voucher issue`: vouchers to qualified holders, one or many, from one budget line."""

from __future__ import annotations

import sys

import click

from voucher.cli.context import acting, database, require
from voucher.money import MoneyError, format_yuan, parse_yuan
from voucher.operations.issue import Issued, IssueRequest
from voucher.operations.issue import issue as issue_vouchers
from voucher.operations.outcome import Refused
from voucher.schemas.messages import sentence


@click.command()
@click.argument("holders", nargs=-1, required=True)
@click.option("--line", "line_code", required=True, help="预算指标编号")
@click.option("--face", required=True, help="每张面额，单位元，如 50000 或 50,000.00")
@click.option("--by", required=True, help="经办人的登录名")
def issue(holders: tuple[str, ...], *, line_code: str, face: str, by: str) -> None:
    """向已认定的企业（统一社会信用代码）各发一张券，一次最多 500 家；逐家列出结果，有不予发放的以状态 1 结束。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "programme:voucher:issue")
    try:
        face_fen = parse_yuan(face)
    except MoneyError as error:
        raise click.BadParameter(error.reason, param_hint="--face") from error
    if len(holders) > 500:
        raise click.UsageError("一次最多 500 家")
    requests = [IssueRequest(holder, face_fen) for holder in holders]
    answers = store.transaction(
        lambda session, at: issue_vouchers(session, line_code, requests, actor=actor, at=at)
    )
    for holder, answer in zip(holders, answers, strict=True):
        shown = (
            f"{answer.number}  ¥{format_yuan(face_fen)}" if isinstance(answer, Issued) else sentence(answer)
        )
        click.echo(f"{holder}  {shown}")
    sys.exit(1 if any(isinstance(answer, Refused) for answer in answers) else 0)
