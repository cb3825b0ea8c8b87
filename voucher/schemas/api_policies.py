"""Published policies in JSON."""

from __future__ import annotations

from dataclasses import fields as fields_of
from dataclasses import is_dataclass
from datetime import date
from typing import Any

from marshmallow import ValidationError, fields, validate

from voucher.queries.policies import Parameter, PolicyFile, VersionLine
from voucher.queries.policy_sheets import ProposalFile, ProposalLine, Sheet
from voucher.rules.policy_reading import LONGEST_FILE
from voucher.schemas.api_fields import day
from voucher.schemas.base import MAX_ID, Body, CodeField, TextField


class LongText(fields.Field[str]):
    """A file's text: at most 200,000 characters, no U+0000."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("应为文字。")
        if len(value) > LONGEST_FILE:
            raise ValidationError(f"最多 {LONGEST_FILE} 个字符。")
        if "\x00" in value:
            raise ValidationError("含有不可见的字符，请重新输入。")
        return value.replace("\r\n", "\n")


class PolicyLineAnswer(Body):
    """A published version of a policy; it is in force from a day until before another."""

    code = fields.String(required=True)
    programme_code = fields.String(required=True)
    programme_name = fields.String(required=True)
    document_no = fields.String(required=True)
    effective_from = day()
    effective_to = day(none=True)
    superseded_by = fields.String(required=True, allow_none=True)
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
    heir = fields.String(
        required=True, allow_none=True, metadata={"description": "继承自哪个版本；本版本自己的为空"}
    )


class PolicyAnswer(Body):
    """A version with every parameter. Amounts in fen, rates in basis points."""

    code = fields.String(required=True)
    programme_code = fields.String(required=True)
    document_no = fields.String(required=True)
    sha256 = fields.String(required=True)
    effective_from = day()
    effective_to = day(none=True)
    parameters = fields.List(fields.Nested(ParameterAnswer), required=True)


class PolicyTexts(Body):
    """A policy file, its fill-ins and the text of its document."""

    text = LongText(required=True)
    fills = fields.List(LongText(), load_default=list, validate=validate.Length(max=20))
    document_text = LongText(load_default=None, allow_none=True)


class ProposalBody(PolicyTexts):
    """What is proposed, and the book that pays; `draft_id` where it was kept as a draft before."""

    book_code = CodeField(required=True)
    draft_id = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(1, MAX_ID)
    )


class PublishBody(Body):
    """The sha256 that the second person was shown."""

    sha256 = TextField(required=True, maximum=64)


class WithdrawBody(Body):
    """Why a proposal is taken back."""

    reason = TextField(required=True, maximum=200)


class PolicyProblemAnswer(Body):
    """One reason against publishing."""

    line = fields.Integer(required=True, allow_none=True)
    key = fields.String(required=True)
    clause = fields.String(required=True, allow_none=True)
    message = fields.String(required=True)


class ParameterChange(Body):
    """A parameter of the version before and of this one."""

    before = fields.Nested(ParameterAnswer, required=True, allow_none=True)
    after = fields.Nested(ParameterAnswer, required=True, allow_none=True)


class SheetAnswer(Body):
    """A text looked at: problems, parameters, changes against the version before."""

    code = fields.String(required=True, allow_none=True)
    problems = fields.List(fields.Nested(PolicyProblemAnswer), required=True)
    parameters = fields.List(fields.Nested(ParameterAnswer), required=True)
    before = fields.String(required=True, allow_none=True)
    changes = fields.List(fields.Nested(ParameterChange), required=True)


class ProposalAnswer(Body):
    """A draft or proposal."""

    id = fields.Integer(required=True)
    code = fields.String(required=True)
    document_no = fields.String(required=True)
    state = fields.String(required=True)
    proposer = fields.String(required=True)
    sha256 = fields.String(required=True)
    sheet = fields.Nested(SheetAnswer, required=True)


class ProposalLineAnswer(Body):
    """A draft or proposal in the list."""

    id = fields.Integer(required=True)
    code = fields.String(required=True)
    title = fields.String(required=True)
    document_no = fields.String(required=True)
    state = fields.String(required=True)
    proposer = fields.String(required=True)


class ProposalsAnswer(Body):
    """Drafts and proposals of the reader's regions, and what was withdrawn."""

    proposals = fields.List(fields.Nested(ProposalLineAnswer), required=True)


class ProposedAnswer(Body):
    """What was kept, proposed or withdrawn, and the sha256 that stands for it."""

    proposal_id = fields.Integer(required=True)
    policy_code = fields.String(required=True)
    sha256 = fields.String(required=True)


class PublishedAnswer(Body):
    """The version that was published."""

    policy_code = fields.String(required=True)
    programme_code = fields.String(required=True)


def sheet_answer(sheet: Sheet) -> dict[str, Any]:
    """What `SheetAnswer` says of a text."""
    return {
        "code": sheet.policy.code if sheet.policy else None,
        "problems": [plain(each) for each in sheet.problems],
        "parameters": [_parameter(each) for each in sheet.parameters],
        "before": sheet.before,
        "changes": [
            {
                "before": _parameter(each.before) if each.before else None,
                "after": _parameter(each.after) if each.after else None,
            }
            for each in sheet.changes
        ],
    }


def proposal_answer(file: ProposalFile) -> dict[str, Any]:
    """What `ProposalAnswer` says of a proposal."""
    row = file.row
    return {
        "id": row.id,
        "code": row.code,
        "document_no": row.document_no,
        "state": file.state.value,
        "proposer": file.proposer,
        "sha256": row.sha256,
        "sheet": sheet_answer(file.sheet),
    }


def proposal_line(line: ProposalLine) -> dict[str, Any]:
    """What `ProposalLineAnswer` says of one."""
    return {name: plain(getattr(line, name)) for name in ProposalLineAnswer().fields}


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
