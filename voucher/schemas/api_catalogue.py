"""The service catalogue in JSON."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from voucher.queries.catalogue import EntryLine
from voucher.schemas.api_fields import (
    CountField,
    JsonIdField,
    PageAnswer,
    PartyAnswer,
    SizedQuery,
    amount,
    state,
)
from voucher.schemas.base import Body, CodeField, FenField, TextField
from voucher.terms import EntryState


class CatalogueQuery(SizedQuery):
    """What is searched for."""

    text = TextField(
        maximum=60, metadata={"description": "名称、交付内容、平台、依托单位或地区；空格隔开的词都要有"}
    )
    service = CodeField(metadata={"description": "服务代码"})
    region = CodeField(maximum=20, metadata={"description": "地区代码，含下级地区"})
    most_fen = CountField(maximum=10**13, text=True, metadata={"description": "标价不超过（分）"})


class CatalogueEntryBody(Body):
    """What a platform offers."""

    platform_id = JsonIdField(required=True)
    service = CodeField(required=True, metadata={"description": "服务代码，平台须已取得该项资格"})
    title = TextField(required=True, maximum=80, metadata={"description": "名称"})
    delivers = TextField(required=True, maximum=500, multiline=True, metadata={"description": "交付内容"})
    unit = TextField(required=True, maximum=20, metadata={"description": "计价单位"})
    price_fen = FenField(
        load_default=None, allow_none=True, metadata={"description": "标价（分）；不填为面议"}
    )
    usual_days = CountField(
        maximum=3660, load_default=None, allow_none=True, metadata={"description": "通常多少天完成"}
    )
    exclusions = TextField(
        load_default="", maximum=500, multiline=True, metadata={"description": "不包括的内容"}
    )
    replaces = JsonIdField(
        load_default=None, allow_none=True, metadata={"description": "取代（并下架）的旧条目"}
    )


class CatalogueEntryAnswer(Body):
    """One entry."""

    id = fields.Integer(required=True)
    platform_id = fields.Integer(required=True)
    service = fields.String(required=True)
    title = fields.String(required=True)
    delivers = fields.String(required=True)
    unit = fields.String(required=True)
    price_fen = amount("标价，空为面议", none=True)
    usual_days = fields.Integer(required=True, allow_none=True)
    exclusions = fields.String(required=True)
    state = state(EntryState)


class CatalogueEntryDetail(CatalogueEntryAnswer):
    """An entry with its platform."""

    platform = fields.Nested(PartyAnswer, required=True)
    region = fields.String(required=True)


class CatalogueAnswer(PageAnswer):
    """A page of the catalogue, cheapest first, 面议 last."""

    entries = fields.List(fields.Nested(CatalogueEntryDetail), required=True)


_NAMES = (
    "id", "platform_id", "service", "title", "delivers", "unit", "price_fen", "usual_days", "exclusions", "state",
)  # fmt: skip


def entry_answer(row: Any) -> dict[str, Any]:
    """What `CatalogueEntryAnswer` says of an entry."""
    return {name: getattr(row, name) for name in _NAMES}


def entry_detail(line: EntryLine) -> dict[str, Any]:
    """What `CatalogueEntryDetail` says of an entry with its platform."""
    platform = line.entry.platform
    party = {"ref": platform.organisation.uscc, "name": platform.name}
    return {**entry_answer(line.entry), "platform": party, "region": line.region}
