"""Ties between organisations that bar business on vouchers, and the bank accounts they are paid to."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.codes import normalise_uscc
from voucher.errors import Code, Fact, Refusal
from voucher.ledger.bulk import Rows, insert_missing
from voucher.models.parties import Affiliation, Organisation, PayeeAccount, Platform
from voucher.operations.journal import record
from voucher.operations.outcome import Refused, refused
from voucher.operations.regions import paths_of
from voucher.operations.register import organisation_ids
from voucher.rules.permissions import Actor, covers_region
from voucher.terms import AffiliationKind

_ACCOUNT_NO: Final = re.compile(r"[0-9]{8,30}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class AffiliationRequest:
    """A tie of two organisations, in either order, and where it is known from."""

    one_uscc: str
    other_uscc: str
    kind: AffiliationKind
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeeRequest:
    """The account that an organisation is paid to from now on."""

    uscc: str
    account_name: str
    bank: str
    account_no: str


def affiliate(
    session: Session, requests: Sequence[AffiliationRequest], *, actor: Actor, at: datetime
) -> list[tuple[int, int] | Refused]:
    """Enter ties, each pair once per kind; gives the ordered pair of organisation ids.

    Refused one by one: a party that is not registered (`not_found`), one and the same party (`affiliated`).
    """
    names = [name for request in requests for name in (request.one_uscc, request.other_uscc)]
    ids = organisation_ids(session, map(normalise_uscc, names))
    answers: list[tuple[int, int] | Refused] = []
    for request in requests:
        one, other = (ids.get(normalise_uscc(name)) for name in (request.one_uscc, request.other_uscc))
        if one is None or other is None:
            answers.append(Refused(Code.NOT_FOUND))
            continue
        if one == other:
            answers.append(Refused(Code.AFFILIATED, {"relation": "same_party"}))
            continue
        pair = (min(one, other), max(one, other))
        columns = ("first_id", "second_id", "kind", "source")
        insert_missing(session, Rows(Affiliation, columns, [(*pair, request.kind.value, request.source)]))
        facts: dict[str, Fact] = {"other": pair[1], "kind": request.kind.value}
        record(session, actor, "organisation.affiliate", [(f"organisation:{pair[0]}", facts)], at=at)
        answers.append(pair)
    return answers


def set_payees(
    session: Session, requests: Sequence[PayeeRequest], *, actor: Actor, at: datetime
) -> list[int | Refused]:
    """Register the first account that an organisation is paid to; gives its id. `change_payee` changes it.

    Refused one by one: an organisation that is neither the actor's nor in the actor's regions (`not_found`),
    an account number that is not 8 to 30 digits (`payee_missing`), another account in force (`already_registered`).
    The same account again is the same answer.
    """
    answers: list[int | Refused] = []
    for request in requests:
        try:
            answers.append(_set_payee(session, request, actor=actor, at=at))
        except Refusal as refusal:
            answers.append(refused(refusal))
    return answers


def _set_payee(session: Session, request: PayeeRequest, *, actor: Actor, at: datetime) -> int:
    owner = owned_by(session, request.uscc, actor)
    number = account_number(owner, request.account_no)
    query = select(PayeeAccount).where(PayeeAccount.organisation_id == owner.id, PayeeAccount.active)
    given = (request.account_name, request.bank, number)
    for account in session.scalars(query):
        if (account.account_name, account.bank, account.account_no) == given:
            return account.id
        raise Refusal(Code.ALREADY_REGISTERED, subject=owner.name)
    payee = PayeeAccount(
        organisation_id=owner.id,
        account_name=request.account_name,
        bank=request.bank,
        account_no=number,
        created_at=at,
    )
    session.add(payee)
    session.flush()
    record(
        session, actor, "organisation.set_payee", [(f"organisation:{owner.id}", {"payee": payee.id})], at=at
    )
    return payee.id


def owned_by(session: Session, uscc: str, actor: Actor) -> Organisation:
    """The organisation of this code, locked, that the actor acts for or that lies in the actor's regions.

    Refused: `not_found`.
    """
    owner = session.scalars(
        select(Organisation).where(Organisation.uscc == normalise_uscc(uscc)).with_for_update(key_share=True)
    ).one_or_none()
    if owner is None or not _is_in_scope(session, owner, actor):
        raise Refusal(Code.NOT_FOUND, uscc=normalise_uscc(uscc)[:32])
    return owner


def account_number(owner: Organisation, written: str) -> str:
    """A bank account's digits, however they are written; refused `payee_missing` unless there are 8 to 30."""
    number = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", written))
    if _ACCOUNT_NO.fullmatch(number) is None:
        raise Refusal(Code.PAYEE_MISSING, payee=owner.name)
    return number


def _is_in_scope(session: Session, owner: Organisation, actor: Actor) -> bool:
    path = paths_of(session, [owner.region_code])[owner.region_code]
    if owner.id in actor.organisation_ids or covers_region(actor, path):
        return True
    hosted = select(Platform.id).where(
        Platform.organisation_id == owner.id, Platform.id.in_(actor.platform_ids)
    )
    return session.scalars(hosted.limit(1)).first() is not None
