"""The demo's county: a book of its own, schemes that ask for every step there is, and how its stories are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy.orm import Session

from voucher.cli.story import county_cast as cast
from voucher.cli.story import parties, stage
from voucher.cli.story.papers import paper
from voucher.cli.story.stage import Bench, Party, Setting, Stage, T
from voucher.cli.story.steps import Deal
from voucher.cli.story.teller import Story, Teller
from voucher.clock import business_date, day_bounds
from voucher.money import Fen
from voucher.rules.permissions import Actor
from voucher.store import Stored
from voucher.terms import Role

BUDGET_FEN = 3_000_000_00
EARLIER = timedelta(days=31)
ISSUED = 56
_FIRST_SERIAL = 9001


@dataclass(frozen=True, slots=True)
class Play:
    """What the county's stories need. `claims` are claims by the name that a story gave them."""

    stage: Stage
    teller: Teller
    setting: Setting
    people: dict[str, Actor]
    passwords: dict[str, str]
    key: bytes
    shown: list[str] = field(default_factory=list)
    claims: dict[str, str] = field(default_factory=dict)
    vouchers: dict[int, str] = field(default_factory=dict)
    offers: list[int] = field(default_factory=list)
    serials: count[int] = field(default_factory=lambda: count(_FIRST_SERIAL))

    def on(self, days: int, minutes: int = 0) -> datetime:
        """In office hours so many days before the story's last day, and never after its end."""
        morning = day_bounds(business_date(self.teller.ends) - timedelta(days=days))[0] + timedelta(hours=9)
        return min(morning + timedelta(minutes=minutes), self.teller.ends)

    def follow(self, told: Callable[[Play], Story[None]]) -> None:
        """Plan a story that begins once the firms have their vouchers."""
        self.teller.then_at(self.on(ISSUED - 1), lambda _at: self.teller.follow(told(self)))

    def do(self, work: Callable[[Session, datetime], T], at: datetime) -> T:
        """One transaction at a told instant."""
        return self.stage.database.transaction(work, at=at)

    def actor(self, login: str, at: datetime) -> Actor:
        """Somebody who joined meanwhile, as they stand at this instant."""
        return stage.actor(replace(self.setting, begins=at), login)

    def paper(self, text: str, file_name: str) -> Stored:
        """A stored one-page paper."""
        return paper(self.stage.files_dir, text, file_name)

    def deal(self, firm: int, lab: int, yuan: int, about: str) -> Deal:
        """What a firm buys, with numbers of its own for contract and invoice."""
        serial, year = next(self.serials), self.stage.year
        place = self.stage.labs[lab]
        return Deal(
            firm=self.stage.firms[firm],
            lab=place,
            voucher_number=self.vouchers[firm],
            service=place.services[0],
            contract_fen=Fen(yuan * 100),
            contract_no=f"ZZ-HT{year}-{serial}",
            invoice_no=f"{year % 100:02d}142000{serial:012d}",
            about=about,
        )


@dataclass(frozen=True, slots=True)
class County:
    """Who is there before the year begins."""

    people: dict[str, Actor]
    firms: tuple[Party, ...]
    labs: tuple[Bench, ...]


def set_stage(setting: Setting, passwords: dict[str, str]) -> County:
    """The county's offices, policies, platforms and firms, and its budget, as they stood when the year before ended."""
    people = stage.offices(setting, cast.VOUCHERS, cast.OFFICES, passwords)
    acting = stage.by_role(cast.OFFICES, people)
    for scheme in (cast.VOUCHERS, cast.AWARDS):
        stage.programme(setting, scheme, acting, amount_fen=BUDGET_FEN)
    names = [(each.uscc, each.name, each.region) for each in cast.FIRMS]
    stage.roster(setting, names, acting[Role.REVIEWER])
    paid_to = parties.accounts(setting, names, acting[Role.REVIEWER])
    companies = (cast.REGION, cast.HOSTS, cast.LABS)
    labs = parties.labs(setting, companies, acting[Role.PROGRAMME_OFFICER], passwords)
    return County(people, parties.firms(setting, cast.FIRMS, paid_to, passwords), labs)


def open_year(setting: Setting, county: County) -> Stage:
    """This year's lines, and this year's qualifications for the firms of its roster."""
    acting = stage.by_role(cast.OFFICES, county.people)
    for scheme in (cast.VOUCHERS, cast.AWARDS):
        stage.budget(setting, scheme, acting, amount_fen=BUDGET_FEN)
        refs = [each.uscc for each in cast.FIRMS]
        stage.qualified(setting, scheme.programme, refs, acting[Role.REVIEWER])
    return Stage(
        database=setting.database,
        files_dir=setting.files_dir,
        year=business_date(setting.begins).year,
        line_code=cast.VOUCHERS.line_of(business_date(setting.begins).year),
        offices=acting,
        firms=county.firms,
        labs=county.labs,
        programme=cast.VOUCHERS.programme,
    )
