"""Forms of programme officers and finance about vouchers and budgets, and of administrators about people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields, validate, validates_schema

from voucher.schemas.account import PasswordField
from voucher.schemas.base import ChoiceField, CodeField, DayField, Form, IdField, TextField, YuanField
from voucher.terms import PostingKind, Role, VoucherState

MOST_AT_ONCE: Final = 1000
A_YEAR: Final = validate.Range(2000, 2199, error="年度应写作 2026 的形式。")
_BETWEEN: Final = re.compile(r"[\s,，;；、]+")


class VoucherSearch(Form):
    """The filter over the list of vouchers."""

    state = ChoiceField(VoucherState, load_default=None)
    text = TextField(load_default="", maximum=60)
    line = CodeField(load_default="", maximum=60)
    page = IdField(load_default=1)


class IssueForm(Form):
    """Vouchers of one face value for many holders: ticked, or pasted as USCCs one a line."""

    line_code = CodeField(required=True, maximum=60)
    face = YuanField(required=True)
    holders = fields.List(CodeField(), load_default=list)
    pasted = TextField(load_default="", maximum=40_000, multiline=True)

    @validates_schema
    def some(self, data: Mapping[str, Any], **_: Any) -> None:
        """Somebody is meant, and not more at once than the ledger posts together."""
        chosen = holders_of(data)
        if not chosen:
            raise ValidationError("请勾选单位，或粘贴统一社会信用代码。", "pasted")
        if len(chosen) > MOST_AT_ONCE:
            raise ValidationError(f"一次最多 {MOST_AT_ONCE} 家，请分批办理。", "pasted")


def holders_of(data: Mapping[str, Any]) -> list[str]:
    """Everybody that an issue form names, each once, in the order of the form."""
    pasted = [part for part in _BETWEEN.split(data.get("pasted", "")) if part]
    return list(dict.fromkeys([*data.get("holders", ()), *(part.upper()[:40] for part in pasted)]))


class LineForm(Form):
    """A budget line to be opened."""

    code = CodeField(required=True, maximum=60)
    programme_code = CodeField(required=True)
    year = IdField(required=True, validate=A_YEAR)
    name = TextField(required=True, maximum=80)


class FundForm(Form):
    """An appropriation document that puts an amount on a line."""

    document_no = TextField(required=True, maximum=80)
    amount = YuanField(required=True)


class ClosePeriodForm(Form):
    """The last day that is closed; `step` says whether it was checked already."""

    step = fields.String(load_default="check")
    through = DayField(required=True)


class YearSearch(Form):
    """A filter by fiscal year."""

    year = IdField(load_default=None, validate=A_YEAR)


class PostingSearch(Form):
    """The filter over the ledger's postings."""

    kind = ChoiceField(PostingKind, load_default=None)
    from_on = DayField(load_default=None)
    to_on = DayField(load_default=None)
    account = IdField(load_default=None)
    order = CodeField(load_default="", maximum=24)
    before = CodeField(load_default="", maximum=80)


class AccountPage(Form):
    """Where in the entries of an account."""

    before = IdField(load_default=0)


class CapSearch(Form):
    """The filter over caps."""

    text = TextField(load_default="", maximum=60)
    period = IdField(load_default=None, validate=A_YEAR)
    page = IdField(load_default=1)


class EnrolForm(Form):
    """A new person with one role and what it is for."""

    login = CodeField(required=True)
    name = TextField(required=True, maximum=40)
    password = PasswordField(required=True)
    role = ChoiceField(Role, required=True)
    scope = TextField(load_default="", maximum=60)
    function = CodeField(load_default=None)
