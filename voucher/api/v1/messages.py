"""One's own messages and how one is told; the outbox, for administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, listed_page, operation
from voucher.api.entry import change, reading
from voucher.errors import Code
from voucher.operations.contacts import ContactRequest, mark_read, set_contact
from voucher.operations.outbox import send_again
from voucher.queries import messages as queries
from voucher.schemas import api_messages as schemas
from voucher.schemas.api_fields import CountAnswer, PageQuery

blueprint = Endpoints("messages_v1", __name__, url_prefix="/api/v1", description="消息")

_OWN = "own:account:read"


@blueprint.route("/messages", methods=["GET"])
@operation("我的消息", _OWN)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, schemas.MessagesAnswer)
def inbox(query: dict[str, Any]) -> dict[str, Any]:
    """本人的站内消息，新的在前。"""
    person_id = current_actor().person_id
    with reading() as session:
        page = queries.inbox(session, person_id, page=query["page"])
        return {
            **listed_page(page, "messages", schemas.message),
            "unread": queries.unread_count(session, person_id),
        }


@blueprint.route("/messages/read", methods=["POST"])
@operation("标为已读", _OWN, keyed=True)
@blueprint.arguments(schemas.ReadBody)
@blueprint.response(200, CountAnswer)
def read(body: dict[str, Any]) -> dict[str, Any]:
    """把本人的若干条或全部消息标为已读；返回原来未读的条数。"""
    ids = None if body["all"] else body["ids"]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"count": mark_read(session, ids, actor=current_actor(), at=at)}

    return change(work, body=body)


@blueprint.route("/me/contact", methods=["GET"])
@operation("我的通知方式", _OWN)
@blueprint.response(200, schemas.ContactAnswer)
def contact() -> dict[str, Any]:
    """本人的电子邮箱、手机号码和选择的站外渠道。"""
    with reading() as session:
        return schemas.contact(queries.contact_of(session, current_actor().person_id))


@blueprint.route("/me/contact", methods=["POST"])
@operation("设置通知方式", _OWN, refuses=(Code.CONTACT_MISSING,), keyed=True)
@blueprint.arguments(schemas.ContactBody)
@blueprint.response(200, schemas.ContactAnswer)
def write_contact(body: dict[str, Any]) -> dict[str, Any]:
    """设置本人的联系方式和站外渠道；站内消息始终会收到。"""
    asked = ContactRequest(body["email"], body["mobile"], frozenset(body["channels"]))

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return schemas.contact(set_contact(session, asked, actor=current_actor(), at=at))

    said = {**body, "channels": sorted(channel.value for channel in body["channels"])}
    return change(work, body=said)


@blueprint.route("/outbox", methods=["GET"])
@operation("站外消息", "admin:message:read")
@blueprint.arguments(schemas.OutboxQuery, location="query")
@blueprint.response(200, schemas.OutboxAnswer)
def outbox(query: dict[str, Any]) -> dict[str, Any]:
    """发往站外的消息和未能送达的原因；不含地址和正文。"""
    wanted = queries.OutboxFilter(query.get("state"), query.get("channel"))
    with reading() as session:
        page = queries.outbox(session, wanted, page=query["page"])
        return listed_page(page, "messages", schemas.outbox_line)


@blueprint.route("/outbox/again", methods=["POST"])
@operation("重新发送", "admin:message:send", keyed=True)
@blueprint.arguments(schemas.AgainBody)
@blueprint.response(200, CountAnswer)
def again(body: dict[str, Any]) -> dict[str, Any]:
    """把未能送达的消息放回待发；先核实确实没有送达。"""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"count": send_again(session, body["ids"], actor=current_actor(), at=at)}

    return change(work, body=body)
