"""R15, 创业券使用表, as a page and as a file: for bases their own, for the authority its region's."""

from __future__ import annotations

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date, fiscal_year
from voucher.operations.policies import policies_of
from voucher.queries.startup_use import VoucherUse, startup_use
from voucher.reports.startup_use import as_csv
from voucher.schemas.base import load_form
from voucher.schemas.incubator import YearForm
from voucher.web.access import current_actor, permits
from voucher.web.entry import now, reading

blueprint = Blueprint("startup_use", __name__, url_prefix="/startup-vouchers")


@blueprint.get("/use")
@permits("programme:startup:read")
def page() -> ResponseReturnValue:
    """The table of a year's grants."""
    year, uses, labels = _read()
    return render_template("programme/startup_use.html", year=year, uses=uses, labels=labels)


@blueprint.get("/use.csv")
@permits("programme:startup:read")
def download() -> ResponseReturnValue:
    """The same table as a CSV file."""
    year, uses, labels = _read()
    answer = make_response(as_csv(uses, labels))
    answer.mimetype = "text/csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="startup-vouchers-{year}.csv"'
    return answer


def _read() -> tuple[int, list[VoucherUse], dict[str, str]]:
    at = now()
    data, errors = load_form(YearForm, request.args)
    year = data.get("year") if not errors else None
    year = year if year is not None and 2000 <= year <= 2999 else fiscal_year(at)
    with reading() as session:
        uses = startup_use(session, actor=current_actor(), on=business_date(at), year=year)
        labels = _labels(session, uses)
    return year, uses, labels


def _labels(session: Session, uses: list[VoucherUse]) -> dict[str, str]:
    found = policies_of(session, {use.policy_code for use in uses}) if uses else {}
    return {service.code: service.label for policy in found.values() for service in policy.services}
