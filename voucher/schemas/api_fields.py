"""Fields of JSON, in and out: nothing is guessed, amounts are integers of fen, days are written 2026-03-01."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from marshmallow import ValidationError, fields
from marshmallow.validate import Length

from voucher.money import MAX_FEN
from voucher.schemas.base import Body, DayField, IdField
from voucher.terms import Term

MOST_PAGES: Final = 10_000
LARGEST_PAGE: Final = 100
MOST_REQUESTS: Final = 1_000

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_COUNT: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class JsonIdField(IdField):
    """The number of a row as a JSON integer; digits in quotes are refused."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if type(value) is not int:
            raise ValidationError("应为正整数编号。")
        return super()._deserialize(value, attr, data, **kwargs)


class JsonDayField(DayField):
    """A day in JSON, exactly 2026-03-01."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            raise ValidationError("日期应写作 2026-03-01 的形式，并且确有这一天。")
        return super()._deserialize(value, attr, data, **kwargs)


class CountField(fields.Field[int]):
    """A whole number between two bounds: a JSON integer, or (`text`, in an address) ASCII digits."""

    def __init__(self, *, minimum: int = 1, maximum: int, text: bool = False, **rest: Any) -> None:
        super().__init__(**rest)
        self.minimum, self.maximum, self.text = minimum, maximum, text
        self.metadata = {**self.metadata, "type": "integer", "minimum": minimum, "maximum": maximum}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if self.text and isinstance(value, str) and _COUNT.fullmatch(value):
            value = int(value)
        if type(value) is not int or not self.minimum <= value <= self.maximum:
            raise ValidationError(f"应为 {self.minimum} 至 {self.maximum} 之间的整数。")
        return value


class FlagField(fields.Field[bool]):
    """true or false, and nothing that merely means it."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(**rest)
        self.metadata = {**self.metadata, "type": "boolean"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("应为 true 或 false。")
        return value


class DigestField(fields.Field[str]):
    """A sha256 in lower-case hexadecimal digits."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(**rest)
        self.metadata = {**self.metadata, "type": "string", "pattern": "^[0-9a-f]{64}$"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not _DIGEST.fullmatch(value):
            raise ValidationError("应为 64 位小写十六进制的 sha256。")
        return value


class PageQuery(Body):
    """Which page of a list."""

    page = CountField(maximum=MOST_PAGES, text=True, load_default=1)


class SizedQuery(PageQuery):
    """Which page of a list, and how long pages are."""

    size = CountField(maximum=LARGEST_PAGE, text=True, load_default=20)


class PageAnswer(Body):
    """Where a page of a list stands in all of it."""

    page = fields.Integer(required=True)
    pages = fields.Integer(required=True)
    total = fields.Integer(required=True)


class PartyAnswer(Body):
    """A party of a deal: 统一社会信用代码 (or temporary number) and name."""

    ref = fields.String(required=True)
    name = fields.String(required=True)


class RefusedAnswer(Body):
    """Why one of several requests was refused, alone."""

    code = fields.String(required=True)
    message = fields.String(required=True)
    facts = fields.Dict(required=True)


def amount(description: str = "", *, none: bool = False) -> fields.Integer:
    """An amount in an answer, in fen."""
    told = {
        "description": f"{description}（分）" if description else "单位：分",
        "format": "int64",
        "maximum": MAX_FEN,
    }
    return fields.Integer(required=True, allow_none=none, metadata=told)


def moment(description: str = "", *, none: bool = False) -> fields.String:
    """An instant in an answer, ISO 8601 with +08:00."""
    told = {"format": "date-time", **({"description": description} if description else {})}
    return fields.String(required=True, allow_none=none, metadata=told)


def day(description: str = "", *, none: bool = False) -> fields.String:
    """A day in an answer."""
    told = {"format": "date", **({"description": description} if description else {})}
    return fields.String(required=True, allow_none=none, metadata=told)


def state(terms: type[Term]) -> fields.String:
    """The value of a closed list in an answer."""
    words = "，".join(f"{term.value} {term.label}" for term in terms)
    told = {"enum": [term.value for term in terms], "description": words}
    return fields.String(required=True, metadata=told)


def bounded(shortest: int = 1, longest: int = MOST_REQUESTS) -> Sequence[Length]:
    """How many items a list of requests may have."""
    return [Length(min=shortest, max=longest, error="应为 {min} 至 {max} 项。")]


class IdAnswer(Body):
    """What was made or ended, by its number."""

    id = fields.Integer(required=True)


class CountAnswer(Body):
    """How many rows were changed."""

    count = fields.Integer(required=True)
