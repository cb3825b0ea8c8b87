"""Setting the stage: regions, book, policy, budget, people, roster, platforms. Every step is a product operation."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
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
from voucher.operations.authenticate import Profile, hash_password
from voucher.operations.devices import check_pin
from voucher.operations.enrol import Enrolment, Grant, enrol
from voucher.operations.fit_version import PublishRequest
from voucher.operations.fund import FundRequest, LineRequest, fund, open_lines
from voucher.operations.import_roster import RosterFile, RosterRow, import_roster
from voucher.operations.open_book import open_book
from voucher.operations.outcome import Refused
from voucher.operations.publish import propose_version, publish_version
from voucher.operations.qualify import QualifyRequest, qualify
from voucher.operations.regions import load_divisions
from voucher.queries.people import actor_of_login
from voucher.rules.permissions import Actor
from voucher.terms import Role

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
    """A platform: its host, what it sells, who acts for it, and its certification."""

    platform_id: int
    host_uscc: str
    services: tuple[str, ...]
    actor: Actor
    certification_id: int


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
    programme: str = cast.PROGRAMME


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and when the stage is set, at what cost passwords are hashed, and from where people act.

    `source` empty: everybody from an address of their own (of the range for documentation, RFC 5737).
    """

    database: Database
    files_dir: Path
    begins: datetime
    profile: Profile
    source: str = ""


def accepted(results: Sequence[T | Refused]) -> list[T]:
    """Every answer of a sequence; the story stops at the first refusal, which it did not mean."""
    answers = []
    for result in results:
        if isinstance(result, Refused):
            raise Refusal(result.code, **result.facts)
        answers.append(result)
    return answers


def divisions(setting: Setting) -> None:
    """The regions of the country."""
    setting.database.transaction(
        lambda session, at: load_divisions(session, actor=SYSTEM, at=at), at=setting.begins
    )


def offices(
    setting: Setting, scheme: cast.Scheme, people: Sequence[cast.Office], passwords: dict[str, str]
) -> dict[str, Actor]:
    """The book of a scheme and the people of its authorities, by login. New passwords go into `passwords`."""
    run = setting.database.transaction
    book = run(
        lambda session, at: open_book(session, scheme.book, authority=scheme.authority, actor=SYSTEM, at=at),
        at=setting.begins,
    )
    wanted = []
    for office in people:
        grant = Grant(role=office.role, region_code=scheme.region, book_id=book, function=office.function)
        wanted.append(enrolment(setting, office.login, office.name, passwords, grants=(grant,)))
    run(lambda session, at: accepted(enrol(session, wanted, actor=SYSTEM, at=at)), at=setting.begins)
    return {office.login: actor(setting, office.login) for office in people}


def by_role(people: Sequence[cast.Office], actors: dict[str, Actor]) -> dict[Role, Actor]:
    """The first of each role."""
    return {office.role: actors[office.login] for office in reversed(people)}


def programme(setting: Setting, scheme: cast.Scheme, acting: dict[Role, Actor], *, amount_fen: int) -> str:
    """Let one person propose a scheme's policy with the demo's fill-ins and another publish it; fund this year's line."""
    text = (POLICIES / f"{scheme.policy}.toml").read_text("utf-8")
    fill = (POLICIES / "fills" / f"{scheme.fill}.toml").read_text("utf-8")
    document = (POLICIES / "documents" / f"{scheme.document}.txt").read_text("utf-8")
    request = PublishRequest(text=text, fills=(fill,), document_text=document, book_code=scheme.book)
    officer, second = acting[Role.PROGRAMME_OFFICER], actor(setting, scheme.second)

    def work(session: Session, at: datetime) -> None:
        proposed = propose_version(session, request, actor=officer, at=at)
        seen = proposed.sha256
        publish_version(session, proposed.proposal_id, seen_sha256=seen, actor=second, at=at)

    setting.database.transaction(work, at=setting.begins)
    return budget(setting, scheme, acting, amount_fen=amount_fen)


def budget(setting: Setting, scheme: cast.Scheme, acting: dict[Role, Actor], *, amount_fen: int) -> str:
    """Open and fund the budget line of the year; its code."""
    year = business_date(setting.begins).year
    line, maker = scheme.line_of(year), acting[Role.FINANCE_MAKER]

    def work(session: Session, at: datetime) -> None:
        wanted = LineRequest(line, scheme.programme, year, f"{year}{scheme.line_name}")
        accepted(open_lines(session, [wanted], actor=maker, at=at))
        money = FundRequest(line, f"{scheme.document_no}〔{year}〕12号", Fen(amount_fen))
        accepted(fund(session, [money], actor=maker, at=at))

    setting.database.transaction(work, at=setting.begins)
    return line


def roster(
    setting: Setting, firms: Sequence[tuple[str, str, str]], reviewer: Actor, *, series: str = "A8"
) -> None:
    """Import the year's roster of sci-tech SMEs: (USCC, name, region code) of each firm, numbered in a series."""
    year = business_date(setting.begins).year
    rows = [
        RosterRow(line, name, uscc, f"{year}{region}{series}{line:06d}", region)
        for line, (uscc, name, region) in enumerate(firms, start=2)
    ]
    content = sha256(repr(rows).encode()).hexdigest()
    file = RosterFile(f"科技型中小企业入库名单-{year}.xlsx", content, year, rows)
    setting.database.transaction(
        lambda session, at: import_roster(session, file, actor=reviewer, at=at), at=setting.begins
    )


def qualified(setting: Setting, programme_code: str, refs: Sequence[str], reviewer: Actor) -> None:
    """Qualify holders for the year."""
    for start in range(0, len(refs), 1000):
        wanted = [QualifyRequest(ref) for ref in refs[start : start + 1000]]

        def work(session: Session, at: datetime, wanted: list[QualifyRequest] = wanted) -> None:
            accepted(qualify(session, programme_code, wanted, actor=reviewer, at=at))

        setting.database.transaction(work, at=setting.begins)


def actor(setting: Setting, login: str) -> Actor:
    """Somebody of the cast, as the operations know them."""
    with setting.database.read() as session:
        known = found(actor_of_login(session, login, on=business_date(setting.begins), source=setting.source))
    return known if known.source else replace(known, source=f"198.51.100.{known.person_id % 250 + 1}")


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


def new_pin() -> str:
    """A random PIN for a counter device that is not among those that others try first."""
    while True:
        pin = f"{secrets.randbelow(900_000) + 100_000}"
        try:
            check_pin(pin)
        except Refusal:
            continue
        return pin
