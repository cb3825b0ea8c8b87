"""Importing the roster of a year: everything is checked before anything is written, and all of it or nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from voucher.codes import is_uscc, normalise_uscc
from voucher.errors import Code, Fact, Refusal
from voucher.ledger.bulk import Rows, insert_missing
from voucher.models.parties import RosterEntry, RosterImport
from voucher.models.regions import Region
from voucher.money import MoneyError, parse_yuan
from voucher.operations.journal import record
from voucher.operations.register import OrganisationRequest, register_firms, register_organisations
from voucher.rules.permissions import Actor, covers_region
from voucher.terms import RosterFault

TECH_SME: Final = "tech_sme"
_LONGEST_NAME: Final = 120
_LONGEST_NUMBER: Final = 40
_LONGEST_COUNT: Final = 7
_ENTRY: Final = (
    "import_id",
    "roster",
    "year",
    "uscc",
    "roster_no",
    "name",
    "region_code",
    "staff",
    "revenue_fen",
    "mobile",
    "email",
)
_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,50}\.[^@\s]{2,4}")


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One row as it stands in the file, at this line: name, USCC, roster number, region by code or name.

    Staff and revenue (yuan) are declared figures that the checks compare over the years, mobile number and e-mail
    address where a code to open the account may be sent; what cannot be read is left out.
    """

    line: int
    name: str
    uscc: str
    roster_no: str
    region: str
    staff: str = ""
    revenue: str = ""
    mobile: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class RosterFile:
    """A roster file that was read: its name, the sha256 of its bytes, the year it is for, its rows."""

    file_name: str
    sha256: str
    year: int
    rows: Sequence[RosterRow]


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with one row: the line, the field, the fault, and what stands there."""

    line: int
    field: str
    fault: RosterFault
    value: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that is fine, in the form it would be stored."""

    line: int
    name: str
    uscc: str
    roster_no: str
    region_code: str
    staff: int | None = None
    revenue_fen: int | None = None
    mobile: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do: the new entries, how many stand already, and every error of every row."""

    entries: tuple[Entry, ...]
    known: int
    errors: tuple[RowError, ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """The import that stands; `replayed`: the same file stood already."""

    import_id: int
    rows: int
    replayed: bool


def preview(session: Session, rows: Sequence[RosterRow], year: int, *, actor: Actor) -> Preview:
    """Check every row and name every error; writes nothing."""
    return _Check(session, year, actor).run(rows)


def import_roster(session: Session, file: RosterFile, *, actor: Actor, at: datetime) -> Imported:
    """Enter a roster file: its firms are registered as organisations and holders, all or nothing.

    The same file again changes nothing. Refused: any row with an error (`roster_invalid`; `preview` names
    each), another import of the same firms at the same time (`state_changed`).
    """
    earlier = select(RosterImport).where(
        RosterImport.roster == TECH_SME, RosterImport.year == file.year, RosterImport.sha256 == file.sha256
    )
    stands = session.scalars(earlier.order_by(RosterImport.id)).first()
    if stands is not None:
        return Imported(stands.id, stands.rows, replayed=True)
    checked = preview(session, file.rows, file.year, actor=actor)
    if checked.errors or not file.rows:
        lines = {error.line for error in checked.errors}
        raise Refusal(Code.ROSTER_INVALID, rows=len(lines), errors=len(checked.errors))
    wanted = [
        OrganisationRequest(uscc=entry.uscc, name=entry.name, region_code=entry.region_code)
        for entry in checked.entries
    ]
    register_organisations(session, wanted, actor=actor, at=at)
    register_firms(session, [entry.uscc for entry in checked.entries], actor=actor, at=at)
    return _write(session, file, checked.entries, actor=actor, at=at)


def _write(
    session: Session, file: RosterFile, entries: Sequence[Entry], *, actor: Actor, at: datetime
) -> Imported:
    made = RosterImport(
        roster=TECH_SME,
        year=file.year,
        file_name=file.file_name,
        sha256=file.sha256,
        rows=len(file.rows),
        imported_by=actor.person_id,
        imported_at=at,
    )
    session.add(made)
    session.flush()
    rows = [
        (
            made.id,
            TECH_SME,
            file.year,
            entry.uscc,
            entry.roster_no,
            entry.name,
            entry.region_code,
            entry.staff,
            entry.revenue_fen,
            entry.mobile,
            entry.email,
        )
        for entry in sorted(entries, key=lambda entry: entry.uscc)
    ]
    if rows:
        insert_missing(session, Rows(RosterEntry, _ENTRY, rows))
    count = select(func.count()).select_from(RosterEntry).where(RosterEntry.import_id == made.id)
    if session.execute(count).scalar_one() != len(rows):
        raise Refusal(Code.STATE_CHANGED)
    facts: dict[str, Fact] = {"year": file.year, "rows": made.rows, "new": len(rows), "sha256": file.sha256}
    record(session, actor, "roster.import", [(f"roster_import:{made.id}", facts)], at=at)
    return Imported(made.id, made.rows, replayed=False)


def _count(written: str) -> int | None:
    plain = unicodedata.normalize("NFKC", written).strip().rstrip("人").replace(",", "")
    return int(plain) if plain.isdecimal() and len(plain) <= _LONGEST_COUNT else None


def _fen(written: str) -> int | None:
    try:
        return parse_yuan(written) if written.strip() else None
    except MoneyError:
        return None


def _fit(pattern: re.Pattern[str], written: str) -> str | None:
    plain = "".join(unicodedata.normalize("NFKC", written).split())
    return plain if pattern.fullmatch(plain) else None


class _Check:
    """One reading of a file against the roster of the year and the region tree."""

    def __init__(self, session: Session, year: int, actor: Actor) -> None:
        self.actor = actor
        self.errors: list[RowError] = []
        entries = select(RosterEntry.uscc, RosterEntry.roster_no).where(
            RosterEntry.roster == TECH_SME, RosterEntry.year == year
        )
        self.number_of = dict(session.execute(entries).all())
        self.owner_of = {number: uscc for uscc, number in self.number_of.items()}
        self.paths: dict[str, str] = {}
        self.codes: dict[str, set[str]] = {}
        self._read_regions(session)

    def run(self, rows: Sequence[RosterRow]) -> Preview:
        """Every row, in the order of the file."""
        seen_usccs: set[str] = set()
        seen_numbers: set[str] = set()
        entries: list[Entry] = []
        known = 0
        for row in rows:
            before = len(self.errors)
            entry = self._entry(row)
            if entry.uscc and entry.uscc in seen_usccs:
                self._wrong(row, "uscc", RosterFault.USCC_TWICE)
            if entry.roster_no and entry.roster_no in seen_numbers:
                self._wrong(row, "roster_no", RosterFault.NUMBER_TWICE)
            seen_usccs.add(entry.uscc)
            seen_numbers.add(entry.roster_no)
            if len(self.errors) > before:
                continue
            if entry.uscc in self.number_of:
                known += 1
            else:
                entries.append(entry)
        return Preview(tuple(entries), known, tuple(self.errors))

    def _entry(self, row: RosterRow) -> Entry:
        entry = Entry(
            row.line, row.name.strip(), normalise_uscc(row.uscc), row.roster_no.strip(), self._region(row),
            _count(row.staff), _fen(row.revenue), _fit(_MOBILE, row.mobile), _fit(_EMAIL, row.email),
        )  # fmt: skip
        if not 0 < len(entry.name) <= _LONGEST_NAME:
            self._wrong(row, "name", RosterFault.NAME_EMPTY)
        if not is_uscc(entry.uscc):
            self._wrong(row, "uscc", RosterFault.USCC_INVALID)
        if not 0 < len(entry.roster_no) <= _LONGEST_NUMBER:
            self._wrong(row, "roster_no", RosterFault.NUMBER_EMPTY)
        elif self.number_of.get(entry.uscc, entry.roster_no) != entry.roster_no:
            self._wrong(row, "roster_no", RosterFault.OTHER_NUMBER)
        elif self.owner_of.get(entry.roster_no, entry.uscc) != entry.uscc:
            self._wrong(row, "roster_no", RosterFault.NUMBER_TAKEN)
        return entry

    def _region(self, row: RosterRow) -> str:
        given = "".join(row.region.split())
        found = {given} if given in self.paths else self.codes.get(given, set())
        if len(found) != 1:
            fault = RosterFault.REGION_AMBIGUOUS if found else RosterFault.REGION_UNKNOWN
            self._wrong(row, "region", fault)
            return ""
        (code,) = found
        if not covers_region(self.actor, self.paths[code]):
            self._wrong(row, "region", RosterFault.REGION_OUTSIDE)
        return code

    def _wrong(self, row: RosterRow, field: str, fault: RosterFault) -> None:
        self.errors.append(RowError(row.line, field, fault, str(getattr(row, field))[:60]))

    def _read_regions(self, session: Session) -> None:
        """Every region by its code, by its name, and by its name with those above it in front."""
        names: dict[str, str] = {}
        query = select(Region.code, Region.name, Region.path).order_by(Region.path)
        for code, name, path in session.execute(query):
            names[code], self.paths[code] = name, path
        for code, path in self.paths.items():
            full = ""
            for above in reversed(path.strip("/").split("/")):
                full = names[above] + full
                self.codes.setdefault(full, set()).add(code)
