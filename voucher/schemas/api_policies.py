"""Published policies in JSON."""

from __future__ import annotations

from dataclasses import fields as fields_of
from dataclasses import is_dataclass
from datetime import date
from typing import Any

from marshmallow import fields

from voucher.queries.policies import Parameter, PolicyFile, VersionLine
from voucher.schemas.api_fields import day
from voucher.schemas.base import Body


class PolicyLineAnswer(Body):
    """A published version of a policy; it is in force from a day until before another."""

    code = fields.String(required=True)
    programme_code = fields.String(required=True)
    programme_name = fields.String(required=True)
    document_no = fields.String(required=True)
    effective_from = day()
    effective_to = day(none=True)
    filled = fields.Integer(required=True, metadata={"description": "文件未规定、由主管部门确定的参数个数"})


class PoliciesAnswer(Body):
    """Every published version."""

    policies = fields.List(fields.Nested(PolicyLineAnswer), required=True)


class ParameterAnswer(Body):
    """A parameter: where it stands in the document, or who filled it in."""

    key = fields.String(required=True)
    value = fields.Raw(required=True, allow_none=True)
    source = fields.Dict(required=True, allow_none=True)
    fill = fields.Dict(required=True, allow_none=True)
    is_required = fields.Boolean(required=True)


class PolicyAnswer(Body):
    """A version with every parameter. Amounts in fen, rates in basis points."""

    code = fields.String(required=True)
    programme_code = fields.String(required=True)
    document_no = fields.String(required=True)
    sha256 = fields.String(required=True)
    effective_from = day()
    effective_to = day(none=True)
    parameters = fields.List(fields.Nested(ParameterAnswer), required=True)


def policy_line(line: VersionLine) -> dict[str, Any]:
    """What `PolicyLineAnswer` says of a version."""
    return {name: plain(getattr(line, name)) for name in PolicyLineAnswer().fields}


def policy_answer(file: PolicyFile) -> dict[str, Any]:
    """What `PolicyAnswer` says of a version."""
    version = file.version
    return {
        "code": version.code,
        "programme_code": version.programme_code,
        "document_no": version.document_no,
        "sha256": version.sha256,
        "effective_from": version.effective_from.isoformat(),
        "effective_to": plain(version.effective_to),
        "parameters": [_parameter(each) for each in file.parameters],
    }


def plain(value: Any) -> Any:
    """A value of a policy as JSON knows it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields_of(value)}
    if isinstance(value, tuple | list | frozenset | set):
        return [plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {name: plain(getattr(parameter, name)) for name in ParameterAnswer().fields}
