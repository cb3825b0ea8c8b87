"""Policy versions as they are read: every parameter with where it stands, who filled it in, or that it is unset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.models.agreements import AgreementVersion
from voucher.models.people import Person
from voucher.models.programmes import PolicyVersion, Programme
from voucher.models.regions import Region
from voucher.rules.agreement import Agreement, ruling
from voucher.rules.agreement_reading import read as read_agreement
from voucher.rules.policy import Fill, Policy, Source
from voucher.rules.policy_check import unset
from voucher.rules.policy_inheritance import key_of
from voucher.rules.policy_lines import root_of
from voucher.rules.policy_versions import Stored, parsed, standing
from voucher.terms import VersionStanding

_IDENTITY = frozenset(
    {
        "code", "programme", "title", "document_no", "document", "owner_region", "cap_family", "weak_source", "sources",
        "fills", "parent", "pinned", "supersedes", "inherited",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version in the list of all."""

    code: str
    programme_code: str
    programme_name: str
    document_no: str
    effective_from: date
    effective_to: date | None
    superseded_by: str | None
    filled: int

    def standing(self, on: date) -> VersionStanding:
        """How the version stands on a day."""
        return standing(self.effective_from, self.effective_to, self.superseded_by, on=on)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its value (None: unset), where it stands or who filled it in, and from which version it comes."""

    key: str
    value: Any
    source: Source | None
    fill: Fill | None
    is_required: bool
    heir: str | None = None

    @property
    def is_superseded(self) -> bool:
        """Whether this is the last day that a later version gave: no document and no fill-in of its own says it."""
        own = self.source is not None or self.fill is not None or self.heir is not None
        return self.key == "effective_to" and self.value is not None and not own


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A version with all its parameters."""

    version: PolicyVersion
    programme: Programme
    publisher: str
    proposer: str
    policy: Policy
    parameters: tuple[Parameter, ...]
    before: str | None

    def standing(self, on: date) -> VersionStanding:
        """How the version stands on a day."""
        row = self.version
        return standing(row.effective_from, row.effective_to, row.superseded_by, on=on)


def policy_of(session: Session, code: str) -> Policy:
    """The policy of a version, with the end that is stored, or of an order's `rule_code`. A parsed one is kept."""
    plain, _, agreement = code.partition("@")
    policy = _policy(session, session.get_one(PolicyVersion, plain))
    return ruling(policy, agreement_of(session, int(agreement))) if agreement else policy


def agreement_of(session: Session, version_id: int) -> Agreement:
    """The agreement of a version. It never changes, so a parsed one is kept."""
    version = session.get_one(AgreementVersion, version_id)
    return _parsed_agreement(version.sha256, version.text, tuple(version.fills))


@lru_cache(maxsize=256)
def _parsed_agreement(_sha256: str, text: str, fills: tuple[str, ...]) -> Agreement:
    return read_agreement(text, fills)


def _policy(session: Session, version: PolicyVersion) -> Policy:
    def fetch() -> tuple[Stored, Policy | None]:
        above = policy_of(session, version.parent_code) if version.parent_code is not None else None
        return Stored(version.text, tuple(version.fills), version.parent_code), above

    return parsed((version.sha256, version.effective_to), fetch)


def service_labels(session: Session) -> dict[str, str]:
    """The Chinese names of all services that any version pays for, by code; the newest version's where they differ."""
    query = select(PolicyVersion).order_by(PolicyVersion.effective_from)
    found: dict[str, str] = {}
    for version in session.scalars(query):
        policy = _policy(session, version)
        found |= {service.code: service.label for service in policy.services}
    return found


def names_of_regions(session: Session, policy: Policy) -> dict[str, str]:
    """The names of the regions that pay a share of a policy or for which a rate is its own, by code."""
    codes = {share.funder for share in policy.funding_shares}
    codes |= {share.spill_to for share in policy.funding_shares if share.spill_to is not None}
    for line in policy.rate_lines:
        codes |= {code for code in (line.applicant_region, line.provider_region) if code}
    return dict(session.execute(select(Region.code, Region.name).where(Region.code.in_(codes))).all())


def versions(session: Session) -> list[VersionLine]:
    """Every published version, newest first. Policies are public documents: nobody's region limits them."""
    query = (
        select(PolicyVersion, Programme.name)
        .join(Programme, Programme.code == PolicyVersion.programme_code)
        .order_by(PolicyVersion.programme_code, PolicyVersion.effective_from.desc())
    )
    return [
        VersionLine(
            version.code,
            version.programme_code,
            name,
            version.document_no,
            version.effective_from,
            version.effective_to,
            version.superseded_by,
            len(policy_of(session, version.code).fills),
        )
        for version, name in session.execute(query)
    ]


def policy_file(session: Session, code: str) -> PolicyFile | None:
    """A version with every parameter; None for one that is not there."""
    row = session.execute(
        select(PolicyVersion, Programme, Person.name)
        .join(Programme, Programme.code == PolicyVersion.programme_code)
        .join(Person, Person.id == PolicyVersion.published_by)
        .where(PolicyVersion.code == code)
    ).one_or_none()
    if row is None:
        return None
    policy = policy_of(session, code)
    version, programme, publisher = row
    proposer = session.get_one(Person, version.proposed_by).name
    earlier = (
        select(PolicyVersion.code)
        .where(
            PolicyVersion.programme_code == version.programme_code,
            PolicyVersion.effective_from < version.effective_from,
        )
        .order_by(PolicyVersion.effective_from.desc())
    )
    before = session.scalars(earlier).first() or version.parent_code
    return PolicyFile(version, programme, publisher, proposer, policy, parameters(policy), before)


def parameters(policy: Policy) -> tuple[Parameter, ...]:
    """Every parameter of a policy in the order of its definition; required ones that are unset say so."""
    missing = {problem.key for problem in unset(policy)}
    found = []
    for key in Policy.__dataclass_fields__:
        if key in _IDENTITY:
            continue
        value, place = getattr(policy, key), key_of(key)
        own = [name for name, _ in policy.sources if root_of(name) == place]
        filled = [fill for fill in policy.fills if root_of(fill.key) == place]
        found.append(
            Parameter(
                key,
                None if value == () else value,
                policy.source_of(own[0]) if own else None,
                filled[0] if filled else None,
                key in missing,
                policy.heir_of(place),
            )
        )
    return tuple(found)
