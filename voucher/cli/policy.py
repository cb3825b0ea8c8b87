"""`voucher policy`: is a policy file fit to publish, and publishing it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from voucher.cli.context import acting, database, require
from voucher.operations.publish import PublishRequest, check, publish
from voucher.rules.policy import PolicyError
from voucher.rules.policy_reading import read

_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def policy() -> None:
    """政策：检查、发布政策版本。"""


@policy.command("check")
@click.argument("file", type=_FILE)
@click.option("--fill", "fills", type=_FILE, multiple=True, help="主管部门填写的参数文件，可多次给出")
@click.option("--document", type=_FILE, help="政策文件原文；默认为同目录 documents/ 下的原文")
def check_command(file: Path, *, fills: tuple[Path, ...], document: Path | None) -> None:
    """检查政策文件：缺什么、有无矛盾、引文是否见于原文。有问题时以状态 1 结束。"""
    texts = tuple(fill.read_text("utf-8") for fill in fills)
    problems = check(file.read_text("utf-8"), texts, document_text=_document(file, texts, document))
    for problem in problems:
        place = f"第 {problem.line} 行，" if problem.line else ""
        clause = f"（依据第 {problem.clause} 条）" if problem.clause else ""
        click.echo(f"{place}{problem.key}{clause}：{problem.message}")
    click.echo(f"共 {len(problems)} 个问题。" if problems else "没有问题，可以发布。")
    sys.exit(1 if problems else 0)


@policy.command("publish")
@click.argument("file", type=_FILE)
@click.option("--fill", "fills", type=_FILE, multiple=True, help="主管部门填写的参数文件，可多次给出")
@click.option("--document", type=_FILE, help="政策文件原文；默认为同目录 documents/ 下的原文")
@click.option("--book", required=True, help="出资账簿的代码")
@click.option("--by", required=True, help="发布人的登录名")
def publish_command(
    file: Path, *, fills: tuple[Path, ...], document: Path | None, book: str, by: str
) -> None:
    """发布政策版本；发布后不能修改。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "programme:policy:publish")
    texts = tuple(fill.read_text("utf-8") for fill in fills)
    request = PublishRequest(
        text=file.read_text("utf-8"),
        fills=texts,
        document_text=_document(file, texts, document),
        book_code=book,
    )
    made = store.transaction(lambda session, at: publish(session, request, actor=actor, at=at))
    click.echo(f"已发布 {made.policy_code}（项目 {made.programme_code}）。")


def stored_document(file: Path, text: str, fills: tuple[str, ...]) -> str | None:
    """The text of the document that a policy file names, beside it under documents/; None where there is none."""
    try:
        name = read(text, fills).document
    except PolicyError:
        return None
    stored = file.parent / "documents" / f"{name}.txt"
    return stored.read_text("utf-8") if stored.is_file() else None


def _document(file: Path, fills: tuple[str, ...], document: Path | None) -> str | None:
    if document is not None:
        return document.read_text("utf-8")
    return stored_document(file, file.read_text("utf-8"), fills)
