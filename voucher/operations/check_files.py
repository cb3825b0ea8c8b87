"""Files and the rows that name them: which are to be there, what stands there, and which nothing names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Column, select
from sqlalchemy.orm import Session

from voucher.db import Base
from voucher.models.files import StoredFile
from voucher.store import place_of, rehashed

PART: Final = 500
MISSING: Final = "missing"
CHANGED: Final = "changed"
UNREADABLE: Final = "unreadable"


@dataclass(frozen=True, slots=True)
class Listed:
    """A file that has to be in the store."""

    sha256: str
    size_bytes: int
    media_type: str


@dataclass(frozen=True, slots=True)
class FileFault:
    """A file that is not as it was kept: its hash, what is wrong with it, and the columns of rows that name it."""

    sha256: str
    wrong: str
    named_by: tuple[str, ...] = ()


def listed(session: Session, *, after: str = "") -> list[Listed]:
    """The next files by hash, after the given one; at most 500."""
    query = select(StoredFile.sha256, StoredFile.size_bytes, StoredFile.media_type)
    rows = session.execute(query.where(StoredFile.sha256 > after).order_by(StoredFile.sha256).limit(PART))
    return [Listed(*row) for row in rows]


def wrong_with(file: Listed, folder: Path) -> str | None:
    """Hash a file again: None if it is what was kept, else `missing`, `changed` or `unreadable`."""
    try:
        found = rehashed(folder, file.sha256)
    except FileNotFoundError:
        return MISSING
    except OSError:
        return UNREADABLE
    size = place_of(folder, file.sha256).stat().st_size
    return None if found == file.sha256 and size == file.size_bytes else CHANGED


def with_names(session: Session, faults: Sequence[FileFault]) -> list[FileFault]:
    """The faults with what names their files."""
    names = _named_by(session, [fault.sha256 for fault in faults])
    return [FileFault(each.sha256, each.wrong, tuple(names.get(each.sha256, ()))) for each in faults]


def unnamed(session: Session, digests: Iterable[str]) -> list[str]:
    """Those of the hashes that no row of any table names, in order."""
    wanted = sorted(digests)
    kept = set(session.scalars(select(StoredFile.sha256).where(StoredFile.sha256.in_(wanted))))
    left = [digest for digest in wanted if digest not in kept]
    named = _named_by(session, left) if left else {}
    return [digest for digest in left if digest not in named]


def _named_by(session: Session, digests: Sequence[str]) -> dict[str, list[str]]:
    """Hash -> the columns, beside the list of files itself, that name it."""
    found: dict[str, list[str]] = {}
    for column in _naming_columns() if digests else ():
        for digest in session.scalars(select(column).where(column.in_(digests)).distinct()):
            found.setdefault(digest, []).append(f"{column.table.name}.{column.name}")
    return found


def _naming_columns() -> list[Column[Any]]:
    """Every column that holds the hash of a file, by its name: `sha256`, or ending so."""
    return [
        column
        for table in Base.metadata.sorted_tables
        if table.name != StoredFile.__tablename__
        for column in table.columns
        if column.name == "sha256" or column.name.endswith("_sha256")
    ]
