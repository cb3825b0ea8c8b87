"""Files in JSON: what was kept, what it was made of, and what an original invoice says."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from voucher.schemas.api_fields import day
from voucher.schemas.base import Body, TextField
from voucher.store import Stored

LONGEST_TICKET = 60_000


class FileAnswer(Body):
    """A file, named by its sha256."""

    sha256 = fields.String(required=True, metadata={"pattern": "^[0-9a-f]{64}$"})
    size_bytes = fields.Integer(required=True)
    media_type = fields.String(required=True)
    file_name = fields.String(required=True)


class PhotoAnswer(Body):
    """A photo that a PDF was made of."""

    sha256 = fields.String(required=True, metadata={"pattern": "^[0-9a-f]{64}$"})
    file_name = fields.String(required=True)


class OriginalLineAnswer(Body):
    """A line of an original invoice. Amounts in fen."""

    name = fields.String(required=True)
    net_fen = fields.Integer(required=True, allow_none=True)
    tax_fen = fields.Integer(required=True, allow_none=True)


class OriginalAnswer(Body):
    """What an original invoice says; null and empty texts are what it does not say. Amounts in fen."""

    number = fields.String(required=True)
    code = fields.String(required=True)
    issued_on = day(none=True)
    net_fen = fields.Integer(required=True, allow_none=True)
    tax_fen = fields.Integer(required=True, allow_none=True)
    total_fen = fields.Integer(required=True, allow_none=True)
    buyer_uscc = fields.String(required=True)
    buyer_name = fields.String(required=True)
    seller_uscc = fields.String(required=True)
    seller_name = fields.String(required=True)
    red = fields.Boolean(required=True, metadata={"description": "是否红字发票"})
    lines = fields.List(fields.Nested(OriginalLineAnswer), required=True)
    source = fields.String(required=True, metadata={"enum": ["xml", "ofd", "pdf"]})


class StoredAnswer(FileAnswer):
    """A file that was kept. `made_of`: the photos that became this PDF."""

    ticket = fields.String(
        required=True, metadata={"description": "附上这份文件的凭据：只对上传的人有效，文件与照片都写在里面"}
    )
    made_of = fields.List(fields.Nested(PhotoAnswer), required=True)
    invoice = fields.Nested(OriginalAnswer, required=True, allow_none=True)


class StoredBody(Body):
    """A file sent before (POST /files), under the name that it is to go by."""

    ticket = TextField(
        required=True, maximum=LONGEST_TICKET, metadata={"description": "本人 POST /files 时得到的 ticket"}
    )
    file_name = TextField(required=True, maximum=120)


def stored_answer(stored: Stored, ticket: str) -> dict[str, Any]:
    """What `StoredAnswer` says of a file."""
    return {
        "ticket": ticket,
        "sha256": stored.sha256,
        "size_bytes": stored.size_bytes,
        "media_type": stored.media_type,
        "file_name": stored.file_name,
        "made_of": [{"sha256": part.sha256, "file_name": part.file_name} for part in stored.parts],
        "invoice": stored.facts.get("invoice"),
    }
