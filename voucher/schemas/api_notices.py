"""Public notices in JSON."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from voucher.clock import iso
from voucher.queries.notices import (
    NoticeFile,
    NoticeSummary,
    PublishableClaim,
)
from voucher.schemas.api_fields import (
    JsonDayField,
    PageAnswer,
    PageQuery,
    amount,
    bounded,
    day,
    moment,
    state,
)
from voucher.schemas.base import Body, ChoiceField, CodeField, TextField
from voucher.terms import (
    NoticeKind,
    NoticeOutcome,
    NoticeState,
    ObjectionState,
)


class NoticeBody(Body):
    """A notice of approved claims to be published."""

    programme_code = CodeField(required=True)
    claim_nos = fields.List(TextField(maximum=24), required=True, validate=bounded())
    title = TextField(required=True, maximum=120)
    authority = TextField(required=True, maximum=80, metadata={"description": "受理异议的单位"})
    contact = TextField(required=True, maximum=200, metadata={"description": "印在公示上的联系方式"})


class NoticePlaceBody(Body):
    """Where a notice was put outside the product, and since when."""

    address = TextField(required=True, maximum=300)
    placed_on = JsonDayField(required=True)


class NoticesQuery(PageQuery):
    """Which notices."""

    state = ChoiceField(NoticeState)


class NoticeLineAnswer(Body):
    """One line of a notice."""

    seq = fields.Integer(required=True)
    subject = fields.String(required=True)
    enterprise = fields.String(required=True)
    provider = fields.String(required=True)
    service = fields.String(required=True)
    contract_fen = amount("合同金额", none=True)
    subsidy_fen = amount("拟补助金额", none=True)
    outcome = state(NoticeOutcome)


class NoticeSummaryAnswer(Body):
    """A notice in a list."""

    number = fields.String(required=True)
    kind = state(NoticeKind)
    title = fields.String(required=True)
    authority = fields.String(required=True)
    state = state(NoticeState)
    from_on = day()
    to_on = day("最后一天")


class NoticesAnswer(PageAnswer):
    """Notices, the newest first."""

    notices = fields.List(fields.Nested(NoticeSummaryAnswer), required=True)


class ObjectionResultAnswer(Body):
    """An objection as everybody reads it."""

    number = fields.String(required=True)
    subject = fields.String(required=True)
    made_at = moment()
    state = state(ObjectionState)
    decided_at = moment(none=True)
    reason = fields.String(required=True)


class NoticePlaceAnswer(Body):
    """Where a notice hangs outside the product."""

    address = fields.String(required=True)
    placed_on = day()


class NoticeDetailAnswer(NoticeSummaryAnswer):
    """A notice with its lines, its objections and its places."""

    contact = fields.String(required=True)
    working_days = fields.Integer(required=True)
    weekends_only = fields.String(
        required=True, metadata={"description": "发布时节假日表没有的年份，只扣除了周末"}
    )
    open = fields.Boolean(required=True, metadata={"description": "今天是否可以提出异议"})
    lines = fields.List(fields.Nested(NoticeLineAnswer), required=True)
    objections = fields.List(fields.Nested(ObjectionResultAnswer), required=True)
    places = fields.List(fields.Nested(NoticePlaceAnswer), required=True)


class NoticeNumberAnswer(Body):
    """The number of a notice."""

    number = fields.String(required=True)
    to_on = day("最后一天")


class WaitingClaimAnswer(Body):
    """An approved claim that waits for a notice."""

    claim_no = fields.String(required=True)
    programme_code = fields.String(required=True)
    holder = fields.String(required=True)
    approved_fen = amount("核定金额")
    working_days = fields.Integer(required=True)


class WaitingClaimsAnswer(Body):
    """Approved claims that wait for a notice."""

    claims = fields.List(fields.Nested(WaitingClaimAnswer), required=True)


def notice_summary(line: NoticeSummary) -> dict[str, Any]:
    """A `NoticeSummaryAnswer`."""
    return {
        "number": line.number,
        "kind": line.kind.value,
        "title": line.title,
        "authority": line.authority,
        "state": line.state.value,
        "from_on": line.from_on.isoformat(),
        "to_on": line.to_on.isoformat(),
    }


def notice_detail(file: NoticeFile) -> dict[str, Any]:
    """A `NoticeDetailAnswer`."""
    notice = file.notice
    return {
        "number": notice.number,
        "kind": file.kind.value,
        "title": notice.title,
        "authority": notice.authority,
        "contact": notice.contact,
        "state": file.state.value,
        "from_on": notice.from_on.isoformat(),
        "to_on": notice.to_on.isoformat(),
        "working_days": notice.working_days,
        "weekends_only": notice.weekends_only,
        "open": file.open_,
        "lines": [
            {
                "seq": line.seq,
                "subject": line.subject,
                "enterprise": line.enterprise,
                "provider": line.provider,
                "service": line.service,
                "contract_fen": line.contract_fen,
                "subsidy_fen": line.subsidy_fen,
                "outcome": line.outcome.value,
            }
            for line in file.lines
        ],
        "objections": [
            {
                "number": each.number,
                "subject": each.subject,
                "made_at": iso(each.made_at),
                "state": each.state.value,
                "decided_at": iso(each.decided_at) if each.decided_at else None,
                "reason": each.reason,
            }
            for each in file.answers
        ],
        "places": [
            {"address": place.address, "placed_on": place.placed_on.isoformat()} for place in file.places
        ],
    }


def waiting_claim(claim: PublishableClaim) -> dict[str, Any]:
    """A `WaitingClaimAnswer`."""
    return {
        "claim_no": claim.number,
        "programme_code": claim.programme_code,
        "holder": claim.holder_name,
        "approved_fen": claim.approved_fen,
        "working_days": claim.working_days,
    }
