"""Forms and bodies about public notices, objections, holidays, and how people are told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from marshmallow import ValidationError, fields, validate, validates_schema

from voucher.schemas.base import ChoiceField, CodeField, DayField, Form, IdField, TextField
from voucher.terms import (
    DayKind,
    MessageChannel,
    MessageState,
    NoticeState,
    ObjectionChannel,
    ObjectionState,
)

MOST_LINES: Final = 1000
_EMAIL: Final = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)
_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_YEAR: Final = validate.Range(2000, 2199, error="年度应写作 2026 的形式。")
_RECORDED: Final = (ObjectionChannel.TELEPHONE, ObjectionChannel.COUNTER)


class _NoticeFields:
    programme_code = CodeField(required=True, maximum=40)
    title = TextField(required=True, maximum=120)
    authority = TextField(required=True, maximum=80)
    contact = TextField(required=True, maximum=200)


class NoticeForm(_NoticeFields, Form):
    """A notice of approved claims to be published."""

    claims = fields.List(
        CodeField(),
        required=True,
        validate=validate.Length(1, MOST_LINES, error="请勾选要公示的申请（一次最多 1000 笔）。"),
    )


class _PlaceFields:
    address = TextField(required=True, maximum=300)
    placed_on = DayField(required=True)


class PlaceForm(_PlaceFields, Form):
    """Where a notice was put outside the product, and since when."""


class _ObjectionFields:
    objector = TextField(required=True, maximum=60)
    contact = TextField(required=True, maximum=120)
    body = TextField(required=True, maximum=2000, minimum=5, multiline=True)


class ObjectionForm(_ObjectionFields, Form):
    """An objection as anybody makes it."""


class RecordedForm(_ObjectionFields, Form):
    """An objection that an official writes down."""

    subject = CodeField(required=True, maximum=40)
    via = ChoiceField(ObjectionChannel, required=True)

    @validates_schema
    def not_by_page(self, data: Mapping[str, Any], **_: Any) -> None:
        """What is written down came by telephone or at the counter."""
        if data.get("via") not in _RECORDED:
            raise ValidationError("请选择电话或现场。", "via")


class _AnswerFields:
    verdict = ChoiceField(ObjectionState, required=True)
    reason = TextField(required=True, maximum=500, minimum=2)

    @validates_schema
    def decided(self, data: Mapping[str, Any], **_: Any) -> None:
        """An answer is a yes or a no."""
        if data.get("verdict") is ObjectionState.LODGED:
            raise ValidationError("请选择处理结论。", "verdict")


class AnswerForm(_AnswerFields, Form):
    """What the bureau makes of an objection."""


class LookUpForm(Form):
    """The number of an objection and its word."""

    number = CodeField(required=True, maximum=32)
    word = CodeField(required=True, maximum=12)


class NoticeSearch(Form):
    """The filter over notices."""

    state = ChoiceField(NoticeState, load_default=None)
    programme = CodeField(load_default="", maximum=40)
    page = IdField(load_default=1)


class ObjectionSearch(Form):
    """The filter over objections."""

    state = ChoiceField(ObjectionState, load_default=None)
    page = IdField(load_default=1)


class _HolidayFields:
    day = DayField(required=True)
    kind = ChoiceField(DayKind, required=True)
    name = TextField(required=True, maximum=40)
    document_no = TextField(required=True, maximum=80)


class HolidayForm(_HolidayFields, Form):
    """A day off, or a weekend day that is worked, and the document that says so; `until` makes it a run of days."""

    until = DayField(load_default=None)

    @validates_schema
    def in_order(self, data: Mapping[str, Any], **_: Any) -> None:
        """A run of days goes forward, and is no longer than a month."""
        first, last = data.get("day"), data.get("until")
        if isinstance(first, date) and isinstance(last, date) and not 0 <= (last - first).days <= 30:
            raise ValidationError("结束日期应不早于开始日期，且一次最多 31 天。", "until")


class DayForm(Form):
    """One day of the table."""

    day = DayField(required=True)


class YearSearch(Form):
    """The year of a page."""

    year = fields.Integer(
        load_default=None, validate=_YEAR, error_messages={"invalid": "年度应写作 2026 的形式。"}
    )


class ContactFields:
    """Addresses and channels, as a form or a body brings them."""

    email = TextField(load_default="", maximum=120, minimum=0)
    mobile = TextField(load_default="", maximum=20, minimum=0)
    channels = fields.List(ChoiceField(MessageChannel), load_default=list)

    @validates_schema
    def usable(self, data: Mapping[str, Any], **_: Any) -> None:
        """Addresses that exist can be written to; a chosen channel has one."""
        email, mobile, chosen = data.get("email", ""), data.get("mobile", ""), data.get("channels", ())
        if email and not _EMAIL.fullmatch(email):
            raise ValidationError("电子邮箱应写作 name@example.com 的形式。", "email")
        if mobile and not _MOBILE.fullmatch(mobile):
            raise ValidationError("手机号码应为 11 位数字。", "mobile")
        if MessageChannel.EMAIL in chosen and not email:
            raise ValidationError("选择电子邮件时，请填写电子邮箱。", "email")
        if {MessageChannel.SMS, MessageChannel.WECHAT} & set(chosen) and not mobile:
            raise ValidationError("选择短信或微信时，请填写手机号码。", "mobile")


class ContactForm(ContactFields, Form):
    """Where somebody wants to be told."""


class InboxSearch(Form):
    """The filter over one's messages."""

    unread = CodeField(load_default="", maximum=3)
    page = IdField(load_default=1)


class ReadForm(Form):
    """The message that was read; none means all."""

    message = IdField(load_default=None)


class OutboxSearch(Form):
    """The filter over what left the house."""

    state = ChoiceField(MessageState, load_default=None)
    channel = ChoiceField(MessageChannel, load_default=None)
    page = IdField(load_default=1)


class AgainForm(Form):
    """A dead message that is to be sent after all."""

    message = IdField(required=True)
