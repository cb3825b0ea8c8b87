"""What the checks of several claims rest on, read once for all of them: papers, accounts, addresses, prices, ties."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from voucher.clock import business_date, day_bounds
from voucher.models.catalogue import CatalogueEntry
from voucher.models.checks import PaidElsewhere, PartyMark
from voucher.models.claims import ClaimPayment, Document
from voucher.models.files import StoredFile
from voucher.models.journal import Journal
from voucher.models.messages import Contact
from voucher.models.orders import Order
from voucher.models.parties import Holder, PayeeAccount, Platform, RosterEntry
from voucher.models.people import RoleGrant
from voucher.models.sessions import RedemptionSession
from voucher.operations.check_subject import Subject
from voucher.operations.relations import ROSTER, Known, known
from voucher.rules.checks import Declared
from voucher.rules.eligibility import Edge
from voucher.terms import PartyMarkKind


@dataclass(frozen=True, slots=True)
class Paper:
    """A file of a claim, and what was read from it."""

    kind: str
    sha256: str
    file_name: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Around:
    """By claim id, organisation id, USCC or class of orders. The sets say where a closer look can find anything."""

    ties: Known
    papers: Mapping[int, Sequence[Paper]]
    payers: Mapping[int, Sequence[str]]
    sources: Mapping[int, Mapping[str, set[str]]]
    accounts: Mapping[int, set[str]]
    listed: Mapping[tuple[int, str], Sequence[Any]]
    declared: Mapping[str, tuple[Declared, ...]]
    prices: Mapping[tuple[str, str, bool], tuple[int, Sequence[int]]]
    that_day: Mapping[tuple[int, date], int]
    with_marks: frozenset[int]
    with_agents: frozenset[int]
    buying: frozenset[int]
    paid_elsewhere: frozenset[str]

    def edges(self, subject: Subject) -> Sequence[Edge]:
        """The ties of the claim's two sides."""
        pair = sorted((subject.owner_id, subject.host_id))
        return self.ties.ties.get((pair[0], pair[1]), [])

    def same_account(self, subject: Subject) -> bool:
        """Whether the firm paid from, or is paid to, an account that is the host's."""
        if subject.host_id == subject.owner_id:
            return False
        paying = {*self.payers.get(subject.claim.id, ()), *self.accounts.get(subject.owner_id, ())}
        return bool(paying & self.accounts.get(subject.host_id, set()))

    def listed_price(self, subject: Subject) -> int | None:
        """The highest price that the platform listed for the service when the order was placed; None: none, or to agree."""
        if subject.platform is None:
            return None
        placed_at = subject.order.placed_at
        prices = [
            row.price_fen
            for row in self.listed.get((subject.platform.id, subject.order.service), ())
            if row.listed_at <= placed_at and (row.withdrawn_at is None or row.withdrawn_at > placed_at)
        ]
        return max(prices) if prices and None not in prices else None

    def p90(self, subject: Subject) -> tuple[int | None, int]:
        """The ninth decile of the contracts of this programme and service, in fen, and of how many; without its own."""
        own = subject.order.contract_fen
        peers, at_place = self.prices[_class(subject)]
        if not peers:
            return None, 0
        return at_place[1 if own is not None and own <= at_place[0] else 0], peers

    def orders_that_day(self, subject: Subject) -> int:
        """How many orders of the platform were confirmed on the day on which this one was."""
        day = _captured_on(subject)
        return self.that_day[day] if day is not None else 0

    def titles(self, subject: Subject) -> tuple[tuple[str, str], ...]:
        """What the papers call themselves: the order's description, and the names of contract and result files."""
        papers = self.papers.get(subject.claim.id, ())
        named = [(paper.kind, unicodedata.normalize("NFKC", paper.file_name)) for paper in papers]
        return (("description", subject.order.description), *named)


def around(session: Session, subjects: Sequence[Subject]) -> Around:
    """Read it; the number of statements grows with the classes, platforms and days of the claims, not with them."""
    ids = [subject.claim.id for subject in subjects]
    owners = {subject.owner_id for subject in subjects} - {0}
    hosts = {subject.host_id for subject in subjects} - {0}
    years = {subject.placed_on.year for subject in subjects}
    usccs = {subject.holder.ref for subject in subjects}
    agents = select(PartyMark.organisation_id).where(
        PartyMark.kind == PartyMarkKind.AGENT_PHONE.value, PartyMark.organisation_id.in_(owners)
    )
    paid = select(PaidElsewhere.uscc).where(PaidElsewhere.uscc.in_(usccs))
    buying = (
        select(Holder.organisation_id)
        .where(Holder.organisation_id.in_(hosts))
        .where(select(Order.id).where(Order.holder_id == Holder.id).exists())
    )
    return Around(
        ties=known(session, owners, hosts, years=years, on=max(each.placed_on for each in subjects)),
        papers=_papers(session, ids),
        payers=_payers(session, ids),
        sources=_sources(session, subjects),
        accounts=_accounts(session, owners | hosts),
        listed=_listed(session, subjects),
        declared=_declared(session, usccs),
        prices=_prices(session, subjects),
        that_day=_days(session, subjects),
        with_marks=_with_marks(session, owners | hosts),
        with_agents=frozenset(session.scalars(agents)),
        buying=frozenset(filter(None, session.scalars(buying))),
        paid_elsewhere=frozenset(session.scalars(paid)),
    )


def _papers(session: Session, ids: Sequence[int]) -> dict[int, list[Paper]]:
    query = (
        select(Document.claim_id, Document.kind, Document.sha256, Document.file_name, StoredFile.facts)
        .outerjoin(StoredFile, StoredFile.sha256 == Document.sha256)
        .where(Document.claim_id.in_(ids), Document.dropped_at.is_(None))
    )
    found: dict[int, list[Paper]] = {}
    for claim_id, kind, digest, name, facts in session.execute(query):
        read = facts if isinstance(facts, dict) else {}
        found.setdefault(claim_id, []).append(Paper(kind, digest, name, read))
    return found


def _payers(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    query = select(ClaimPayment.claim_id, ClaimPayment.payer_account).where(
        ClaimPayment.claim_id.in_(ids), ClaimPayment.dropped_at.is_(None)
    )
    found: dict[int, list[str]] = {}
    for claim_id, account in session.execute(query):
        found.setdefault(claim_id, []).append(account)
    return found


def _sources(session: Session, subjects: Sequence[Subject]) -> dict[int, dict[str, set[str]]]:
    """From which network addresses each deed on order, claim and counter session came: action -> addresses."""
    claims = {subject.order.id: subject.claim.id for subject in subjects}
    names = {subject.order.number: subject.claim.id for subject in subjects}
    names |= {subject.claim.number: subject.claim.id for subject in subjects}
    counter = select(RedemptionSession.order_id, RedemptionSession.number).where(
        RedemptionSession.order_id.in_(claims)
    )
    names |= {number: claims[order_id or 0] for order_id, number in session.execute(counter)}
    query = select(Journal.subject, Journal.action, Journal.source).where(Journal.subject.in_(names))
    found: dict[int, dict[str, set[str]]] = {}
    for name, action, source in session.execute(query):
        if source:
            found.setdefault(names[name], {}).setdefault(action, set()).add(source)
    return found


def _accounts(session: Session, parties: set[int]) -> dict[int, set[str]]:
    query = select(PayeeAccount.organisation_id, PayeeAccount.account_no).where(
        PayeeAccount.organisation_id.in_(parties)
    )
    found: dict[int, set[str]] = {}
    for owner_id, number in session.execute(query):
        found.setdefault(owner_id, set()).add(number)
    return found


def _listed(session: Session, subjects: Sequence[Subject]) -> dict[tuple[int, str], list[Any]]:
    platforms = {subject.platform.id for subject in subjects if subject.platform is not None}
    query = select(
        CatalogueEntry.platform_id,
        CatalogueEntry.service,
        CatalogueEntry.price_fen,
        CatalogueEntry.listed_at,
        CatalogueEntry.withdrawn_at,
    ).where(CatalogueEntry.platform_id.in_(platforms))
    found: dict[tuple[int, str], list[Any]] = {}
    for row in session.execute(query):
        found.setdefault((row.platform_id, row.service), []).append(row)
    return found


def _declared(session: Session, usccs: set[str]) -> dict[str, tuple[Declared, ...]]:
    """What firms declared on the rosters of all years."""
    query = select(RosterEntry.uscc, RosterEntry.year, RosterEntry.staff, RosterEntry.revenue_fen).where(
        RosterEntry.uscc.in_(usccs), RosterEntry.roster == ROSTER
    )
    found: dict[str, tuple[Declared, ...]] = {}
    for uscc, year, staff, revenue_fen in session.execute(query):
        found[uscc] = (*found.get(uscc, ()), Declared(year, staff, revenue_fen))
    return found


def _class(subject: Subject) -> tuple[str, str, bool]:
    """The programme and service of an order, and whether its own contract is among those that are compared."""
    order = subject.order
    return order.programme_code, order.service, order.contract_fen is not None


def _prices(
    session: Session, subjects: Sequence[Subject]
) -> dict[tuple[str, str, bool], tuple[int, Sequence[int]]]:
    """For each class how many other contracts there are, and the two amounts at the ninth decile of those and its own."""
    found: dict[tuple[str, str, bool], tuple[int, Sequence[int]]] = {}
    for programme, service, is_in in {_class(subject) for subject in subjects}:
        same = (
            Order.programme_code == programme,
            Order.service == service,
            Order.contract_fen.is_not(None),
        )
        count = session.execute(select(func.count()).select_from(Order).where(*same)).scalar_one()
        peers = count - 1 if is_in else count
        place = (9 * peers + 9) // 10 - 1
        query = select(Order.contract_fen).where(*same).order_by(Order.contract_fen)
        amounts = session.scalars(query.offset(place).limit(2)).all() if peers else ()
        found[programme, service, is_in] = peers, [amount or 0 for amount in amounts]
    return found


def _captured_on(subject: Subject) -> tuple[int, date] | None:
    if subject.platform is None or subject.order.captured_at is None:
        return None
    return subject.platform.id, business_date(subject.order.captured_at)


def _days(session: Session, subjects: Sequence[Subject]) -> dict[tuple[int, date], int]:
    found: dict[tuple[int, date], int] = {}
    for platform_id, day in {each for subject in subjects if (each := _captured_on(subject)) is not None}:
        start, end = day_bounds(day)
        query = (
            select(func.count())
            .select_from(Order)
            .where(Order.platform_id == platform_id, Order.captured_at >= start, Order.captured_at < end)
        )
        found[platform_id, day] = session.execute(query).scalar_one()
    return found


def _with_marks(session: Session, parties: set[int]) -> frozenset[int]:
    """Those of these organisations of which, or of whose people, a telephone, address or the like is known."""
    marks = select(PartyMark.organisation_id).where(PartyMark.organisation_id.in_(parties))
    direct = (
        select(RoleGrant.organisation_id)
        .join(Contact, Contact.person_id == RoleGrant.person_id)
        .where(RoleGrant.organisation_id.in_(parties))
    )
    hosted = (
        select(Platform.organisation_id)
        .join(RoleGrant, RoleGrant.platform_id == Platform.id)
        .join(Contact, Contact.person_id == RoleGrant.person_id)
        .where(Platform.organisation_id.in_(parties))
    )
    found = {each for query in (marks, direct, hosted) for each in session.scalars(query)}
    return frozenset(each for each in found if each is not None)
