"""What is known of the two sides of an order: roster years, ties, bans; all in one statement."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Date,
    Integer,
    String,
    and_,
    bindparam,
    cast,
    exists,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from voucher.errors import Code, Fact, Refusal
from voucher.models.checks import PartyBan, PartyDirector
from voucher.models.parties import Affiliation, Organisation, RosterEntry
from voucher.rules import eligibility
from voucher.rules.policy import Policy
from voucher.terms import AffiliationKind, BanKind, Measure, Side

ROSTER = "tech_sme"
SHUT_OUT = (Measure.SUSPEND.value, Measure.BAN.value)
"""The measures that stop business with vouchers; the others are recorded, or stop new certifications."""
_ROSTER, _TIE, _BAN = "roster", "tie", "ban"


@dataclass(frozen=True, slots=True)
class Ban:
    """A decision in force against an organisation, or against the legal person that it is a branch of."""

    kind: BanKind
    decision_no: str
    from_on: str


@dataclass(frozen=True, slots=True)
class Known:
    """Roster years by organisation, ties by ordered pair of organisations, the first ban of each organisation."""

    rosters: dict[int, set[int]] = field(default_factory=dict)
    ties: dict[tuple[int, int], list[eligibility.Edge]] = field(default_factory=dict)
    bans: dict[int, Ban] = field(default_factory=dict)

    def refuse_related(self, policy: Policy, owner_id: int, host_id: int) -> None:
        """Refused as `affiliated`: one legal person, or a tie of the two that counts under this policy."""
        edges = self.ties.get(_pair(owner_id, host_id), [])
        finding = eligibility.affiliation(
            policy, enterprise_uscc=str(owner_id), host_uscc=str(host_id), edges=edges
        )
        if finding is not None:
            raise Refusal(finding[0], **finding[1])

    def refuse_banned(self, owner_id: int | None, host_id: int | None) -> None:
        """Refused as `party_banned` where a decision in force shuts one of the two sides out."""
        for side, party_id in ((Side.ENTERPRISE, owner_id), (Side.PROVIDER, host_id)):
            ban = self.bans.get(party_id) if party_id is not None else None
            if ban is not None:
                raise Refusal(Code.PARTY_BANNED, **ban_facts(side, ban))

    def refuse_off_roster(self, policy: Policy, owner_id: int, on: date, *, held: str) -> None:
        """Refused as `not_qualified` (reason roster) unless the firm stands in the roster of the year of this day.

        `held` is the class of the voucher: a team's asks for no roster.
        """
        finding = eligibility.roster(policy, self.rosters.get(owner_id, set()), on, held=held)
        if finding is not None:
            raise Refusal(finding[0], **finding[1])


def ban_facts(side: Side, ban: Ban) -> dict[str, Fact]:
    """What a refusal says of a ban; decisions are published, so both sides may read it."""
    return {
        "party": side.value,
        "ban": ban.kind.value,
        "decision_no": ban.decision_no,
        "from_on": ban.from_on,
    }


def known(
    session: Session, owners: Collection[int], hosts: Collection[int], *, years: Collection[int], on: date
) -> Known:
    """Rosters of these years, ties between owners and hosts, bans in force on this day."""
    found = Known()
    if not owners and not hosts:
        return found
    given = {
        "owners": list(owners), "hosts": list(hosts), "parties": list({*owners, *hosts}), "years": list(years),
        "on": on,
    }  # fmt: skip
    for what, first, second, kind, number, note in session.execute(_PARTIES, given):
        if what == _ROSTER:
            found.rosters.setdefault(first, set()).add(second)
        elif what == _BAN:
            from_on, _, decision_no = note.partition("|")
            found.bans.setdefault(first, Ban(BanKind(kind), decision_no, from_on))
        else:
            pair = _pair(first, second)
            edge = eligibility.Edge(
                kind=AffiliationKind(kind), one=str(first), other=str(second), share_bp=number
            )
            found.ties.setdefault(pair, []).append(edge)
    return found


def _pair(one: int, other: int) -> tuple[int, int]:
    return min(one, other), max(one, other)


_OWNERS: BindParameter[Any] = bindparam("owners", expanding=True)
_HOSTS: BindParameter[Any] = bindparam("hosts", expanding=True)


def _parties() -> CompoundSelect[Any]:
    """Rows (what, first, second, kind, number, note) of all three kinds, in one statement."""
    nothing = cast(null(), String)
    # The owners first: left to itself, SQLite looks for every owner once for each firm on the year's roster.
    named = select(Organisation.id, Organisation.uscc).where(Organisation.id.in_(_OWNERS))
    owner = named.cte("owner").prefix_with("MATERIALIZED")
    rostered = (
        select(literal(_ROSTER), owner.c.id, RosterEntry.year, nothing, cast(null(), Integer), nothing)
        .join(RosterEntry, RosterEntry.uscc == owner.c.uscc)
        .where(
            RosterEntry.roster == ROSTER,
            RosterEntry.year.in_(bindparam("years", expanding=True)),
        )
    )
    declared = select(
        literal(_TIE),
        Affiliation.first_id,
        Affiliation.second_id,
        Affiliation.kind,
        Affiliation.share_bp,
        Affiliation.source,
    ).where(
        or_(
            and_(Affiliation.first_id.in_(_OWNERS), Affiliation.second_id.in_(_HOSTS)),
            and_(Affiliation.first_id.in_(_HOSTS), Affiliation.second_id.in_(_OWNERS)),
        )
    )
    return union_all(rostered, declared, *_registered(), *_bans())


def _registered() -> list[Any]:
    """Ties that the register itself shows: parent and branch, one controller, legal representative or director."""
    one, other = aliased(Organisation), aliased(Organisation)
    seat, other_seat = aliased(PartyDirector), aliased(PartyDirector)
    shared = {
        AffiliationKind.SUBORDINATION: or_(
            one.parent_id == other.id, other.parent_id == one.id, one.parent_id == other.parent_id
        ),
        AffiliationKind.SAME_CONTROLLER: one.controller_key == other.controller_key,
        AffiliationKind.SAME_LEGAL_REPRESENTATIVE: one.legal_rep_key == other.legal_rep_key,
        AffiliationKind.SAME_DIRECTOR: exists().where(
            seat.organisation_id == one.id,
            other_seat.organisation_id == other.id,
            seat.person_key == other_seat.person_key,
        ),
    }
    return [
        select(
            literal(_TIE), one.id, other.id, literal(kind.value), cast(null(), Integer), literal("register")
        )
        .join(other, condition)
        .where(one.id.in_(_OWNERS), other.id.in_(_HOSTS), one.id != other.id)
        for kind, condition in shared.items()
    ]


def _bans() -> list[Any]:
    """Bans in force on the party itself, and on its legal person. Two halves, so that each goes by an index."""
    parent, on = aliased(Organisation), bindparam("on", type_=Date)
    note = cast(PartyBan.from_on, String) + "|" + PartyBan.decision_no
    columns = (
        literal(_BAN),
        Organisation.id,
        PartyBan.id,
        PartyBan.kind,
        cast(null(), Integer),
        note,
    )
    force = (
        Organisation.id.in_(bindparam("parties", expanding=True)),
        PartyBan.measure.in_(SHUT_OUT),
        PartyBan.from_on <= on,
        or_(PartyBan.to_on.is_(None), PartyBan.to_on > on),
        PartyBan.lifted_at.is_(None),
    )
    own = select(*columns).join(PartyBan, PartyBan.uscc == Organisation.uscc).where(*force)
    above = (
        select(*columns)
        .join(parent, parent.id == Organisation.parent_id)
        .join(PartyBan, PartyBan.uscc == parent.uscc)
        .where(*force)
    )
    return [own, above]


_PARTIES = _parties()
