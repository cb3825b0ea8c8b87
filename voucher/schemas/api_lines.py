"""The lines of a computation, as the API gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marshmallow import fields

from voucher.rules.subsidy import Step
from voucher.schemas.base import Body


class StepLine(Body):
    """A step of the computation; `unit` is fen or bp."""

    label = fields.String(required=True)
    clause = fields.String(required=True, allow_none=True)
    value = fields.Integer(required=True)
    unit = fields.String(required=True)


def step_lines(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """What `StepLine` says of each."""
    return [
        {"label": step.label, "clause": step.clause, "value": step.value, "unit": step.unit} for step in steps
    ]
