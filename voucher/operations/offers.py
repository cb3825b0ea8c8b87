"""What a programme offers to whoever asks, read and worked out by the rules that decide later. Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import fiscal_year
from voucher.errors import Code, Refusal
from voucher.models.applications import Application, ApplicationDecision, ApplicationWindow
from voucher.models.programmes import Programme
from voucher.money import MAX_FEN, Fen
from voucher.operations.applicant import shape
from voucher.operations.policies import policy_in_force
from voucher.rules import applying, eligibility, offer
from voucher.rules.agreement import Agreement, ruling
from voucher.rules.clamp import Limit
from voucher.rules.offer import Bill, Reach
from voucher.rules.policy import Policy
from voucher.rules.subsidy import Case
from voucher.terms import HolderClass

_RECENT: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: by which class, for which service (empty: the first), a voucher and a contract of how much.

    `limits` are those of a holder who is known (the cap that is left); `agreement` is the one under which the platform
    that is asked about takes the voucher: its rates and payout mode rule.
    """

    holder_class: HolderClass | None = None
    service: str = ""
    voucher_fen: Fen | None = None
    contract_fen: Fen | None = None
    applicant_region: str = ""
    provider_region: str = ""
    limits: tuple[Limit, ...] = ()
    agreement: Agreement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The answer. `bill` for the contract that was asked about, else for the one that uses the whole voucher up.

    `usual_seconds`: how long the middle one of the last decisions took, None before the first.
    """

    programme: Programme
    policy: Policy
    holder_class: HolderClass
    service: str
    voucher_fen: Fen
    reach: Reach
    bill: Bill
    is_open: bool
    windows: Sequence[ApplicationWindow]
    usual_seconds: int | None


def offer_of(session: Session, programme_code: str, question: Question, *, at: datetime) -> Offer:
    """Answer for the policy in force and the year of `at`.

    Refused: no such programme (`not_found`), no policy in force (`policy_not_published`), a class or service that the
    policy does not pay for (`not_qualified`, `service_not_certified`), a voucher out of bounds (`face_out_of_range`).
    """
    programme = session.get(Programme, programme_code)
    if programme is None:
        raise Refusal(Code.NOT_FOUND, programme=programme_code[:40])
    policy = policy_in_force(session, programme_code, at)
    if question.agreement is not None:
        policy = ruling(policy, question.agreement)
    service = question.service or policy.services[0].code
    voucher_fen = question.voucher_fen or policy.face_max_fen or Fen(MAX_FEN)
    finding = eligibility.face(policy, voucher_fen)
    if finding is not None:
        raise Refusal(finding[0], **finding[1])
    case = Case(
        holder_class=question.holder_class or policy.holder_classes[0],
        service=service,
        applicant_region=question.applicant_region or policy.owner_region,
        provider_region=question.provider_region or policy.owner_region,
    )
    reach = offer.reach(policy, case, voucher_fen)
    limits = (offer.limit_of(voucher_fen), *question.limits)
    contract_fen = question.contract_fen or reach.contract_fen or voucher_fen
    windows = _windows(session, programme_code, fiscal_year(at))
    return Offer(
        programme=programme,
        policy=policy,
        holder_class=HolderClass(case.holder_class),
        service=service,
        voucher_fen=voucher_fen,
        reach=reach,
        bill=offer.bill(policy, case, contract_fen, limits),
        is_open=applying.opening([shape(each) for each in windows], at) is None,
        windows=windows,
        usual_seconds=_usual_seconds(session, programme_code),
    )


def _windows(session: Session, programme_code: str, year: int) -> list[ApplicationWindow]:
    query = select(ApplicationWindow).where(
        ApplicationWindow.programme_code == programme_code, ApplicationWindow.year == year
    )
    return list(session.scalars(query.order_by(ApplicationWindow.opens_at)))


def _usual_seconds(session: Session, programme_code: str) -> int | None:
    query = (
        select(Application.submitted_at, ApplicationDecision.decided_at)
        .join(ApplicationDecision, ApplicationDecision.application_id == Application.id)
        .where(Application.programme_code == programme_code, ApplicationDecision.round == 1)
        .order_by(ApplicationDecision.id.desc())
        .limit(_RECENT)
    )
    took = sorted(int((done - begun).total_seconds()) for begun, done in session.execute(query))
    return took[len(took) // 2] if took else None
