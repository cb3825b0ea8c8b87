"""R8, the yearly table of centres (双创中心年度评价表, domain section 6): rows, CSV, workbook."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date
from typing import Final

import xlsxwriter
from sqlalchemy.orm import Session

from voucher.models.evaluations import CentreReport
from voucher.money import Fen, format_yuan
from voucher.operations.centre_reports import Due, reports_due
from voucher.queries.centres import CentreLine, centres_of_authority, reports_of
from voucher.queries.evaluations import ResultLine, results_of_year
from voucher.reports.payment_file import plain
from voucher.rules.permissions import Actor
from voucher.terms import ReportState

COLUMNS: Final = (
    "双创中心", "级别", "备案企业", "在孵企业", "毕业企业", "退出企业", "服务成效（次）", "应报季度", "逾期或未报",
    "投融资（元）", "活动（场）", "得分", "等次", "连续不合格年数", "处理",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CentreRow:
    """One centre's year. Counts of tenants are those of the last quarter that was reported, the others add up."""

    line: CentreLine
    filed_tenants: int
    in_incubation: int
    graduated: int
    exited: int
    services: int
    reports_due: int
    reports_late: int
    financing_fen: Fen
    activities: int
    result: ResultLine | None

    @property
    def sanction(self) -> str:
        """What was done about it."""
        if self.result is None or self.result.row.passed:
            return ""
        return self.line.state.label if self.result.order is None else "通报，限期整改"


def centre_table(session: Session, actor: Actor, year: int, *, today: date) -> list[CentreRow]:
    """The year of every centre of the actor's regions that was certified in it."""
    lines = centres_of_authority(session, actor)
    owed: dict[int, list[Due]] = {}
    for due in reports_due(session, [(line.row, line.path) for line in lines], [year]):
        owed.setdefault(due.centre.id, []).append(due)
    came = reports_of(session, [line.row.id for line in lines], [year])
    found = results_of_year(session, actor, year)
    return [
        _row(line, owed.get(line.row.id, []), came, found.get(line.row.id), today=today)
        for line in lines
        if line.row.from_on.year <= year and (line.row.to_on is None or line.row.to_on > date(year, 1, 1))
    ]


def _row(
    line: CentreLine,
    owed: list[Due],
    came: dict[tuple[int, int, int], CentreReport],
    result: ResultLine | None,
    *,
    today: date,
) -> CentreRow:
    reports = [row for (centre_id, _, _), row in sorted(came.items()) if centre_id == line.row.id]
    last = reports[-1].figures if reports else {}
    states = [report_state(due, came, today=today) for due in owed]
    sums = {
        name: sum(row.figures[name] for row in reports)
        for name in ("graduated", "exited", "services", "financing_fen", "activities")
    }
    return CentreRow(
        line=line,
        filed_tenants=last.get("filed_tenants", 0),
        in_incubation=last.get("in_incubation", 0),
        graduated=sums["graduated"],
        exited=sums["exited"],
        services=sums["services"],
        reports_due=sum(state is not ReportState.NOT_YET for state in states),
        reports_late=sum(state in (ReportState.LATE, ReportState.OVERDUE) for state in states),
        financing_fen=Fen(sums["financing_fen"]),
        activities=sums["activities"],
        result=result,
    )


def report_state(due: Due, came: dict[tuple[int, int, int], CentreReport], *, today: date) -> ReportState:
    """How a report that is owed stands today."""
    row = came.get((due.centre.id, due.year, due.quarter))
    if row is not None:
        return ReportState.LATE if row.late else ReportState.ON_TIME
    if today < due.opens_on:
        return ReportState.NOT_YET
    return ReportState.OVERDUE if today > due.due_on else ReportState.DUE


def cells(row: CentreRow) -> list[str]:
    """A row as text; amounts in yuan."""
    result = row.result.row if row.result else None
    counts = (row.filed_tenants, row.in_incubation, row.graduated, row.exited, row.services)
    return [
        row.line.row.name,
        row.line.row.grade or "—",
        *map(str, counts),
        str(row.reports_due),
        str(row.reports_late),
        format_yuan(row.financing_fen),
        str(row.activities),
        str(result.total) if result else "未评价",
        result.grade if result else "—",
        str(result.fails_in_row) if result else "—",
        row.sanction or "—",
    ]


def as_csv(rows: list[CentreRow]) -> bytes:
    """UTF-8 with byte order mark, formulas escaped."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([plain(cell) for cell in cells(row)])
    return buffer.getvalue().encode("utf-8-sig")


def as_xlsx(rows: list[CentreRow]) -> bytes:
    """A workbook with everything as text."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet, head = book.add_worksheet("年度评价"), book.add_format({"bold": True, "text_wrap": True})
        sheet.write_row(0, 0, COLUMNS, head)
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, 0, 28)
        for number, row in enumerate(rows, start=1):
            for column, cell in enumerate(cells(row)):
                sheet.write_string(number, column, cell)
    return buffer.getvalue()
