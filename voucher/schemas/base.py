"""Fields and schemas that everything coming in goes through: forms as people type them, JSON as machines send it.

Forms: full-width digits are understood, amounts are yuan, days are written 2026-03-01. JSON: amounts are integers
of fen, and nothing is guessed. Both refuse unknown fields and bound every id and text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from marshmallow import RAISE, Schema, ValidationError, fields

from voucher.codes import is_temporary, is_uscc, normalise_uscc
from voucher.money import MAX_FEN, Fen, MoneyError, parse_yuan
from voucher.terms import Term

MOST_UNITS: Final = 1_000_000
MAX_ID: Final = 2**63 - 1
UNSEEN: Final = frozenset({"csrf_token", "key"})
SPARE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})

_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)

# For the library's own fields too (lists, nested ones): whatever people read is Chinese.
fields.Field.default_error_messages = {
    "required": "请填写此项。",
    "null": "请填写此项。",
    "validator_failed": "填写的内容不正确。",
}
fields.Boolean.default_error_messages = {"invalid": "应为 true 或 false。"}
fields.List.default_error_messages = {"invalid": "应为列表。"}
fields.Nested.default_error_messages = {"type": "应为 JSON 对象。"}


class Body(Schema):
    """A JSON body. Unknown fields are refused."""

    error_messages = {"unknown": "不认识的字段。", "type": "应为 JSON 对象。"}  # noqa: RUF012 (as the library has it)

    class Meta:
        unknown = RAISE


class ErrorAnswer(Body):
    """What every refusal and error of the API says. `errors`, field -> sentences, comes with status 422 only."""

    code = fields.String(required=True)
    message = fields.String(required=True, metadata={"description": "a Chinese sentence for people"})
    facts = fields.Dict(required=True, metadata={"description": "the numbers and ids behind it"})
    request_id = fields.String(required=True)
    errors = fields.Dict()


class Form(Body):
    """A form. Empty optional fields count as not filled in (see `load_form`)."""


class TextField(fields.Field[str]):
    """Text of bounded length, trimmed; control characters are refused, line ends only where `multiline`."""

    def __init__(self, *, maximum: int = 200, minimum: int = 1, multiline: bool = False, **rest: Any) -> None:
        super().__init__(**rest)
        self.minimum, self.maximum, self.multiline = minimum, maximum, multiline
        self.metadata = {"type": "string", "maxLength": maximum, **self.metadata}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("应为文字。")
        text = value.replace("\r\n", "\n").strip()
        if len(text) < self.minimum:
            raise ValidationError("请填写此项。" if not text else f"至少 {self.minimum} 个字符。")
        if len(text) > self.maximum:
            raise ValidationError(f"最多 {self.maximum} 个字符。")
        allowed = "\n\t" if self.multiline else ""
        if any(unicodedata.category(char) in SPARE and char not in allowed for char in text):
            raise ValidationError("含有不可见的字符，请重新输入。")
        return text


class CodeField(TextField):
    """A code of ASCII letters, digits, dot, dash, underscore; full-width forms are read as their ASCII twins."""

    def __init__(self, *, maximum: int = 40, **rest: Any) -> None:
        super().__init__(maximum=maximum, **rest)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = unicodedata.normalize("NFKC", super()._deserialize(value, attr, data, **kwargs))
        if not _CODE.fullmatch(text):
            raise ValidationError("只能由字母、数字、点、横线和下划线组成。")
        return text


class YuanField(fields.Field[Fen]):
    """An amount as a person types it, in yuan; loads fen (at least `minimum` fen)."""

    def __init__(self, *, minimum: int = 1, **rest: Any) -> None:
        super().__init__(**rest)
        self.minimum = minimum

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Fen:
        try:
            return parse_yuan(value, minimum=self.minimum)
        except MoneyError as error:
            raise ValidationError(error.reason) from error


class FenField(fields.Field[Fen]):
    """An amount in JSON: an integer of fen. Text, fractions, booleans and digits in quotes are refused."""

    def __init__(self, *, minimum: int = 1, **rest: Any) -> None:
        super().__init__(**rest)
        self.minimum = minimum
        self.metadata = {
            **self.metadata,
            "type": "integer",
            "format": "int64",
            "minimum": minimum,
            "maximum": MAX_FEN,
        }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Fen:
        if type(value) is not int:
            raise ValidationError("金额应为以分为单位的整数。")
        if not self.minimum <= value <= MAX_FEN:
            raise ValidationError(f"金额应在 {self.minimum} 至 {MAX_FEN} 分之间。")
        return Fen(value)


class UnitsField(fields.Field[int]):
    """How many, 1 to 1,000,000: an integer in JSON, ASCII digits in a form."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(**rest)
        self.metadata = {**self.metadata, "type": "integer", "minimum": 1, "maximum": MOST_UNITS}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and _DIGITS.fullmatch(value):
            value = int(value)
        if type(value) is not int or not 1 <= value <= MOST_UNITS:
            raise ValidationError("应为 1 到 1000000 之间的整数。")
        return value


class IdField(fields.Field[int]):
    """The number of a row, 1 to 2^63-1: an integer in JSON, ASCII digits in a form."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(**rest)
        self.metadata = {
            **self.metadata,
            "type": "integer",
            "format": "int64",
            "minimum": 1,
            "maximum": MAX_ID,
        }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and _DIGITS.fullmatch(value):
            value = int(value)
        if type(value) is not int or not 1 <= value <= MAX_ID:
            raise ValidationError("应为正整数编号。")
        return value


class DayField(fields.Field[date]):
    """A day, written 2026-03-01 (full-width digits are understood)."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(**rest)
        self.metadata = {**self.metadata, "type": "string", "format": "date"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        text = unicodedata.normalize("NFKC", value[:40]).strip() if isinstance(value, str) else ""
        match = _DAY.fullmatch(text)
        try:
            if match is None:
                raise ValueError(text)
            day = date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError as error:
            raise ValidationError("日期应写作 2026-03-01 的形式，并且确有这一天。") from error
        if not 1990 <= day.year <= 2199:
            raise ValidationError("日期的年份不合理。")
        return day

    def _serialize(self, value: date | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.isoformat()


class UsccField(fields.Field[str]):
    """A 统一社会信用代码 in any spelling; loads the stored form, with its check character tested."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        code = normalise_uscc(value) if isinstance(value, str) else ""
        if not is_uscc(code):
            raise ValidationError("统一社会信用代码不正确，请核对 18 位代码。")
        return code


class PartyField(fields.Field[str]):
    """A USCC, or the temporary id of a team or founder, in any spelling; loads the stored form."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        code = normalise_uscc(value) if isinstance(value, str) else ""
        if not is_uscc(code) and not is_temporary(code):
            raise ValidationError(
                "请填写 18 位统一社会信用代码；团队和创业者填写 TEMP 开头的 16 位临时编号。"
            )
        return code


class ChoiceField(fields.Field[Term]):
    """A member of a closed list, by its value."""

    def __init__(self, terms: type[Term], **rest: Any) -> None:
        super().__init__(**rest)
        self.terms = terms
        self.metadata = {**self.metadata, "type": "string", "enum": [term.value for term in terms]}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Term:
        try:
            return self.terms(value)
        except (ValueError, TypeError) as error:
            raise ValidationError("请从列表中选择。") from error

    def _serialize(self, value: Term | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(value)


class ReasonForm(Form):
    """Nothing but why."""

    reason = TextField(required=True, maximum=200)


class TextSearch(Form):
    """Which page of a list, and what text its rows hold."""

    text = TextField(load_default="", maximum=60)
    page = IdField(load_default=1)


def load_form(schema: type[Schema], form: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Read a form: what it says, and the sentences of its errors by field (one of the two is empty).

    Token, key and kept files (`kept_…`) of the form are left out; an empty field counts as not filled in. A field of several values
    (`fields.List`) takes all of them.
    """
    reader = schema()
    many = {name for name, field in reader.fields.items() if isinstance(field, fields.List)}
    given: dict[str, Any] = {}
    for name in form:
        values = [value for value in _all(form, name) if value != ""]
        if name not in UNSEEN and not name.startswith("kept_") and values:
            given[name] = values if name in many else values[0]
    try:
        return dict(reader.load(given)), {}
    except ValidationError as error:
        return {}, flat(error.messages_dict)


def flat(messages: Mapping[str, Any]) -> dict[str, list[str]]:
    """Marshmallow's nested messages as field -> sentences; nested fields are joined with dots."""
    found: dict[str, list[str]] = {}
    for name, below in messages.items():
        if isinstance(below, Mapping):
            inner = flat({str(key): value for key, value in below.items()})
            found.update({f"{name}.{key}": sentences for key, sentences in inner.items()})
        else:
            found[str(name)] = [str(each) for each in (below if isinstance(below, list) else [below])]
    return found


def _all(form: Mapping[str, Any], name: str) -> list[Any]:
    """Every value of a field; only a form of the web framework has more than one."""
    several = getattr(form, "getlist", None)
    if several:
        return list(several(name))
    return form[name] if isinstance(form[name], list) else [form[name]]
