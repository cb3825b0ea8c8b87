"""Forms of the review: the desk's filter, defects, opinions, signatures, hand-overs, recusals, stand-ins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from voucher.schemas.base import (
    ChoiceField,
    CodeField,
    DayField,
    Form,
    IdField,
    PartyField,
    TextField,
    YuanField,
)
from voucher.terms import ClaimItem, ClaimState, OpinionVerdict


class DeskSearch(Form):
    """The filter over the desk, as it stands in the address: `side` us, firm, done or all; `whose` mine or free."""

    side = CodeField(load_default="")
    state = ChoiceField(ClaimState, load_default=None)
    whose = CodeField(load_default="")
    overdue = CodeField(load_default="")
    text = TextField(load_default="", maximum=60)
    from_on = DayField(load_default=None)
    to_on = DayField(load_default=None)
    page = IdField(load_default=1)


class ReturnForm(Form):
    """What is to be mended: each ticked item with its text, `text_<item>`."""

    items = fields.List(ChoiceField(ClaimItem), load_default=list)
    text_contract = TextField(load_default="", maximum=500, multiline=True)
    text_invoices = TextField(load_default="", maximum=500, multiline=True)
    text_payment = TextField(load_default="", maximum=500, multiline=True)
    text_result = TextField(load_default="", maximum=500, multiline=True)
    text_payee = TextField(load_default="", maximum=500, multiline=True)
    text_other = TextField(load_default="", maximum=500, multiline=True)
    contact = TextField(required=True, maximum=80)
    late_reason = TextField(load_default="", maximum=500, multiline=True)

    @validates_schema
    def complete(self, data: Mapping[str, Any], **_: Any) -> None:
        """At least one item is ticked, and each ticked one says what is wrong; a text without tick is a slip."""
        items = set(data["items"])
        wrong: dict[str, list[str]] = {}
        if not items:
            wrong["items"] = ["请至少勾选一项。"]
        for item in ClaimItem:
            said = data[f"text_{item.value}"]
            if item in items and not said:
                wrong[f"text_{item.value}"] = ["请写明这一项要怎样补正。"]
            if item not in items and said:
                wrong[f"text_{item.value}"] = ["写了补正要求但没有勾选这一项。"]
        if wrong:
            raise ValidationError(wrong)


class HandOverForm(Form):
    """To whom a case is given, and what they should know."""

    colleague = IdField(required=True)
    note = TextField(load_default="", maximum=500, multiline=True)


class InviteForm(Form):
    """Which expert is asked, and until when."""

    expert = IdField(required=True)
    due_on = DayField(required=True)


class ReportForm(Form):
    """A third party's report; its file is no field of the form."""

    report_organisation = TextField(required=True, maximum=120)
    report_no = TextField(required=True, maximum=80)
    reported_on = DayField(required=True)
    report_amount = YuanField(required=True)
    report_text = TextField(load_default="", maximum=2000, multiline=True)


class SignForm(Form):
    """What an authority says of a case; an objection has its reason."""

    function = CodeField(required=True)
    agreed = CodeField(required=True)
    sign_text = TextField(load_default="", maximum=500, multiline=True)

    @validates_schema
    def complete(self, data: Mapping[str, Any], **_: Any) -> None:
        """Yes or no, and why not."""
        if data["agreed"] not in ("yes", "no"):
            raise ValidationError("请选择同意或不同意。", "agreed")
        if data["agreed"] == "no" and not data["sign_text"]:
            raise ValidationError("不同意时请写明理由。", "sign_text")


class OpinionForm(Form):
    """An expert's answer: a verdict with amount and text, or the conflict that forbids one."""

    verdict = ChoiceField(OpinionVerdict, load_default=None)
    amount = YuanField(load_default=None)
    text = TextField(load_default="", maximum=2000, multiline=True)
    conflict = TextField(load_default="", maximum=200)

    @validates_schema
    def complete(self, data: Mapping[str, Any], **_: Any) -> None:
        """Either a whole opinion or a conflict."""
        if (data["verdict"] is None) != bool(data["conflict"]):
            raise ValidationError("请给出评审意见；有利害关系的，只填写回避声明。", "verdict")
        if data["verdict"] is not None and not data["text"]:
            raise ValidationError("请写明评审理由。", "text")
        if data["verdict"] is OpinionVerdict.SUPPORT_LESS and data["amount"] is None:
            raise ValidationError("建议核减时请填写建议金额。", "amount")


class RecusalForm(Form):
    """In which organisation somebody has an interest, and what it is; nobody chosen: oneself."""

    person = IdField(load_default=None)
    uscc = PartyField(required=True)
    reason = TextField(required=True, maximum=200)


class StandInForm(Form):
    """Who stands in, from a day to the last day (both included)."""

    colleague = IdField(required=True)
    from_on = DayField(required=True)
    last_on = DayField(required=True)

    @validates_schema
    def ordered(self, data: Mapping[str, Any], **_: Any) -> None:
        """The time has a beginning before its end."""
        if data["last_on"] < data["from_on"]:
            raise ValidationError("截止日期不能早于起始日期。", "last_on")
