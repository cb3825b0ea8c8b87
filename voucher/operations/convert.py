"""A team becomes a firm (团队转为企业): its vouchers, orders and claims go on under the firm, its used cap with them.

What the team used of a cap is charged to the firm's account of the same family and period, in one posting: used ->
team, team -> source, source -> firm as far as the firm's account leaves too little, firm -> used. What all holders
used stays what it was. Later trims and reversals find the voucher's holder, so their room comes back to the firm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from voucher.codes import is_uscc, normalise_uscc
from voucher.errors import Code, Fact, Refusal, found
from voucher.models.claims import Claim
from voucher.models.contracts import Contract
from voucher.models.joining import Authorisation
from voucher.models.orders import Order
from voucher.models.parties import Holder, PayeeAccount
from voucher.models.people import RoleGrant
from voucher.models.sessions import RedemptionSession
from voucher.models.vouchers import Voucher
from voucher.operations.carry import carry_allowances
from voucher.operations.journal import record
from voucher.operations.move_holder import move_holder
from voucher.operations.outcome import only
from voucher.operations.register import OrganisationRequest, register_firms, register_organisations
from voucher.operations.teams import WITHOUT_USCC
from voucher.rules.permissions import Actor
from voucher.terms import ClaimState, HolderKind, OrderState, SessionState

_HELD: Final = (OrderState.HELD, OrderState.DELIVERED, OrderState.DISPUTED)
_ON_THE_WAY: Final = (OrderState.IN_BATCH, OrderState.SETTLED)
_OPEN_SESSIONS: Final = (SessionState.OPEN, SessionState.SCANNED, SessionState.PROPOSED)
_DECIDED: Final = (ClaimState.REJECTED, ClaimState.WITHDRAWN, ClaimState.PAID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """A team that has its USCC now. `bank` and `account_no`: the firm's account, where it has none yet."""

    team_id: int
    uscc: str
    name: str
    region_code: str
    legal_representative: str
    bank: str = ""
    account_no: str = ""


@dataclass(frozen=True, slots=True)
class Converted:
    """The firm that goes on, and how much used allowance it took along, in fen."""

    organisation_id: int
    holder_ref: str
    used_fen: int


@dataclass(frozen=True, slots=True)
class _Team:
    holder_id: int
    ref: str
    vouchers: Sequence[Voucher]
    orders: Sequence[Order]
    claims: Sequence[Claim]


def convert(session: Session, wanted: Conversion, *, actor: Actor, at: datetime) -> Converted:
    """Make a team a firm. Locks sessions, vouchers, orders and claims of the team, then its holder, then accounts.

    Refused: no team, or converted already (`not_found`); a USCC that is none (`uscc_invalid`); open sessions, open
    holds, money in a batch or at the bank (`conversion_blocked`, with their numbers); open claims, and no account of
    the firm to pay them to (`payee_missing`); an account of the ledger with something pending (`conversion_blocked`).
    """
    uscc = normalise_uscc(wanted.uscc)
    if not is_uscc(uscc):
        raise Refusal(Code.USCC_INVALID, uscc=uscc[:32])
    team = _locked(session, wanted.team_id, at)
    firm_id, firm_ref = _firm(session, wanted, uscc, actor=actor, at=at)
    holder = session.get_one(Holder, firm_id)
    used = carry_allowances(session, team.ref, holder.cap_owner, actor=actor, at=at)
    _rename_contracts(session, team, holder.cap_owner)
    _pay_to_firm(session, team, wanted, found(holder.organisation_id), at=at)
    move_holder(session, team.holder_id, firm_id)
    _move_people(session, wanted.team_id, found(holder.organisation_id))
    session.execute(update(Holder).where(Holder.id == team.holder_id).values(converted_into=firm_id))
    facts: dict[str, Fact] = {"into": firm_ref, "vouchers": len(team.vouchers), "orders": len(team.orders)}
    facts["used_fen"] = used
    record(session, actor, "team.convert", [(f"holder:{team.ref}", facts)], at=at)
    session.flush()
    session.expire_all()
    return Converted(found(holder.organisation_id), firm_ref, used)


def _locked(session: Session, team_id: int, at: datetime) -> _Team:
    query = select(Holder.id).where(
        Holder.organisation_id == team_id,
        Holder.kind.in_([kind.value for kind in WITHOUT_USCC]),
        Holder.converted_into.is_(None),
    )
    holder_id = session.scalars(query).one_or_none()
    if holder_id is None:
        raise Refusal(Code.NOT_FOUND, team=team_id)
    sessions = _rows(session, RedemptionSession, RedemptionSession.holder_id == holder_id)
    vouchers = _rows(session, Voucher, Voucher.holder_id == holder_id)
    orders = _rows(session, Order, Order.holder_id == holder_id)
    claims = _rows(session, Claim, Claim.order_id.in_([order.id for order in orders]))
    _check_open(sessions, orders, at=at)
    holder = session.scalars(query.with_only_columns(Holder).with_for_update()).one_or_none()
    if holder is None:
        raise Refusal(Code.NOT_FOUND, team=team_id)
    return _Team(holder_id, holder.ref, vouchers, orders, claims)


def _rows(session: Session, table: Any, condition: Any) -> list[Any]:
    query = select(table).where(condition).order_by(table.id).with_for_update(of=table)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def _check_open(sessions: Sequence[RedemptionSession], orders: Sequence[Order], *, at: datetime) -> None:
    waiting = {state.value for state in _OPEN_SESSIONS}
    held = {state.value for state in (*_HELD, *_ON_THE_WAY)}
    numbers = [
        each.number
        for each in sessions
        if each.state in waiting and (each.order_id is not None or at < each.closes_at)
    ]
    numbers += [each.number for each in orders if each.state in held or each.hold_posting is not None]
    if numbers:
        raise Refusal(Code.CONVERSION_BLOCKED, open="、".join(dict.fromkeys(numbers)))


def _firm(session: Session, wanted: Conversion, uscc: str, *, actor: Actor, at: datetime) -> tuple[int, str]:
    """The firm's holder, registered now unless it is known already."""
    firm = OrganisationRequest(
        uscc=uscc,
        name=wanted.name,
        region_code=wanted.region_code,
        legal_representative=wanted.legal_representative,
    )
    only(register_organisations(session, [firm], actor=actor, at=at))
    holder = only(register_firms(session, [uscc], actor=actor, at=at))
    kind = session.get_one(Holder, holder.id).kind
    if kind != HolderKind.FIRM.value:
        raise Refusal(Code.USCC_INVALID, uscc=uscc)
    return holder.id, uscc


def _pay_to_firm(
    session: Session, team: _Team, wanted: Conversion, organisation_id: int, *, at: datetime
) -> None:
    """Open claims that would be paid to the team are paid to the firm."""
    query = select(PayeeAccount.id).where(
        PayeeAccount.organisation_id == organisation_id, PayeeAccount.active.is_(True)
    )
    account = session.scalars(query.order_by(PayeeAccount.id.desc()).limit(1)).first()
    if account is None and wanted.bank and wanted.account_no:
        row = PayeeAccount(
            organisation_id=organisation_id,
            account_name=wanted.name,
            bank=wanted.bank,
            account_no=wanted.account_no,
            created_at=at,
        )
        session.add(row)
        session.flush()
        account = row.id
    of_team = set(
        session.scalars(select(PayeeAccount.id).where(PayeeAccount.organisation_id == wanted.team_id))
    )
    decided = {state.value for state in _DECIDED}
    for claim in team.claims:
        if claim.payee_account_id not in of_team or claim.state in decided:
            continue
        if account is None:
            raise Refusal(Code.PAYEE_MISSING, payee=wanted.name)
        claim.payee_account_id = account
    session.flush()


def _rename_contracts(session: Session, team: _Team, firm_ref: str) -> None:
    """The team's contracts are the firm's, by the names that their ledger accounts have now.

    Where the firm filed the same contract itself, its own row stays.
    """
    contracts = _rows(session, Contract, Contract.holder_id == team.holder_id)
    new = {each.ref: firm_ref + each.ref.removeprefix(team.ref) for each in contracts}
    taken = set(session.scalars(select(Contract.ref).where(Contract.ref.in_(new.values()))))
    for each in contracts:
        if new[each.ref] not in taken:
            each.ref = new[each.ref]
    for order in team.orders:
        if order.contract_ref.startswith(f"{team.ref}|"):
            order.contract_ref = firm_ref + order.contract_ref.removeprefix(team.ref)
    session.flush()


def _move_people(session: Session, team_id: int, organisation_id: int) -> None:
    """Whoever acted for the team acts for the firm, under the same authorisations."""
    for table in (RoleGrant, Authorisation):
        session.execute(
            update(table).where(table.organisation_id == team_id).values(organisation_id=organisation_id)
        )
