"""What ties a claim to others: marks of the two sides, marks of other firms' claims, rings of buyers and sellers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Integer, and_, bindparam, func, literal, or_, select, tuple_, union_all
from sqlalchemy.orm import Session, aliased

from voucher.models.checks import ClaimMark, PartyMark
from voucher.models.claims import Claim
from voucher.models.messages import Contact
from voucher.models.orders import Order
from voucher.models.parties import Holder, Organisation, Platform
from voucher.models.people import RoleGrant
from voucher.models.vouchers import Voucher
from voucher.operations.check_subject import Subject
from voucher.rules.checks import Twin
from voucher.terms import ClaimMarkKind, ClaimState, PartyMarkKind

LOOK_BACK_DAYS = 90
_FREE_MAIL = (
    "qq.com",
    "163.com",
    "126.com",
    "139.com",
    "189.cn",
    "sina.com",
    "sohu.com",
    "foxmail.com",
    "gmail.com",
)
_ENDED = (ClaimState.REJECTED.value, ClaimState.WITHDRAWN.value)


# Kinds and values apart lead to the index; a pair of both alone is searched for by SQLite row by row.
_TWINS = (
    select(
        ClaimMark.kind,
        func.count(ClaimMark.claim_id.distinct()),
        func.count(ClaimMark.holder_id.distinct()),
        func.max(Claim.number),
    )
    .join(Claim, Claim.id == ClaimMark.claim_id)
    .where(
        ClaimMark.kind.in_(bindparam("kinds", expanding=True)),
        ClaimMark.value.in_(bindparam("values", expanding=True)),
        tuple_(ClaimMark.kind, ClaimMark.value).in_(bindparam("marks", expanding=True)),
        or_(
            ClaimMark.kind.in_([kind.value for kind in ClaimMarkKind if kind.value.endswith("_file")]),
            ClaimMark.noted_at >= bindparam("since"),
        ),
        ClaimMark.holder_id != bindparam("holder"),
    )
    .group_by(ClaimMark.kind)
)


def shared_marks(session: Session, subject: Subject) -> tuple[PartyMarkKind, ...]:
    """What firm and host have in common: registered marks, and the telephones and mail domains of their people."""
    mine, theirs = aliased(PartyMark), aliased(PartyMark)
    kinds = session.scalars(
        select(mine.kind)
        .join(theirs, and_(theirs.kind == mine.kind, theirs.value == mine.value))
        .where(mine.organisation_id == subject.owner_id, theirs.organisation_id == subject.host_id)
        .distinct()
    ).all()
    found = {PartyMarkKind(kind) for kind in kinds}
    if subject.owner_id != subject.host_id:
        found |= _people(session, subject)
    return tuple(kind for kind in PartyMarkKind if kind in found)


def _people(session: Session, subject: Subject) -> set[PartyMarkKind]:
    sides = {subject.owner_id: 0, subject.host_id: 1}
    query = (
        select(RoleGrant.organisation_id, Platform.organisation_id, Contact.mobile, Contact.email)
        .join(Contact, Contact.person_id == RoleGrant.person_id)
        .outerjoin(Platform, Platform.id == RoleGrant.platform_id)
        .where(or_(RoleGrant.organisation_id.in_(sides), Platform.organisation_id.in_(sides)))
    )
    phones: tuple[set[str], set[str]] = (set(), set())
    domains: tuple[set[str], set[str]] = (set(), set())
    for direct, hosted, mobile, email in session.execute(query):
        side = sides[direct if direct in sides else hosted]
        phones[side].add("".join(each for each in mobile if each.isdigit())[-11:])
        domains[side].add(email.rpartition("@")[2].strip().lower())
    found = set()
    if (phones[0] & phones[1]) - {""}:
        found.add(PartyMarkKind.PHONE)
    if (domains[0] & domains[1]) - {"", *_FREE_MAIL}:
        found.add(PartyMarkKind.EMAIL_DOMAIN)
    return found


def twins(session: Session, subject: Subject, marks: Sequence[tuple[ClaimMarkKind, str]]) -> tuple[Twin, ...]:
    """Claims of other firms, of the last 90 days, that bear the same marks; files are compared for ever.

    Several marks of one kind count together. Rejected and withdrawn claims still resemble.
    """
    wanted = [(kind.value, value) for kind, value in marks if kind is not ClaimMarkKind.RESULT_TEXT]
    if not wanted:
        return ()
    since = subject.at - timedelta(days=LOOK_BACK_DAYS)
    asked: dict[str, Any] = {"kinds": [kind for kind, _ in wanted], "values": [value for _, value in wanted]}
    asked |= {"marks": wanted, "since": since, "holder": subject.holder.id}
    return tuple(
        Twin(ClaimMarkKind(kind), claims, firms, other)
        for kind, claims, firms, other in session.execute(_TWINS, asked)
    )


def most_alike(session: Session, subject: Subject, hashes: Sequence[str]) -> tuple[int, str]:
    """How many text hashes the claim of another firm shares at most, and that claim's number."""
    if not hashes:
        return 0, ""
    query = (
        select(func.count(), Claim.number)
        .select_from(ClaimMark)
        .join(Claim, Claim.id == ClaimMark.claim_id)
        .where(
            ClaimMark.kind == ClaimMarkKind.RESULT_TEXT.value,
            ClaimMark.value.in_(hashes),
            ClaimMark.holder_id != subject.holder.id,
        )
        .group_by(Claim.number)
        .order_by(func.count().desc(), Claim.number)
        .limit(1)
    )
    row = session.execute(query).one_or_none()
    return (int(row[0]), str(row[1])) if row is not None else (0, "")


def firms_of_controller(session: Session, subject: Subject) -> int:
    """How many other firms of the same controller hold a voucher of the programme."""
    owner = subject.owner
    if owner is None or owner.controller_key is None:
        return 0
    query = (
        select(func.count(Organisation.id.distinct()))
        .join(Holder, Holder.organisation_id == Organisation.id)
        .join(Voucher, Voucher.holder_id == Holder.id)
        .where(
            Organisation.controller_key == owner.controller_key,
            Organisation.id != owner.id,
            Voucher.programme_code == subject.order.programme_code,
        )
    )
    return int(session.execute(query).scalar_one())


def agent_firms(session: Session, subject: Subject) -> int:
    """How many other firms are handled from the telephone of the same agent."""
    mine, theirs = aliased(PartyMark), aliased(PartyMark)
    agent = PartyMarkKind.AGENT_PHONE.value
    query = (
        select(func.count(theirs.organisation_id.distinct()))
        .join(mine, and_(mine.value == theirs.value, mine.kind == agent))
        .where(
            theirs.kind == agent,
            mine.organisation_id == subject.owner_id,
            theirs.organisation_id != mine.organisation_id,
        )
    )
    return int(session.execute(query).scalar_one())


def ring(session: Session, subject: Subject) -> int:
    """2 where the provider also buys from the firm, 3 where it does over one more party, 0 where it does not."""
    if not subject.host_id or not subject.owner_id:
        return 0
    second, third = aliased(Order), aliased(Order)
    bought, buyer, sold = aliased(Holder), aliased(Holder), aliased(Platform)
    back = (
        select(literal(2, Integer).label("length"))
        .select_from(second)
        .join(bought, bought.id == second.holder_id)
        .join(sold, sold.id == second.platform_id)
        .where(bought.organisation_id == subject.host_id, sold.organisation_id == subject.owner_id)
        .limit(1)
    ).subquery()
    last = aliased(Platform)
    around = (
        select(literal(3, Integer).label("length"))
        .select_from(second)
        .join(bought, bought.id == second.holder_id)
        .join(sold, sold.id == second.platform_id)
        .join(buyer, buyer.organisation_id == sold.organisation_id)
        .join(third, third.holder_id == buyer.id)
        .join(last, last.id == third.platform_id)
        .where(bought.organisation_id == subject.host_id, last.organisation_id == subject.owner_id)
        .limit(1)
    ).subquery()
    found = session.scalars(union_all(select(back.c.length), select(around.c.length))).all()
    return min(found, default=0)
