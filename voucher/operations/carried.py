"""Which years' allowances a holder may still use, where a version carries what is left (结转)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.models.parties import Qualification
from voucher.models.programmes import PolicyVersion
from voucher.operations.charges import Allowance, Carry
from voucher.operations.policies import policies_of
from voucher.rules.policy import Cap, Policy
from voucher.terms import PolicyState


@dataclass(frozen=True, slots=True)
class Charged:
    """A cap as it is to be charged, and whose: the holder and the programme that it is qualified in."""

    allowance: Allowance | None
    holder_id: int
    programme_code: str


def carrying(session: Session, charged: Sequence[Charged]) -> list[Allowance | None]:
    """The caps, each with the allowances of every year that may count, where its version carries what is left.

    A year counts for its holder with the cap of the version in force at its end, if that version carries too, and if
    the holder was qualified for the programme in it; the charged year itself always counts.
    """
    asked = [each for each in charged if each.allowance is not None and _years(each.allowance)]
    if not asked:
        return [each.allowance for each in charged]
    qualified = _qualified(session, asked)
    versions = _versions(session, {each.programme_code for each in asked})
    found: list[Allowance | None] = []
    for each in charged:
        allowance = each.allowance
        if allowance is None or each not in asked:
            found.append(allowance)
            continue
        entitled = {allowance.period: int(allowance.amount_fen)}
        for year, held_class in qualified.get((each.holder_id, each.programme_code), ()):
            cap = _cap_of(versions[each.programme_code], held_class, year)
            if cap is not None and year != allowance.period:
                entitled[year] = int(cap.amount_fen)
        found.append(replace(allowance, carry=Carry(_years(allowance), tuple(sorted(entitled.items())))))
    return found


def _years(allowance: Allowance) -> int:
    cap = allowance.policy.cap_for(allowance.holder_class)
    return (cap.carry_years or 0) if cap is not None else 0


def _qualified(session: Session, asked: Sequence[Charged]) -> dict[tuple[int, str], list[tuple[int, str]]]:
    query = select(
        Qualification.holder_id, Qualification.programme_code, Qualification.year, Qualification.holder_class
    ).where(
        Qualification.holder_id.in_({each.holder_id for each in asked}),
        Qualification.programme_code.in_({each.programme_code for each in asked}),
    )
    found: dict[tuple[int, str], list[tuple[int, str]]] = {}
    for holder_id, programme, year, held_class in session.execute(query):
        found.setdefault((holder_id, programme), []).append((year, held_class))
    return found


def _versions(session: Session, programmes: set[str]) -> dict[str, list[Policy]]:
    """The published versions of programmes, the latest first."""
    query = (
        select(PolicyVersion.programme_code, PolicyVersion.code)
        .where(
            PolicyVersion.programme_code.in_(programmes),
            PolicyVersion.state == PolicyState.PUBLISHED.value,
        )
        .order_by(PolicyVersion.effective_from.desc())
    )
    rows = session.execute(query).all()
    policies = policies_of(session, {code for _, code in rows})
    found: dict[str, list[Policy]] = {programme: [] for programme in programmes}
    for programme, code in rows:
        found[programme].append(policies[code])
    return found


def _cap_of(versions: Sequence[Policy], held_class: str, year: int) -> Cap | None:
    """The cap of the version in force at a year's end, if it carries what is left of it."""
    on = date(year, 12, 31)
    for policy in versions:
        begun = policy.effective_from is not None and policy.effective_from <= on
        if begun and (policy.effective_to is None or policy.effective_to > on):
            cap = policy.cap_for(held_class)
            return cap if cap is not None and cap.carry_years else None
    return None
