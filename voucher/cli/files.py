"""`voucher files`: prove that every file is what was kept, take copies, and sweep what nothing names."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click
from sqlalchemy.exc import SQLAlchemyError

from voucher.cli.context import database, settings
from voucher.cli.file_work import FileReport, a_day_before, back_up_all, sweep_all, verify_all
from voucher.clock import wall_now
from voucher.operations.check_files import CHANGED, MISSING, UNREADABLE, FileFault

_WRONG: Final = {MISSING: "不见了", CHANGED: "内容变了", UNREADABLE: "无法读取"}


@click.group()
def files() -> None:
    """材料文件：核验、备份、清理。"""


@files.command("verify")
@click.option("--json", "as_json", is_flag=True, help="以一个 JSON 对象输出报告。")
def verify_command(*, as_json: bool) -> None:
    """重新计算每个材料文件的 sha256，指出不见的和内容变了的文件。

    退出码：0 全部完好，1 有文件不符，2 无法核验。
    """
    try:
        report = verify_all(database(), settings().files_dir)
    except (SQLAlchemyError, OSError) as failure:
        click.echo(f"无法核验：{failure}", err=True)
        sys.exit(2)
    click.echo(_json(report) if as_json else _text(report, "全部完好"))
    sys.exit(1 if report.faults else 0)


@files.command("backup")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def backup_command(folder: Path) -> None:
    """把 FOLDER 里还没有的材料文件复制过去，边复制边核验；已有的不动。

    退出码：0 全部完好，1 有文件不符（没有复制），2 无法备份。
    """
    try:
        source, target = settings().files_dir.resolve(), folder.resolve()
        if target == source or source in target.parents or target in source.parents:
            raise OSError("备份不能放在材料目录里面，也不能把它包在里面")
        report = back_up_all(database(), source, target)
    except (SQLAlchemyError, OSError) as failure:
        click.echo(f"无法备份：{failure}", err=True)
        sys.exit(2)
    click.echo(_text(report, f"新复制 {report.copied} 个，全部完好"))
    sys.exit(1 if report.faults else 0)


@files.command("sweep")
def sweep_command() -> None:
    """删除一天以上没有人用、也没有任何业务引用的文件：没有提交的上传、只看过没有导入的名单。"""
    done = sweep_all(database(), settings().files_dir, unused_since=a_day_before(wall_now()))
    click.echo(
        f"删除无人引用的文件 {done.files} 个（{done.size_bytes:,} 字节），"
        f"没有传完的 {done.unfinished} 个，名单预览 {done.previews} 个。"
    )


def _json(report: FileReport) -> str:
    return json.dumps({"sound": not report.faults, **asdict(report)}, ensure_ascii=False)


def _text(report: FileReport, sound: str) -> str:
    lines = [_line(fault) for fault in report.faults]
    verdict = f"{len(report.faults)} 个文件不符" if report.faults else sound
    lines.append(f"{verdict}：{report.files} 个文件，{report.size_bytes:,} 字节")
    return "\n".join(lines)


def _line(fault: FileFault) -> str:
    named = f"（引用处：{'、'.join(fault.named_by)}）" if fault.named_by else ""
    return f"{fault.sha256}：{_WRONG[fault.wrong]}{named}"
