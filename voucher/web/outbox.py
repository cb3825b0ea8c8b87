"""Administrators: what left the house, what could not, and sending it after all. No text and no address is shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.dispatch.ways import open_channels
from voucher.operations.outbox import CODE_ENDED, INTERRUPTED, NO_ADDRESS, TOO_OLD, send_again
from voucher.queries.messages import OutboxFilter, outbox, outbox_counts
from voucher.schemas.base import load_form
from voucher.schemas.notices import AgainForm, OutboxSearch
from voucher.terms import MessageChannel, MessageState
from voucher.web.access import current_actor, permits
from voucher.web.entry import change, form_body, form_key, reading, settings
from voucher.web.filtering import filters_of

blueprint = Blueprint("outbox", __name__, url_prefix="/admin/messages")

_FAULTS: Final = {
    INTERRUPTED: "发送时中断，不能确定是否已送达",
    NO_ADDRESS: "收件人已取消该渠道",
    TOO_OLD: "超过 7 天未能发出",
    CODE_ENDED: "验证码已失效，请重新签发",
    "smtp_unreachable": "邮件服务器连接不上",
    "smtp_uncertain": "邮件服务器中途断开，不能确定是否已送达",
    "gateway_unreachable": "消息网关连接不上",
    "folder_unwritable": "演示目录不能写入",
}


@blueprint.get("/")
@permits("admin:message:read")
def index() -> ResponseReturnValue:
    """What left the house or should have."""
    wanted, args = filters_of(OutboxSearch)
    with reading() as session:
        page = outbox(session, OutboxFilter(wanted["state"], wanted["channel"]), page=wanted["page"])
        counts = outbox_counts(session)
    return render_template(
        "messages/outbox.html",
        page=page,
        counts=counts,
        args=args,
        states=MessageState,
        channels=[channel for channel in MessageChannel if channel is not MessageChannel.INBOX],
        open_channels=open_channels(settings()),
        faults=_FAULTS,
    )


@blueprint.post("/again")
@permits("admin:message:send")
def send_again_() -> ResponseReturnValue:
    """Send a dead message after all."""
    data, errors = load_form(AgainForm, request.form)
    if not errors:

        def work(session: Session, at: datetime) -> dict[str, Any]:
            return {"count": send_again(session, [data["message"]], actor=current_actor(), at=at)}

        count = change(work, key=form_key(), body=form_body())["count"]
        flash("已放回待发。" if count else "该消息已不在未送达状态。", "success" if count else "warning")
    return redirect(url_for("outbox.index"), 303)
