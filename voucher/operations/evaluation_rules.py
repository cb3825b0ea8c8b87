"""Evaluation rules (评价办法): published from a file, and found for a year and a place. A version never changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from voucher.errors import Code, Fact, Refusal
from voucher.models.evaluations import EvaluationRulesVersion
from voucher.models.regions import Region
from voucher.operations.journal import record
from voucher.rules.evaluation import EvaluationRules
from voucher.rules.evaluation_reading import read
from voucher.rules.permissions import Actor, covers_region
from voucher.rules.policy import PolicyError
from voucher.terms import EvaluationSubject

_parsed: dict[str, EvaluationRules] = {}


@dataclass(frozen=True, slots=True)
class RulesRequest:
    """An evaluation file's text, and the stored text of the document that it cites (None: not kept here)."""

    text: str
    document_text: str | None = None


def publish_rules(session: Session, request: RulesRequest, *, actor: Actor, at: datetime) -> EvaluationRules:
    """Publish the rules of a region, for centres or for platforms; the same text again is the same answer.

    Refused: a file with faults (`rules_invalid`, the first `problem` with its `line`), a region that is not the actor's
    (`not_found`), the code with other contents (`already_registered`), another version for one of its days
    (`policy_overlaps`, both document numbers).
    """
    try:
        rules = read(request.text, request.document_text)
    except PolicyError as fault:
        first = fault.problems[0]
        facts: dict[str, Fact] = {
            "problems": len(fault.problems),
            "line": first.line or 0,
            "problem": first.message,
        }
        raise Refusal(Code.RULES_INVALID, **facts) from fault
    # Locked, so that of two files for the same days the second sees the first.
    region = session.scalars(
        select(Region).where(Region.code == rules.region).with_for_update(key_share=True)
    ).one_or_none()
    if region is None or not covers_region(actor, region.path):
        raise Refusal(Code.NOT_FOUND, region=rules.region)
    digest = sha256(request.text.encode()).hexdigest()
    before = session.get(EvaluationRulesVersion, rules.code)
    if before is not None:
        if before.sha256 != digest:
            raise Refusal(Code.ALREADY_REGISTERED, subject=rules.code)
        return rules
    _refuse_overlap(session, rules)
    session.add(
        EvaluationRulesVersion(
            code=rules.code,
            region_code=rules.region,
            subject=rules.subject.value,
            text=request.text,
            sha256=digest,
            from_on=rules.from_on,
            to_on=rules.to_on,
            published_by=actor.person_id,
            published_at=at,
        )
    )
    session.flush()
    kept: dict[str, Fact] = {"sha256": digest, "document_no": rules.document_no, "rule_version": rules.code}
    record(session, actor, "evaluation_rules.publish", [(f"evaluation_rules:{rules.code}", kept)], at=at)
    return rules


def _refuse_overlap(session: Session, rules: EvaluationRules) -> None:
    query = select(EvaluationRulesVersion).where(
        EvaluationRulesVersion.region_code == rules.region,
        EvaluationRulesVersion.subject == rules.subject.value,
        or_(EvaluationRulesVersion.to_on.is_(None), EvaluationRulesVersion.to_on > rules.from_on),
    )
    if rules.to_on is not None:
        query = query.where(EvaluationRulesVersion.from_on < rules.to_on)
    other = session.scalars(query).first()
    if other is not None:
        raise Refusal(
            Code.POLICY_OVERLAPS,
            document_no=rules.document_no,
            other_document_no=parsed(other).document_no,
        )


def rules_of(session: Session, code: str) -> EvaluationRules:
    """The version that an evaluation names."""
    return parsed(session.get_one(EvaluationRulesVersion, code))


def rules_for(session: Session, path: str, subject: EvaluationSubject, year: int) -> EvaluationRules | None:
    """The rules of the nearest region on this path that were in force on the last day of the year; None without any."""
    last = date(year, 12, 31)
    codes = [code for code in path.split("/") if code]
    query = select(EvaluationRulesVersion).where(
        EvaluationRulesVersion.region_code.in_(codes),
        EvaluationRulesVersion.subject == subject.value,
        EvaluationRulesVersion.from_on <= last,
        or_(EvaluationRulesVersion.to_on.is_(None), EvaluationRulesVersion.to_on > last),
    )
    found = {row.region_code: row for row in session.scalars(query)}
    nearest = next((found[code] for code in reversed(codes) if code in found), None)
    return None if nearest is None else parsed(nearest)


def parsed(row: EvaluationRulesVersion) -> EvaluationRules:
    """The version as read; kept by its content, for it never changes."""
    if row.sha256 not in _parsed:
        _parsed[row.sha256] = read(row.text)
    return _parsed[row.sha256]
