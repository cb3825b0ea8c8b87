"""Signing in, passwords, and what a person sees of their own account."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from marshmallow import fields, validates_schema
from marshmallow.exceptions import ValidationError

from voucher.schemas.base import Body, Form, TextField

PasswordProfile = Literal["mlps", "nist"]

LONGEST_PASSWORD: Final = 128
_SHORTEST: Final[Mapping[PasswordProfile, int]] = {"mlps": 10, "nist": 15}
_KINDS: Final = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^A-Za-z0-9]")


class PasswordField(TextField):
    """A password as it was typed: never trimmed, at most 128 characters."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(maximum=LONGEST_PASSWORD, load_only=True, **rest)
        self.metadata = {**self.metadata, "format": "password"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not value:
            raise ValidationError("请填写密码。")
        if len(value) > LONGEST_PASSWORD:
            raise ValidationError(f"密码最多 {LONGEST_PASSWORD} 个字符。")
        return value


class SignInForm(Form):
    """The sign-in page."""

    login = TextField(required=True, maximum=40)
    password = PasswordField(required=True)


class ProofForm(Form):
    """The password, asked for again."""

    password = PasswordField(required=True)


class ChangePasswordForm(Form):
    """The old password, and the new one twice."""

    password = PasswordField(required=True)
    new_password = PasswordField(required=True)
    again = PasswordField(required=True)

    @validates_schema
    def agree(self, data: Mapping[str, Any], **_: Any) -> None:
        """Both new ones are the same, and not the old one."""
        if data["new_password"] != data["again"]:
            raise ValidationError("两次输入的新密码不一致。", "again")
        if data["new_password"] == data["password"]:
            raise ValidationError("新密码不能与原密码相同。", "new_password")


class LoginBody(Body):
    """POST /login."""

    login = TextField(required=True, maximum=40, metadata={"example": "reviewer"})
    password = PasswordField(required=True)


class TokenAnswer(Body):
    """A bearer token. Send it as `Authorization: Bearer TOKEN`."""

    token = fields.String(required=True)
    expires_at = fields.String(required=True, metadata={"format": "date-time"})


class GrantAnswer(Body):
    """A role, and what it is for."""

    role = fields.String(required=True)
    label = fields.String(required=True)
    scope = fields.String(required=True)
    from_on = fields.String(required=True, metadata={"format": "date"})
    to_on = fields.String(required=True, allow_none=True, metadata={"format": "date"})


class MeAnswer(Body):
    """Whoever the token belongs to."""

    ref = fields.String(required=True, metadata={"description": "how ledger and journal name this person"})
    login = fields.String(required=True)
    name = fields.String(required=True)
    roles = fields.List(fields.Nested(GrantAnswer), required=True)


def password_fault(password: str, *, login: str, profile: PasswordProfile) -> str | None:
    """Why a new password is too weak, as a sentence, or None.

    `mlps` (网络安全等级保护): 10 characters of three kinds. `nist` (SP 800-63B): 15 characters of any kind.
    """
    shortest = _SHORTEST[profile]
    if len(password) < shortest:
        return f"密码至少 {shortest} 个字符。"
    if len(password) > LONGEST_PASSWORD:
        return f"密码最多 {LONGEST_PASSWORD} 个字符。"
    if login.lower() in password.lower():
        return "密码不能包含用户名。"
    if len(set(password)) < 5:
        return "密码中不同的字符太少。"
    if profile == "mlps" and sum(bool(re.search(kind, password)) for kind in _KINDS) < 3:
        return "密码应包含大写字母、小写字母、数字、符号中的至少三种。"
    return None
