"""Finding, and locking in order, the tenants, vouchers and allotments that a base may work on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.models.centres import Centre
from voucher.models.parties import Holder
from voucher.models.tenancies import Allotment, Tenancy
from voucher.models.vouchers import Voucher
from voucher.operations.places import places
from voucher.operations.policies import policy_of
from voucher.rules import eligibility, tenancy
from voucher.rules.permissions import Actor
from voucher.terms import AllotmentState, VoucherState


def account_of(row: Allotment) -> Ref:
    """The account that holds what is allotted."""
    return accounts.allot(row.voucher.number, row.tenant_ref)


def own_tenancies(session: Session, ids: Collection[int], *, actor: Actor) -> dict[int, Tenancy]:
    """Tenancies of the actor's centres, locked FOR SHARE in id order, so that none ends meanwhile."""
    query = (
        select(Tenancy)
        .join(Tenancy.centre)
        .where(Tenancy.id.in_(set(ids)), Centre.organisation_id.in_(actor.organisation_ids))
        .order_by(Tenancy.id)
        .with_for_update(read=True, of=Tenancy)
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in session.scalars(query)}


def own_voucher(session: Session, number: str, *, actor: Actor, at: datetime) -> Voucher:
    """A live voucher for tenants of the actor's own, whose base is certified today; locked FOR UPDATE.

    Refused: `not_found`, `voucher_expired`, `voucher_revoked`, `voucher_not_usable`, `tenant_needless`,
    `centre_not_certified`.
    """
    query = (
        select(Voucher)
        .join(Voucher.holder)
        .options(contains_eager(Voucher.holder))
        .where(Voucher.number == number, Holder.organisation_id.in_(actor.organisation_ids))
        .with_for_update(of=Voucher)
        .execution_options(populate_existing=True)
    )
    voucher = session.scalars(query).one_or_none()
    if voucher is None:
        raise Refusal(Code.NOT_FOUND, voucher=number)
    on, policy = business_date(at), policy_of(session, voucher.policy_code)
    finding = eligibility.voucher_live(VoucherState(voucher.state), voucher.use_by, on)
    if finding is not None:
        raise Refusal(finding[0], **finding[1])
    if not tenancy.is_for_tenants(policy):
        raise Refusal(Code.TENANT_NEEDLESS, voucher=number)
    places(session, [policy], [voucher.holder]).refuse(policy, voucher.holder, on)
    return voucher


def allotments_for(
    session: Session, voucher: Voucher, stays: Mapping[int, Tenancy], *, actor: Actor, at: datetime
) -> dict[int, Allotment]:
    """By tenancy the allotment of a voucher, locked FOR UPDATE; a tenant without one gets a new, empty one.

    A new one is not added to the session yet: nobody sees it before something is moved to it.
    """
    query = select(Allotment).where(
        Allotment.voucher_id == voucher.id, Allotment.tenancy_id.in_(stays.keys())
    )
    found = {row.tenancy_id: row for row in session.scalars(query.execution_options(populate_existing=True))}
    for key, stay in stays.items():
        if key not in found:
            found[key] = Allotment(
                number=f"{voucher.number}-{key}",
                voucher_id=voucher.id,
                tenancy_id=key,
                tenant_ref=f"{stay.holder.ref}.{key}",
                allotted_fen=0,
                moves=0,
                state=AllotmentState.LIVE.value,
                allotted_by=actor.person_id,
                allotted_at=at,
            )
            found[key].voucher, found[key].tenancy = voucher, stay
    return found


def own_allotments(session: Session, numbers: Collection[str], *, actor: Actor) -> dict[str, Allotment]:
    """Live allotments of the actor's vouchers; their vouchers are locked FOR UPDATE first, in id order."""
    mine = (
        select(Allotment)
        .join(Allotment.voucher)
        .join(Voucher.holder)
        .where(
            Allotment.number.in_(set(numbers)),
            Allotment.state == AllotmentState.LIVE.value,
            Holder.organisation_id.in_(actor.organisation_ids),
        )
        .order_by(Allotment.id)
    )
    lock_vouchers(session, {row.voucher_id for row in session.scalars(mine)})
    found = session.scalars(mine.execution_options(populate_existing=True))
    return {row.number: row for row in found}


def lock_vouchers(session: Session, ids: Collection[int]) -> None:
    """Lock vouchers FOR UPDATE in id order, read afresh."""
    query = select(Voucher).where(Voucher.id.in_(set(ids))).order_by(Voucher.id)
    query = query.with_for_update(of=Voucher).execution_options(populate_existing=True)
    session.scalars(query).all()
