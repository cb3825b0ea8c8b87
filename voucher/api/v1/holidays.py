"""The table of holidays that working days are counted with."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, operation
from voucher.api.entry import change, reading
from voucher.errors import Code
from voucher.operations.outcome import only
from voucher.operations.set_holidays import HolidayRequest, remove_holidays, set_holidays
from voucher.queries.holidays import holidays_of
from voucher.schemas import api_holidays as schemas
from voucher.schemas.api_fields import CountAnswer

blueprint = Endpoints("holidays_v1", __name__, url_prefix="/api/v1", description="节假日")


@blueprint.route("/holidays", methods=["GET"])
@operation("节假日表", "programme:holiday:read")
@blueprint.arguments(schemas.HolidaysQuery, location="query")
@blueprint.response(200, schemas.HolidaysAnswer)
def of_year(query: dict[str, Any]) -> dict[str, Any]:
    """一个年度与平常周不同的日期；known 为 false 的年度只按周末计算。"""
    with reading() as session:
        return schemas.holidays_answer(holidays_of(session, query["year"]))


@blueprint.route("/holidays", methods=["POST"])
@operation("录入节假日", "programme:holiday:write", refuses=(Code.HOLIDAY_NEEDLESS,), keyed=True)
@blueprint.arguments(schemas.HolidaysBody)
@blueprint.response(200, CountAnswer)
def enter(body: dict[str, Any]) -> dict[str, Any]:
    """录入放假或调休上班的日期，全部录入或全部不录入。"""
    asked = [HolidayRequest(day["day"], day["kind"], day["name"], day["document_no"]) for day in body["days"]]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        done = [only([each]) for each in set_holidays(session, asked, actor=current_actor(), at=at)]
        return {"count": len(done)}

    return change(work, body=body)


@blueprint.route("/holidays/remove", methods=["POST"])
@operation("删除节假日", "programme:holiday:write", keyed=True)
@blueprint.arguments(schemas.HolidayDaysBody)
@blueprint.response(200, CountAnswer)
def remove(body: dict[str, Any]) -> dict[str, Any]:
    """删除误录的日期，恢复按平常周计算；返回删除的天数。"""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"count": remove_holidays(session, body["days"], actor=current_actor(), at=at)}

    return change(work, body=body)
