"""Applying in JSON, what goes out: applications, decisions, the public queue, offers, appeals."""

from __future__ import annotations

from marshmallow import fields

from voucher.schemas.api_fields import (
    JsonIdField,
    PageAnswer,
    PartyAnswer,
    RefusedAnswer,
    amount,
    day,
    moment,
    state,
)
from voucher.schemas.base import Body
from voucher.terms import AppealChannel, AppealState, ApplicationState, HolderClass


class AppliedAnswer(Body):
    """An application after a deed of its firm."""

    number = fields.String(required=True)
    queue_no = fields.Integer(required=True)
    state = state(ApplicationState)
    voucher_no = fields.String(required=True, allow_none=True)


class ApplicationLineAnswer(Body):
    """An application in a list."""

    number = fields.String(required=True)
    queue_no = fields.Integer(required=True)
    year = fields.Integer(required=True)
    state = state(ApplicationState)
    submitted_at = moment()
    programme_code = fields.String(required=True)
    holder = fields.Nested(PartyAnswer, required=True)
    wanted_fen = amount("申领")
    approved_fen = amount("核定", none=True)


class ApplicationsAnswer(PageAnswer):
    """A page of applications in queue order."""

    applications = fields.List(fields.Nested(ApplicationLineAnswer), required=True)


class OwnApplicationsAnswer(Body):
    """All of one's own applications, newest first."""

    applications = fields.List(fields.Nested(ApplicationLineAnswer), required=True)


class ApplicationAnswer(ApplicationLineAnswer):
    """Everything on one application."""

    ahead = fields.Integer(required=True, metadata={"description": "前面还有多少件"})
    purpose = fields.String(required=True)
    holder_class = state(HolderClass)
    reason = fields.String(required=True)
    undertaking_version = fields.Integer(required=True, allow_none=True)
    signed_name = fields.String(required=True)
    signed_at = moment(none=True)
    voucher_no = fields.String(required=True, allow_none=True)
    appeals = fields.List(fields.String(), required=True)


class DecidedItemAnswer(Body):
    """One decision, or why it was refused. `sent_back`: a rule refused the voucher, and it waits for review again."""

    number = fields.String(required=True)
    state = fields.String(required=True, allow_none=True)
    voucher_no = fields.String(required=True, allow_none=True)
    sent_back = fields.String(required=True, allow_none=True)
    refused = fields.Nested(RefusedAnswer, required=True, allow_none=True)


class DecidedAnswer(Body):
    """Every decision in the order of the request."""

    decisions = fields.List(fields.Nested(DecidedItemAnswer), required=True)


class QueueLineAnswer(Body):
    """An application in the public queue."""

    queue_no = fields.Integer(required=True)
    name = fields.String(required=True, metadata={"description": "遮盖后的名称"})
    region_name = fields.String(required=True)
    state = state(ApplicationState)
    submitted_at = moment()


class QueueAnswer(PageAnswer):
    """A page of the public queue."""

    year = fields.Integer(required=True)
    queue = fields.List(fields.Nested(QueueLineAnswer), required=True)


class OpeningAnswer(Body):
    """A published window."""

    opens_at = moment()
    closes_at = moment(none=True)
    document_no = fields.String(required=True)


class BenefitAnswer(Body):
    """What could be got, and what is paid first."""

    programme_code = fields.String(required=True)
    policy_code = fields.String(required=True)
    document_no = fields.String(required=True)
    is_open = fields.Boolean(required=True)
    windows = fields.List(fields.Nested(OpeningAnswer), required=True)
    holder_class = state(HolderClass)
    service = fields.String(required=True)
    voucher_fen = amount("券面")
    contract_for_voucher_fen = amount("用满一张券所需的合同", none=True)
    order_most_fen = amount("单个订单最多补助")
    orders_at_least = fields.Integer(required=True)
    contract_fen = amount("计算的合同")
    subsidy_fen = amount("补助")
    own_fen = amount("自己承担")
    pay_first_fen = amount("先付")
    back_fen = amount("以后退还")
    payout_mode = fields.String(required=True)
    evidence = fields.List(fields.String(), required=True)
    usual_seconds = fields.Integer(required=True, allow_none=True)


class ProgrammeAnswer(Body):
    """A programme that anybody may ask about."""

    code = fields.String(required=True)
    name = fields.String(required=True)


class ProgrammesAnswer(Body):
    """Every programme, by name."""

    programmes = fields.List(fields.Nested(ProgrammeAnswer), required=True)


class ConditionAnswer(Body):
    """One condition of applying."""

    name = fields.String(required=True)
    title = fields.String(required=True)
    is_met = fields.Boolean(required=True)
    missing = fields.String(required=True)
    remedy = fields.String(required=True)


class UndertakingAnswer(Body):
    """The undertaking to be signed, in full."""

    version = fields.Integer(required=True)
    text = fields.String(required=True)
    sha256 = fields.String(required=True)


class StandingAnswer(Body):
    """Where one's own firm stands before a programme, before anything is filled in."""

    holder = fields.Nested(PartyAnswer, required=True)
    holder_class = state(HolderClass)
    is_eligible = fields.Boolean(required=True)
    conditions = fields.List(fields.Nested(ConditionAnswer), required=True)
    undertaking = fields.Nested(UndertakingAnswer, required=True, allow_none=True)
    cap_left_fen = amount("本年度上限还剩", none=True)


class WindowAnswer(Body):
    """The window that stands."""

    id = JsonIdField(required=True)


class WindowLineAnswer(Body):
    """A published window in the officer's list."""

    id = JsonIdField(required=True)
    programme_code = fields.String(required=True)
    year = fields.Integer(required=True)
    line_code = fields.String(required=True)
    opens_at = moment()
    closes_at = moment(none=True)
    document_no = fields.String(required=True)


class WindowsAnswer(Body):
    """Every window of the officer's programmes, the latest first."""

    windows = fields.List(fields.Nested(WindowLineAnswer), required=True)


class VersionAnswer(Body):
    """The version that stands."""

    version = fields.Integer(required=True)


class AppealAnswer(Body):
    """An appeal as it stands."""

    number = fields.String(required=True)
    subject = fields.String(required=True)
    channel = state(AppealChannel)
    state = state(AppealState)
    holder_name = fields.String(required=True)
    lodged_at = moment()


class AppealsAnswer(PageAnswer):
    """A page of appeals."""

    appeals = fields.List(fields.Nested(AppealAnswer), required=True)


class AppealDetailAnswer(AppealAnswer):
    """An appeal with its text and result. `appellant` is the side whose appeal it is."""

    appellant = fields.String(required=True)
    text = fields.String(required=True)
    appeal_by = day(none=True)
    result = fields.String(required=True)
    decided_at = moment(none=True)


class AppealedAnswer(Body):
    """An appeal after it was lodged or decided; `held_fen` is what was held again for a claim that is reviewed again."""

    number = fields.String(required=True)
    subject = fields.String(required=True)
    state = state(AppealState)
    held_fen = fields.Integer(required=True)


class GivenBackAnswer(Body):
    """A voucher that was given back."""

    voucher_no = fields.String(required=True)
    amount_fen = amount("退回预算")
