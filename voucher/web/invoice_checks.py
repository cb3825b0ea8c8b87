"""Looking invoices up at the tax bureau before money moves: the list out, the verdicts back in (税务查验)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal
from voucher.operations.tax_checks import record_tax_checks
from voucher.queries.tax_list import TaxLine, TaxListFilter, tax_list
from voucher.reports.sheets import MOST_BYTES, read_table
from voucher.reports.tax_list import as_csv, as_xlsx, tax_results
from voucher.rules.permissions import permitted
from voucher.schemas.claims import TaxListSearch
from voucher.schemas.messages import sentence
from voucher.terms import TaxVerdict
from voucher.web.access import current_actor, permits
from voucher.web.entry import change, form_body, form_key, now, reading
from voucher.web.filtering import filters_of

blueprint = Blueprint("invoice_checks", __name__, url_prefix="/invoices")
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SHOWN: Final = 200


@blueprint.get("/")
@permits("finance:invoice:read")
def index() -> ResponseReturnValue:
    """The invoices of claims on their way to the money, and which were not looked up lately."""
    return _page({}), 200


@blueprint.get("/list.<any('csv', 'xlsx'):form>")
@permits("finance:invoice:read")
def export(form: str) -> ResponseReturnValue:
    """The list as a table, with empty columns for the verdicts."""
    lines, _ = _lines()
    answer: Response = make_response(as_csv(lines) if form == "csv" else as_xlsx(lines))
    answer.mimetype = "text/csv" if form == "csv" else _XLSX
    answer.headers["Content-Disposition"] = f"attachment; filename=invoices-{business_date(now())}.{form}"
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/")
@permits("finance:invoice:check")
def record() -> ResponseReturnValue:
    """Take the verdicts in, all or none: a row that cannot be read refuses the whole file, line by line."""
    upload = request.files.get("file")
    content = upload.stream.read(MOST_BYTES + 1) if upload else b""
    if not content:
        return _page({"file": ["请选择查验结果文件（.xlsx 或 .csv）。"]}), 422
    try:
        results, faults = tax_results(read_table(content), today=business_date(now()))
    except Refusal as refusal:
        return _page({"file": [sentence(refusal)]}), 422
    if faults or not results:
        said = [f"第 {fault.line} 行：{fault.reason}。" for fault in faults[:50]]
        return _page({"file": said or ["文件中没有查验结果。"]}), 422
    actor = current_actor()

    def work(session: Session, at: datetime) -> dict[str, Any]:
        found = record_tax_checks(session, results, actor=actor, at=at)
        return {verdict.value: number for verdict, number in found.items()}

    try:
        answer = change(work, key=form_key(), body={**form_body(), "rows": [repr(each) for each in results]})
    except Refusal as refusal:
        return _page(
            {"file": [sentence(refusal) + f"发票：{refusal.facts.get('invoice', '')}"]}
        ), refusal.status
    found = "，".join(f"{TaxVerdict(name).label} {number} 张" for name, number in answer.items())
    flash(f"已登记查验结果：{found}。", "success")
    return redirect(url_for(".index"), 303)


def _lines() -> tuple[list[TaxLine], dict[str, Any]]:
    wanted, args = filters_of(TaxListSearch)
    days = wanted["days"]
    since = business_date(now()) - timedelta(days=days) if days else None
    with reading() as session:
        found = tax_list(session, current_actor(), TaxListFilter(since, not wanted["everything"]))
    return found, args


def _page(errors: dict[str, list[str]]) -> str:
    lines, args = _lines()
    return render_template(
        "finance/invoices.html",
        lines=lines[:_SHOWN],
        total=len(lines),
        args=args,
        errors=errors,
        may_record=permitted(current_actor(), "finance:invoice:check"),
    )
