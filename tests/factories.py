"""Rows to test with: plain functions, valid by default, that flush and never commit.

`shanxi` makes the whole world of one redemption: the provincial book, the published policy with the demo's
fill-ins, a funded budget line, a certified platform, a qualified firm, and everybody who acts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from sqlalchemy.orm import Session

from voucher.clock import business_date, fiscal_year
from voucher.codes import make_uscc
from voucher.ledger import accounts
from voucher.ledger.events import Accepted, Event, Leg
from voucher.ledger.locking import lock
from voucher.ledger.posting import post
from voucher.models.ledger import Book
from voucher.models.parties import (
    Certification,
    Holder,
    Organisation,
    Platform,
    Qualification,
    RosterEntry,
    RosterImport,
)
from voucher.models.people import Person, RoleGrant
from voucher.models.programmes import BudgetDocument, BudgetLine, PolicyVersion, Programme
from voucher.models.regions import Region
from voucher.operations.fit_version import PublishRequest
from voucher.operations.publish import Published, propose_version, publish_version
from voucher.rules.permissions import Actor
from voucher.rules.policy_reading import read
from voucher.terms import (
    CertificationState,
    Certifier,
    HolderClass,
    HolderKind,
    PlatformKind,
    PolicyState,
    PostingKind,
    Role,
    VoucherKind,
)

T = TypeVar("T")

FOLDER = Path(__file__).resolve().parents[1] / "policies"
SHANXI = (FOLDER / "shanxi-2022.toml").read_text("utf-8")
SHANXI_FILL = (FOLDER / "fills" / "shanxi-2022-demo.toml").read_text("utf-8")
PROGRAMME = "CN-140000-INNO"
POLICY = "CN-140000-INNO-2022"
SERVICES = ("innovation_service_purchase", "technical_cooperation")
AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)

_PLACES = (
    ("000000", "中华人民共和国", "country", None),
    ("140000", "山西省", "province", "000000"),
    ("140100", "太原市", "prefecture", "140000"),
    ("140105", "小店区", "county", "140100"),
    ("140500", "晋城市", "prefecture", "140000"),
    ("140525", "泽州县", "county", "140500"),
    ("141100", "吕梁市", "prefecture", "140000"),
    ("610000", "陕西省", "province", "000000"),
    ("610100", "西安市", "prefecture", "610000"),
)
_serials = count(1)


@dataclass(frozen=True, slots=True)
class Firm:
    """A qualified firm, its voucher holder, and the person who acts for it (operator and approver)."""

    holder_id: int
    holder_ref: str
    organisation_id: int
    uscc: str
    name: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class Provider:
    """A certified platform, its host, and the two people who act for it."""

    platform_id: int
    name: str
    organisation_id: int
    uscc: str
    certification_id: int
    scanner: Actor
    manager: Actor


@dataclass(frozen=True, slots=True)
class World:
    """Everything that one redemption needs, by id and code."""

    at: datetime
    book_id: int
    book_code: str
    programme_code: str
    policy_code: str
    line_id: int
    line_code: str
    year: int
    officer: Actor
    maker: Actor
    checker: Actor
    reviewer: Actor
    auditor: Actor
    firm: Firm
    platform: Provider


def places(session: Session) -> None:
    """Shanxi with Taiyuan, Jincheng, Lvliang and two counties, and Xi'an beside it; only those that are missing."""
    paths: dict[str | None, str] = {None: "/"}
    for code, name, level, parent in _PLACES:
        paths[code] = f"{paths[parent]}{code}/"
        if session.get(Region, code) is None:
            session.add(
                Region(
                    code=code,
                    name=name,
                    level=level,
                    parent_code=parent,
                    path=paths[code],
                    division_code=code,
                )
            )
        session.flush()


def organisation(
    session: Session, *, region_code: str = "140105", name: str = "", uscc: str = "", at: datetime = AT
) -> Organisation:
    """A firm with a valid USCC of its own."""
    serial = next(_serials)
    row = Organisation(
        uscc=uscc or make_uscc(region_code, serial),
        name=name or f"测试企业{serial}有限公司",
        region_code=region_code,
        created_at=at,
    )
    session.add(row)
    session.flush()
    return row


def holder(session: Session, owner: Organisation, *, at: datetime = AT) -> Holder:
    """The holder that a firm is."""
    row = Holder(
        ref=owner.uscc,
        kind=HolderKind.FIRM.value,
        name=owner.name,
        organisation_id=owner.id,
        region_code=owner.region_code,
        created_at=at,
    )
    session.add(row)
    session.flush()
    return row


def platform(session: Session, host: Organisation, *, name: str = "", at: datetime = AT) -> Platform:
    """A testing centre under its host."""
    row = Platform(
        organisation_id=host.id,
        name=name or f"测试平台{next(_serials)}",
        kind=PlatformKind.TESTING_CENTER.value,
        region_code=host.region_code,
        created_at=at,
    )
    session.add(row)
    session.flush()
    return row


def certification(
    session: Session,
    certified: Platform,
    *,
    services: tuple[str, ...] = SERVICES,
    certifier: Certifier = Certifier.SCIENCE,
    state: CertificationState = CertificationState.CERTIFIED,
    from_on: date = date(2022, 4, 1),
    to_on: date | None = None,
) -> Certification:
    """A certification by the science authority for innovation vouchers and both Shanxi services."""
    row = Certification(
        platform_id=certified.id,
        authority=certifier.value,
        region_code="140000",
        kinds=[VoucherKind.INNOVATION.value],
        services=list(services),
        document_no="晋科认〔2022〕1号",
        from_on=from_on,
        to_on=to_on,
        state=state.value,
    )
    session.add(row)
    session.flush()
    return row


def person(
    session: Session,
    *roles: Role,
    organisation_id: int | None = None,
    platform_id: int | None = None,
    region_code: str | None = None,
    book_id: int | None = None,
    at: datetime = AT,
) -> Actor:
    """Somebody with these roles, all for the same organisation, platform, region and book; as an actor."""
    serial = next(_serials)
    row = Person(login=f"person{serial}", name=f"测试员{serial}", password_hash="-", created_at=at)
    session.add(row)
    session.flush()
    session.add_all(
        RoleGrant(
            person_id=row.id,
            role=role.value,
            organisation_id=organisation_id,
            platform_id=platform_id,
            region_code=region_code,
            book_id=book_id,
            from_on=date(2022, 1, 1),
        )
        for role in roles
    )
    session.flush()
    return Actor(
        person_id=row.id,
        ref=f"person:{row.id}",
        name=row.name,
        roles=frozenset(roles),
        organisation_ids=_given(organisation_id),
        platform_ids=_given(platform_id),
        region_codes=_given(region_code),
        book_ids=_given(book_id),
        source="test",
    )


def _given(value: T | None) -> frozenset[T]:
    return frozenset() if value is None else frozenset({value})


def book(session: Session, *, code: str = "140000", authority: str = "山西省财政厅") -> Book:
    """A funding authority's book, open."""
    row = Book(code=code, authority=authority)
    session.add(row)
    session.flush()
    return row


def programme(
    session: Session, book_id: int, *, code: str = PROGRAMME, name: str = "山西省科技创新券"
) -> Programme:
    """An innovation voucher programme of Shanxi."""
    row = Programme(
        code=code, name=name, kind=VoucherKind.INNOVATION.value, region_code="140000", book_id=book_id
    )
    session.add(row)
    session.flush()
    return row


def policy_version(
    session: Session,
    officer: Actor,
    *,
    text: str = SHANXI,
    fills: tuple[str, ...] = (SHANXI_FILL,),
    at: datetime = AT,
) -> PolicyVersion:
    """A published version: the real Shanxi one, filled in as the demo does, unless told otherwise."""
    policy = read(text, fills)
    assert policy.effective_from is not None
    proposer = person(session, Role.PROGRAMME_OFFICER, region_code=policy.owner_region, at=at)
    row = PolicyVersion(
        code=policy.code,
        programme_code=policy.programme,
        document_no=policy.document_no,
        text=text,
        fills=list(fills),
        sha256=sha256("\0".join((text, *fills)).encode()).hexdigest(),
        effective_from=policy.effective_from,
        effective_to=policy.effective_to,
        state=PolicyState.PUBLISHED.value,
        proposed_by=proposer.person_id,
        published_by=officer.person_id,
        published_at=at,
    )
    session.add(row)
    session.flush()
    return row


def publish(session: Session, request: PublishRequest, *, actor: Actor, at: datetime = AT) -> Published:
    """A version proposed by this officer and published by another of the same regions and books."""
    second = person(session, Role.PROGRAMME_OFFICER, at=at)
    second = replace(second, region_codes=actor.region_codes, book_ids=actor.book_ids)
    proposed = propose_version(session, request, actor=actor, at=at)
    return publish_version(session, proposed.proposal_id, seen_sha256=proposed.sha256, actor=second, at=at)


def budget_line(
    session: Session, owner: Programme, *, maker: Actor, funded_fen: int = 10_000_000_00, at: datetime = AT
) -> BudgetLine:
    """A budget line of the year of `at`, with money on it (none where `funded_fen` is 0)."""
    year, serial = fiscal_year(at), next(_serials)
    row = BudgetLine(
        code=f"{owner.code}-{year}-{serial}",
        programme_code=owner.code,
        year=year,
        name=f"创新券资金{serial}",
        created_at=at,
    )
    session.add(row)
    session.flush()
    if funded_fen:
        _fund(session, row, book_id=owner.book_id, maker=maker, amount_fen=funded_fen, at=at)
    return row


def _fund(
    session: Session, line: BudgetLine, *, book_id: int, maker: Actor, amount_fen: int, at: datetime
) -> None:
    session.add(
        BudgetDocument(
            budget_line_id=line.id,
            document_no="晋财教〔测试〕1号",
            amount_fen=amount_fen,
            funded_by=maker.person_id,
            funded_at=at,
        )
    )
    refs = (accounts.source(), accounts.budget(line.code, line.year))
    event = Event(
        uuid4(),
        PostingKind.FUND,
        (Leg(*refs, amount_fen),),
        fiscal_year(at),
        business_date(at),
        "",
        maker.ref,
    )
    (result,) = post(session, lock(session, book_id, refs), [event], at=at)
    assert isinstance(result, Accepted)
    session.flush()


def on_roster(
    session: Session, owner: Organisation, *, by: Actor, year: int, at: datetime = AT
) -> RosterEntry:
    """A firm's number on the roster of sci-tech SMEs of a year."""
    brought = RosterImport(
        roster="tech_sme",
        year=year,
        file_name="名单.csv",
        sha256=uuid4().hex * 2,
        rows=1,
        imported_by=by.person_id,
        imported_at=at,
    )
    session.add(brought)
    session.flush()
    row = RosterEntry(
        import_id=brought.id,
        roster="tech_sme",
        year=year,
        uscc=owner.uscc,
        roster_no=f"{year}{owner.region_code}F{next(_serials):07d}",
        name=owner.name,
        region_code=owner.region_code,
    )
    session.add(row)
    session.flush()
    return row


def qualification(
    session: Session,
    held_by: Holder,
    *,
    by: Actor,
    year: int,
    programme_code: str = PROGRAMME,
    at: datetime = AT,
) -> Qualification:
    """A holder found eligible as a sci-tech SME."""
    row = Qualification(
        programme_code=programme_code,
        year=year,
        holder_id=held_by.id,
        holder_class=HolderClass.TECH_SME.value,
        facts={"roster_years": [year]},
        qualified_by=by.person_id,
        qualified_at=at,
    )
    session.add(row)
    session.flush()
    return row


def firm(
    session: Session,
    *,
    reviewer: Actor,
    region_code: str = "140105",
    programme_code: str = PROGRAMME,
    at: datetime = AT,
) -> Firm:
    """One more firm: on the roster, qualified, with somebody who acts for it."""
    owner = organisation(session, region_code=region_code, at=at)
    held_by = holder(session, owner, at=at)
    year = fiscal_year(at)
    on_roster(session, owner, by=reviewer, year=year, at=at)
    qualification(session, held_by, by=reviewer, year=year, programme_code=programme_code, at=at)
    actor = person(
        session, Role.ENTERPRISE_OPERATOR, Role.ENTERPRISE_APPROVER, organisation_id=owner.id, at=at
    )
    return Firm(held_by.id, held_by.ref, owner.id, owner.uscc, owner.name, actor)


def provider(session: Session, *, region_code: str = "140100", at: datetime = AT) -> Provider:
    """One more certified platform under a host of its own, with a scanner and a manager."""
    host = organisation(session, region_code=region_code, name=f"测试研究院{next(_serials)}", at=at)
    place = platform(session, host, at=at)
    certified = certification(session, place)
    scanner = person(session, Role.PROVIDER_SCANNER, organisation_id=host.id, platform_id=place.id, at=at)
    managing = person(session, Role.PROVIDER_MANAGER, organisation_id=host.id, platform_id=place.id, at=at)
    return Provider(place.id, place.name, host.id, host.uscc, certified.id, scanner, managing)


def shanxi(session: Session, *, at: datetime = AT, funded_fen: int = 10_000_000_00) -> World:
    """The world of one redemption in Shanxi, everything valid on the day of `at`."""
    places(session)
    funder = book(session)
    officer = person(session, Role.PROGRAMME_OFFICER, region_code="140000", book_id=funder.book_id, at=at)
    reviewer = person(session, Role.REVIEWER, region_code="140000", book_id=funder.book_id, at=at)
    maker = person(session, Role.FINANCE_MAKER, region_code="140000", book_id=funder.book_id, at=at)
    checker = person(session, Role.FINANCE_CHECKER, region_code="140000", book_id=funder.book_id, at=at)
    auditor = person(session, Role.AUDITOR, region_code="140000", book_id=funder.book_id, at=at)
    owner = programme(session, funder.book_id)
    version = policy_version(session, officer, at=at)
    line = budget_line(session, owner, maker=maker, funded_fen=funded_fen, at=at)
    return World(
        at=at,
        book_id=funder.book_id,
        book_code=funder.code,
        programme_code=owner.code,
        policy_code=version.code,
        line_id=line.id,
        line_code=line.code,
        year=line.year,
        officer=officer,
        maker=maker,
        checker=checker,
        reviewer=reviewer,
        auditor=auditor,
        firm=firm(session, reviewer=reviewer, at=at),
        platform=provider(session, at=at),
    )
