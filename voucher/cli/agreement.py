"""`voucher agreement`: is an agreement file fit to publish, publishing it by two, ending and revoking a version."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import Final

import click
from sqlalchemy.orm import Session

from voucher.cli.context import acting, database, require
from voucher.operations.publish_agreement import (
    AgreementText,
    StepRequest,
    VersionAnswer,
    check,
    end_agreement,
    propose_agreement,
    publish_agreement,
    revoke_agreement,
)
from voucher.queries.agreements import version_of_code
from voucher.rules.agreement_reading import AgreementError, read
from voucher.schemas.words import clause_word

_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_PUBLISH: Final = "programme:agreement:publish"


@click.group()
def agreement() -> None:
    """互认协议：检查、发布、终止、撤销跨地区互认协议的版本。"""


@agreement.command("check")
@click.argument("files", type=_FILE, nargs=-1, required=True)
@click.option("--fill", "fills", type=_FILE, multiple=True, help="双方补充约定的参数文件，可多次给出")
@click.option("--document", type=_FILE, help="协议原文；默认为 policies/documents/ 下的原文")
def check_command(files: tuple[Path, ...], *, fills: tuple[Path, ...], document: Path | None) -> None:
    """检查协议文件：缺什么、有无矛盾、引文是否见于原文。有问题时以状态 1 结束。"""
    if len(files) > 1 and (fills or document):
        raise click.UsageError("一次检查多份协议文件时，不能给出 --fill 和 --document")
    sound = True
    for file in files:
        problems = check(_given(file, fills, document))
        sound = sound and not problems
        if len(files) > 1:
            click.echo(f"{file.name}：")
        for problem in problems:
            place = f"第 {problem.line} 行，" if problem.line else ""
            clause = f"（依据：{clause_word(problem.clause)}）" if problem.clause else ""
            click.echo(f"{place}{problem.key}{clause}：{problem.message}")
        click.echo(f"共 {len(problems)} 个问题。" if problems else "没有问题，可以发布。")
    sys.exit(0 if sound else 1)


@agreement.command("publish")
@click.argument("file", type=_FILE)
@click.option("--fill", "fills", type=_FILE, multiple=True, help="双方补充约定的参数文件，可多次给出")
@click.option("--document", type=_FILE, help="协议原文；默认为 policies/documents/ 下的原文")
@click.option("--by", required=True, help="提请人的登录名")
@click.option("--second", required=True, help="发布人的登录名，须是另一人")
def publish_command(
    file: Path, *, fills: tuple[Path, ...], document: Path | None, by: str, second: str
) -> None:
    """发布协议版本：一人提请，另一人发布；发布后不能修改。"""
    store = database()
    proposer, publisher = acting(store, login=by), acting(store, login=second)
    require(proposer, _PUBLISH)
    require(publisher, _PUBLISH)
    given = _given(file, fills, document)

    def work(session: Session, at: datetime) -> VersionAnswer:
        made = propose_agreement(session, given, actor=proposer, at=at)
        return publish_agreement(session, made.version_id, actor=publisher, at=at)

    done = store.transaction(work)
    click.echo(f"已发布 {done.code}（协议 {done.agreement}）。")


@agreement.command("end")
@click.argument("code")
@click.option("--from", "from_on", type=click.DateTime(["%Y-%m-%d"]), help="从这一天起不再下单，默认为今天")
@click.option("--reason", required=True, help="终止的理由")
@click.option("--document-no", default="", help="决定的文号")
@click.option("--by", required=True, help="经办人的登录名")
def end_command(code: str, *, from_on: datetime | None, reason: str, document_no: str, by: str) -> None:
    """终止协议版本：从某一天起不再下单，已下的订单继续办完。"""
    first = from_on.date() if from_on else None
    _step("end", code, reason=reason, document_no=document_no, from_on=first, by=by)


@agreement.command("revoke")
@click.argument("code")
@click.option("--reason", required=True, help="撤销的理由")
@click.option("--document-no", default="", help="决定的文号")
@click.option("--by", required=True, help="经办人的登录名")
def revoke_command(code: str, *, reason: str, document_no: str, by: str) -> None:
    """撤销协议版本：立即停止下单、锁定和核销，已锁定的额度在订单释放时退回。"""
    _step("revoke", code, reason=reason, document_no=document_no, from_on=None, by=by)


def _step(deed: str, code: str, *, by: str, **request: str | date | None) -> None:
    store = database()
    actor = acting(store, login=by)
    require(actor, _PUBLISH)

    def work(session: Session, at: datetime) -> VersionAnswer:
        asked = StepRequest(version_id=version_of_code(session, code), **request)  # type: ignore[arg-type]
        return _DEEDS[deed](session, asked, actor=actor, at=at)

    done = store.transaction(work)
    click.echo(f"{done.code} {done.state.label}。")


_DEEDS: Final = {"end": end_agreement, "revoke": revoke_agreement}


def _given(file: Path, fills: tuple[Path, ...], document: Path | None) -> AgreementText:
    text, texts = _text(file), tuple(_text(fill) for fill in fills)
    stored = document or _stored(file, text, texts)
    return AgreementText(text=text, fills=texts, document_text=_text(stored) if stored else None)


def _stored(file: Path, text: str, fills: tuple[str, ...]) -> Path | None:
    """The text of the document that an agreement names, in the folder of documents beside its own folder."""
    try:
        name = read(text, fills).document
    except AgreementError as unreadable:
        if unreadable.partial is None:
            return None
        name = unreadable.partial.document
    for folder in (file.parent / "documents", file.parent.parent / "documents"):
        if (stored := folder / f"{name}.txt").is_file():
            return stored
    return None


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as fault:
        raise click.ClickException(f"{file.name} 不是 UTF-8 文字（第 {fault.start + 1} 个字节）") from fault
