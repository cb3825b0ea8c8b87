"""Publishing approved claims for everybody to see (公示, domain 3.3 step 13), and noting where else they hang."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Row, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from voucher.clock import business_date, fiscal_year
from voucher.codes import numbered
from voucher.errors import Code, Fact, Refusal
from voucher.models.claims import Claim
from voucher.models.notices import Notice, NoticeLine, NoticePlace
from voucher.models.numbers import take_ids
from voucher.models.orders import Order
from voucher.models.parties import Holder, Organisation, Platform
from voucher.models.programmes import Programme
from voucher.models.regions import Region
from voucher.operations import journal
from voucher.operations.alone import alone
from voucher.operations.deadlines import calendar_from
from voucher.operations.outcome import Refused
from voucher.operations.policies import policies_of
from voucher.operations.prorata import refuse_unfactored
from voucher.operations.tell import Note, tell
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor, covers_region, runs
from voucher.rules.policy import Policy
from voucher.rules.publicity import shown_name, working_days_asked
from voucher.rules.working_days import add_working_days, unknown_years
from voucher.terms import ClaimState, HolderKind, MessageEvent, NoticeKind, NoticeOutcome, NoticeState

_Found = Row[tuple[Claim, Order, str, str, str | None, str | None]]


@dataclass(frozen=True, slots=True)
class NoticeRequest:
    """Approved claims of one programme to be published; `authority` and `contact` are printed for objections."""

    programme_code: str
    claim_numbers: tuple[str, ...]
    title: str
    authority: str
    contact: str


@dataclass(frozen=True, slots=True)
class PlaceRequest:
    """Where a notice hangs outside the product (an address of a site, or a place), and since which day."""

    notice_number: str
    address: str
    placed_on: date


def publicise(
    session: Session, requests: Sequence[NoticeRequest], *, actor: Actor, at: datetime
) -> list[Notice | Refused]:
    """Publish approved claims: APPROVED → IN_NOTICE, for as many working days as the policy asks.

    The day of publishing is not counted; of several policy versions the longest notice counts for all. Whoever
    holds a voucher is told. Refused, alone and whole: another region's programme, or a claim that is not of it
    (`not_found`), one that is not approved, or whose policy asks for no notice (`state_changed`), one that waits for the
    factor of its year (`factor_required`).
    """
    return alone(session, requests, lambda request: _publicise(session, request, actor=actor, at=at))


def record_place(
    session: Session, requests: Sequence[PlaceRequest], *, actor: Actor, at: datetime
) -> list[NoticePlace | Refused]:
    """Write down where a notice was put outside the product.

    The same address again keeps its first day. Refused, alone: another region's notice (`not_found`).
    """
    return alone(session, requests, lambda request: _record_place(session, request, actor=actor, at=at))


def own_notice(session: Session, number: str, *, actor: Actor) -> Notice:
    """A notice of one of the actor's regions; refused `not_found`."""
    query = select(Notice).where(Notice.number == number).execution_options(populate_existing=True)
    notice = session.scalars(query).one_or_none()
    region = session.get(Region, notice.region_code) if notice else None
    if notice is None or region is None or not covers_region(actor, region.path):
        raise Refusal(Code.NOT_FOUND, notice=number)
    return notice


def _publicise(session: Session, request: NoticeRequest, *, actor: Actor, at: datetime) -> Notice:
    programme = session.get(Programme, request.programme_code)
    region = session.get(Region, programme.region_code) if programme else None
    if programme is None or region is None or not covers_region(actor, region.path):
        raise Refusal(Code.NOT_FOUND, programme=request.programme_code)
    if not runs(actor, programme.region_code):
        raise Refusal(Code.NOT_OWN_PROGRAMME, programme=programme.name)
    rows = _claims(session, request)
    missing = set(request.claim_numbers) - {row.Claim.number for row in rows}
    if missing or not rows:
        raise Refusal(Code.NOT_FOUND, claim=min(missing, default=""))
    policies = policies_of(session, {row.Order.policy_code for row in rows})
    refuse_unfactored([(row.Claim, policies[row.Order.policy_code]) for row in rows])
    for row in rows:
        if not working_days_asked(policies[row.Order.policy_code]):
            raise Refusal(Code.STATE_CHANGED, state=row.Claim.state, event=Event.OPEN_NOTICE.value)
        row.Claim.state = next_state(ClaimState(row.Claim.state), Event.OPEN_NOTICE).value
    days = max(working_days_asked(policies[row.Order.policy_code]) for row in rows)
    notice = _notice(session, request, (programme.region_code, days), actor=actor, at=at)
    session.add(notice)
    session.flush()
    session.execute(insert(NoticeLine), _lines(notice, rows, policies))
    facts: dict[str, Fact] = {
        "claims": len(rows),
        "from_on": notice.from_on.isoformat(),
        "to_on": notice.to_on.isoformat(),
    }
    journal.record(session, actor, "notice.publish", [(notice.number, facts)], at=at)
    said = {"notice": notice.number}
    journal.record(session, actor, "claim.open_notice", [(row.Claim.number, said) for row in rows], at=at)
    session.flush()
    told = {"notice": notice.number, "to_on": notice.to_on.isoformat()}
    notes = [
        Note(MessageEvent.NOTICE_OPENED, row.Claim.number, told, holder_id=row.Order.holder_id)
        for row in rows
    ]
    tell(session, notes, at=at)
    return notice


def _claims(session: Session, request: NoticeRequest) -> Sequence[_Found]:
    """The claims of the programme that are named, locked, with what is published of them."""
    query = (
        select(Claim, Order, Holder.name, Holder.kind)
        .add_columns(Organisation.name.label("host"), Platform.__table__.c.name.label("platform"))
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .outerjoin(Platform.__table__, Platform.id == Order.platform_id)
        .outerjoin(Organisation, Organisation.id == Platform.organisation_id)
        .where(Claim.number.in_(request.claim_numbers), Order.programme_code == request.programme_code)
        .order_by(Claim.id)
        .with_for_update(of=Claim)
        .execution_options(populate_existing=True)
    )
    return session.execute(query).all()


def _notice(
    session: Session, request: NoticeRequest, span: tuple[str, int], *, actor: Actor, at: datetime
) -> Notice:
    """The row of a notice in a region for some working days from today."""
    region_code, days = span
    today = business_date(at)
    table = calendar_from(session, today)
    to_on = add_working_days(table, today, days)
    (notice_id,) = take_ids(session, Notice, 1)
    return Notice(
        id=notice_id,
        number=numbered("N", fiscal_year(at), notice_id),
        kind=NoticeKind.CLAIMS.value,
        title=request.title,
        region_code=region_code,
        programme_code=request.programme_code,
        authority=request.authority,
        contact=request.contact,
        state=NoticeState.OPEN.value,
        working_days=days,
        from_on=today,
        to_on=to_on,
        weekends_only=",".join(str(year) for year in unknown_years(table, today, to_on)),
        published_by=actor.person_id,
        published_at=at,
    )


def _lines(notice: Notice, rows: Sequence[_Found], policies: Mapping[str, Policy]) -> list[dict[str, object]]:
    """The columns of R5: no ID number, telephone or account is among them."""
    lines: list[dict[str, object]] = []
    for seq, row in enumerate(rows, start=1):
        service = policies[row.Order.policy_code].service(row.Order.service)
        lines.append(
            {
                "notice_id": notice.id,
                "seq": seq,
                "subject": row.Claim.number,
                "claim_id": row.Claim.id,
                "enterprise": shown_name(row.name, HolderKind(row.kind)),
                "provider": " · ".join(filter(None, (row.host, row.platform)))[:120],
                "service": service.label if service else row.Order.service,
                "contract_fen": row.Claim.contract_fen,
                "subsidy_fen": row.Claim.approved_fen,
                "outcome": NoticeOutcome.OPEN.value,
            }
        )
    return lines


def _record_place(session: Session, request: PlaceRequest, *, actor: Actor, at: datetime) -> NoticePlace:
    notice = own_notice(session, request.notice_number, actor=actor)
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    values = {
        "notice_id": notice.id,
        "address": request.address,
        "placed_on": request.placed_on,
        "recorded_by": actor.person_id,
        "recorded_at": at,
    }
    session.execute(dialect.insert(NoticePlace).values(values).on_conflict_do_nothing())
    facts = {"address": request.address, "placed_on": request.placed_on.isoformat()}
    journal.record(session, actor, "notice.place", [(notice.number, facts)], at=at)
    session.flush()
    query = select(NoticePlace).where(
        NoticePlace.notice_id == notice.id, NoticePlace.address == request.address
    )
    return session.scalars(query).one()
