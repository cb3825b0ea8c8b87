"""Importing the roster of sci-tech SMEs: every error at once, and all or nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from tests import factories
from tests.factories import World
from tests.pace import within
from voucher.codes import make_uscc
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.models.parties import Holder, Organisation, RosterEntry, RosterImport
from voucher.operations.import_roster import Imported, RosterFile, RosterRow, import_roster, preview
from voucher.operations.regions import ZoneRequest, add_zones
from voucher.terms import RosterFault


@pytest.fixture
def world(database: Database) -> World:
    return database.transaction(lambda s, at: factories.shanxi(s, at=at))


def row(line: int, **changes: str) -> RosterRow:
    fine = {
        "name": f"名单企业{line}",
        "uscc": make_uscc("140105", 500_000 + line),
        "roster_no": f"2026140105A{line:07d}",
        "region": "140105",
    }
    return RosterRow(line, **{**fine, **changes})


def file(*rows: RosterRow, year: int = 2026, sha256: str = "a" * 64) -> RosterFile:
    return RosterFile("名单.xlsx", sha256, year, rows)


def bring(database: Database, world: World, roster: RosterFile) -> Imported:
    return database.transaction(lambda s, at: import_roster(s, roster, actor=world.reviewer, at=at))


def counts(database: Database) -> tuple[int, ...]:
    with database.read() as session:
        tables = (Organisation, Holder, RosterImport, RosterEntry)
        return tuple(
            session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables
        )


def test_every_fault_of_every_row_is_named_with_its_line(database: Database, world: World) -> None:
    first = row(2)
    rows = [
        first,
        row(3, name=" "),
        row(4, uscc="91140105000000000X"),
        row(5, uscc=first.uscc),
        row(6, roster_no=first.roster_no),
        row(7, roster_no=""),
        row(8, region="月球市"),
        row(9, region="西安市"),
        row(10, uscc=world.firm.uscc),
        row(11, region="山西省 太原市小店区"),
        row(12, region="小店区"),
    ]
    with database.read() as session:
        found = preview(session, rows, world.year, actor=world.reviewer)
    assert [(error.line, error.field, error.fault) for error in found.errors] == [
        (3, "name", RosterFault.NAME_EMPTY),
        (4, "uscc", RosterFault.USCC_INVALID),
        (5, "uscc", RosterFault.USCC_TWICE),
        (6, "roster_no", RosterFault.NUMBER_TWICE),
        (7, "roster_no", RosterFault.NUMBER_EMPTY),
        (8, "region", RosterFault.REGION_UNKNOWN),
        (9, "region", RosterFault.REGION_OUTSIDE),
        (10, "roster_no", RosterFault.OTHER_NUMBER),
    ]
    assert [entry.line for entry in found.entries] == [2, 11, 12]
    assert {entry.region_code for entry in found.entries} == {"140105"}


def test_one_wrong_row_and_nothing_is_imported(database: Database, world: World) -> None:
    before = counts(database)
    with pytest.raises(Refusal) as refusal:
        bring(database, world, file(row(2), row(3, name=""), row(4, uscc="X", region="?")))
    assert refusal.value.code is Code.ROSTER_INVALID
    assert refusal.value.facts == {"rows": 2, "errors": 3}
    assert counts(database) == before
    with pytest.raises(Refusal):
        bring(database, world, file())


def test_a_roster_makes_its_firms_holders_and_the_same_file_changes_nothing(
    database: Database, world: World
) -> None:
    before = counts(database)
    roster = file(row(2), row(3))
    made = bring(database, world, roster)
    assert (made.rows, made.replayed) == (2, False)
    assert [after - old for after, old in zip(counts(database), before, strict=True)] == [2, 2, 1, 2]
    again = bring(database, world, roster)
    assert (again.import_id, again.replayed) == (made.import_id, True)
    longer = bring(database, world, file(*roster.rows, row(4), sha256="b" * 64))
    assert (longer.rows, longer.replayed) == (3, False)
    assert [after - old for after, old in zip(counts(database), before, strict=True)] == [3, 3, 2, 3]


def test_a_number_of_another_firm_is_refused(database: Database, world: World) -> None:
    bring(database, world, file(row(2)))
    with database.read() as session:
        taken = preview(session, [row(9, roster_no=row(2).roster_no)], 2026, actor=world.reviewer)
        next_year = preview(session, [row(9, roster_no=row(2).roster_no)], 2027, actor=world.reviewer)
    assert [error.fault for error in taken.errors] == [RosterFault.NUMBER_TAKEN]
    assert not next_year.errors


def test_a_name_that_two_regions_share_must_be_given_in_full(database: Database, world: World) -> None:
    zones = [ZoneRequest("140100", "A", "高新区"), ZoneRequest("140500", "A", "高新区")]
    database.transaction(lambda s, at: add_zones(s, zones, actor=world.officer, at=at))
    with database.read() as session:
        found = preview(
            session, [row(2, region="高新区"), row(3, region="晋城市高新区")], 2026, actor=world.reviewer
        )
    assert [(error.line, error.fault) for error in found.errors] == [(2, RosterFault.REGION_AMBIGUOUS)]
    assert [entry.region_code for entry in found.entries] == ["140500-A"]


def test_ten_thousand_rows_take_seconds(database: Database, world: World) -> None:
    rows = [row(line) for line in range(2, 10_002)]
    with within(10):
        assert bring(database, world, file(*rows)).rows == 10_000
