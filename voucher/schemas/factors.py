"""The factor of a programme's year, as finance types it and as JSON says it."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from marshmallow import ValidationError, fields

from voucher.clock import iso
from voucher.money import Fen
from voucher.operations.prorata import Demand
from voucher.queries.factors import FactorLine
from voucher.rules.policy import WHOLE_BP
from voucher.schemas.api_fields import CountField, JsonIdField, amount, moment, state
from voucher.schemas.base import Body, CodeField, FenField, Form, IdField, TextField, YuanField
from voucher.terms import FactorState

_PERCENT = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))?%?", re.ASCII)


class PercentField(fields.Field[int]):
    """A share as a person types it, 83.33 for 83.33 %; loads basis points, above zero and at most 10,000."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        text = unicodedata.normalize("NFKC", value[:20]).strip() if isinstance(value, str) else ""
        match = _PERCENT.fullmatch(text)
        found = int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0")) if match else 0
        if not 1 <= found <= WHOLE_BP:
            raise ValidationError("应为 0.01 到 100 之间的百分数，最多两位小数，例如 83.33。")
        return found


class FactorForm(Form):
    """A factor that is proposed; `step` says whether it was checked already."""

    step = fields.String(load_default="check")
    budget = YuanField(required=True)
    factor = PercentField(required=True)
    basis = TextField(required=True, maximum=200)


class FactorDecisionForm(Form):
    """The checker's answer to the proposal that the page showed."""

    answer = CodeField(required=True)
    proposal_id = IdField(required=True)


class FactorBody(Body):
    """A factor that is proposed for a year."""

    programme_code = CodeField(required=True)
    year = CountField(required=True, minimum=2000, maximum=2199)
    factor_bp = CountField(required=True, maximum=WHOLE_BP, metadata={"description": "比例（万分之几）"})
    budget_fen = FenField(required=True, metadata={"description": "该年度可用资金（分）"})
    basis = TextField(required=True, maximum=200, metadata={"description": "依据：文号、会议纪要等"})


class FactorDecisionBody(Body):
    """A second person's answer to the proposal that they saw."""

    proposal_id = JsonIdField(required=True, metadata={"description": "复核人看到的那一次提出"})
    approved = fields.Boolean(required=True, truthy={True}, falsy={False})


class FactorAnswer(Body):
    """A factor of a programme's year."""

    proposal_id = fields.Integer(required=True)
    programme_code = fields.String(required=True)
    year = fields.Integer(required=True)
    factor_bp = fields.Integer(required=True)
    budget_fen = amount("可用资金")
    demand_fen = amount("申请合计")
    claims = fields.Integer(required=True)
    basis = fields.String(required=True)
    state = state(FactorState)
    state_label = fields.String(required=True)
    proposed_at = moment("提出时间")
    decided_at = moment("复核时间", none=True)


class DemandAnswer(Body):
    """What is asked of a programme's year, and the largest factor that its appropriated money allows."""

    programme_code = fields.String(required=True)
    year = fields.Integer(required=True)
    over = fields.Boolean(required=True, metadata={"description": "该年度的申报是否已经结束"})
    waiting = fields.Integer(required=True)
    waiting_fen = amount("已核定待折算")
    undecided = fields.Integer(required=True)
    undecided_fen = amount("尚未审结的申请额")
    budget_fen = amount("已下达资金")
    largest_bp = fields.Integer(required=True)


class FactorsAnswer(Body):
    """Years that wait, and the factors that there are."""

    demands = fields.List(fields.Nested(DemandAnswer), required=True)
    factors = fields.List(fields.Nested(FactorAnswer), required=True)


class TrimmedAnswer(Body):
    """How many claims were trimmed in this part; none: all of them are."""

    trimmed = fields.Integer(required=True)


def demand_answer(demand: Demand, budget_fen: Fen) -> dict[str, Any]:
    """A year that waits."""
    return {
        "programme_code": demand.programme_code,
        "year": demand.year,
        "over": demand.over,
        "waiting": len(demand.waiting),
        "waiting_fen": sum(demand.waiting),
        "undecided": len(demand.undecided),
        "undecided_fen": sum(demand.undecided),
        "budget_fen": budget_fen,
        "largest_bp": demand.largest(budget_fen),
    }


def factor_answer(line: FactorLine) -> dict[str, Any]:
    """A factor as it stands."""
    row = line.row
    return {
        "proposal_id": row.id,
        "programme_code": row.programme_code,
        "year": row.year,
        "factor_bp": row.factor_bp,
        "budget_fen": row.budget_fen,
        "demand_fen": row.demand_fen,
        "claims": row.claims,
        "basis": row.basis,
        "state": line.state.value,
        "state_label": line.state.label,
        "proposed_at": iso(row.proposed_at),
        "decided_at": iso(row.decided_at) if row.decided_at else None,
    }
