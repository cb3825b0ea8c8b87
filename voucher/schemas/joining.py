"""Forms of joining: codes, accounts, authorisations, the counter of two, teams, staff and counter devices."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields, validates_schema

from voucher.schemas.account import PasswordField
from voucher.schemas.base import (
    ChoiceField,
    CodeField,
    DayField,
    Form,
    IdField,
    PartyField,
    TextField,
)
from voucher.terms import DeskKind, DeskState, HolderKind, Mandate, Role

_CODE: Final = re.compile(r"[0-9]{12}", re.ASCII)
_PIN: Final = re.compile(r"[0-9]{6}", re.ASCII)
MOST_LETTERS: Final = 500


class OneTimeCodeField(fields.Field[str]):
    """Twelve digits, in groups or not, of any script's full width."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = unicodedata.normalize("NFKC", value[:60]) if isinstance(value, str) else ""
        digits = re.sub(r"[\s-]", "", text)
        if not _CODE.fullmatch(digits):
            raise ValidationError("一次性验证码为 12 位数字，印在信函上。")
        return digits


class PinField(fields.Field[str]):
    """Six digits."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        digits = unicodedata.normalize("NFKC", value[:20]).strip() if isinstance(value, str) else ""
        if not _PIN.fullmatch(digits):
            raise ValidationError("PIN 为 6 位数字。")
        return digits


class _Twice(Form):
    """A new password, and the same once more."""

    password = PasswordField(required=True)
    again = PasswordField(required=True)

    @validates_schema
    def agree(self, data: Mapping[str, Any], **_: Any) -> None:
        """Both are the same."""
        if data["password"] != data["again"]:
            raise ValidationError("两次输入的密码不一致。", "again")


class JoinForm(_Twice):
    """Somebody without an account uses a code. `as_role` counts where the code opens an organisation's account."""

    uscc = PartyField(required=True)
    code = OneTimeCodeField(required=True)
    name = TextField(required=True, maximum=40)
    login = CodeField(required=True, maximum=40)
    as_role = fields.String(load_default="approver")


class JoinSignedInForm(Form):
    """Somebody who is signed in uses a code."""

    uscc = PartyField(required=True)
    code = OneTimeCodeField(required=True)
    as_role = fields.String(load_default="approver")


class ResetForm(_Twice):
    """A code for a lost password."""

    uscc = PartyField(required=True)
    code = OneTimeCodeField(required=True)


ACCOUNT_ROLES: Final[Mapping[str, tuple[Role, ...]]] = {
    "approver": (Role.ENTERPRISE_APPROVER,),
    "both": (Role.ENTERPRISE_APPROVER, Role.ENTERPRISE_OPERATOR),
    "operator": (Role.ENTERPRISE_OPERATOR,),
}
"""What the person who opens an organisation's account becomes, by what the form says."""


class LettersForm(Form):
    """Whose letters are to be printed."""

    organisations = fields.List(IdField(), load_default=list)

    @validates_schema
    def some(self, data: Mapping[str, Any], **_: Any) -> None:
        """At least one, and no more than a printer takes at once."""
        if not data["organisations"]:
            raise ValidationError("请勾选要打印信函的单位。", "organisations")
        if len(data["organisations"]) > MOST_LETTERS:
            raise ValidationError(f"一次最多打印 {MOST_LETTERS} 封。", "organisations")


class AuthoriseForm(Form):
    """Somebody is to act for the firm."""

    organisation_id = IdField(required=True)
    name = TextField(required=True, maximum=40)
    role = ChoiceField(Role, required=True)
    mandates = fields.List(ChoiceField(Mandate), load_default=list)
    from_on = DayField(required=True)
    to_on = DayField(required=True)


class LeaveForm(Form):
    """Somebody leaves, and who follows."""

    organisation_id = IdField(required=True)
    person_id = IdField(required=True)
    successor_id = IdField(load_default=None)


class DeskForm(Form):
    """Somebody at the bureau's counter asks for something."""

    kind = ChoiceField(DeskKind, required=True)
    ref = PartyField(required=True)
    name = TextField(load_default="", maximum=120)
    login = CodeField(load_default="", maximum=40)
    uscc = TextField(load_default="", maximum=40)
    legal_representative = TextField(load_default="", maximum=40)
    bank = TextField(load_default="", maximum=120)
    account_no = CodeField(load_default="", maximum=40)


class DeskSearch(Form):
    """The filter over the cases of the counter."""

    state = ChoiceField(DeskState, load_default=None)
    page = IdField(load_default=1)


class DeskDecisionForm(Form):
    """The second person's word."""

    decision = fields.String(required=True)
    reason = TextField(load_default="", maximum=200)

    @validates_schema
    def known(self, data: Mapping[str, Any], **_: Any) -> None:
        """Yes, or no with a reason."""
        if data["decision"] not in ("approve", "decline"):
            raise ValidationError("请选择。", "decision")
        if data["decision"] == "decline" and not data["reason"]:
            raise ValidationError("不予办理的，请写明理由。", "reason")


class TeamForm(Form):
    """A team or founder without a USCC; members one a line."""

    kind = ChoiceField(HolderKind, required=True)
    name = TextField(required=True, maximum=120)
    region_code = CodeField(required=True, maximum=20)
    members = TextField(required=True, maximum=4_000, multiline=True)


class StaffForm(Form):
    """Somebody is to work at a platform."""

    platform_id = IdField(required=True)
    role = ChoiceField(Role, required=True)


class EndStaffForm(Form):
    """Somebody no longer works at a platform."""

    platform_id = IdField(required=True)
    person_id = IdField(required=True)


class DeviceForm(Form):
    """This browser is to be a counter device."""

    platform_id = IdField(required=True)
    name = TextField(required=True, maximum=60)


class PinForm(Form):
    """One's own PIN, twice."""

    pin = PinField(required=True)
    again = PinField(required=True)

    @validates_schema
    def agree(self, data: Mapping[str, Any], **_: Any) -> None:
        """Both are the same."""
        if data["pin"] != data["again"]:
            raise ValidationError("两次输入的 PIN 不一致。", "again")


class EnterForm(Form):
    """Who is at the counter."""

    person_id = IdField(required=True)
    pin = PinField(required=True)
