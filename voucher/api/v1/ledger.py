"""The ledger for reading: postings, accounts, caps."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, identified, listed_page, operation
from voucher.api.entry import reading
from voucher.errors import Code, Refusal, found
from voucher.queries import account_reading, ledger_reading
from voucher.schemas import api_ledger as schemas

blueprint = Endpoints("ledger_v1", __name__, url_prefix="/api/v1", description="账簿查询（只读）")

_READ: Final = "ledger:posting:read"


@blueprint.route("/ledger/postings", methods=["GET"])
@operation("凭证列表", _READ)
@blueprint.arguments(schemas.PostingsQuery, location="query")
@blueprint.response(200, schemas.PostingsAnswer)
def list_postings(query: dict[str, Any]) -> dict[str, Any]:
    """本级账簿的凭证，新的在前；以 next 取更早的一页。"""
    wanted = ledger_reading.PostingFilter(
        kind=query.get("kind"),
        from_on=query.get("from_on"),
        to_on=query.get("to_on"),
        order_number=query["order_no"],
    )
    with reading() as session:
        lines, mark = ledger_reading.postings(
            session, current_actor(), wanted, before=query["before"], size=query["size"]
        )
    return {"postings": [schemas.posting_line(line) for line in lines], "next": mark}


@blueprint.route("/ledger/postings/<posting_id>", methods=["GET"])
@operation("查看凭证", _READ, refuses=(Code.NOT_FOUND,))
@blueprint.response(200, schemas.PostingAnswer)
def show_posting(posting_id: str) -> dict[str, Any]:
    """一张凭证和它的全部分录。"""
    try:
        wanted = UUID(posting_id)
    except ValueError as unreadable:
        raise Refusal(Code.NOT_FOUND) from unreadable
    with reading() as session:
        return schemas.posting_answer(found(ledger_reading.posting_file(session, current_actor(), wanted)))


@blueprint.route("/ledger/accounts/<account_id>", methods=["GET"])
@operation("查看账户", _READ, refuses=(Code.NOT_FOUND,))
@blueprint.arguments(schemas.EntriesQuery, location="query")
@blueprint.response(200, schemas.AccountAnswer)
def show_account(query: dict[str, Any], account_id: str) -> dict[str, Any]:
    """一个账户的余额和明细，新的在前；以 next 取更早的一页（0 为没有了）。"""
    with reading() as session:
        return schemas.account_answer(
            found(
                account_reading.account_file(
                    session, current_actor(), identified(account_id), before=query["before"]
                )
            )
        )


@blueprint.route("/caps", methods=["GET"])
@operation("限额使用情况", _READ)
@blueprint.arguments(schemas.CapsQuery, location="query")
@blueprint.response(200, schemas.CapsAnswer)
def list_caps(query: dict[str, Any]) -> dict[str, Any]:
    """各单位的限额，用得多的在前，每页 50 项。"""
    with reading() as session:
        page = account_reading.caps(
            session, current_actor(), text=query["text"], period=query.get("period"), page=query["page"]
        )
    return listed_page(page, "caps", schemas.cap_line)
