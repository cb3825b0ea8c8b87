"""Forms about claims and holders, as reviewers fill them in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from voucher.schemas.base import ChoiceField, CodeField, DayField, Form, IdField, TextField, YuanField
from voucher.schemas.programme import A_YEAR
from voucher.terms import CertificationState, Certifier, ClaimState, TrimCause, Verdict, VoucherKind


class ClaimSearch(Form):
    """The filter over the list of claims, as it stands in the address."""

    state = ChoiceField(ClaimState, load_default=None)
    text = TextField(load_default="", maximum=60)
    from_on = DayField(load_default=None)
    to_on = DayField(load_default=None)
    page = IdField(load_default=1)


class TaxListSearch(Form):
    """The filter over the invoices to be looked up: those not looked up within some days; submitted claims too."""

    days = IdField(load_default=None, validate=validate.Range(1, 3660, error="天数应在 1 到 3660 之间。"))
    everything = CodeField(load_default="")


class DecisionForm(Form):
    """The decision on a claim. A trim has an amount below the one claimed; trim and rejection have a reason."""

    verdict = ChoiceField(Verdict, required=True)
    approved = YuanField(load_default=None)
    audited = YuanField(load_default=None)
    cause = ChoiceField(TrimCause, load_default=TrimCause.OTHER)
    budget_line = TextField(load_default="", maximum=60)
    minutes_no = TextField(load_default="", maximum=80)
    minutes_on = DayField(load_default=None)
    reason = TextField(load_default="", maximum=500, multiline=True)

    @validates_schema
    def complete(self, data: Mapping[str, Any], **_: Any) -> None:
        """What each verdict needs is there."""
        wrong: dict[str, list[str]] = {}
        if data["verdict"] is Verdict.TRIM and data["approved"] is None:
            wrong["approved"] = ["核减时请填写核定金额。"]
        if data["verdict"] is not Verdict.APPROVE and not data["reason"]:
            wrong["reason"] = ["核减或不同意时请写明理由，企业将看到这段文字。"]
        if wrong:
            raise ValidationError(wrong)


class RosterForm(Form):
    """The year of a roster file; the file itself is no field of the form."""

    year = IdField(required=True, validate=A_YEAR)


class RosterConfirmation(RosterForm):
    """Which previewed file is to be imported."""

    sha256 = CodeField(required=True, maximum=64)
    file_name = TextField(required=True, maximum=200)


class HolderSearch(Form):
    """The filter over the list of holders."""

    programme = CodeField(load_default="")
    year = IdField(load_default=None, validate=A_YEAR)
    text = TextField(load_default="", maximum=60)
    standing = CodeField(load_default="")
    page = IdField(load_default=1)


class QualifyForm(Form):
    """Holders to be qualified for the year of today, ticked one by one, or all that stand on the roster."""

    programme = CodeField(required=True)
    holders = fields.List(CodeField(), load_default=list)
    everyone = CodeField(load_default="")

    @validates_schema
    def some(self, data: Mapping[str, Any], **_: Any) -> None:
        """Somebody is meant."""
        if not data["holders"] and not data["everyone"]:
            raise ValidationError("请至少勾选一家单位。", "holders")


class PlatformSearch(Form):
    """The filter over the register of platforms."""

    text = TextField(load_default="", maximum=60)
    state = ChoiceField(CertificationState, load_default=None)
    page = IdField(load_default=1)


class CertifyForm(Form):
    """A certification; `to_on` is the last day, both included."""

    certifier = ChoiceField(Certifier, required=True)
    region_code = CodeField(required=True, maximum=20)
    kinds = fields.List(ChoiceField(VoucherKind), required=True)
    services = fields.List(CodeField(), required=True)
    document_no = TextField(required=True, maximum=80)
    from_on = DayField(required=True)
    to_on = DayField(load_default=None)

    @validates_schema
    def ordered(self, data: Mapping[str, Any], **_: Any) -> None:
        """The time has a beginning before its end."""
        if data["to_on"] is not None and data["to_on"] < data["from_on"]:
            raise ValidationError("截止日期不能早于起始日期。", "to_on")
