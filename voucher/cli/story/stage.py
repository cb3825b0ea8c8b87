"""Setting the stage: regions, book, policy, budget, people, roster, platforms. Every step is a product operation."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from sqlalchemy.orm import Session

from voucher.cli.context import SYSTEM
from voucher.cli.story import cast
from voucher.clock import business_date
from voucher.db import Database
from voucher.errors import Refusal, found
from voucher.money import Fen
from voucher.operations.affiliate import PayeeRequest, set_payees
from voucher.operations.authenticate import Profile, hash_password
from voucher.operations.certify import CertifyRequest, certify
from voucher.operations.enrol import Enrolment, Grant, enrol
from voucher.operations.fund import FundRequest, LineRequest, fund, open_lines
from voucher.operations.import_roster import RosterFile, RosterRow, import_roster
from voucher.operations.open_book import open_book
from voucher.operations.outcome import Refused
from voucher.operations.publish import PublishRequest, publish
from voucher.operations.qualify import QualifyRequest, qualify
from voucher.operations.regions import load_divisions
from voucher.operations.register import (
    OrganisationRequest,
    PlatformRequest,
    holder_ids,
    organisation_ids,
    register_organisations,
    register_platforms,
)
from voucher.queries.people import actor_of_login
from voucher.rules.permissions import Actor
from voucher.terms import Certifier, Role, VoucherKind

T = TypeVar("T")
POLICIES = Path(__file__).resolve().parents[3] / "policies"


@dataclass(frozen=True, slots=True)
class Party:
    """A firm: its holder and organisation, the account it is paid to, and who acts for it."""

    ref: str
    holder_id: int
    organisation_id: int
    account_id: int
    actor: Actor
    name: str


@dataclass(frozen=True, slots=True)
class Bench:
    """A platform: its host, what it sells, and who acts for it."""

    platform_id: int
    host_uscc: str
    services: tuple[str, ...]
    actor: Actor


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything a story needs: the database, the store, who acts, and the budget line."""

    database: Database
    files_dir: Path
    year: int
    line_code: str
    offices: dict[Role, Actor]
    firms: tuple[Party, ...]
    labs: tuple[Bench, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and when the stage is set, and at what cost passwords are hashed."""

    database: Database
    files_dir: Path
    begins: datetime
    profile: Profile


def accepted(results: Sequence[T | Refused]) -> list[T]:
    """Every answer of a sequence; the story stops at the first refusal, which it did not mean."""
    answers = []
    for result in results:
        if isinstance(result, Refused):
            raise Refusal(result.code, **result.facts)
        answers.append(result)
    return answers


def offices(setting: Setting, passwords: dict[str, str]) -> dict[Role, Actor]:
    """Divisions, the book, and the people of the authorities. New passwords go into `passwords`."""
    run = setting.database.transaction
    run(lambda session, at: load_divisions(session, actor=SYSTEM, at=at), at=setting.begins)
    book = run(
        lambda session, at: open_book(session, cast.BOOK, authority=cast.AUTHORITY, actor=SYSTEM, at=at),
        at=setting.begins,
    )
    wanted = []
    for office in cast.OFFICES:
        grant = Grant(role=office.role, region_code=cast.BOOK, book_id=book)
        wanted.append(enrolment(setting, office.login, office.name, passwords, grants=(grant,)))
    run(lambda session, at: accepted(enrol(session, wanted, actor=SYSTEM, at=at)), at=setting.begins)
    return {office.role: actor(setting, office.login) for office in cast.OFFICES}


def programme(setting: Setting, acting: dict[Role, Actor], *, amount_fen: int) -> str:
    """Publish the Shanxi policy with the demo authority's fill-ins, and fund this year's line; its code."""
    text = (POLICIES / "shanxi-2022.toml").read_text("utf-8")
    fill = (POLICIES / "fills" / "shanxi-2022-demo.toml").read_text("utf-8")
    document = (POLICIES / "documents" / "shanxi-2022.txt").read_text("utf-8")
    year = business_date(setting.begins).year
    line = f"SX-INNO-{year}"
    request = PublishRequest(text=text, fills=(fill,), document_text=document, book_code=cast.BOOK)

    def work(session: Session, at: datetime) -> None:
        publish(session, request, actor=acting[Role.PROGRAMME_OFFICER], at=at)
        wanted = LineRequest(line, cast.PROGRAMME, year, f"{year}年省级科技创新券专项")
        accepted(open_lines(session, [wanted], actor=acting[Role.FINANCE_MAKER], at=at))
        money = FundRequest(line, f"晋财教（演示）〔{year}〕12号", Fen(amount_fen))
        accepted(fund(session, [money], actor=acting[Role.FINANCE_MAKER], at=at))

    setting.database.transaction(work, at=setting.begins)
    return line


def roster(
    setting: Setting, firms: Sequence[tuple[str, str, str]], acting: dict[Role, Actor]
) -> None:  # fmt: skip
    """Import the year's roster of sci-tech SMEs: (USCC, name, region code) of each firm; then qualify them all."""
    year = business_date(setting.begins).year
    rows = [
        RosterRow(line, name, uscc, f"{year}{region}A8{line:06d}", region)
        for line, (uscc, name, region) in enumerate(firms, start=2)
    ]
    content = sha256(repr(rows).encode()).hexdigest()
    file = RosterFile(f"科技型中小企业入库名单-{year}.xlsx", content, year, rows)
    reviewer = acting[Role.REVIEWER]
    setting.database.transaction(
        lambda session, at: import_roster(session, file, actor=reviewer, at=at), at=setting.begins
    )
    for start in range(0, len(firms), 1000):
        wanted = [QualifyRequest(uscc) for uscc, _, _ in firms[start : start + 1000]]

        def work(session: Session, at: datetime, wanted: list[QualifyRequest] = wanted) -> None:
            accepted(qualify(session, cast.PROGRAMME, wanted, actor=reviewer, at=at))

        setting.database.transaction(work, at=setting.begins)


def accounts(
    setting: Setting, firms: Sequence[tuple[str, str, str]], acting: dict[Role, Actor]
) -> dict[str, int]:
    """An account of each organisation to be paid to, by USCC."""
    found_ids: dict[str, int] = {}
    for start in range(0, len(firms), 1000):
        part = firms[start : start + 1000]
        wanted = [
            PayeeRequest(
                uscc=uscc, account_name=name, bank="晋商演示银行", account_no=f"6217{start + place:012d}"
            )
            for place, (uscc, name, _) in enumerate(part)
        ]

        def work(session: Session, at: datetime, wanted: list[PayeeRequest] = wanted) -> list[int]:
            return accepted(set_payees(session, wanted, actor=acting[Role.REVIEWER], at=at))

        ids = setting.database.transaction(work, at=setting.begins)
        found_ids.update(zip([uscc for uscc, _, _ in part], ids, strict=True))
    return found_ids


def labs(setting: Setting, acting: dict[Role, Actor], passwords: dict[str, str]) -> tuple[Bench, ...]:
    """Register the hosts and their platforms, certify them, and enrol a manager and a scanner for each host."""
    officer = acting[Role.PROGRAMME_OFFICER]
    today = business_date(setting.begins)

    def work(session: Session, at: datetime) -> tuple[dict[str, int], list[int]]:
        hosts = [
            OrganisationRequest(
                uscc=each.uscc, name=each.name, region_code=each.region, legal_representative=each.person
            )
            for each in cast.HOSTS
        ]
        accepted(register_organisations(session, hosts, actor=officer, at=at))
        wanted = [
            PlatformRequest(
                host_uscc=lab.host.uscc, name=lab.name, kind=lab.kind, region_code=lab.host.region
            )
            for lab in cast.LABS
        ]
        platforms = [each.id for each in accepted(register_platforms(session, wanted, actor=officer, at=at))]
        titles = [
            CertifyRequest(
                platform_id=platform,
                certifier=Certifier.SCIENCE,
                region_code=cast.BOOK,
                kinds=(VoucherKind.INNOVATION,),
                services=lab.services,
                document_no=f"晋科（演示）〔{today.year}〕3号",
                from_on=date(today.year, 1, 1),
            )
            for platform, lab in zip(platforms, cast.LABS, strict=True)
        ]  # fmt: skip
        accepted(certify(session, titles, actor=officer, at=at))
        return organisation_ids(session, [each.uscc for each in cast.HOSTS]), platforms

    hosts, platforms = setting.database.transaction(work, at=setting.begins)
    _staff(setting, hosts, passwords)
    return tuple(
        Bench(platform, lab.host.uscc, lab.services, actor(setting, lab.host.login))
        for platform, lab in zip(platforms, cast.LABS, strict=True)
    )


def _staff(setting: Setting, hosts: dict[str, int], passwords: dict[str, str]) -> None:
    people = []
    for host in cast.HOSTS:
        for login, name, role in (
            (host.login, host.person, Role.PROVIDER_MANAGER),
            (f"{host.login}2", f"{host.person[0]}扫码", Role.PROVIDER_SCANNER),
        ):
            grant = Grant(role=role, organisation_id=hosts[host.uscc])
            people.append(enrolment(setting, login, name, passwords, grants=(grant,)))
    setting.database.transaction(
        lambda session, at: accepted(enrol(session, people, actor=SYSTEM, at=at)), at=setting.begins
    )


def firms(setting: Setting, accounts_by_uscc: dict[str, int], passwords: dict[str, str]) -> tuple[Party, ...]:
    """Enrol the operator of each firm of the cast."""
    usccs = [each.uscc for each in cast.FIRMS]
    with setting.database.read() as session:
        organisations, holders = organisation_ids(session, usccs), holder_ids(session, usccs)
    people = []
    for each in cast.FIRMS:
        roles = (Role.ENTERPRISE_OPERATOR, Role.ENTERPRISE_APPROVER)
        grants = tuple(Grant(role=role, organisation_id=organisations[each.uscc]) for role in roles)
        people.append(enrolment(setting, each.login, each.person, passwords, grants=grants))
    setting.database.transaction(
        lambda session, at: accepted(enrol(session, people, actor=SYSTEM, at=at)), at=setting.begins
    )
    return tuple(
        Party(
            each.uscc, holders[each.uscc], organisations[each.uscc], accounts_by_uscc[each.uscc],
            actor(setting, each.login), each.name,
        )
        for each in cast.FIRMS
    )  # fmt: skip


def actor(setting: Setting, login: str) -> Actor:
    """Somebody of the cast, as the operations know them."""
    with setting.database.read() as session:
        return replace(
            found(actor_of_login(session, login, on=business_date(setting.begins), source="demo")),
            source="demo",
        )


def enrolment(
    setting: Setting, login: str, name: str, passwords: dict[str, str], *, grants: tuple[Grant, ...]
) -> Enrolment:
    """Somebody to be enrolled with a new random password, which goes into `passwords`."""
    passwords[login] = password = new_password()
    hashed = hash_password(password, profile=setting.profile)
    return Enrolment(login=login, name=name, password_hash=hashed, grants=grants)


def new_password() -> str:
    """A random password that passes both password profiles and can be read aloud."""
    letters = "abcdefghjkmnpqrstuvwxyz"
    words = "".join(secrets.choice(letters) for _ in range(6))
    return f"{words.capitalize()}-{secrets.randbelow(900_000) + 100_000}"
