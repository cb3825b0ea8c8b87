"""Reading published policy versions. A version never changes, so a parsed one is kept, by its content."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.models.programmes import PolicyVersion
from voucher.operations.agreements import versions_of
from voucher.rules.agreement import ruling
from voucher.rules.policy import Policy
from voucher.rules.policy_versions import Stored, parsed
from voucher.terms import PolicyState

_KEYS: Final = select(PolicyVersion.code, PolicyVersion.sha256, PolicyVersion.effective_to)
_OF_CODES: Final = _KEYS.where(PolicyVersion.code.in_(bindparam("codes", expanding=True)))
_BEGUN: Final = (
    _KEYS.where(
        PolicyVersion.programme_code == bindparam("programme"),
        PolicyVersion.state == PolicyState.PUBLISHED.value,
        PolicyVersion.effective_from <= bindparam("on"),
    )
    .order_by(PolicyVersion.effective_from.desc())
    .limit(1)
)


def policies_of(session: Session, policy_codes: Iterable[str]) -> dict[str, Policy]:
    """The policy versions of these codes, in one statement where all were parsed before. LookupError if one is missing.

    An order's `rule_code` names an agreement version too: there the policy comes with the agreement's rates.
    """
    wanted = {code: code.partition("@")[::2] for code in policy_codes}
    plain = {code for code, _ in wanted.values()}
    rows = session.execute(_OF_CODES, {"codes": list(plain)})
    found = {code: _policy(session, code, key) for code, *key in rows}
    if found.keys() != plain:
        raise LookupError(f"no policy version {sorted(plain - found.keys())}")
    agreements = versions_of(session, {int(version) for _, version in wanted.values() if version})
    return {
        code: ruling(found[policy], agreements[int(version)]) if version else found[policy]
        for code, (policy, version) in wanted.items()
    }


def policy_of(session: Session, policy_code: str) -> Policy:
    """The policy version that an order, a voucher or a posting names. LookupError if there is none."""
    return policies_of(session, [policy_code])[policy_code]


def policy_in_force(session: Session, programme_code: str, at: datetime) -> Policy:
    """The version of a programme that is in force on the day of `at`.

    Refused: no version begun (`policy_not_published`), or the last one that did is over (`policy_expired`, with document,
    clause and last day): nothing new is applied for, issued or ordered under it, and what was is settled by it.
    """
    on = business_date(at)
    found = session.execute(_BEGUN, {"programme": programme_code, "on": on}).first()
    if found is None:
        raise Refusal(Code.POLICY_NOT_PUBLISHED, programme=programme_code, on=on.isoformat())
    code, *key = found
    policy = _policy(session, code, key)
    if policy.effective_to is not None and policy.effective_to <= on:
        raise _over(policy)
    return policy


def _over(policy: Policy) -> Refusal:
    """Nothing new under a version that is over: the refusal names document, clause and last day."""
    last = policy.effective_to - timedelta(days=1) if policy.effective_to else None
    item = policy.clause("effective_through") or "上级政策已被替代"
    return Refusal(
        Code.POLICY_EXPIRED,
        policy=policy.code,
        document_no=policy.document_no,
        item=f"第 {item} 条" if item.isdecimal() else item,
        through=last.isoformat() if last else "",
    )


def _policy(session: Session, code: str, key: Sequence[Any]) -> Policy:
    """The version as parsed; `key` is its sha256 and its end."""
    sha256, effective_to = key
    return parsed((sha256, effective_to), lambda: _fetch(session, code))


def _fetch(session: Session, code: str) -> tuple[Stored, Policy | None]:
    query = select(PolicyVersion.text, PolicyVersion.fills, PolicyVersion.parent_code)
    text, fills, parent = session.execute(query.where(PolicyVersion.code == code)).one()
    above = policy_of(session, parent) if parent is not None else None
    return Stored(text, tuple(fills), parent), above
