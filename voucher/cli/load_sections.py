"""The sections of a loaded file, each through the operation that pages and API use; a refusal ends the load."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.cli.policy import stored_document
from voucher.errors import Code, Refusal, found
from voucher.models.ledger import Book
from voucher.models.parties import Platform
from voucher.models.programmes import Programme
from voucher.operations.affiliate import AffiliationRequest, affiliate
from voucher.operations.certify import CertifyRequest, certify
from voucher.operations.enrol import Enrolment, Grant, enrol
from voucher.operations.fit_version import PublishRequest
from voucher.operations.fund import FundRequest, LineRequest, fund, open_lines
from voucher.operations.import_roster import RosterFile, RosterRow, import_roster
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.open_book import open_book
from voucher.operations.outcome import Refused
from voucher.operations.publish import propose_version, publish_version
from voucher.operations.qualify import QualifyRequest, qualify
from voucher.operations.regions import ZoneRequest, add_zones
from voucher.operations.register import (
    OrganisationRequest,
    PlatformRequest,
    organisation_ids,
    register_firms,
    register_organisations,
    register_platforms,
)
from voucher.rules.permissions import Actor

T = TypeVar("T")
Parts = Sequence[Mapping[str, Any]]
_MOST_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Loading:
    """One load under way: in which transaction, by whom (policies are published by `second`), from which folder."""

    session: Session
    actor: Actor
    folder: Path
    at: datetime
    second: Actor

    @property
    def who(self) -> dict[str, Any]:
        """What every operation is told."""
        return {"actor": self.actor, "at": self.at}


def _all(results: Sequence[T | Refused]) -> list[T]:
    """Every answer; the first refusal is raised."""
    done: list[T] = []
    for result in results:
        if isinstance(result, Refused):
            raise Refusal(result.code, **result.facts)
        done.append(result)
    return done


def _books(loading: Loading, parts: Parts) -> dict[str, int]:
    return {
        part["code"]: open_book(loading.session, part["code"], authority=part["authority"], **loading.who)
        for part in parts
    }


def _regions(loading: Loading, parts: Parts) -> list[str]:
    return _all(add_zones(loading.session, [ZoneRequest(**part) for part in parts], **loading.who))


def _organisations(loading: Loading, parts: Parts) -> dict[str, int]:
    requests = [
        OrganisationRequest(**{name: value for name, value in part.items() if name != "holder"})
        for part in parts
    ]
    done = _all(register_organisations(loading.session, requests, **loading.who))
    firms = [part["uscc"] for part in parts if part["holder"]]
    _all(register_firms(loading.session, firms, **loading.who))
    return {each.ref: each.id for each in done}


def _platforms(loading: Loading, parts: Parts) -> dict[str, int]:
    done = _all(
        register_platforms(loading.session, [PlatformRequest(**part) for part in parts], **loading.who)
    )
    return {f"{each.ref}/{part['name']}": each.id for each, part in zip(done, parts, strict=True)}


def _affiliations(loading: Loading, parts: Parts) -> int:
    return len(
        _all(affiliate(loading.session, [AffiliationRequest(**part) for part in parts], **loading.who))
    )


def _people(loading: Loading, parts: Parts) -> dict[str, int]:
    requests = [
        Enrolment(
            login=part["login"],
            name=part["name"],
            password_hash=part["password_hash"],
            grants=tuple(_grant(loading.session, role) for role in part["roles"]),
        )
        for part in parts
    ]
    return {each.login: each.person_id for each in _all(enrol(loading.session, requests, **loading.who))}


def _grant(session: Session, part: Mapping[str, Any]) -> Grant:
    uscc, platform, book = part.get("uscc"), part.get("platform"), part.get("book")
    query = select(Book.book_id).where(Book.code == book)
    return Grant(
        role=part["role"],
        organisation_id=found(organisation_ids(session, [uscc]).get(uscc)) if uscc else None,
        platform_id=_platform_id(session, uscc or "", platform) if platform else None,
        region_code=part.get("region_code"),
        book_id=found(session.scalars(query).one_or_none()) if book else None,
        function=part.get("function"),
    )


def _platform_id(session: Session, uscc: str, name: str) -> int:
    host = organisation_ids(session, [uscc]).get(uscc)
    query = select(Platform.id).where(Platform.organisation_id == host, Platform.name == name)
    key = session.scalars(query).one_or_none()
    if key is None:
        raise Refusal(Code.NOT_FOUND, platform=f"{uscc}/{name}")
    return key


def _programmes(loading: Loading, parts: Parts) -> list[str]:
    codes = []
    for part in parts:
        file = loading.folder / part["policy"]
        text = file.read_text("utf-8")
        fills = tuple((loading.folder / name).read_text("utf-8") for name in part["fills"])
        document = stored_document(file, text, fills)
        request = PublishRequest(text=text, fills=fills, document_text=document, book_code=part["book"])
        open_ = propose_version(loading.session, request, **loading.who)
        publish_version(
            loading.session,
            open_.proposal_id,
            seen_sha256=open_.sha256,
            actor=loading.second,
            at=loading.at,
        )
        codes.append(open_.policy_code)
    return codes


def _certifications(loading: Loading, parts: Parts) -> list[int]:
    requests = [
        CertifyRequest(
            platform_id=_platform_id(loading.session, part["host_uscc"], part["platform"]),
            certifier=part["certifier"],
            region_code=part["region_code"],
            kinds=tuple(part["kinds"]),
            services=tuple(part["services"]),
            document_no=part["document_no"],
            from_on=part["from_on"],
            to_on=part["to_on"],
        )
        for part in parts
    ]
    return [each.certification_id for each in _all(certify(loading.session, requests, **loading.who))]


def _budgets(loading: Loading, parts: Parts) -> dict[str, int]:
    lines = [LineRequest(part["code"], part["programme"], part["year"], part["name"]) for part in parts]
    ids = _all(open_lines(loading.session, lines, **loading.who))
    documents = [
        FundRequest(part["code"], document["document_no"], document["amount_fen"])
        for part in parts
        for document in part["documents"]
    ]
    _all(fund(loading.session, documents, **loading.who))
    return {line.code: key for line, key in zip(lines, ids, strict=True)}


def _roster(loading: Loading, parts: Parts) -> dict[str, int]:
    made: dict[str, int] = {}
    for year, group in groupby(sorted(parts, key=_year), key=_year):
        rows = [
            RosterRow(line, part["name"], part["uscc"], part["roster_no"], part["region_code"])
            for line, part in enumerate(group, start=1)
        ]
        content = json.dumps([[row.uscc, row.roster_no] for row in rows]).encode()
        file = RosterFile("load.json", sha256(content).hexdigest(), year, rows)
        made[str(year)] = import_roster(loading.session, file, **loading.who).import_id
    return made


def _qualifications(loading: Loading, parts: Parts) -> dict[str, int]:
    made: dict[str, int] = {}
    for programme, group in _by(parts, "programme").items():
        requests = [QualifyRequest(part["holder"], part["holder_class"]) for part in group]
        owner = found(loading.session.get(Programme, programme))
        regions = loading.actor.region_codes | {owner.region_code}
        who = {**loading.who, "actor": replace(loading.actor, region_codes=regions)}
        done = _all(qualify(loading.session, programme, requests, **who))
        made |= {part["holder"]: each.qualification_id for part, each in zip(group, done, strict=True)}
    return made


def _vouchers(loading: Loading, parts: Parts) -> list[str]:
    numbers: list[str] = []
    for line, group in _by(parts, "line").items():
        for start in range(0, len(group), _MOST_AT_ONCE):
            some = group[start : start + _MOST_AT_ONCE]
            requests = [IssueRequest(part["holder"], part["face_fen"]) for part in some]
            numbers += [each.number for each in _all(issue(loading.session, line, requests, **loading.who))]
    return numbers


def _year(part: Mapping[str, Any]) -> int:
    year: int = part["year"]
    return year


def _by(parts: Parts, name: str) -> dict[str, list[Mapping[str, Any]]]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for part in parts:
        groups.setdefault(part[name], []).append(part)
    return groups


SECTIONS: Final[Mapping[str, Callable[[Loading, Parts], Any]]] = {
    "books": _books,
    "regions": _regions,
    "organisations": _organisations,
    "platforms": _platforms,
    "affiliations": _affiliations,
    "people": _people,
    "programmes": _programmes,
    "certifications": _certifications,
    "budgets": _budgets,
    "roster": _roster,
    "qualifications": _qualifications,
    "vouchers": _vouchers,
}
LATER: Final = ("programmes", "certifications", "budgets", "roster", "qualifications", "vouchers")
