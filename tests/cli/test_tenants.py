"""`voucher tenants`: a base's list of tenants from a file."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.operations.startup_world import Base
from tests.operations.stories import snapshot
from voucher.cli import main
from voucher.clock import wall_now
from voucher.codes import make_uscc
from voucher.db import Database
from voucher.models.parties import Holder
from voucher.models.people import Person
from voucher.models.tenancies import Tenancy
from voucher.terms import CentreKind

UNKNOWN = tuple(make_uscc("630105", 900_000 + place) for place in range(3))


@pytest.fixture
def base(sqlite_database: Database) -> Base:
    return Base(sqlite_database, at=wall_now())


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, base: Base) -> Callable[..., Result]:
    monkeypatch.setenv("DATABASE_URL", base.database.url.render_as_string(hide_password=False))
    with base.database.read() as session:
        login = session.get_one(Person, base.manager.person_id).login
    return lambda *words: CliRunner().invoke(main, ["tenants", *map(str, words), "--by", login])


def stays(base: Base) -> dict[str, tuple[date, date | None]]:
    """The days of each tenant, by name."""
    with base.database.read() as session:
        query = select(Tenancy).join(Holder, Holder.id == Tenancy.holder_id)
        return {row.holder.name: (row.entered_on, row.left_on) for row in session.scalars(query)}


def workbook(*rows: tuple[object, ...]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.create_sheet(index=0)
    for row in rows:
        sheet.append(list(row))
    into = io.BytesIO()
    book.save(into)
    return into.getvalue()


def test_a_list_is_registered_whole_from_csv_in_either_coding_and_from_a_workbook(
    base: Base, run: Callable[..., Result], tmp_path: Path
) -> None:
    known = base.tenant(entered_on=date(2025, 6, 1))
    fresh, later, third = UNKNOWN
    head = "名称,统一社会信用代码,入驻日期,退出日期\n"
    file = tmp_path / "名单.csv"
    file.write_text(f"{head}老企业,{known.ref},2025-06-01,\n高原创客有限公司,{fresh},2026-01-05,\n", "utf-8")
    assert "可登记 2 家，其中新单位 1 家；错误 0 处" in run("preview", file).output
    assert len(stays(base)) == 1
    assert "已登记 2 家" in run("import", file).output
    file.write_bytes(f"{head}青海湖数据有限公司,{later},2026/02/01,\n".encode("gb18030"))
    assert "已登记 1 家" in run("import", file, "--centre", base.centre_id).output
    book = tmp_path / "名单.xlsx"
    days = (date(2026, 1, 5), date(2026, 12, 31))
    book.write_bytes(workbook(tuple(head.strip().split(",")), ("昆仑生物有限公司", third, *days)))
    assert "已登记 1 家" in run("import", book).output
    before = stays(base)
    assert before["昆仑生物有限公司"] == days
    assert before["青海湖数据有限公司"] == (date(2026, 2, 1), None)
    assert "已登记 1 家" in run("import", book).output
    assert stays(base) == before


def test_of_a_list_with_errors_every_one_is_named_and_nothing_is_registered(
    base: Base, run: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "名单.csv"
    rows = (f"好企业,{UNKNOWN[0]},2026-01-05", "坏代码,123,2026-01-05", f"坏日期,{UNKNOWN[1]},去年")
    file.write_text("\n".join(("名称,统一社会信用代码,入驻日期", *rows)), "utf-8")
    before = snapshot(base.database)
    seen = run("preview", file)
    assert seen.exit_code == 1
    assert "第 3 行：统一社会信用代码或临时编号不正确：123" in seen.output
    assert "第 4 行：入驻日期不正确" in seen.output and "去年" in seen.output
    refused = run("import", file)
    assert refused.exit_code == 2 and "roster_invalid" in refused.stderr
    file.write_text("名称,入驻日期\n好企业,2026-01-05\n", "utf-8")
    assert "统一社会信用代码" in run("import", file).stderr
    assert snapshot(base.database) == before


def test_whoever_manages_several_centres_names_one_and_never_anothers(
    base: Base, run: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "名单.csv"
    file.write_text(f"名称,统一社会信用代码,入驻日期\n好企业,{UNKNOWN[0]},2026-01-05\n", "utf-8")

    def others(session: Session, at: object) -> int:
        return base.certified(session, factories.organisation(session, region_code="630105").id)

    foreign = base.do(others)
    assert "not_found" in run("import", file, "--centre", foreign).stderr
    second = base.do(lambda s, at: base.certified(s, base.organisation_id, kind=CentreKind.STARTUP_PARK))
    asked = run("import", file)
    assert asked.exit_code == 2 and f"{second}：" in asked.stderr
    assert stays(base) == {}
