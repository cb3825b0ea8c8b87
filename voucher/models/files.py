"""Files that something in the database names. The bytes are in the content-addressed store under `sha256`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from voucher.db import Base
from voucher.models.types import JSONColumn, UTCDateTime


class StoredFile(Base):
    """One content, however many rows of other tables name it. `facts` is what was read from it (`invoice`).

    `confidential`: holds commercial secrets (never state secrets, which may not be uploaded). `retention` says by
    which rule of the archive it is kept. `made_of` of a file made of others (photos in one PDF): their hashes.
    """

    __tablename__ = "stored_file"
    __table_args__ = (Index("ix_stored_file_uploaded", "uploaded_at"),)

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size_bytes: Mapped[int]
    media_type: Mapped[str] = mapped_column(String(60))
    confidential: Mapped[bool]
    retention: Mapped[str] = mapped_column(String(12))
    facts: Mapped[dict[str, Any]] = mapped_column(JSONColumn)
    made_of: Mapped[list[str]] = mapped_column(JSONColumn)
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    uploaded_at: Mapped[datetime] = mapped_column(UTCDateTime)
