"""The region tree: the country's divisions from the shipped table, and the parks and zones under them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.ledger.bulk import Rows, insert_missing
from voucher.models.regions import Region
from voucher.operations.journal import record
from voucher.operations.outcome import Refused, refused
from voucher.rules.permissions import Actor, covers_region
from voucher.terms import RegionLevel

COUNTRY: Final = "000000"
_COUNTRY_NAME: Final = "中华人民共和国"
_DIVISIONS: Final = Path(__file__).resolve().parents[1].joinpath("data", "divisions.csv")
_COLUMNS: Final = ("code", "name", "level", "parent_code", "path", "division_code")
_SUFFIX: Final = re.compile(r"[A-Z0-9]{1,8}", re.ASCII)
_LONGEST_CODE: Final = 20


@dataclass(frozen=True, slots=True)
class ZoneRequest:
    """A park or zone under any region; its code is the parent's, a hyphen and `suffix` (1 to 8 of A-Z, 0-9)."""

    parent_code: str
    suffix: str
    name: str
    division_code: str | None = None


def load_divisions(session: Session, *, actor: Actor, at: datetime) -> int:
    """Put every division of the shipped table that is missing into the tree; gives their number.

    The country is the root, code 000000. Regions that exist keep their names.
    """
    known = set(session.scalars(select(Region.code)))
    paths = {COUNTRY: f"/{COUNTRY}/"}
    rows: list[tuple[str | None, ...]] = [
        (COUNTRY, _COUNTRY_NAME, RegionLevel.COUNTRY.value, None, paths[COUNTRY], None)
    ]
    with _DIVISIONS.open(encoding="utf-8", newline="") as file:
        divisions = sorted(csv.DictReader(file), key=_from_above)
    for row in divisions:
        code, parent = row["code"], row["parent_code"] or COUNTRY
        paths[code] = f"{paths[parent]}{code}/"
        rows.append((code, row["name"], row["level"], parent, paths[code], code))
    missing = [row for row in rows if row[0] not in known]
    if missing:
        insert_missing(session, Rows(Region, _COLUMNS, missing))
        record(session, actor, "region.load", [(f"region:{COUNTRY}", {"rows": len(missing)})], at=at)
    return len(missing)


def add_zones(
    session: Session, requests: Sequence[ZoneRequest], *, actor: Actor, at: datetime
) -> list[str | Refused]:
    """Put parks and zones into the tree; gives their codes. The same zone again is the same answer.

    Refused: a parent that is not there or not in the actor's regions (`not_found`), a code that is taken by
    another name (`already_registered`). Raises ValueError for a suffix of another form.
    """
    answers: list[str | Refused] = []
    for request in requests:
        try:
            answers.append(_add_zone(session, request, actor=actor, at=at))
        except Refusal as refusal:
            answers.append(refused(refusal))
    return answers


def _add_zone(session: Session, request: ZoneRequest, *, actor: Actor, at: datetime) -> str:
    code = f"{request.parent_code}-{request.suffix}"
    if _SUFFIX.fullmatch(request.suffix) is None or len(code) > _LONGEST_CODE:
        raise ValueError(f"a zone's code cannot be {code!r}")
    parent = session.get(Region, request.parent_code)
    if parent is None or not covers_region(actor, parent.path):
        raise Refusal(Code.NOT_FOUND, region=request.parent_code)
    row = (code, request.name, RegionLevel.ZONE.value, parent.code, f"{parent.path}{code}/")
    insert_missing(session, Rows(Region, _COLUMNS, [(*row, request.division_code)]))
    zone = session.get_one(Region, code, populate_existing=True)
    if zone.name != request.name:
        raise Refusal(Code.ALREADY_REGISTERED, subject=code)
    record(session, actor, "region.add", [(f"region:{code}", {"parent": parent.code})], at=at)
    return code


def paths_of(session: Session, codes: Iterable[str]) -> dict[str, str]:
    """The paths of those of these regions that exist."""
    query = select(Region.code, Region.path).where(Region.code.in_(set(codes)))
    return dict(session.execute(query).all())


def _from_above(row: dict[str, str]) -> tuple[int, str]:
    levels = (RegionLevel.PROVINCE, RegionLevel.PREFECTURE, RegionLevel.COUNTY)
    return levels.index(RegionLevel(row["level"])), row["code"]
