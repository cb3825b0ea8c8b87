"""The service catalogue: firms search it, platforms keep it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, identified, operation
from voucher.api.entry import change, now, reading
from voucher.clock import business_date
from voucher.errors import Code
from voucher.operations.catalogue import EntryRequest, list_entries, withdraw_entries
from voucher.operations.outcome import only
from voucher.queries.catalogue import CatalogueFilter, catalogue
from voucher.schemas import api_catalogue as schemas
from voucher.schemas.api_catalogue import entry_answer, entry_detail

blueprint = Endpoints("catalogue_v1", __name__, url_prefix="/api/v1", description="服务清单")


@blueprint.route("/catalogue", methods=["GET"])
@operation("查询服务清单", "enterprise:order:place", "provider:catalogue:write")
@blueprint.arguments(schemas.CatalogueQuery, location="query")
@blueprint.response(200, schemas.CatalogueAnswer)
def search(query: dict[str, Any]) -> dict[str, Any]:
    """在库平台列出的服务，标价低的在前，面议在后。按条目下单：POST /orders 写明 entry_id。"""
    wanted = CatalogueFilter(
        text=query.get("text", ""),
        service=query.get("service", ""),
        region=query.get("region", ""),
        most_fen=query.get("most_fen"),
    )
    with reading() as session:
        found = catalogue(session, wanted, on=business_date(now()), page=query["page"], size=query["size"])
        return {
            "page": found.page,
            "pages": found.pages,
            "total": found.total,
            "entries": [entry_detail(line) for line in found.rows],
        }


@blueprint.route("/catalogue", methods=["POST"])
@operation(
    "列入服务清单",
    "provider:catalogue:write",
    refuses=(Code.NOT_FOUND, Code.SERVICE_NOT_CERTIFIED, Code.ENTRY_WITHDRAWN),
    keyed=True,
)
@blueprint.arguments(schemas.CatalogueEntryBody)
@blueprint.response(201, schemas.CatalogueEntryAnswer)
def add(body: dict[str, Any]) -> dict[str, Any]:
    """机构把一项服务列入清单。要修改的，列入新条目并写明取代哪一条。"""
    asked = EntryRequest(**body)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return entry_answer(only(list_entries(session, [asked], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/catalogue/<entry_id>/withdraw", methods=["POST"])
@operation("下架", "provider:catalogue:write", refuses=(Code.NOT_FOUND, Code.ENTRY_WITHDRAWN), keyed=True)
@blueprint.response(200, schemas.CatalogueEntryAnswer)
def withdraw(entry_id: str) -> dict[str, Any]:
    """条目从清单下架，不删除；已下的订单不受影响。"""
    wanted = identified(entry_id)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return entry_answer(only(withdraw_entries(session, [wanted], actor=current_actor(), at=at)))

    return change(work, body={})
