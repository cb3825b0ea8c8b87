"""`voucher policy`: is a policy file fit to publish, what does a case earn by it, and publishing it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NoReturn

import click
from sqlalchemy.orm import Session

from voucher.cli.context import acting, database, require
from voucher.cli.policy_files import shelf, text_of
from voucher.money import format_yuan
from voucher.operations.fit_version import PublishRequest, parent_for
from voucher.operations.publish import Published, propose_version, publish_version
from voucher.rules import explain
from voucher.rules.policy import Policy, PolicyError, Problem
from voucher.rules.policy_check import problems_of
from voucher.rules.policy_reading import placed, read
from voucher.rules.subsidy import Step

_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def policy() -> None:
    """政策：检查、试算、发布政策版本。"""


@policy.command("check")
@click.argument("files", type=_FILE, nargs=-1, required=True)
@click.option("--fill", "fills", type=_FILE, multiple=True, help="主管部门填写的参数文件，可多次给出")
@click.option("--document", type=_FILE, help="政策文件原文；默认为同目录 documents/ 下的原文")
def check_command(files: tuple[Path, ...], *, fills: tuple[Path, ...], document: Path | None) -> None:
    """检查政策文件：缺什么、有无矛盾、引文是否见于原文。有问题时以状态 1 结束。

    上级政策在给出的文件、同目录的文件和数据库中查找；填写文件按其 [fill] policy 归到各自的版本。
    """
    if len(files) > 1 and document:
        raise click.UsageError("一次检查多份政策文件时，不能给出 --document")
    given = shelf(files, fills)
    sound = True
    for file in files:
        text, texts = text_of(file), given.fills_of(file, alone=len(files) == 1)
        parent = given.parent(text)
        stored = text_of(document) if document else stored_document(file, text, texts, parent)
        problems = problems_of(text, texts, document_text=stored, parent=parent)
        sound = sound and not problems
        if len(files) > 1:
            click.echo(f"{file.name}：")
        _tell(problems)
        click.echo(f"共 {len(problems)} 个问题。" if problems else "没有问题，可以发布。")
    sys.exit(0 if sound else 1)


@policy.command("explain")
@click.argument("file", type=_FILE)
@click.option("--fill", "fills", type=_FILE, multiple=True, help="主管部门填写的参数文件，可多次给出")
@click.option("--case", "case", type=_FILE, required=True, help="算例（JSON），写法见 docs/policies.md")
def explain_command(file: Path, *, fills: tuple[Path, ...], case: Path) -> None:
    """按政策文件试算一个算例，逐行写明依据。不读写数据库。有问题时以状态 1 结束。"""
    given = shelf([file], fills)
    text, texts = text_of(file), given.fills_of(file, alone=True)
    try:
        version = read(text, texts, parent=given.parent(text))
    except PolicyError as unreadable:
        _stop(placed(unreadable.problems, text, texts))
    if hindrances := explain.hindrances(version):
        _stop(placed(hindrances, text, texts))
    try:
        told = explain.explain(version, explain.read_case(version, text_of(case)))
    except PolicyError as unreadable:
        _stop(unreadable.problems)
    click.echo(f"{version.title}（{version.code}，{version.document_no}）")
    for number, step in enumerate(told.steps, start=1):
        click.echo(f"{number:2}. {step.label} → {_result(step)}（依据：{_basis(version, step)}）")
    click.echo(f"补助额：{format_yuan(told.amount_fen)} 元")


def _stop(problems: Sequence[Problem]) -> NoReturn:
    _tell(problems)
    click.echo(f"共 {len(problems)} 个问题。")
    sys.exit(1)


def _result(step: Step) -> str:
    if step.unit == "bp":
        return f"{step.value // 100}.{step.value % 100:02d}%"
    return f"{format_yuan(step.value)} 元"


def _basis(policy: Policy, step: Step) -> str:
    if step.clause is None:
        return "本算例"
    return f"{policy.document_no} {_item(step.clause)}" if step.clause.isdecimal() else step.clause


def _item(clause: str) -> str:
    """An item of a document: 第 18 条, or what is no number as it stands (文末)."""
    return f"第 {clause} 条" if clause.isdecimal() else clause


def _tell(problems: Sequence[Problem]) -> None:
    for problem in problems:
        place = f"第 {problem.line} 行，" if problem.line else ""
        clause = f"（依据：{_item(problem.clause)}）" if problem.clause else ""
        click.echo(f"{place}{problem.key}{clause}：{problem.message}" if problem.key else problem.message)


@policy.command("publish")
@click.argument("file", type=_FILE)
@click.option("--fill", "fills", type=_FILE, multiple=True, help="主管部门填写的参数文件，可多次给出")
@click.option("--document", type=_FILE, help="政策文件原文；默认为同目录 documents/ 下的原文")
@click.option("--book", required=True, help="出资账簿的代码")
@click.option("--by", required=True, help="提请人的登录名")
@click.option("--second", required=True, help="发布人的登录名，须是另一人")
def publish_command(
    file: Path, *, fills: tuple[Path, ...], document: Path | None, book: str, **people: str
) -> None:
    """发布政策版本：一人提请，另一人发布；发布后不能修改。"""
    store = database()
    proposer, publisher = acting(store, login=people["by"]), acting(store, login=people["second"])
    require(proposer, "programme:policy:propose")
    require(publisher, "programme:policy:publish")
    text, texts = text_of(file), tuple(text_of(fill) for fill in fills)

    def work(session: Session, at: datetime) -> Published:
        stored = (
            text_of(document) if document else stored_document(file, text, texts, parent_for(session, text))
        )
        request = PublishRequest(text=text, fills=texts, document_text=stored, book_code=book)
        open_ = propose_version(session, request, actor=proposer, at=at)
        return publish_version(session, open_.proposal_id, seen_sha256=open_.sha256, actor=publisher, at=at)

    made = store.transaction(work)
    click.echo(f"已发布 {made.policy_code}（项目 {made.programme_code}）。")


def stored_document(
    file: Path, text: str, fills: tuple[str, ...], parent: Policy | None = None
) -> str | None:
    """The text of the document that a policy file names, beside it under documents/; None where there is none."""
    try:
        name = read(text, fills, parent=parent).document
    except PolicyError as unreadable:
        if unreadable.readable is None:
            return None
        name = unreadable.readable.document
    stored = file.parent / "documents" / f"{name}.txt"
    return text_of(stored) if stored.is_file() else None
