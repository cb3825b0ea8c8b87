"""A holder before a programme: every condition of applying, read the same way for the page and for the submission."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from voucher.clock import business_date, fiscal_year
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.ledger.balances import standings
from voucher.models.applications import Application, ApplicationWindow, Undertaking
from voucher.models.parties import Holder, Qualification, RosterEntry
from voucher.models.programmes import Programme
from voucher.models.regions import Region
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.import_roster import TECH_SME
from voucher.operations.places import places
from voucher.operations.policies import policy_in_force
from voucher.rules import applying, eligibility
from voucher.rules.applying import Condition, Holding, Window
from voucher.rules.permissions import Actor
from voucher.rules.policy import Policy
from voucher.rules.tenancy import asks_for_places
from voucher.terms import ApplicationState, EligibilityRule, HolderClass, HolderKind, IssueMode, VoucherState

UNFINISHED = (ApplicationState.SUBMITTED, ApplicationState.RETURNED, ApplicationState.WAITING)
_COUNTED = (*UNFINISHED, ApplicationState.ISSUED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """A holder and a programme on one day. `window` is the open one; `conditions` say what is met and what is not."""

    programme: Programme
    policy: Policy
    window: ApplicationWindow | None
    undertaking: Undertaking | None
    holder: Holder
    holder_class: HolderClass
    classes: tuple[HolderClass, ...]
    is_qualified: bool
    holding: Holding
    conditions: tuple[Condition, ...]

    @property
    def is_eligible(self) -> bool:
        """Whether every condition is met that can be known before an amount is."""
        return all(condition.finding is None for condition in self.conditions)

    def require(self, wanted_fen: Fen) -> None:
        """Refuse with the first condition that is not met, then with the bounds of the amount."""
        amounts = (
            eligibility.face(self.policy, wanted_fen),
            applying.held(self.policy, self.holding, wanted_fen),
        )
        for finding in (*(condition.finding for condition in self.conditions), *amounts):
            if finding is not None:
                raise Refusal(finding[0], **finding[1])


def own_holders(session: Session, *, actor: Actor) -> list[Holder]:
    """The holders that the actor may apply for: those of their organisations, by reference."""
    query = select(Holder).where(Holder.organisation_id.in_(actor.organisation_ids)).order_by(Holder.ref)
    return list(session.scalars(query))


def own_holder(session: Session, ref: str, *, actor: Actor) -> Holder:
    """One of them; with an empty `ref` the only one. Refused: `not_found`."""
    found = [holder for holder in own_holders(session, actor=actor) if ref in ("", holder.ref)]
    if len(found) != 1:
        raise Refusal(Code.NOT_FOUND, holder=ref[:40])
    return found[0]


def applicant_of(
    session: Session,
    programme_code: str,
    holder: Holder,
    *,
    at: datetime,
    wanted_class: HolderClass | None = None,
) -> Applicant:
    """Read everything that decides whether the holder may apply at `at`. Nothing is written or locked.

    Refused: no such programme (`not_found`), no policy in force (`policy_not_published`).
    """
    programme = session.get(Programme, programme_code)
    if programme is None:
        raise Refusal(Code.NOT_FOUND, programme=programme_code)
    policy, year = policy_in_force(session, programme_code, at), fiscal_year(at)
    classes = applying.classes_of(policy, HolderKind(holder.kind))
    standing = select(Qualification.holder_class).where(
        Qualification.programme_code == programme_code,
        Qualification.year == year,
        Qualification.holder_id == holder.id,
    )
    qualified = session.scalars(standing).one_or_none()
    held_class = HolderClass(qualified) if qualified else wanted_class or classes[0]
    windows = _windows(session, programme_code, year, at=at)
    holding = holding_of(session, programme_code, holder.id, year=year)
    served_as = None if qualified else held_class
    checked = (
        Condition("window", applying.opening([shape(each) for each in windows], at)),
        Condition("region", _region(session, policy, holder)),
        *_centre(session, policy, holder, on=business_date(at)),
        Condition("holder_class", _class(policy, held_class, classes, qualified)),
        Condition("roster", _roster(session, policy, holder, on=business_date(at), served_as=served_as)),
        Condition("open", applying.one_at_a_time(holding)),
        *_limits(policy, holding),
    )
    return Applicant(
        programme=programme,
        policy=policy,
        window=next((each for each in windows if shape(each).is_open(at)), None),
        undertaking=newest_undertaking(session, programme_code),
        holder=holder,
        holder_class=held_class,
        classes=(held_class,) if qualified else classes,
        is_qualified=qualified is not None,
        holding=holding,
        conditions=checked,
    )


def _limits(policy: Policy, holding: Holding) -> tuple[Condition, ...]:
    """What the policy limits; what it does not ask for is no condition."""
    least = policy.face_min_fen or Fen(1)
    asked = (
        (policy.applications_most, Condition("count", applying.count(policy, holding))),
        (policy.idle_refuses, Condition("idle", applying.idle(policy, holding))),
        (policy.held_most_fen, Condition("held", applying.held(policy, holding, least))),
    )
    return tuple(condition for parameter, condition in asked if parameter)


def _centre(session: Session, policy: Policy, holder: Holder, *, on: date) -> tuple[Condition, ...]:
    """The centre that the policy asks for: a base's own, or the one that a startup is inside."""
    if not asks_for_places(policy):
        return ()
    return (Condition("centre", places(session, [policy], [holder]).finding(policy, holder, on)),)


def shape(window: ApplicationWindow) -> Window:
    """A stored window as the rules see it."""
    return Window(window.opens_at, window.closes_at, window.document_no)


def newest_undertaking(session: Session, programme_code: str) -> Undertaking | None:
    """The version that is signed now; None where the programme has none."""
    query = select(Undertaking).where(Undertaking.programme_code == programme_code)
    return session.scalars(query.order_by(Undertaking.version.desc()).limit(1)).one_or_none()


def holding_of(
    session: Session, programme_code: str, holder_id: int, *, year: int, besides: int = 0
) -> Holding:
    """What the holder has in the programme now, besides the application of this id."""
    vouchers = session.execute(
        select(Voucher.number, Voucher.book_id, Voucher.face_fen).where(
            Voucher.programme_code == programme_code,
            Voucher.holder_id == holder_id,
            Voucher.state == VoucherState.LIVE.value,
        )
    ).all()
    left, idle = 0, None
    for book_id in sorted({row.book_id for row in vouchers}):
        refs = {accounts.voucher(row.number): row for row in vouchers if row.book_id == book_id}
        for ref, figures in standings(session, book_id, refs).items():
            left += figures.posted_fen
            if figures.available_fen == refs[ref].face_fen:
                idle = refs[ref].number
    mine = select(Application).where(
        Application.programme_code == programme_code,
        Application.holder_id == holder_id,
        Application.year == year,
        Application.id != besides,
        Application.state.in_([state.value for state in _COUNTED]),
    )
    rows = list(session.scalars(mine.order_by(Application.id)))
    unfinished = [row for row in rows if row.state != ApplicationState.ISSUED.value]
    asked = sum(row.wanted_fen if row.approved_fen is None else row.approved_fen for row in unfinished)
    return Holding(
        held_fen=Fen(left + asked),
        applications=len(rows),
        idle_voucher=idle,
        open_application=unfinished[0].number if unfinished else None,
        open_state=unfinished[0].state if unfinished else "",
    )


def _windows(session: Session, programme_code: str, year: int, *, at: datetime) -> list[ApplicationWindow]:
    """Those of this year, and those that are still to come: a later year's line pays for nothing now."""
    query = select(ApplicationWindow).where(
        ApplicationWindow.programme_code == programme_code,
        or_(ApplicationWindow.year == year, ApplicationWindow.opens_at > at),
    )
    return list(session.scalars(query.order_by(ApplicationWindow.opens_at, ApplicationWindow.id)))


def _region(session: Session, policy: Policy, holder: Holder) -> eligibility.Finding:
    if EligibilityRule.TENANT_OF_CENTRE in policy.eligibility:
        return None
    path = session.scalars(select(Region.path).where(Region.code == holder.region_code)).one()
    if f"/{policy.owner_region}/" in path:
        return None
    return Code.NOT_QUALIFIED, {"reason": "region"}


def _class(
    policy: Policy, held: HolderClass, classes: tuple[HolderClass, ...], qualified: str | None
) -> eligibility.Finding:
    if qualified is None and held not in classes:
        return Code.NOT_QUALIFIED, {"reason": "holder_class", "holder_class": held.value}
    return eligibility.holder_class(policy, held)


def _roster(
    session: Session, policy: Policy, holder: Holder, *, on: date, served_as: HolderClass | None
) -> eligibility.Finding:
    """A qualification (None) stands for itself; else the roster decides, and, issuing automatically, if it suffices."""
    if served_as is None:
        return None
    query = select(RosterEntry.year).where(
        RosterEntry.roster == TECH_SME, RosterEntry.uscc == holder.ref, RosterEntry.year == on.year
    )
    finding = eligibility.roster(policy, tuple(session.scalars(query)), on, held=served_as.value)
    if finding is None and policy.issue_mode is IssueMode.AUTOMATIC and not policy.roster_qualifies:
        return Code.NOT_QUALIFIED, {"reason": "not_qualified", "year": on.year}
    return finding
