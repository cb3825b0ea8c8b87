"""Appeals as firms and officials read them, and the windows and undertakings that programmes published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session, aliased

from voucher.models.applications import Appeal, ApplicationWindow, Undertaking
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.parties import Holder, Platform
from voucher.models.people import Person
from voucher.models.programmes import BudgetLine, Programme
from voucher.models.regions import Region
from voucher.queries.claims import Deed, history
from voucher.queries.paging import Page, as_term, in_regions, paged
from voucher.rules.permissions import Actor
from voucher.terms import AppealChannel, AppealState


@dataclass(frozen=True, slots=True)
class AppealLine:
    """An appeal in a list."""

    number: str
    subject: str
    state: AppealState
    channel: AppealChannel
    holder_name: str
    region_name: str
    lodged_at: datetime
    against: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealFile:
    """Everything on one appeal. `policy_code` of a claim's order; empty: against the rejection of an application.

    `appellant` is the side whose appeal it is: the firm, or the provider that sent the claim.
    """

    appeal: Appeal
    state: AppealState
    channel: AppealChannel
    against: str
    decider: str
    policy_code: str
    appellant: str
    history: Sequence[Deed]

    @property
    def is_claim(self) -> bool:
        """Whether it is against the rejection of a claim."""
        return bool(self.policy_code)


@dataclass(frozen=True, slots=True)
class WindowLine:
    """A published window with its budget line and who published it."""

    id: int
    programme_code: str
    programme_name: str
    year: int
    line_code: str
    opens_at: datetime
    closes_at: datetime | None
    document_no: str
    publisher: str


def appeals(
    session: Session, actor: Actor, *, state: AppealState | None = None, page: int = 1
) -> Page[AppealLine]:
    """The appeals of holders in the actor's regions, oldest first."""
    query = _joined(
        Appeal.number,
        Appeal.subject,
        as_term(Appeal.state, AppealState),
        as_term(Appeal.channel, AppealChannel),
        Holder.name,
        Region.name,
        Appeal.lodged_at,
        Person.name,
    )
    query = query.where(in_regions(actor)).order_by(Appeal.lodged_at, Appeal.id)
    if state is not None:
        query = query.where(Appeal.state == state.value)
    return paged(session, query, AppealLine, page=page)


def appeal_file(session: Session, actor: Actor, number: str) -> AppealFile | None:
    """One appeal in the actor's regions, of their organisations or their platforms' claims; None for any other."""
    decider = aliased(Person)
    row = session.execute(
        _joined(Appeal, Person.name, decider.name, Platform.name, Order.policy_code)
        .outerjoin(decider, decider.id == Appeal.decided_by)
        .outerjoin(Claim, Claim.id == Appeal.claim_id)
        .outerjoin(Order, Order.id == Claim.order_id)
        .outerjoin(Platform.__table__, and_(Platform.id == Order.platform_id, Claim.by_platform.is_(True)))
        .where(
            Appeal.number == number,
            or_(
                in_regions(actor),
                Holder.organisation_id.in_(actor.organisation_ids),
                Platform.id.in_(actor.platform_ids),
            ),
        )
    ).one_or_none()
    if row is None:
        return None
    appeal, against, decided_by, provider, policy_code = row
    return AppealFile(
        appeal=appeal,
        state=AppealState(appeal.state),
        channel=AppealChannel(appeal.channel),
        against=against,
        decider=decided_by or "",
        policy_code=policy_code or "",
        appellant=provider or appeal.holder.name,
        history=history(session, [appeal.number]),
    )


def windows(session: Session, actor: Actor) -> list[WindowLine]:
    """The windows of the programmes of the actor's books, the latest first."""
    query = (
        select(
            ApplicationWindow.id,
            Programme.code,
            Programme.name,
            ApplicationWindow.year,
            BudgetLine.code,
            ApplicationWindow.opens_at,
            ApplicationWindow.closes_at,
            ApplicationWindow.document_no,
            Person.name,
        )
        .join(Programme, Programme.code == ApplicationWindow.programme_code)
        .join(BudgetLine, BudgetLine.id == ApplicationWindow.budget_line_id)
        .join(Person, Person.id == ApplicationWindow.published_by)
        .where(Programme.book_id.in_(actor.book_ids))
        .order_by(ApplicationWindow.opens_at.desc(), ApplicationWindow.id.desc())
    )
    return [WindowLine(*row) for row in session.execute(query)]


def undertakings(session: Session, actor: Actor) -> list[tuple[Undertaking, str]]:
    """Every version of the programmes of the actor's books with the programme's name, the newest first."""
    query = (
        select(Undertaking, Programme.name)
        .join(Programme, Programme.code == Undertaking.programme_code)
        .where(Programme.book_id.in_(actor.book_ids))
        .order_by(Undertaking.programme_code, Undertaking.version.desc())
    )
    return [(row.Undertaking, row.name) for row in session.execute(query)]


def all_programmes(session: Session) -> list[Programme]:
    """Every programme of the installation, by name: what anybody may know."""
    return list(session.scalars(select(Programme).order_by(Programme.name)))


def _joined(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(Appeal)
        .join(Holder, Holder.id == Appeal.holder_id)
        .join(Region, Region.code == Holder.region_code)
        .join(Person, Person.id == Appeal.against_id)
    )
